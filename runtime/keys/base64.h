// base64: the standard alphabet with padding, one text for one byte string.
#pragma once

#include <string>
#include <string_view>

namespace ordain::detail {

std::string base64_of(std::string_view bytes);

/// @returns false for anything but the text that base64_of makes: white space, missing padding, stray bits.
bool parse_base64(std::string_view text, std::string* bytes);

}  // namespace ordain::detail
