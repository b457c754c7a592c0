// truth tells which conditions can be true, and which can be false. It knows intervals, finite sets
// and how texts begin and end; it is no solver, and takes for possible what it cannot exclude.
#pragma once

#include "compiler/check/expression/typed.h"

namespace ordain::lint {

/// @returns false only if the condition has the value `truth` for no call and context whatsoever
bool can_be(const typed::Node& condition, bool truth);

}  // namespace ordain::lint
