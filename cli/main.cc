// The `ordain` command: parses the command line and runs one command.
#include <fmt/format.h>

#include "cli/command.h"

namespace {

constexpr const char* kAbout =
    R"(Ordain decides what software agents may do, from rules in .policy files.

  ordain check policies/                              are the policies right?
  ordain test policies/                               do they decide what their tests expect?
  ordain eval --policies policies/ --events calls.jsonl  what would they decide?
  ordain bench --policies policies/ --events calls.jsonl  how fast is that?
  ordain replay --audit state/ --policies new/        what would new policies have changed?
  ordain approvals list --db state/                   what waits for a human?
  ordain audit verify --db state/                     is the record intact?
  ordain import capfence rules.yaml -o rules.policy   take policies over from another engine)";

constexpr const char* kExitCodes = R"(Exit codes:
  0  done, and all is well
  1  done, and something was found: policy errors (check), failed tests (test), malformed events (eval), changed verdicts
     (replay), a broken chain (audit verify)
  2  could not run: wrong usage, unreadable files, policies with errors

`ordain COMMAND --help` tells more of each command.)";

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{kAbout, "ordain"};
  app.footer(kExitCodes);
  app.set_version_flag("--version", "ordain " ORDAIN_VERSION);
  app.require_subcommand(1);
  app.failure_message([](const CLI::App*, const CLI::Error& error) {
    return fmt::format("ordain: {}\nRun `ordain --help` for what there is.\n", error.what());
  });

  ordain::cli::Action action;
  ordain::cli::add_check(app, action);
  ordain::cli::add_test(app, action);
  ordain::cli::add_eval(app, action);
  ordain::cli::add_bench(app, action);
  ordain::cli::add_explain(app, action);
  ordain::cli::add_replay(app, action);
  ordain::cli::add_approvals(app, action);
  ordain::cli::add_grants(app, action);
  ordain::cli::add_audit(app, action);
  ordain::cli::add_import(app, action);
  ordain::cli::add_keys(app, action);
  ordain::cli::add_plan(app, action);
  ordain::cli::add_disasm(app, action);
  ordain::cli::add_functions(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? ordain::cli::kOk : ordain::cli::kUsage;
  }
  try {
    return action();
  } catch (const std::exception& error) {
    fmt::print(stderr, "ordain: {}\n", error.what());
    return ordain::cli::kUsage;
  }
}
