// base64 uses the standard alphabet with padding and gives each byte string exactly one text.
#pragma once

#include <string>
#include <string_view>

namespace ordain::detail {

std::string base64_of(std::string_view bytes);

/// @returns false for any text that base64_of would not write: white space, missing padding, stray
/// bits
bool parse_base64(std::string_view text, std::string* bytes);

}  // namespace ordain::detail
