// ordain import: writes policies of other engines as .policy text.
#include "ordain/import.h"

#include <fstream>

#include "cli/command.h"
#include "cli/terminal.h"

namespace ordain::cli {
namespace {

struct Options {
  std::string file;
  std::string output;
  importer::ImportOptions import;
  bool no_declarations = false;
};

using Importer = importer::Imported (*)(const std::string&, const importer::ImportOptions&, const importer::ReadFile&);

// Whether the file itself could not be read, rather than a file that it extends.
bool is_unreadable(const Diagnostics& diagnostics) {
  return diagnostics.sources.size() == 1 && diagnostics.sources[0]->text.empty() && !diagnostics.items.empty() &&
         diagnostics.items[0].code == "unreadable";
}

int run(Options options, Importer import) {
  options.import.declare = !options.no_declarations;
  const importer::Imported imported = import(options.file, options.import, importer::read_yaml_file);
  if (is_unreadable(imported.diagnostics)) {
    complain(imported.diagnostics.items[0].message);
    return kUsage;
  }
  print(imported.diagnostics);
  if (imported.policy.empty()) return kFindings;
  if (options.output.empty()) {
    write_out(imported.policy);
    return kOk;
  }
  std::ofstream out(options.output, std::ios::binary);
  out << imported.policy;
  out.close();
  if (!out) {
    complain("cannot write " + options.output);
    return kUsage;
  }
  return kOk;
}

void add_format(Command command, const char* name, const char* about, Importer import, bool times) {
  auto options = std::make_shared<Options>();
  Command format = command.add_command(name, about);
  format.add_option("FILE", options->file, "the YAML file").names_file().required();
  format.add_option("-o,--output", options->output, "write the policy here; standard output if absent").names_file();
  if (times) {
    format.add_option("--timezone", options->import.time_zone,
                      "where times of day and weekdays are meant: Europe/Paris, -08:00 (default: UTC)");
  } else {
    format.add_flag("--no-declarations", options->no_declarations,
                    "leave out `capability` declarations, for capabilities that are declared elsewhere");
  }
  format.set_footer(
      "What was made safe stands in comments in the output; warnings go to standard error (docs/import.md).\n"
      "Exit codes: 0 imported, 1 mistakes in the file (nothing is written), 2 wrong usage, unreadable or unwritable "
      "files.");
  format.set_action([options, import] { return run(*options, import); });
}

}  // namespace

void add_import(Command parent) {
  Command command = parent.add_command("import", "Turn policies of another engine into .policy text");
  command.require_command();
  add_format(command, "capfence", "CapFence's YAML: deny, require_approval, allow, risk_levels, rules, extends",
             importer::import_capfence, false);
  add_format(command, "aegis", "Aegis's YAML: defaults, rules, plan_rules", importer::import_aegis, true);
  command.set_footer("The output passes `ordain check`. Review it: docs/import.md says what each key becomes.");
}

}  // namespace ordain::cli
