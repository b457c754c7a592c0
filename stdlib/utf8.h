// utf8 handles code points of valid UTF-8: counting, stepping, and converting positions in code
// points to positions in bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ordain/utf8.h"

namespace ordain::stdlib {

inline bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

inline size_t count_code_points(std::string_view text) {
  size_t count = 0;
  for (char byte : text) count += is_continuation(byte) ? 0 : 1;
  return count;
}

/// @returns the size in bytes of the code point that starts at `at`, which is before the end
inline size_t code_point_size(std::string_view text, size_t at) {
  size_t end = at + 1;
  while (end < text.size() && is_continuation(text[end])) ++end;
  return end - at;
}

inline constexpr size_t kBeyond = SIZE_MAX;

/// @returns the byte at which code point number `index` starts; the size for the index after the
/// last; kBeyond for any greater index
inline size_t code_point_offset(std::string_view text, uint64_t index) {
  size_t at = 0;
  for (; index > 0; --index) {
    if (at >= text.size()) return kBeyond;
    at += code_point_size(text, at);
  }
  return at;
}

/// @returns the code point at `at`, where one must start
uint32_t code_point_at(std::string_view text, size_t at);

/// Appends `data` to `out` with U+FFFD for each run of bytes that are not UTF-8. `out` must have
/// room for three times as many bytes. @returns the number of bytes written.
size_t replace_invalid_utf8(std::string_view data, char* out);

}  // namespace ordain::stdlib
