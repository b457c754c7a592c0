// Finds integers beyond 64 bits. It reads strings and numbers, and takes no notice of the rest.
#include "vm/json/wide_integers.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace ordain {
namespace {

constexpr size_t kShort = 18;     // so many digits always fit in 64 bits
constexpr size_t kLongest = 309;  // the digits of the largest double
constexpr size_t kShown = 40;     // digits of a number in a message

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool fits_64_bits(std::string_view integer) {
  const char* end = integer.data() + integer.size();
  int64_t i;
  uint64_t u;
  return std::from_chars(integer.data(), end, i).ec == std::errc() ||
         std::from_chars(integer.data(), end, u).ec == std::errc();
}

bool equals_a_double(std::string_view integer) {
  if (integer.size() > kLongest + 1) return false;
  double number = 0;
  if (std::from_chars(integer.data(), integer.data() + integer.size(), number).ec != std::errc()) return false;
  char digits[kLongest + 2];
  const auto written = std::to_chars(digits, digits + sizeof(digits), number, std::chars_format::fixed, 0);
  return written.ec == std::errc() && std::string_view(digits, static_cast<size_t>(written.ptr - digits)) == integer;
}

class Widener {
 public:
  explicit Widener(std::string_view text) : text_(text) {}

  std::optional<WidenedText> widen() {
    for (size_t at = 0; at < text_.size();) {
      if (text_[at] == '"') {
        at = end_of_string(at);
      } else if (is_digit(text_[at]) || text_[at] == '-') {
        at = number(at);
      } else {
        ++at;
      }
    }
    if (copied_ == 0) return std::nullopt;
    out_.text += text_.substr(copied_);
    return std::move(out_);
  }

 private:
  size_t end_of_string(size_t at) const {
    for (++at; at < text_.size() && text_[at] != '"'; ++at) at += text_[at] == '\\' ? 1 : 0;
    return at + 1;
  }

  size_t number(size_t begin) {
    size_t end = begin + 1;
    while (end < text_.size() && is_digit(text_[end])) ++end;
    const bool integral = end == text_.size() || (text_[end] != '.' && text_[end] != 'e' && text_[end] != 'E');
    const std::string_view integer = text_.substr(begin, end - begin);
    const size_t sign = integer[0] == '-' ? 1 : 0;
    if (integral && integer.size() - sign > kShort && integer[sign] != '0' && !fits_64_bits(integer)) {
      replace(integer, end);
    }
    if (integral) return end;
    while (end < text_.size() &&
           (is_digit(text_[end]) || std::string_view(".eE+-").find(text_[end]) != std::string_view::npos)) {
      ++end;
    }
    return end;
  }

  void replace(std::string_view integer, size_t end) {
    if (!equals_a_double(integer) && out_.inexact.empty()) {
      out_.inexact = integer.size() <= kShown ? std::string(integer) : std::string(integer.substr(0, kShown)) + "...";
    }
    double number = 0;
    const bool is_finite = std::from_chars(integer.data(), integer.data() + integer.size(), number).ec == std::errc();
    out_.text += text_.substr(copied_, end - integer.size() - copied_);
    if (is_finite) {
      out_.text += integer;
      out_.text += "e0";
    } else {
      out_.text += integer[0] == '-' ? "-1.7976931348623157e308" : "1.7976931348623157e308";
    }
    copied_ = end;
  }

  std::string_view text_;
  size_t copied_ = 0;  // of the text; 0: nothing was replaced
  WidenedText out_;
};

}  // namespace

std::optional<WidenedText> widen_integers(std::string_view text) { return Widener(text).widen(); }

}  // namespace ordain
