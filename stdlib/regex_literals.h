// regex_literals finds the literal text that every match of a regular expression must contain.
#pragma once

#include "ordain/function.h"

namespace ordain::stdlib {

/// Finds the literals. @returns false if nothing is certain, or if the pattern is not valid.
bool regex_literals(const Value& pattern, LiteralNeeds* needs);

}  // namespace ordain::stdlib
