// take_apart: the parts of conditions as rules of their own, so that an explanation can say which part was false.
#pragma once

#include <vector>

#include "compiler/check/expression/typed.h"
#include "ordain/arena.h"
#include "ordain/compile.h"

namespace ordain {

/// A set with the same schema, whose rules are the parts that `&&` joins in the conditions of `set` (already folded). A
/// condition without `&&` is one part. `parts` gets, by rule of the result, where each comes from. Trees are shared
/// with `set`.
typed::PolicySet take_apart(Arena& arena, const typed::PolicySet& set, std::vector<ConditionPart>* parts);

}  // namespace ordain
