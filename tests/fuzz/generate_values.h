// generate_values makes literals and values, mostly at boundaries.
#pragma once

#include <string>

#include "tests/fuzz/generate.h"

namespace ordain::fuzz {

/// @returns the text of a constant of a type without parameters: "-9223372036854775808",
/// "duration('-1.5s')"
std::string scalar_literal(Choices& choices, TypeKind kind);

/// @returns a value of any type, for a variable. It lives in `arena`.
Value any_value(Arena& arena, Choices& choices, const Type& type, int depth = 3);

/// The names that maps have as keys, so that selections sometimes find them.
inline constexpr const char* kNames[] = {"k", "a", "id", "k2"};

}  // namespace ordain::fuzz
