// json_error: where a text that was refused stops being JSON, and why.
#pragma once

#include <string>
#include <string_view>

namespace ordain {

inline constexpr int kMaxJsonDepth = 64;

/// "at offset 12: expected `:`"; "" if nothing is wrong with the text. Reads it from the beginning: only for errors.
std::string describe_json_error(std::string_view text);

}  // namespace ordain
