// declared_form writes what a call says in one way, so that an approval does not depend on how it was spelled.
#pragma once

#include <string_view>

#include "ordain/arena.h"
#include "ordain/program.h"
#include "ordain/value.h"

namespace ordain::detail {

/// @returns `input` with every value as its declaration has it: 600 where a double is declared is 600.0, an
/// optional field that is null is absent, and times are instants. Values that do not fit, because `redact` replaced
/// them, and values without a declaration stay as they are, but for -0.0, which becomes 0.0. Views `input` and
/// `arena`.
Value declared_form(Arena& arena, const Program& program, std::string_view capability, const Value& input);

/// @returns a value without a declaration in its one form
Value undeclared_form(Arena& arena, const Value& value);

}  // namespace ordain::detail
