// numbers_text.cc formats and parses numbers. <charconv> supplies the digits but not the layout,
// because its plain notation writes large doubles exactly instead of shortly.
#include "stdlib/numbers_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace ordain::stdlib {
namespace {

// value = 0.d1d2d3... x 10^point
struct Digits {
  char digits[24];
  int count = 0;
  int point = 0;
};

Digits shortest_digits(double value) {
  Digits out;
  char text[32];
  auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
  const char* at = text;
  for (; at != end && *at != 'e'; ++at) {
    if (*at != '.') out.digits[out.count++] = *at;
  }
  int exponent = 0;
  if (at != end) {
    ++at;
    if (*at == '+') ++at;
    std::from_chars(at, end, exponent);
  }
  out.point = exponent + 1;
  return out;
}

char* put(char* out, std::string_view text) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

char* put_plain(char* out, const Digits& digits) {
  if (digits.point <= 0) {
    out = put(out, "0.");
    out = std::fill_n(out, -digits.point, '0');
    return put(out, {digits.digits, static_cast<size_t>(digits.count)});
  }
  if (digits.count <= digits.point) {
    out = put(out, {digits.digits, static_cast<size_t>(digits.count)});
    return std::fill_n(out, digits.point - digits.count, '0');
  }
  out = put(out, {digits.digits, static_cast<size_t>(digits.point)});
  *out++ = '.';
  return put(out, {digits.digits + digits.point, static_cast<size_t>(digits.count - digits.point)});
}

char* put_exponent(char* out, const Digits& digits) {
  *out++ = digits.digits[0];
  if (digits.count > 1) {
    *out++ = '.';
    out = put(out, {digits.digits + 1, static_cast<size_t>(digits.count - 1)});
  }
  int exponent = digits.point - 1;
  out = put(out, exponent < 0 ? "e-" : "e+");
  exponent = std::abs(exponent);
  if (exponent < 10) *out++ = '0';
  return std::to_chars(out, out + 4, exponent).ptr;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) { return (a | 0x20) == b; });
}

// @returns whether a decimal text is out of range because its value is too small
bool underflows(std::string_view text) {
  size_t exponent_at = text.find_first_of("eE");
  std::string_view mantissa = text.substr(0, exponent_at);
  int64_t exponent = 0;
  if (exponent_at != std::string_view::npos) {
    std::string_view digits = text.substr(exponent_at + 1);
    if (!digits.empty() && digits[0] == '+') digits.remove_prefix(1);
    if (std::from_chars(digits.data(), digits.data() + digits.size(), exponent).ec != std::errc()) {
      return digits[0] == '-';
    }
  }
  size_t point = std::min(mantissa.find('.'), mantissa.size());
  size_t first = std::min(mantissa.find_first_of("123456789"), mantissa.size());
  int64_t magnitude = first < point ? static_cast<int64_t>(point - first) : -static_cast<int64_t>(first - point);
  return magnitude + exponent < 0;
}

}  // namespace

size_t write_double(double value, char (&out)[kNumberTextSize]) {
  char* at = out;
  if (std::isnan(value)) return static_cast<size_t>(put(at, "NaN") - out);
  if (std::isinf(value)) return static_cast<size_t>(put(at, value < 0 ? "-Inf" : "+Inf") - out);
  if (std::signbit(value)) *at++ = '-';
  Digits digits = shortest_digits(std::fabs(value));
  bool plain = digits.point - 1 >= -4 && digits.point - 1 < 6;
  at = plain ? put_plain(at, digits) : put_exponent(at, digits);
  return static_cast<size_t>(at - out);
}

size_t write_double_plain(double value, char (&out)[kNumberTextSize]) {
  char* at = out;
  if (std::isnan(value)) return static_cast<size_t>(put(at, "NaN") - out);
  if (std::isinf(value)) return static_cast<size_t>(put(at, value < 0 ? "-Infinity" : "Infinity") - out);
  if (std::signbit(value)) *at++ = '-';
  return static_cast<size_t>(put_plain(at, shortest_digits(std::fabs(value))) - out);
}

bool read_int(std::string_view text, int64_t* out) {
  if (!text.empty() && text[0] == '+') {
    text.remove_prefix(1);
    if (text.empty() || !is_digit(text[0])) return false;
  }
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

bool read_uint(std::string_view text, uint64_t* out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

bool read_double(std::string_view text, double* out) {
  bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  auto format = std::chars_format::general;
  if (equals_ignoring_case(text, "inf") || equals_ignoring_case(text, "infinity")) {
    *out = negative ? -HUGE_VAL : HUGE_VAL;
    return true;
  }
  if (equals_ignoring_case(text, "nan")) {
    *out = NAN;
    return true;
  }
  if (text.size() > 2 && text[0] == '0' && (text[1] | 0x20) == 'x') {
    text.remove_prefix(2);
    if (text.find_first_of("pP") == std::string_view::npos || text[0] == '-') return false;
    format = std::chars_format::hex;
  } else if (text.empty() || !(is_digit(text[0]) || text[0] == '.')) {
    return false;
  }
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, format);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) return false;
  if (error == std::errc::result_out_of_range) {
    if (format == std::chars_format::hex || !underflows(text)) return false;
    value = 0;
  }
  *out = negative ? -value : value;
  return true;
}

}  // namespace ordain::stdlib
