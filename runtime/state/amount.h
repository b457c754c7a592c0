// Amounts are what histories sum and budgets hold: 128-bit integers, so that a sum is the same in
// whatever order, process or replay its parts are added.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ordain/value.h"

namespace ordain::state {

/// Integers count ones, doubles count millionths, durations count nanoseconds.
__extension__ typedef __int128 Amount;

/// No single amount is larger than this in magnitude: 10^24 in millionths, or less.
inline constexpr Amount kLargestAmount = static_cast<Amount>(1'000'000'000'000'000) * 1'000'000'000'000'000;

/// Converts a value of a kind that StateDecl::amount may name. @param negative whether amounts below
/// zero are allowed. @returns nothing for a NaN, an infinity, a value that is too large, a negative
/// one that is not allowed, and a value of another kind
std::optional<Amount> amount_of(const Value& value, bool negative);

/// Converts an amount to a value of the kind that StateDecl::amount names. What does not fit in
/// that kind becomes its nearest value.
Value amount_value(Amount amount, Kind kind);

/// Adds without overflow: the result stays within what 126 bits hold.
Amount add_amounts(Amount a, Amount b);

/// @returns true if the magnitude of an amount that was read from a file is possible for a sum
bool amount_in_range(Amount amount);

void append_amount(std::string& out, Amount amount);
bool take_amount(std::string_view& in, Amount* out);

}  // namespace ordain::state
