// ordain import and ordain schema import: write policies of other engines, and schemas of tools, as .policy text.
#include "ordain/import.h"

#include <iterator>
#include <map>
#include <utility>

#include "cli/command.h"
#include "cli/input.h"
#include "cli/replace_file.h"
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

// Prints what was found, and writes the policy to the file, or to standard output if `output` is empty.
int write_imported(const importer::Imported& imported, const std::string& output) {
  if (is_unreadable(imported.diagnostics)) {
    complain(imported.diagnostics.items[0].message);
    return kUsage;
  }
  print(imported.diagnostics);
  if (imported.policy.empty()) return kFindings;
  if (output.empty()) {
    write_out(imported.policy);
    return kOk;
  }
  const Result<void> written = write_file(output, imported.policy);
  return written ? kOk : fail(written.error());
}

int run(Options options, Importer import) {
  options.import.declare = !options.no_declarations;
  return write_imported(import(options.file, options.import, importer::read_yaml_file), options.output);
}

struct SchemaCommand {
  std::string file, output, from, server;
};

Result<std::string> read_schema_input(const std::string& path) {
  if (path != "-") return importer::read_schema_file(path);
  Result<Input> input = Input::open(path);
  if (!input) return input.error();
  std::string text{std::istreambuf_iterator<char>(input->stream()), std::istreambuf_iterator<char>()};
  const Result<void> whole = input->check_read();
  return whole ? Result<std::string>(std::move(text)) : whole.error();
}

const std::map<std::string, importer::SchemaKind>& schema_kinds() {
  using importer::SchemaKind;
  static const std::map<std::string, SchemaKind> kKinds = {{"anthropic", SchemaKind::anthropic},
                                                           {"json-schema", SchemaKind::json_schema},
                                                           {"mcp", SchemaKind::mcp},
                                                           {"openai", SchemaKind::openai},
                                                           {"openapi", SchemaKind::openapi}};
  return kKinds;
}

int run_schema_import(const SchemaCommand& options) {
  importer::SchemaOptions import{.server = options.server};
  if (!options.from.empty()) import.kind = schema_kinds().at(options.from);
  return write_imported(importer::import_schema(options.file, import, read_schema_input), options.output);
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

void add_schema(Command parent) {
  Command schema = parent.add_command("schema", "Declare capabilities from the schemas of tools");
  schema.require_command();
  auto options = std::make_shared<SchemaCommand>();
  Command import =
      schema.add_command("import", "Turn a JSON document of tools or schemas into `capability` declarations");
  import.add_option("FILE", options->file, "the JSON document; - is standard input").names_file().required();
  import.add_option("-o,--output", options->output, "write the declarations here; standard output if absent")
      .names_file();
  std::vector<std::string> kinds;
  for (const auto& [name, kind] : schema_kinds()) kinds.push_back(name);
  import.add_option("--from", options->from, "what the document is (default: recognised by its parts)").one_of(kinds);
  import.add_option("--server", options->server, "name the capabilities mcp.NAME.TOOL");
  import.set_footer(
      "References to other documents are never followed. Warnings say what the declarations do not check "
      "(docs/import.md).\n"
      "Exit codes: 0 imported, 1 mistakes in the file (nothing is written), 2 wrong usage, unreadable or unwritable "
      "files.");
  import.set_action([options] { return run_schema_import(*options); });
}

}  // namespace ordain::cli
