// ordain check: compiles policies and prints every error and warning.
#include <fmt/format.h>

#include <algorithm>

#include "cli/command.h"
#include "cli/policy_options.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "ordain/compile.h"
#include "ordain/stdlib.h"

namespace ordain::cli {
namespace {

struct Options {
  std::vector<std::string> paths;
  bool json = false;
  bool strict = false;
};

size_t count(const Diagnostics& found, Severity severity) {
  return static_cast<size_t>(std::count_if(found.items.begin(), found.items.end(),
                                           [severity](const Diagnostic& item) { return item.severity == severity; }));
}

bool is_unreadable(const Diagnostics& found) {
  return std::any_of(found.items.begin(), found.items.end(),
                     [](const Diagnostic& item) { return item.code == "unreadable" || item.code == "bad-program"; });
}

int run(const Options& options) {
  Compilation compilation = compile(options.paths, standard_library());
  Diagnostics& found = compilation.diagnostics;
  if (options.strict) {
    for (Diagnostic& item : found.items) {
      if (item.severity == Severity::warning) item.severity = Severity::error;
    }
  }
  if (options.json) {
    write_out(render_json(found));
  } else {
    print(found);
  }
  const size_t errors = count(found, Severity::error), warnings = count(found, Severity::warning);
  if (!options.json) {
    if (errors == 0 && compilation.program != nullptr) {
      const Program& program = *compilation.program;
      print_out("{}, {}, {}: {}\n", count_text(program.files().size(), "file"),
                count_text(program.rules().size(), "rule"),
                fmt::format("{} capabilit{}", program.schema().capabilities.size(),
                            program.schema().capabilities.size() == 1 ? "y" : "ies"),
                warnings == 0 ? "all is well" : count_text(warnings, "warning"));
    } else {
      print_out("{}, {}\n", count_text(errors, "error"), count_text(warnings, "warning"));
    }
  }
  if (is_unreadable(found)) return kUsage;
  return errors == 0 && compilation.program != nullptr ? kOk : kFindings;
}

}  // namespace

void add_check(Command parent) {
  auto options = std::make_shared<Options>();
  Command command = parent.add_command("check", "Check policies: report every error and warning, with place and help");
  add_policy_paths(command, options->paths);
  command.add_flag("--json", options->json, "print one JSON object a diagnostic");
  command.add_flag("--strict", options->strict, "take every warning for an error");
  command.set_footer("Exit codes: 0 no errors (warnings allowed), 1 errors, 2 wrong usage or unreadable files.");
  command.set_action([options] { return run(*options); });
}

}  // namespace ordain::cli
