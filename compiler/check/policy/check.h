// check: syntax trees to a typed policy set. Resolves names, types every expression, reports all errors.
#pragma once

#include <vector>

#include "compiler/check/expression/typed.h"
#include "compiler/parse/syntax.h"
#include "ordain/arena.h"
#include "ordain/diagnostic.h"
#include "ordain/function.h"

namespace ordain {

/// Checks the files of one set, in the order given. The result is usable only if no errors were reported.
/// Everything it points to lives in `arena` or in `functions`.
typed::PolicySet check(Arena& arena, Diagnostics& diagnostics, const std::vector<syntax::File>& files,
                       const FunctionTable& functions);

/// What only shows after folding: conditions that can never hold, rules that another always comes before, constant
/// clauses that make no sense.
void check_folded(Diagnostics& diagnostics, const typed::PolicySet& set);

}  // namespace ordain
