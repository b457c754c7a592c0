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
