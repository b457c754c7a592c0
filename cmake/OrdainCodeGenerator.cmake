# Lets libordain.so and the command load the code generator, and with it LLVM, when native code is
# first asked for. To load LLVM takes ten times as long as all else that the command does to start.

# ordain_load_code_generator(TARGET PLACES...) makes a target load the code generator from a library
# at the first of the places that exists. They are paths from the directory of the target's file.
function(ordain_load_code_generator target)
  list(TRANSFORM ARGN REPLACE "(.+)" "\"\\1\"" OUTPUT_VARIABLE places)
  list(JOIN places "," places)
  set(source ${PROJECT_SOURCE_DIR}/embed/code_generator_loaded.cc)
  target_sources(${target} PRIVATE ${source})
  set_source_files_properties(${source} PROPERTIES
    COMPILE_DEFINITIONS "ORDAIN_CODE_GENERATOR_PLACES=${places};ORDAIN_RELEASE=\"${PROJECT_VERSION}\""
    INCLUDE_DIRECTORIES ${PROJECT_BINARY_DIR}/vm/jit)
  target_link_libraries(${target} PRIVATE ${CMAKE_DL_LIBS})
  add_dependencies(${target} ordain_native_sources)
endfunction()

# Links all of Ordain but the code generator into a program, which loads that from
# LIBDIR/ordain/code-generator.so. The library uses the program's own virtual machine: it has no
# second one, and the program exports what it needs.
function(ordain_program_with_loaded_code_generator target)
  add_library(ordain_code_generator_module MODULE $<TARGET_OBJECTS:ordain_jit>)
  set_target_properties(ordain_code_generator_module PROPERTIES
    PREFIX "" OUTPUT_NAME code-generator LINKER_LANGUAGE CXX
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/ordain)
  target_link_libraries(ordain_code_generator_module PRIVATE LLVM fmt::fmt)
  target_link_directories(ordain_code_generator_module PRIVATE $<TARGET_PROPERTY:ordain_jit,INTERFACE_LINK_DIRECTORIES>)
  install(TARGETS ordain_code_generator_module LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/ordain)

  target_sources(${target} PRIVATE $<TARGET_OBJECTS:ordain_ordain> $<TARGET_OBJECTS:ordain_vm>)
  target_link_libraries(${target} PRIVATE ordain::vm ordain::stdlib ordain::compiler ordain::runtime ordain::analysis)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/embed/include)
  set(exported ${PROJECT_SOURCE_DIR}/cmake/program.exported)
  target_link_options(${target} PRIVATE LINKER:--dynamic-list=${exported})
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${exported})
  add_dependencies(${target} ordain_code_generator_module)
  cmake_path(RELATIVE_PATH CMAKE_INSTALL_FULL_LIBDIR BASE_DIRECTORY ${CMAKE_INSTALL_FULL_BINDIR} OUTPUT_VARIABLE installed)
  set(places ../lib/ordain/code-generator.so ${installed}/ordain/code-generator.so)
  list(REMOVE_DUPLICATES places)
  ordain_load_code_generator(${target} ${places})
endfunction()
