// widen_integers lets integers beyond 64 bits be read as doubles.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ordain {

/// A JSON text without integers beyond 64 bits.
struct WidenedText {
  std::string text;
  std::string inexact;  ///< the first integer that no double equals, for people; "" if there is none
};

/// Writes each integer beyond 64 bits with an exponent, which makes it a double. Nothing else
/// changes, also in a text that is not JSON. @returns nothing if there is no such integer.
std::optional<WidenedText> widen_integers(std::string_view text);

}  // namespace ordain
