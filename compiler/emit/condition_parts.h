// take_apart makes the parts of conditions expressions of their own, so that an explanation can
// say which part was false.
#pragma once

#include <unordered_map>
#include <vector>

#include "compiler/check/expression/typed.h"
#include "ordain/arena.h"

namespace ordain {

/// For each rule body with a condition, the operands of its `&&`, in source order. A condition
/// without `&&` is one part.
using ConditionParts = std::unordered_map<const typed::RuleBody*, std::vector<typed::Expression>>;

/// `set` must be folded. The parts share its trees; everything else that they need lives in
/// `arena`.
ConditionParts take_apart(Arena& arena, const typed::PolicySet& set);

}  // namespace ordain
