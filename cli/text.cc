#include "cli/text.h"

#include <fmt/format.h>

#include "ordain/json.h"
#include "ordain/time_text.h"

namespace ordain::cli {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

}  // namespace

std::string count_text(size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string json_text(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string markup_text(std::string_view text) {
  static constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const std::string_view three = text.substr(i, 3);
    if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\n' || c == '\t' || c == '\r') {
      out += c == '\n' ? "&#10;" : c == '\t' ? "&#9;" : "&#13;";  // an attribute would turn them into spaces
    } else if (static_cast<unsigned char>(c) < ' ') {
      out += kReplacement;
    } else if (three == "\xEF\xBF\xBE" || three == "\xEF\xBF\xBF") {  // U+FFFE and U+FFFF
      out += kReplacement;
      i += 2;
    } else {
      out += c;
    }
  }
  return out;
}

Result<int64_t> parse_time_option(std::string_view option, std::string_view text) {
  TimeParts parts;
  int64_t out = 0;
  if (!parse_timestamp(text, &parts) || __builtin_mul_overflow(parts.seconds, kSecond, &out) ||
      __builtin_add_overflow(out, int64_t{parts.nanos}, &out)) {
    return Error{"usage", fmt::format("{}: an RFC 3339 timestamp is needed, such as 2026-05-01T12:00:00Z", option)};
  }
  return out;
}

std::string format_second(int64_t time_ns) { return format_time(time_ns / kSecond * kSecond); }

}  // namespace ordain::cli
