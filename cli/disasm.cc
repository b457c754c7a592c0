// ordain disasm prints what policies compile to; ordain functions lists what expressions may call.
#include "ordain/disasm.h"

#include "cli/command.h"
#include "cli/policy_options.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "ordain/compile.h"
#include "ordain/json.h"
#include "ordain/stdlib.h"

namespace ordain::cli {
namespace {

int disasm(const std::vector<std::string>& paths) {
  const Compilation compilation = compile(paths, standard_library());
  if (compilation.program == nullptr) {
    print(compilation.diagnostics);
    return kUsage;
  }
  write_out(disassemble(*compilation.program));
  return kOk;
}

void print_functions_json() {
  write_out("[");
  const char* separator = "\n";
  for (const auto& [name, function] : standard_library().all()) {
    for (const Overload* overload : function.overloads) {
      std::string line = "{\"name\": ";
      append_json_string(line, name);
      line += ", \"id\": ";
      append_json_string(line, overload->id);
      line += ", \"signature\": ";
      append_json_string(line, overload->signature);
      line += ", \"doc\": ";
      append_json_string(line, overload->doc);
      write_out(separator + line + "}");
      separator = ",\n";
    }
  }
  write_out("\n]\n");
}

int functions(bool json) {
  if (json) {
    print_functions_json();
    return kOk;
  }
  std::vector<Row> rows;
  for (const auto& [name, function] : standard_library().all()) {
    for (const Overload* overload : function.overloads) {
      rows.push_back({std::string(name), overload->signature, overload->doc});
    }
  }
  const std::vector<Column> columns = {{"name", 24}, {"signature", 56, 40}, {"what it does", 0, 30}};
  const TableLayout layout(columns, terminal_width(stdout), rows);
  for (const Row& row : rows) write_out(layout.line_of(row));
  return kOk;
}

}  // namespace

void add_disasm(Command parent) {
  auto paths = std::make_shared<std::vector<std::string>>();
  Command command = parent.add_command("disasm", "Show the bytecode that policies compile to");
  add_policy_paths(command, *paths);
  command.set_footer(
      "The instructions are described in docs/bytecode.md.\nExit codes: 0 shown, 2 policies with errors.");
  command.set_action([paths] { return disasm(*paths); });
}

void add_functions(Command parent) {
  auto json = std::make_shared<bool>(false);
  Command command = parent.add_command("functions", "List the functions and operators that expressions may use");
  command.add_flag("--json", *json, "print a JSON array");
  command.set_action([json] { return functions(*json); });
}

}  // namespace ordain::cli
