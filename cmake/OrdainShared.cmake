# Builds the shared libraries from the objects of the static libraries. libordain.so holds everything
# but native code, and libordain-jit.so makes native code. The symbols that ORDAIN_API marks have the
# version ORDAIN_0.1. What libordain.so exports only for libordain-jit.so has the version
# ORDAIN_PRIVATE_0.1.0, so that the dynamic loader refuses to combine two releases.

# ordain_shared_library(NAME OUTPUT LIBRARIES...) adds a shared library that consists of the objects
# of static libraries.
function(ordain_shared_library name output)
  set(objects "")
  foreach(library IN LISTS ARGN)
    list(APPEND objects $<TARGET_OBJECTS:${library}>)
  endforeach()
  add_library(ordain_${name} SHARED ${objects})
  add_library(ordain::${name} ALIAS ordain_${name})
  set(script ${PROJECT_BINARY_DIR}/${output}.map)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/ordain.map.in ${script} @ONLY)
  set_target_properties(ordain_${name} PROPERTIES
    EXPORT_NAME ${name} OUTPUT_NAME ${output} LINKER_LANGUAGE CXX LINK_DEPENDS ${script}
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib BUILD_RPATH "$ORIGIN" INSTALL_RPATH "$ORIGIN")
  target_link_options(ordain_${name} PRIVATE LINKER:--version-script=${script})
  if(NOT ORDAIN_SANITIZE)
    target_link_options(ordain_${name} PRIVATE LINKER:-z,defs)
  endif()
  target_compile_features(ordain_${name} INTERFACE cxx_std_20)
  set_property(GLOBAL APPEND PROPERTY ORDAIN_LIBRARIES ordain_${name})
endfunction()

# Adds ordain::shared and, with ORDAIN_JIT, ordain::shared_jit.
function(ordain_shared_libraries)
  set(version ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  set(parts ordain_vm ordain_stdlib ordain_compiler ordain_grammar ordain_parse ordain_runtime ordain_analysis
    ordain_ordain)
  if(ORDAIN_IMPORT)
    list(APPEND parts ordain_import)
  endif()
  ordain_shared_library(shared ordain ${parts})
  get_property(includes GLOBAL PROPERTY ORDAIN_INCLUDES)
  foreach(directory IN LISTS includes)
    target_include_directories(ordain_shared INTERFACE $<BUILD_INTERFACE:${directory}>)
  endforeach()
  target_include_directories(ordain_shared PRIVATE ${PROJECT_SOURCE_DIR} ${includes}
    INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(ordain_shared PUBLIC Threads::Threads PRIVATE OpenSSL::Crypto SQLite::SQLite3
    simdjson::simdjson PkgConfig::re2 date::date-tz fmt::fmt ${ANTLR4_LIBRARY})
  if(ORDAIN_IMPORT)
    target_link_libraries(ordain_shared PRIVATE yaml-cpp)
  endif()
  ordain_compile_options(ordain_shared)
  if(ORDAIN_JIT)
    ordain_load_code_generator(ordain_shared libordain-jit.so.${version})
    ordain_shared_library(shared_jit ordain-jit ordain_jit)
    target_link_libraries(ordain_shared_jit PUBLIC ordain_shared PRIVATE LLVM fmt::fmt)
    target_compile_definitions(ordain_shared_jit INTERFACE ORDAIN_HAS_JIT=1)
  else()
    target_sources(ordain_shared PRIVATE ${PROJECT_SOURCE_DIR}/embed/code_generator_absent.cc)
    target_include_directories(ordain_shared PRIVATE ${PROJECT_SOURCE_DIR}/vm/jit/include)
  endif()
endfunction()
