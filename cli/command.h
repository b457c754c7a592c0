// The commands of `ordain`: each adds itself to the command line and, when chosen, stores what to run.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

namespace ordain::cli {

/// Exit codes of every command; what 1 means is in each command's help.
enum ExitCode : int {
  kOk = 0,
  kFindings = 1,  ///< it ran, and what it looked at is not all well
  kUsage = 2,     ///< it could not run: wrong usage, unreadable files, policies with errors
};

/// What the chosen command does; returns the exit code.
using Action = std::function<int()>;

void add_check(CLI::App& app, Action& action);
void add_test(CLI::App& app, Action& action);
void add_plan(CLI::App& app, Action& action);
void add_disasm(CLI::App& app, Action& action);
void add_functions(CLI::App& app, Action& action);
void add_eval(CLI::App& app, Action& action);
void add_bench(CLI::App& app, Action& action);
void add_explain(CLI::App& app, Action& action);
void add_replay(CLI::App& app, Action& action);
void add_approvals(CLI::App& app, Action& action);
void add_grants(CLI::App& app, Action& action);
void add_audit(CLI::App& app, Action& action);
void add_import(CLI::App& app, Action& action);
void add_keys(CLI::App& app, Action& action);

}  // namespace ordain::cli
