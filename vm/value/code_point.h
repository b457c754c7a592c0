// Reads one code point of text that may not be UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ordain::detail {

/// The code point at `text[at]` and its length in bytes; the length is 0 if the bytes there are not
/// UTF-8.
struct CodePoint {
  uint32_t value = 0;
  uint32_t length = 0;
};
CodePoint code_point_at(std::string_view text, size_t at);

/// How many columns of a terminal a visible character takes: 0 if it joins the one before, 2 if it is wide.
size_t columns_of(uint32_t code_point);
/// The columns of a text that `terminal_text` made.
size_t columns_of(std::string_view text);

}  // namespace ordain::detail
