// token_scan finds the tokens of policy text without parsing it. Digests use it because they must
// not depend on layout, and imports because they are read before parsing.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ordain {

enum class ScanKind : unsigned char {
  end,
  word,         ///< letters, digits, underscores: names and numbers
  quoted,       ///< a string or bytes literal with its prefix, or a name in backticks
  punctuation,  ///< one byte
};

/// How a string or bytes literal begins: up to two of the letters r and b in either case, then one or three quotes.
struct QuotedStart {
  size_t prefix = 0;  ///< letters
  size_t quotes = 1;
  bool raw = false;
  bool bytes = false;
};

/// nullopt if `text` does not begin with such a literal.
std::optional<QuotedStart> quoted_start(std::string_view text);

/// Bytes [begin, end) of the scanned text.
struct ScanToken {
  ScanKind kind = ScanKind::end;
  size_t begin = 0;
  size_t end = 0;
};

/// @returns the first token at or after `from`, after white space and comments. Accepts any bytes.
ScanToken next_token(std::string_view text, size_t from);

/// @returns the tokens of `text` with only as much space as separates words, so that texts which
/// differ only in layout and comments give the same result
std::string canonical_text(std::string_view text);

}  // namespace ordain
