// literal.cc decodes literals: escapes as CEL's language definition lists them, and numbers with
// their ranges.
#include "compiler/parse/literal.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <string>

#include "compiler/parse/token_scan.h"

namespace ordain::parsing {
namespace {

void append_utf8(std::string& out, uint32_t c) {
  auto byte = [&](uint32_t b) { out.push_back(static_cast<char>(b)); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xC0 | c >> 6);
    byte(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    byte(0xE0 | c >> 12);
    byte(0x80 | (c >> 6 & 0x3F));
    byte(0x80 | (c & 0x3F));
  } else {
    byte(0xF0 | c >> 18);
    byte(0x80 | (c >> 12 & 0x3F));
    byte(0x80 | (c >> 6 & 0x3F));
    byte(0x80 | (c & 0x3F));
  }
}

char simple_escape(char c) {
  switch (c) {
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    case '\\':
    case '?':
    case '"':
    case '\'':
    case '`':
      return c;
    default:
      return 0;
  }
}

bool is_surrogate(uint32_t c) { return c >= 0xD800 && c < 0xE000; }

// Reads one literal's contents, escape by escape; continues after a bad one, so that all are
// reported.
class Unescaper {
 public:
  Unescaper(State& state, std::string_view body, uint32_t begin, bool bytes)
      : state_(state), body_(body), begin_(begin), bytes_(bytes) {}

  bool run(std::string& out) {
    while (at_ < body_.size()) {
      size_t next = std::min(body_.find('\\', at_), body_.size());
      out.append(body_, at_, next - at_);
      at_ = next;
      if (at_ < body_.size()) escape(out);
    }
    return good_;
  }

 private:
  void escape(std::string& out) {
    char c = at_ + 1 < body_.size() ? body_[at_ + 1] : '\0';
    if (char plain = simple_escape(c)) {
      out.push_back(plain);
      at_ += 2;
    } else if (c == 'x' || c == 'X') {
      octets(out, 2, 16, "`\\x` needs two hexadecimal digits");
    } else if (c >= '0' && c <= '3') {
      octets(out, 3, 8, "an octal escape needs three digits, \\000 to \\377");
    } else if (c == 'u' || c == 'U') {
      code_point(out, c == 'u' ? 4 : 8);
    } else {
      unknown();
    }
  }

  // Reads `digits` digits in `base`, the first of them at `from`. @returns -1 if they are missing.
  int64_t number(size_t from, size_t digits, int base) const {
    if (from + digits > body_.size()) return -1;
    uint32_t value = 0;
    const char* first = body_.data() + from;
    auto [end, error] = std::from_chars(first, first + digits, value, base);
    return error == std::errc() && end == first + digits ? int64_t{value} : -1;
  }

  void octets(std::string& out, size_t digits, int base, const char* message) {
    size_t from = base == 16 ? at_ + 2 : at_ + 1;
    int64_t value = number(from, digits, base);
    if (value < 0) return fail(from + digits - at_, message, base);
    if (bytes_) {
      out.push_back(static_cast<char>(value));
    } else {
      append_utf8(out, static_cast<uint32_t>(value));
    }
    at_ = from + digits;
  }

  void code_point(std::string& out, size_t digits) {
    size_t length = 2 + digits;
    if (bytes_) return fail(length, "`\\u` and `\\U` are for strings; bytes are written as `\\x00` to `\\xFF`", 16);
    int64_t value = number(at_ + 2, digits, 16);
    if (value < 0) {
      return fail(length, digits == 4 ? "`\\u` needs four hexadecimal digits" : "`\\U` needs eight hexadecimal digits",
                  16);
    }
    auto c = static_cast<uint32_t>(value);
    if (c > 0x10FFFF || is_surrogate(c)) {
      return fail(length, "this escape is not a Unicode character", 16);
    }
    append_utf8(out, c);
    at_ += length;
  }

  void unknown() {
    size_t length = 2;
    while (at_ + length < body_.size() && (static_cast<unsigned char>(body_[at_ + length]) & 0xC0) == 0x80) ++length;
    length = std::min(length, body_.size() - at_);
    report(length, "unknown escape " + quote(body_.substr(at_, length)),
           "write `\\\\` for a backslash, or a raw string: r\"...\"");
  }

  // Reports an escape. Its span ends where its digits do, at most `length` bytes on.
  void fail(size_t length, const char* message, int base) {
    size_t end = at_ + 2;
    auto is_digit = [&](char c) {
      if (base == 8) return c >= '0' && c <= '7';
      return std::isxdigit(static_cast<unsigned char>(c)) != 0;
    };
    while (end < at_ + length && end < body_.size() && is_digit(body_[end])) ++end;
    report(end - at_, message, "");
  }

  void report(size_t length, std::string message, std::string help) {
    auto from = static_cast<uint32_t>(begin_ + at_);
    state_.error("invalid-escape", state_.span(from, from + static_cast<uint32_t>(length)), std::move(message),
                 std::move(help));
    good_ = false;
    at_ += length;
  }

  State& state_;
  std::string_view body_;
  uint32_t begin_;
  bool bytes_;
  size_t at_ = 0;
  bool good_ = true;
};

bool out_of_range(State& state, Span where, const char* type) {
  state.error("number-range", where, std::string("this number does not fit ") + type);
  return false;
}

// Reads decimal or hexadecimal digits. @returns false if they exceed 64 bits.
bool parse_digits(std::string_view digits, uint64_t* out) {
  int base = 10;
  if (digits.size() > 2 && (digits[1] == 'x' || digits[1] == 'X')) {
    base = 16;
    digits.remove_prefix(2);
  }
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), *out, base);
  return error == std::errc() && end == digits.data() + digits.size();
}

}  // namespace

bool decode_text(State& state, std::string_view token, uint32_t begin, std::string_view* out) {
  const QuotedStart start = quoted_start(token).value();
  const size_t before = start.prefix + start.quotes;
  const std::string_view body = token.substr(before, token.size() - before - start.quotes);
  if (body.size() > state.limits.literal_bytes) {
    state.error("limit-literal", state.span(begin, begin + static_cast<uint32_t>(token.size())),
                "this literal is longer than " + std::to_string(state.limits.literal_bytes) + " bytes");
    return false;
  }
  if (start.raw || body.find('\\') == std::string_view::npos) {
    *out = state.arena.copy(body);
    return true;
  }
  std::string text;
  text.reserve(body.size());
  if (!Unescaper(state, body, begin + static_cast<uint32_t>(before), start.bytes).run(text)) return false;
  *out = state.arena.copy(text);
  return true;
}

bool decode_int(State& state, std::string_view token, Span where, bool negative, Value* out) {
  uint64_t magnitude = 0;
  uint64_t limit = static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) + (negative ? 1 : 0);
  if (!parse_digits(token, &magnitude) || magnitude > limit) {
    return out_of_range(state, where, "`int`: -9223372036854775808 to 9223372036854775807");
  }
  *out = Value::integer(static_cast<int64_t>(negative ? 0 - magnitude : magnitude));
  return true;
}

bool decode_uint(State& state, std::string_view token, Span where, Value* out) {
  uint64_t value = 0;
  if (!parse_digits(token.substr(0, token.size() - 1), &value)) {
    return out_of_range(state, where, "`uint`: 0u to 18446744073709551615u");
  }
  *out = Value::unsigned_integer(value);
  return true;
}

bool decode_float(State& state, std::string_view token, Span where, bool negative, Value* out) {
  double value = 0;
  auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (error == std::errc::result_out_of_range) {
    // from_chars does not say in which direction. A value that is too small becomes zero; one that
    // is too large is refused.
    value = std::strtod(std::string(token).c_str(), nullptr);
    if (std::isinf(value)) return out_of_range(state, where, "`double`: at most about 1.8e308");
  }
  *out = Value::floating(negative ? -value : value);
  return true;
}

bool decode_duration(State& state, std::string_view token, Span where, Value* out) {
  constexpr uint64_t kMaxSeconds = 315'576'000'000;  // ten thousand years, as in CEL
  constexpr uint64_t kBillion = 1'000'000'000;
  struct Unit {
    std::string_view name;
    uint64_t seconds;     // in one unit, or
    uint64_t per_second;  // units in one second
  };
  constexpr Unit kUnits[] = {{"ns", 0, kBillion}, {"us", 0, 1'000'000}, {"ms", 0, 1'000}, {"s", 1, 1},
                             {"m", 60, 1},        {"h", 3600, 1},       {"d", 86400, 1}};
  uint64_t seconds = 0;
  uint64_t nanos = 0;
  const char* at = token.data();
  const char* end = at + token.size();
  while (at < end) {
    uint64_t count = 0;
    auto [digits_end, error] = std::from_chars(at, end, count);
    const char* unit_end = digits_end;
    while (unit_end < end && (*unit_end < '0' || *unit_end > '9')) ++unit_end;
    std::string_view name(digits_end, static_cast<size_t>(unit_end - digits_end));
    at = unit_end;
    const Unit* unit =
        std::find_if(std::begin(kUnits), std::end(kUnits), [&](const Unit& u) { return u.name == name; });
    bool fits = error == std::errc() && unit != std::end(kUnits) &&
                (unit->seconds == 0 || count <= kMaxSeconds / unit->seconds);
    if (fits) {
      seconds += unit->seconds != 0 ? count * unit->seconds : count / unit->per_second;
      if (unit->seconds == 0) nanos += count % unit->per_second * (kBillion / unit->per_second);
      seconds += nanos / kBillion;
      nanos %= kBillion;
    }
    if (!fits || seconds > kMaxSeconds) return out_of_range(state, where, "a duration: at most about 10000 years");
  }
  *out = Value::duration(static_cast<int64_t>(seconds), static_cast<int32_t>(nanos));
  return true;
}

}  // namespace ordain::parsing
