// ordain check: compiles, and tells all that is wrong or doubtful.
#include <fmt/format.h>

#include <algorithm>

#include "cli/command.h"
#include "cli/terminal.h"
#include "ordain/compile.h"
#include "ordain/stdlib.h"

namespace ordain::cli {
namespace {

struct Options {
  std::vector<std::string> paths;
  bool json = false;
};

std::string count(size_t n, const char* noun) { return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s"); }

int run(const Options& options) {
  const Compilation compilation = compile(options.paths, standard_library());
  const Diagnostics& found = compilation.diagnostics;
  if (options.json) {
    std::fputs(render_json(found).c_str(), stdout);
  } else {
    print(found);
  }
  const auto errors = static_cast<size_t>(std::count_if(
      found.items.begin(), found.items.end(), [](const Diagnostic& item) { return item.severity == Severity::error; }));
  const auto warnings =
      static_cast<size_t>(std::count_if(found.items.begin(), found.items.end(),
                                        [](const Diagnostic& item) { return item.severity == Severity::warning; }));
  if (!options.json) {
    if (compilation.program != nullptr) {
      const Program& program = *compilation.program;
      fmt::print("{}, {}, {}: {}\n", count(program.files().size(), "file"), count(program.rules().size(), "rule"),
                 fmt::format("{} capabilit{}", program.schema().capabilities.size(),
                             program.schema().capabilities.size() == 1 ? "y" : "ies"),
                 warnings == 0 ? "all is well" : count(warnings, "warning"));
    } else {
      fmt::print("{}, {}\n", count(errors, "error"), count(warnings, "warning"));
    }
  }
  return compilation.program != nullptr ? kOk : kFindings;
}

}  // namespace

void add_check(Command parent) {
  auto options = std::make_shared<Options>();
  Command command = parent.add_command("check", "Check policies: report every error and warning, with place and help");
  command.add_option("PATH", options->paths, "policy files, or directories searched for *.policy").required();
  command.add_flag("--json", options->json, "print one JSON object a diagnostic");
  command.set_footer("Exit codes: 0 no errors (warnings allowed), 1 errors, 2 wrong usage.");
  command.set_action([options] { return run(*options); });
}

}  // namespace ordain::cli
