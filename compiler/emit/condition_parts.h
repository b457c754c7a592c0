// take_apart: the parts of conditions as expressions of their own, so that an explanation can say which part was false.
#pragma once

#include <unordered_map>
#include <vector>

#include "compiler/check/expression/typed.h"
#include "ordain/arena.h"

namespace ordain {

/// For each rule body with a condition, the parts that `&&` joins in it, in source order. A condition without `&&` is
/// one part.
using ConditionParts = std::unordered_map<const typed::RuleBody*, std::vector<typed::Expression>>;

/// `set` is folded. The parts share its trees; what they need besides lives in `arena`.
ConditionParts take_apart(Arena& arena, const typed::PolicySet& set);

}  // namespace ordain
