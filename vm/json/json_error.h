// describe_json_error says where a refused text stops being JSON, and why.
#pragma once

#include <string>
#include <string_view>

namespace ordain {

inline constexpr int kMaxJsonDepth = 64;

/// Returns "at offset 12: expected `:`", for example, or "" if the text is valid. It reads the text
/// from the beginning, so it is only for errors.
std::string describe_json_error(std::string_view text);

}  // namespace ordain
