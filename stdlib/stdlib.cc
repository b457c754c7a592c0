// stdlib.cc assembles the rows of all groups in one table.
#include "ordain/stdlib.h"

#include "stdlib/rows.h"

namespace ordain {

void add_standard_library(FunctionTable& table) {
  stdlib::add_operators(table);
  stdlib::add_containers(table);
  stdlib::add_conversions(table);
  stdlib::add_types(table);
  stdlib::add_strings(table);
  stdlib::add_strings_edit(table);
  stdlib::add_strings_format(table);
  stdlib::add_regex(table);
  stdlib::add_time(table);
  stdlib::add_math(table);
  stdlib::add_lists(table);
  stdlib::add_sets(table);
  stdlib::add_encoders(table);
  stdlib::add_optionals(table);
  stdlib::add_network(table);
  stdlib::add_texts(table);
  stdlib::add_paths(table);
  stdlib::add_shell(table);
  stdlib::add_json(table);
}

const FunctionTable& standard_library() {
  // The table is never destroyed, because programs on other threads may outlive static destruction.
  static const FunctionTable* const table = [] {
    auto* made = new FunctionTable;
    add_standard_library(*made);
    return made;
  }();
  return *table;
}

}  // namespace ordain
