// fold: evaluates what is constant. A call that would fault is left as it is, for its fault may be absorbed.
#pragma once

#include "compiler/check/expression/typed.h"
#include "ordain/arena.h"

namespace ordain {

void fold(Arena& arena, typed::PolicySet& set);
void fold(Arena& arena, typed::Expression& expression);

}  // namespace ordain
