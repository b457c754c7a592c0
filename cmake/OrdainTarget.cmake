# ordain_library(NAME sources...) adds a static library ordain_NAME, called ordain::NAME here and
# when installed.
function(ordain_library name)
  add_library(ordain_${name} STATIC ${ARGN})
  add_library(ordain::${name} ALIAS ordain_${name})
  set_target_properties(ordain_${name} PROPERTIES EXPORT_NAME ${name} OUTPUT_NAME ordain-${name})
  target_include_directories(ordain_${name}
    PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_features(ordain_${name} PUBLIC cxx_std_20)
  ordain_compile_options(ordain_${name})
  if(NOT name STREQUAL "jit")  # it has precompiled headers of its own
    ordain_precompile(ordain_${name})
    ordain_compile_in_batches(ordain_${name})
  endif()
  set_property(GLOBAL APPEND PROPERTY ORDAIN_LIBRARIES ordain_${name})
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/include)  # some have no public headers
    set_property(GLOBAL APPEND PROPERTY ORDAIN_INCLUDES ${CMAKE_CURRENT_SOURCE_DIR}/include/)
  endif()
endfunction()

# With ORDAIN_UNITY, compiles eight files as one. A file whose names collide with those of others in
# its batch is listed with ordain_compile_alone.
function(ordain_compile_in_batches target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${ORDAIN_UNITY} UNITY_BUILD_BATCH_SIZE 8)
endfunction()

function(ordain_compile_alone)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# Sets warnings and sanitizers for our own code.
function(ordain_compile_options target)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -fpch-preprocess)  # lets ccache tell whether a precompiled header changed
  endif()
  # Set everywhere, because precompiled headers only fit targets with the same macros.
  target_compile_options(${target} PRIVATE -pthread)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wno-missing-field-initializers)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # GCC 12 warns of writes past the end in the code of std::string and std::vector, where there are none. What it
    # finds depends on inlining, even on the length of the source directory's name. Clang and sanitizers remain.
    target_compile_options(${target} PRIVATE -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow)
  endif()
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # With precompiled headers clang warns of what std::stable_sort uses inside. GCC still warns of what we use.
    target_compile_options(${target} PRIVATE -Wno-deprecated-declarations)
  endif()
  if(ORDAIN_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(ORDAIN_SANITIZE)
    target_compile_options(${target} PUBLIC -fsanitize=${ORDAIN_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      # This warning has false positives in the standard library once sanitizers are on.
      target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized)
    endif()
    target_link_options(${target} PUBLIC -fsanitize=${ORDAIN_SANITIZE})
  endif()
endfunction()

# ordain_precompile(TARGET [PCH]) makes a target use the standard library's and fmt's headers, which
# are parsed once for all targets with the same options. PCH is the target that owns them: by
# default ${ORDAIN_PCH}; ordain_test_pch also has GoogleTest's headers.
function(ordain_precompile target)
  set(owner ${ORDAIN_PCH})
  if(ARGC GREATER 1)
    set(owner ${ARGV1})
  endif()
  target_precompile_headers(${target} REUSE_FROM ${owner})
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "EXECUTABLE")
    # CMake compiles executables with -fPIE, but the headers were precompiled with -fPIC, as for
    # libraries. The last option counts, and compilers reject headers that were precompiled with the
    # other one.
    target_compile_options(${target} PRIVATE -fPIC)
  endif()
endfunction()

# Headers that most files include. Do not add a header that changes often.
set(ORDAIN_PRECOMPILED_HEADERS
  <algorithm> <array> <atomic> <bit> <chrono> <charconv> <cmath> <cstdint> <cstring> <fstream> <functional>
  <iostream> <map> <memory> <mutex> <optional> <set> <span> <string> <string_view> <thread> <unordered_map>
  <unordered_set> <utility> <vector> <fmt/format.h> <fmt/ranges.h>)

# ordain_precompiled(NAME HEADERS...) adds a target whose precompiled headers others use.
function(ordain_precompiled name)
  file(WRITE ${CMAKE_BINARY_DIR}/${name}.cc "// Exists so that ${name} compiles something.\n")
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/${name}.cc)
  target_compile_features(${name} PUBLIC cxx_std_20)
  target_link_libraries(${name} PRIVATE fmt::fmt)
  ordain_compile_options(${name})
  target_precompile_headers(${name} PRIVATE ${ARGN})
endfunction()
