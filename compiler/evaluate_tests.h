// evaluate_tests turns `test` blocks into events to decide and expectations.
#pragma once

#include <vector>

#include "compiler/check/expression/typed.h"
#include "ordain/arena.h"
#include "ordain/compile.h"

namespace ordain {

/// Evaluates every value of the set's tests. A value that faults is an error (`test-no-value`).
std::vector<PolicyTest> evaluate_tests(Arena& arena, const typed::PolicySet& set, Diagnostics& diagnostics,
                                       const FunctionTable& functions);

}  // namespace ordain
