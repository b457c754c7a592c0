// The commands of `ordain`: each function adds one, with what it runs, to the command line.
#pragma once

#include "cli/command_line.h"

namespace ordain::cli {

void add_check(Command parent);
void add_compile(Command parent);
void add_fmt(Command parent);
void add_lint(Command parent);
void add_lsp(Command parent);
void add_test(Command parent);
void add_plan(Command parent);
void add_disasm(Command parent);
void add_functions(Command parent);
void add_eval(Command parent);
void add_bench(Command parent);
void add_explain(Command parent);
void add_repl(Command parent);
void add_replay(Command parent);  ///< and `diff`
void add_playground(Command parent);
void add_serve(Command parent);
void add_approvals(Command parent);
void add_grants(Command parent);
void add_freeze(Command parent);
void add_thaw(Command parent);
void add_state(Command parent);
void add_audit(Command parent);
void add_hook(Command parent);
void add_import(Command parent);
void add_schema(Command parent);
void add_new(Command parent);
void add_keys(Command parent);
void add_mcp(Command parent);
void add_completion(Command root);
void add_help(Command root);

}  // namespace ordain::cli
