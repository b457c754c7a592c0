// text has the operations on strings that the runtime needs: checking UTF-8, escaping JSON, and
// formatting.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ordain/fault.h"
#include "ordain/program.h"
#include "ordain/utf8.h"
#include "vm/value/code_point.h"
#include "vm/value/encodings.h"

namespace ordain::detail {

/// The longest id or name that a host may give, in bytes.
inline constexpr size_t kMaxIdentityText = 4096;

/// @returns "" if `text` is valid as an id or a name; otherwise what is wrong with it
std::string text_problem(std::string_view text);

/// @returns `text` with U+FFFD in place of bytes that are not UTF-8
std::string mend_utf8(std::string_view text);

/// Appends `text` quoted and escaped. Bytes that are not UTF-8, which a damaged file may hold,
/// become U+FFFD.
void append_json_text(std::string& out, std::string_view text);

/// @returns a text like "division by zero at payments.policy:12:18"
std::string fault_text(const Program& program, const Fault& fault);

}  // namespace ordain::detail
