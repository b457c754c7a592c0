// What literal text a regular expression cannot match without.
#pragma once

#include "ordain/function.h"

namespace ordain::stdlib {

/// @returns false if nothing certain can be said, or the pattern is not valid.
bool regex_literals(const Value& pattern, LiteralNeeds* needs);

}  // namespace ordain::stdlib
