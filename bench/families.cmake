# The sources of the generated rule sets, which benches measure and tests compare.
set(ORDAIN_FAMILIES families family_access family_mixed family_numbers family_shell family_traffic family_users)
list(TRANSFORM ORDAIN_FAMILIES REPLACE "(.+)" "${CMAKE_CURRENT_LIST_DIR}/\\1.cc")
