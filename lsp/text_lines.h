// text_lines.h converts between bytes of a text and the places that clients name: a line from 0, and a
// character, which counts UTF-16 units or bytes, as was agreed when the session began.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ordain::lsp {

enum class Encoding : uint8_t { utf8, utf16 };

struct Position {
  uint32_t line = 0;
  uint32_t character = 0;
};

/// The lines of a text, which must outlive them. A line ends with `\n`, `\r\n` or `\r`.
class TextLines {
 public:
  TextLines(std::string_view text, Encoding encoding);

  /// The place of a byte; within a character, the place of the character. Past the end it is the end.
  Position position(size_t offset) const;
  /// The byte at a place. A character past the end of its line is the end of the line, and a line past the end of the
  /// text is the end of the text. A place between the two units of a character is its beginning.
  size_t offset(Position position) const;
  /// {"start": ..., "end": ...}
  std::string range_json(size_t begin, size_t end) const;
  std::string position_json(size_t offset) const;
  size_t count() const { return starts_.size(); }

 private:
  /// A byte where a character begins, and the units before it in the whole text.
  struct Mark {
    size_t offset = 0, units = 0;
  };

  size_t line_end(size_t line) const;  // before what ends the line
  size_t units_before(size_t offset) const;

  std::string_view text_;
  Encoding encoding_;
  std::vector<size_t> starts_{0};
  std::vector<Mark> marks_;  // one for each stretch of the text, so that long lines take no longer than short ones
};

}  // namespace ordain::lsp
