// doc.h describes one statement as text with the places where its lines may break, and lays it out
// within a width.
//
// The pieces of a group stay on one line if all of it fits, with what follows up to the next place
// where a line may break. Otherwise each of its own breaks starts a line, except those of kind
// `fill`, which do so only if the text up to the group's next break does not fit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ordain::layout {

/// The most columns that a line has if it can be broken. Columns are code points.
inline constexpr size_t kWidth = 100;

/// One line of output. A comment is either behind the code or alone on its line.
struct Line {
  std::string code;               ///< with its indentation; it may have line feeds, in a long string
  std::string_view comment = {};  ///< empty if there is none
  size_t comment_indent = 0;      ///< of a comment alone on its line
};

enum class Separator : uint8_t {
  none,
  space,
  line,      ///< a break of its group, or a space
  softline,  ///< a break of its group, or nothing
  fill,      ///< a break if the text up to the next one does not fit, or a space
  softfill,  ///< the same, or nothing
};

/// Where lines start after a break of a group.
struct Indent {
  size_t more = 0;       ///< columns more than the group's beginning
  bool aligned = false;  ///< counted from the column in which the group begins, not from the indentation around it
};

class Doc {
 public:
  void clear() { ops_.clear(); }

  void text(std::string_view text);
  void spaces(size_t count);
  /// @param closing the next line has the indentation around the group: a bracket's end follows
  void separate(Separator separator, bool closing = false);
  /// A break in any case. @param blank an empty line comes before the next one
  void hard_break(bool closing = false, bool blank = false);
  /// A comment. A hard break must follow, and must precede a comment that is alone on its line.
  void comment(std::string_view text);
  void open(Indent indent = {});
  void close();

  struct Printed {
    std::vector<Line> lines;
    size_t widest = 0;  ///< columns of the longest line, without its comment
  };
  /// Lays the pieces out, the first line indented by `indent` columns.
  Printed print(size_t indent) const;

  /// The columns of the pieces on one line; kForced or more if they cannot be on one line.
  size_t width_on_one_line() const;
  static constexpr size_t kForced = 1 << 20;

 private:
  enum class Kind : uint8_t { text, spaces, separator, hard_break, comment, open, close };
  struct Op {
    Kind kind = Kind::text;
    Separator separator = Separator::none;
    bool closing = false;
    bool blank = false;
    bool aligned = false;
    size_t width = 0;  ///< on one line; of an `open` the columns that its lines have more
    std::string_view text = {};
  };
  struct Measures;
  class Printer;

  std::vector<Op> ops_;
};

/// The columns that a text without line feeds takes.
size_t columns_of(std::string_view text);

}  // namespace ordain::layout
