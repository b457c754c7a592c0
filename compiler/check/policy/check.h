// check turns syntax trees into a typed policy set. It resolves names, types every expression, and
// reports all errors.
#pragma once

#include <vector>

#include "compiler/check/expression/typed.h"
#include "compiler/parse/syntax.h"
#include "ordain/arena.h"
#include "ordain/diagnostic.h"
#include "ordain/function.h"

namespace ordain {

/// Checks the files of one set, in the given order. The result is usable only if no errors were
/// reported. Everything it points to lives in `arena` or in `functions`.
typed::PolicySet check(Arena& arena, Diagnostics& diagnostics, const std::vector<syntax::File>& files,
                       const FunctionTable& functions);

/// Reports constant clauses that make no sense, which show only after folding.
void check_folded(Diagnostics& diagnostics, const typed::PolicySet& set);

/// Reports doubtful uses of what is remembered, and fixes how many calls each history must tell apart. After folding.
void check_history_use(Diagnostics& diagnostics, typed::PolicySet& set);

}  // namespace ordain
