// fold evaluates constant expressions. A call that would fault stays as it is, because an
// operator may absorb its fault.
#pragma once

#include "compiler/check/expression/typed.h"
#include "ordain/arena.h"

namespace ordain {

void fold(Arena& arena, typed::PolicySet& set);
void fold(Arena& arena, typed::Expression& expression);

}  // namespace ordain
