// text.cc checks UTF-8, and formats hex digits and times.
#include "runtime/identity/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "ordain/json.h"
#include "ordain/time_text.h"

namespace ordain {
namespace detail {

std::string text_problem(std::string_view text) {
  if (text.size() > kMaxIdentityText) return fmt::format("longer than {} bytes", kMaxIdentityText);
  if (!valid_utf8(text)) return "not valid UTF-8";
  if (text.find('\0') != std::string_view::npos) return "contains a zero byte";
  return "";
}

std::string mend_utf8(std::string_view text) {
  if (valid_utf8(text)) return std::string(text);
  std::string out;
  for (size_t at = 0; at < text.size();) {
    uint32_t length = code_point_at(text, at).length;
    out += length != 0 ? text.substr(at, length) : "\xEF\xBF\xBD";
    at += std::max(length, 1u);
  }
  return out;
}

void append_json_text(std::string& out, std::string_view text) {
  if (valid_utf8(text)) return append_json_string(out, text);
  append_json_string(out, mend_utf8(text));
}

std::string fault_text(const Program& program, const Fault& fault) {
  if (!fault) return "";
  std::string out = fault_message(fault);
  if (fault.location >= program.locations().size()) return out;
  const Location& at = program.locations()[fault.location];
  std::string file = at.file < program.files().size() ? program.files()[at.file] : "";
  return out + " at " + file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

}  // namespace detail

}  // namespace ordain
