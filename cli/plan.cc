// ordain plan: shows which tests lead a call to the rules that can match it, which rules every call tries, and what is
// remembered between calls.
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/policy_options.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "ordain/compile.h"
#include "ordain/history.h"
#include "ordain/index_text.h"
#include "ordain/stdlib.h"

namespace ordain::cli {
namespace {

struct Options {
  std::vector<std::string> paths;
  bool dot = false;
  bool json = false;
  size_t most = 20;
};

void print_json(const Program& program) {
  for (const IndexSummary& plan : summarise_index(program)) {
    std::string unindexed;
    for (const IndexSummary::Unindexed& rule : plan.unindexed) {
      unindexed += fmt::format("{}{{\"rule\": {}, \"why\": {}}}", unindexed.empty() ? "" : ", ",
                               json_text(program.rules()[rule.rule].name), json_text(rule.why));
    }
    write_out(fmt::format(
        "{{\"capability\": {}, \"stage\": \"{}\", \"package\": {}, \"kind\": \"{}\", \"rules\": {}, \"nodes\": {}, "
        "\"edges\": {}, \"depth\": {}, \"unindexed\": [{}]}}\n",
        json_text(plan.capability), to_string(plan.stage), json_text(plan.package), plan.kind, plan.rules, plan.nodes,
        plan.edges, plan.depth, unindexed));
  }
}

int run(const Options& options) {
  const Compilation compilation = compile(options.paths, standard_library());
  if (compilation.program == nullptr) {
    print(compilation.diagnostics);
    return kUsage;
  }
  const Program& program = *compilation.program;
  if (options.json) {
    print_json(program);
  } else {
    write_out(options.dot ? index_graph(program, options.most)
                          : describe_index(program, options.most) + describe_history(program));
  }
  return kOk;
}

}  // namespace

void add_plan(Command parent) {
  auto options = std::make_shared<Options>();
  Command command = parent.add_command("plan", "Show how decisions find the rules that can match");
  add_policy_paths(command, options->paths);
  Option dot = command.add_flag("--dot", options->dot, "print a graph for Graphviz");
  command.add_flag("--json", options->json, "print one JSON object a list of rules, with counts").excludes(dot);
  command.add_option("--most", options->most, "how many edges of a node, and rules of a leaf, are shown")
      .positive()
      .show_default();
  command.set_footer("docs/architecture.md explains the plan.\nExit codes: 0 shown, 2 policies with errors.");
  command.set_action([options] { return run(*options); });
}

}  // namespace ordain::cli
