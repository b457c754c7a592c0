// ordain lint: compiles policies and prints, besides errors and warnings, what is bad style or a smell.
#include <algorithm>

#include "cli/command.h"
#include "cli/policy_options.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "ordain/lint.h"
#include "ordain/stdlib.h"

namespace ordain::cli {
namespace {

struct Options {
  std::vector<std::string> paths;
  bool json = false;
  bool sarif = false;
};

int run(const Options& options) {
  const Compilation compilation = lint_policies(options.paths, standard_library());
  const Diagnostics& found = compilation.diagnostics;
  const auto findings = static_cast<size_t>(std::count_if(
      found.items.begin(), found.items.end(), [](const Diagnostic& item) { return item.severity != Severity::note; }));
  if (options.sarif) {
    write_out(render_sarif(found, ORDAIN_VERSION));
  } else if (options.json) {
    write_out(render_json(found));
  } else {
    print(found);
    print_out("{}\n", findings == 0 ? "nothing found" : count_text(findings, "finding"));
  }
  const bool unreadable = std::any_of(found.items.begin(), found.items.end(), [](const Diagnostic& item) {
    return item.code == "unreadable" || item.code == "bad-program";
  });
  if (unreadable) return kUsage;
  return findings == 0 ? kOk : kFindings;
}

}  // namespace

void add_lint(Command parent) {
  auto options = std::make_shared<Options>();
  Command command = parent.add_command(
      "lint", "Find what is legal but unwise: rules without effect, tests that are evaded, bad style");
  add_policy_paths(command, options->paths);
  Option json = command.add_flag("--json", options->json, "print one JSON object a finding");
  command.add_flag("--sarif", options->sarif, "print a SARIF 2.1.0 log").excludes(json);
  command.set_footer(
      "`ordain help CODE` explains a finding. A comment accepts it: // ordain: allow(CODE) REASON\n"
      "Exit codes: 0 nothing found, 1 findings or errors, 2 wrong usage or unreadable files.");
  command.set_action([options] { return run(*options); });
}

}  // namespace ordain::cli
