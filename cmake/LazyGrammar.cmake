# Changes the parser that ANTLR generated in DIRECTORY so that it reads its tables when the first
# parser is made, not whenever a process starts, and does not check what ANTLR itself has written.
# A process that parses nothing is then spared seven million instructions. The C++ that newer
# versions of ANTLR generate reads its tables late by itself, and is left as it is.
foreach(class OrdainLexer OrdainParser)
  set(source ${DIRECTORY}/${class}.cpp)
  set(header ${DIRECTORY}/${class}.h)
  file(READ ${source} code)
  file(READ ${header} declarations)
  set(early "${class}::Initializer ${class}::_init;")
  string(FIND "${code}" "${early}" found)
  if(found EQUAL -1)
    continue()
  endif()
  string(REPLACE "${early}" "" code "${code}")
  string(REPLACE "  static Initializer _init;\n" "" declarations "${declarations}")
  string(REPLACE "  _interpreter = new " "  static const Initializer once;\n  _interpreter = new " code "${code}")
  string(REPLACE "  atn::ATNDeserializer deserializer;\n"
    "  atn::ATNDeserializationOptions unchecked;\n  unchecked.setVerifyATN(false);\n  atn::ATNDeserializer deserializer(unchecked);\n"
    code "${code}")
  foreach(part "static const Initializer once" "deserializer(unchecked)")
    string(FIND "${code}" "${part}" found)
    if(found EQUAL -1)
      message(FATAL_ERROR "${source} is not as expected: adapt cmake/LazyGrammar.cmake to this version of ANTLR")
    endif()
  endforeach()
  file(WRITE ${source} "${code}")
  file(WRITE ${header} "${declarations}")
endforeach()
