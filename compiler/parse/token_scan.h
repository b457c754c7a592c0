// token_scan: where the tokens of policy text begin and end, without parsing it. Serves what must not depend on layout
// (digests) or must come before parsing (imports).
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

/// The first token at or after `from`; white space and comments are skipped. Takes any bytes.
ScanToken next_token(std::string_view text, size_t from);

/// The tokens of `text` with no more space between them than keeps words apart: equal for texts that differ in layout
/// and comments only.
std::string canonical_text(std::string_view text);

}  // namespace ordain
