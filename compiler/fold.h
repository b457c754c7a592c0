// fold: evaluates what is constant. A call that would fault is left as it is, for its fault may be absorbed.
#pragma once

#include "ordain/arena.h"
#include "compiler/typed.h"

namespace ordain {

void fold(Arena& arena, typed::PolicySet& set);
void fold(Arena& arena, typed::Expression& expression);

}  // namespace ordain
