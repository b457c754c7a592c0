// text: what the runtime needs to know of strings: is it UTF-8, how does a time read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ordain/fault.h"
#include "ordain/program.h"
#include "ordain/utf8.h"
#include "vm/value/encodings.h"

namespace ordain::detail {

/// The longest id or name that a host may give, in bytes.
inline constexpr size_t kMaxIdentityText = 4096;

/// The code point at `text[at]`, with its length in bytes; length 0 if it is not UTF-8 there.
struct CodePoint {
  uint32_t value = 0;
  uint32_t length = 0;
};
CodePoint code_point_at(std::string_view text, size_t at);

/// "" if `text` may be an id or a name; otherwise what is wrong with it.
std::string text_problem(std::string_view text);

/// `text` with U+FFFD for bytes that are not UTF-8.
std::string mended(std::string_view text);

/// Appends `text` quoted and escaped; bytes that are not UTF-8, as a damaged file may hold, become U+FFFD.
void append_json_text(std::string& out, std::string_view text);

/// "division by zero at payments.policy:12:18".
std::string fault_text(const Program& program, const Fault& fault);

}  // namespace ordain::detail
