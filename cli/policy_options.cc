#include "cli/policy_options.h"

namespace ordain::cli {

void add_policy_paths(Command command, std::vector<std::string>& paths) {
  command.add_option("PATH", paths, "policy files, or directories searched for *.policy").names_file().required();
}

void add_policies_option(Command command, std::vector<std::string>& paths, const char* about) {
  command.add_option("--policies", paths, about).names_file().required();
}

void add_events_option(Command command, std::string& file) {
  command.add_option("--events", file, "a file of JSON lines, or - for standard input").names_file().required();
}

void add_engine_option(Command command, std::string& engine, const char* about) {
  command.add_option("--engine", engine, about).one_of({"interpreter", "jit"}).show_default();
}

void add_default_option(Command command, std::string& effect, const char* about) {
  command.add_option("--default", effect, about).one_of({"deny", "allow", "require_approval"}).show_default("deny");
}

void add_budget_option(Command command, uint64_t& steps) {
  command.add_option("--budget", steps, "how many steps each condition may spend")
      .in_range(1, static_cast<int>(kMaxBudgetCost))
      .show_default();
}

DecideOptions decide_options(const std::string& engine, const std::string& effect, uint64_t budget) {
  DecideOptions out;
  out.budget.cost = budget;
  out.interpret_only = engine == "interpreter";
  if (effect == "allow") out.default_before = Effect::allow;
  if (effect == "require_approval") out.default_before = Effect::require_approval;
  return out;
}

}  // namespace ordain::cli
