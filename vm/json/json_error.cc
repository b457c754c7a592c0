// Reads JSON's grammar again to find the place of an error. It keeps nothing but its position.
#include "vm/json/json_error.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "ordain/utf8.h"

namespace ordain {
namespace {

class Locator {
 public:
  explicit Locator(std::string_view text) : text_(text) {}

  std::string describe() {
    skip_space();
    if (value(1)) {
      skip_space();
      if (at_ == text_.size()) return {};
      why_ = "text after the value";
    }
    return "at offset " + std::to_string(at_) + ": " + why_;
  }

 private:
  bool fail(const char* why) {
    why_ = why;
    return false;
  }
  bool done() const { return at_ == text_.size(); }
  char peek() const { return done() ? '\0' : text_[at_]; }
  bool digit() const { return peek() >= '0' && peek() <= '9'; }
  void skip_space() {
    while (!done() && (peek() == ' ' || peek() == '\n' || peek() == '\r' || peek() == '\t')) ++at_;
  }

  bool value(int depth) {
    if (done()) return fail("the text ends where a value should be");
    switch (peek()) {
      case '{':
        return container(depth, '}');
      case '[':
        return container(depth, ']');
      case '"':
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }

  bool container(int depth, char close) {
    if (depth > kMaxJsonDepth) return fail("nested deeper than 64");
    ++at_;
    skip_space();
    if (peek() == close) return ++at_, true;
    while (true) {
      skip_space();
      if (close == '}' && !member_name()) return false;
      if (!value(depth + 1)) return false;
      skip_space();
      if (peek() == close) return ++at_, true;
      if (peek() != ',') return fail(close == '}' ? "expected `,` or `}`" : "expected `,` or `]`");
      ++at_;
    }
  }

  bool member_name() {
    if (peek() != '"') return fail("expected a quoted key");
    if (!string()) return false;
    skip_space();
    if (peek() != ':') return fail("expected `:`");
    ++at_;
    skip_space();
    return true;
  }

  bool word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return fail("expected a value");
    at_ += word.size();
    return true;
  }

  bool number() {
    size_t start = at_;
    bool integral = true;
    if (peek() == '-') ++at_;
    if (!digit()) return at_ = start, fail("expected a value");
    bool zero = peek() == '0';
    ++at_;
    if (zero && digit()) return fail("a number with a leading zero");
    while (digit()) ++at_;
    if (peek() == '.') {
      integral = false;
      ++at_;
      if (!digit()) return fail("expected a digit");
      while (digit()) ++at_;
    }
    if (peek() == 'e' || peek() == 'E') {
      integral = false;
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      if (!digit()) return fail("expected a digit");
      while (digit()) ++at_;
    }
    // The number is well formed, so only its size can have caused the refusal.
    if (fits(text_.substr(start, at_ - start), integral)) return true;
    at_ = start;
    return fail(integral ? "an integer past 64 bits" : "a number past double");
  }

  static bool fits(std::string_view number, bool integral) {
    const char* end = number.data() + number.size();
    if (!integral) return std::isfinite(std::strtod(std::string(number).c_str(), nullptr));
    int64_t i;
    uint64_t u;
    return std::from_chars(number.data(), end, i).ec == std::errc() ||
           std::from_chars(number.data(), end, u).ec == std::errc();
  }

  bool string() {
    ++at_;
    while (!done() && peek() != '"') {
      auto c = static_cast<unsigned char>(peek());
      if (c < 0x20) return fail("a control character in a string");
      if (c == '\\') {
        if (!escape()) return false;
      } else if (c < 0x80) {
        ++at_;
      } else if (!code_point()) {
        return fail("invalid UTF-8");
      }
    }
    if (done()) return fail("the text ends within a string");
    ++at_;
    return true;
  }

  // Reads one code point beyond ASCII.
  bool code_point() {
    auto lead = static_cast<unsigned char>(peek());
    size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    std::string_view bytes = text_.substr(at_, size);
    if (bytes.size() < size || !valid_utf8(bytes)) return false;
    at_ += size;
    return true;
  }

  bool hex4(unsigned* out) {
    *out = 0;
    if (text_.size() - at_ < 4) return false;
    for (size_t n = 0; n < 4; ++n) {
      char c = text_[at_ + n];
      unsigned digit = c >= '0' && c <= '9'   ? static_cast<unsigned>(c - '0')
                       : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a' + 10)
                       : c >= 'A' && c <= 'F' ? static_cast<unsigned>(c - 'A' + 10)
                                              : 16;
      if (digit == 16) return false;
      *out = *out * 16 + digit;
    }
    at_ += 4;
    return true;
  }

  bool escape() {
    size_t start = at_++;
    if (peek() != 'u') {
      if (done() || std::string_view("\"\\/bfnrt").find(peek()) == std::string_view::npos) {
        return at_ = start, fail("an unknown escape");
      }
      ++at_;
      return true;
    }
    ++at_;
    unsigned high, low;
    if (!hex4(&high)) return at_ = start, fail("`\\u` without four hexadecimal digits");
    if (high < 0xd800 || high > 0xdfff) return true;
    bool paired = high < 0xdc00 && text_.substr(at_, 2) == "\\u";
    if (paired) at_ += 2;
    if (!paired || !hex4(&low) || low < 0xdc00 || low > 0xdfff) return at_ = start, fail("half a surrogate pair");
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  const char* why_ = "";
};

}  // namespace

std::string describe_json_error(std::string_view text) { return Locator(text).describe(); }

}  // namespace ordain
