// The `ordain` command: parses the command line and runs one command.
#include "cli/command.h"
#include "cli/version.h"

namespace {

constexpr const char* kAbout =
    R"(Ordain decides what software agents may do, from rules in .policy files.

  ordain new DIR                                      begin with policies, tests and events
  ordain check policies/                              are the policies right?
  ordain fmt policies/                                write them in the canonical layout
  ordain lint policies/                               and are they wise?
  ordain test policies/                               do they decide what their tests expect?
  ordain eval --policies policies/ --events calls.jsonl  what would they decide?
  ordain bench --policies policies/ --events calls.jsonl  how fast is that?
  ordain replay --audit state/ --policies new/        what would new policies have changed?
  ordain playground                                   try policies out in a browser
  ordain serve --policies policies/ --db state/       decide for programs in other processes
  ordain approvals list --db state/                   what waits for a human?
  ordain audit verify --db state/                     is the record intact?
  ordain hook install claude                          make a coding agent ask before each call
  ordain mcp --policies policies/ --db state/ -- server  what may an MCP client's agent do?
  ordain import capfence rules.yaml -o rules.policy   take policies over from another engine
  ordain lsp                                          what editors ask about policies)";

constexpr const char* kExitCodes = R"(Exit codes:
  0  done, and all is well
  1  done, and something was found: policy errors (check), files that would change (fmt), findings (lint), failed
     tests (test), malformed events (eval), changed verdicts (replay), a broken chain (audit verify)
  2  could not run: wrong usage, unreadable files, policies with errors; or the output could not be written

`ordain COMMAND --help` says more about each command.)";

// The command that is given its options; "" for all. `completion` and `help` tell about the options of others.
std::string chosen_command(int argc, char** argv) {
  const std::string word = argc > 1 ? argv[1] : "";
  const bool options_first = argc > 2 && word.starts_with('-');
  return options_first || word == "completion" || word == "help" ? "" : word;
}

}  // namespace

int main(int argc, char** argv) {
  ordain::cli::CommandLine line("ordain", kAbout, ordain::cli::version_text, chosen_command(argc, argv));
  ordain::cli::Command root = line.root();
  root.set_footer(kExitCodes);
  root.require_command();
  ordain::cli::add_new(root);
  ordain::cli::add_check(root);
  ordain::cli::add_fmt(root);
  ordain::cli::add_lint(root);
  ordain::cli::add_test(root);
  ordain::cli::add_eval(root);
  ordain::cli::add_bench(root);
  ordain::cli::add_compile(root);
  ordain::cli::add_explain(root);
  ordain::cli::add_repl(root);
  ordain::cli::add_replay(root);
  ordain::cli::add_playground(root);
  ordain::cli::add_serve(root);
  ordain::cli::add_approvals(root);
  ordain::cli::add_grants(root);
  ordain::cli::add_freeze(root);
  ordain::cli::add_thaw(root);
  ordain::cli::add_state(root);
  ordain::cli::add_audit(root);
  ordain::cli::add_hook(root);
  ordain::cli::add_import(root);
  ordain::cli::add_schema(root);
  ordain::cli::add_mcp(root);
  ordain::cli::add_keys(root);
  ordain::cli::add_plan(root);
  ordain::cli::add_disasm(root);
  ordain::cli::add_functions(root);
  ordain::cli::add_lsp(root);
  ordain::cli::add_completion(root);
  ordain::cli::add_help(root);
  return line.run(argc, argv);
}
