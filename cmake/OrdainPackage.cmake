# Makes what other projects build against: an installed tree, the build tree, a .deb and a .tar.gz.

# Installs the libraries, all public headers as one <ordain/...> directory, and the files that
# find_package and pkg-config read. find_package(ordain) also finds the targets in the build tree if
# ordain_DIR or CMAKE_PREFIX_PATH names it.
function(ordain_install)
  include(CMakePackageConfigHelpers)
  get_property(libraries GLOBAL PROPERTY ORDAIN_LIBRARIES)
  get_property(includes GLOBAL PROPERTY ORDAIN_INCLUDES)
  set(package ${CMAKE_INSTALL_LIBDIR}/cmake/ordain)
  install(TARGETS ${libraries} EXPORT ordain
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT ordain NAMESPACE ordain:: FILE ordain-targets.cmake DESTINATION ${package})
  export(EXPORT ordain NAMESPACE ordain:: FILE ${PROJECT_BINARY_DIR}/ordain-targets.cmake)
  foreach(directory IN LISTS includes)
    install(DIRECTORY ${directory} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  endforeach()
  configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/ordain-config.cmake.in
    ${PROJECT_BINARY_DIR}/ordain-config.cmake INSTALL_DESTINATION ${package})
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/ordain-config-version.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${PROJECT_BINARY_DIR}/ordain-config.cmake ${PROJECT_BINARY_DIR}/ordain-config-version.cmake
    DESTINATION ${package})
  if(ORDAIN_SHARED)
    ordain_pkg_config(ordain)
  endif()
  ordain_pkg_config(ordain-static)
endfunction()

# Installs cmake/NAME.pc.in. Its paths are relative, so the installed tree may be moved.
function(ordain_pkg_config name)
  set(directory ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX}/${directory} OUTPUT_VARIABLE up)
  # The linker wants each library before those that it uses. They are named as files, because
  # -lordain-jit would find the shared library.
  set(parts ordain analysis runtime compiler stdlib vm)
  set(llvm "")
  if(ORDAIN_JIT)
    list(INSERT parts 5 jit)
    get_property(llvm_directory GLOBAL PROPERTY ORDAIN_LLVM_DIRECTORY)
    set(llvm " -L${llvm_directory} -lLLVM")
  endif()
  list(TRANSFORM parts REPLACE "(.+)" "-l:libordain-\\1.a")
  list(JOIN parts " " libraries)
  string(APPEND libraries "${llvm}")
  configure_file(${PROJECT_SOURCE_DIR}/cmake/${name}.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${directory})
endfunction()

# Lets `cpack -G DEB` and `cpack -G TGZ` make packages in the build tree.
function(ordain_package)
  if(NOT PROJECT_IS_TOP_LEVEL)
    return()
  endif()
  set(CPACK_PACKAGE_NAME ordain)
  set(CPACK_PACKAGE_VENDOR "The Ordain project")
  set(CPACK_PACKAGE_CONTACT "The Ordain project")
  set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
  set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
  set(CPACK_GENERATOR DEB TGZ)
  set(CPACK_STRIP_FILES ON)
  set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
  set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/lib)
  # Only hosts that link the static libraries need these.
  set(CPACK_DEBIAN_PACKAGE_SUGGESTS
    "libfmt-dev, libssl-dev, libsqlite3-dev, libsimdjson-dev, libre2-dev, libhowardhinnant-date-dev, libantlr4-runtime-dev")
  include(CPack)
endfunction()
