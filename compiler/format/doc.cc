// doc.cc decides which breaks of a statement start a line. Every decision looks at sums that are
// computed once, so the time is in proportion to the number of pieces.
#include "compiler/format/doc.h"

#include <algorithm>
#include <utility>

namespace ordain::layout {
namespace {

// Lines are indented no deeper, so that deeply nested text still has room.
constexpr size_t kDeepestIndent = 48;

bool is_fill(Separator separator) { return separator == Separator::fill || separator == Separator::softfill; }

}  // namespace

size_t columns_of(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

void Doc::text(std::string_view text) {
  const bool one_line = text.find('\n') == std::string_view::npos;
  ops_.push_back({.kind = Kind::text, .width = one_line ? columns_of(text) : kForced, .text = text});
}

void Doc::spaces(size_t count) { ops_.push_back({.kind = Kind::spaces, .width = count}); }

void Doc::separate(Separator separator, bool closing) {
  if (separator == Separator::none) return;
  if (separator == Separator::space) return spaces(1);
  const size_t width = separator == Separator::line || separator == Separator::fill ? 1 : 0;
  ops_.push_back({.kind = Kind::separator, .separator = separator, .closing = closing, .width = width});
}

void Doc::hard_break(bool closing, bool blank) {
  ops_.push_back({.kind = Kind::hard_break, .closing = closing, .blank = blank, .width = kForced});
}

void Doc::comment(std::string_view text) { ops_.push_back({.kind = Kind::comment, .width = kForced, .text = text}); }

void Doc::open(Indent indent) { ops_.push_back({.kind = Kind::open, .aligned = indent.aligned, .width = indent.more}); }

void Doc::close() { ops_.push_back({.kind = Kind::close}); }

size_t Doc::width_on_one_line() const {
  size_t width = 0;
  for (const Op& op : ops_) width += op.kind == Kind::open ? 0 : op.width;
  return width;
}

// What the pieces take up.
struct Doc::Measures {
  std::vector<size_t> before;      ///< the columns of all pieces before piece i, on one line
  std::vector<size_t> next_break;  ///< the first piece from i on at which a line may end
  std::vector<size_t> end;         ///< of an `open`, its `close`; of a separator, its group's next one or `close`

  explicit Measures(const std::vector<Op>& ops) {
    const size_t count = ops.size();
    before.resize(count + 1);
    next_break.resize(count + 1);
    end.assign(count, count);
    struct Group {
      size_t open;
      size_t separator;  // the last one; `open` if there is none
    };
    std::vector<Group> groups;
    for (size_t i = 0; i < count; ++i) {
      const Op& op = ops[i];
      before[i + 1] = before[i] + (op.kind == Kind::open ? 0 : op.width);
      if (op.kind == Kind::open) {
        groups.push_back({i, i});
      } else if (op.kind == Kind::separator && !groups.empty()) {
        if (groups.back().separator != groups.back().open) end[groups.back().separator] = i;
        groups.back().separator = i;
      } else if (op.kind == Kind::close && !groups.empty()) {
        end[groups.back().open] = i;
        end[groups.back().separator] = i;
        groups.pop_back();
      }
    }
    next_break[count] = count;
    for (size_t i = count; i-- > 0;) {
      const Kind kind = ops[i].kind;
      const bool ends_line = kind == Kind::separator || kind == Kind::hard_break || kind == Kind::comment;
      next_break[i] = ends_line ? i : next_break[i + 1];
    }
  }

  /// The columns from piece `i` to the end of what must stay with it on a line.
  size_t width_from(const std::vector<Op>& ops, size_t i) const {
    const size_t last = end[i];
    const bool next = last < ops.size() && ops[last].kind == Kind::separator;
    return before[next ? last : next_break[last]] - before[i];
  }
};

class Doc::Printer {
 public:
  Printer(const std::vector<Op>& ops, size_t indent) : ops_(ops), measures_(ops) {
    groups_.push_back({indent, indent, false});
    begin_line(indent);
  }

  Printed print() {
    for (size_t i = 0; i < ops_.size(); ++i) piece(i);
    end_line();
    return std::move(out_);
  }

 private:
  struct Group {
    size_t indent;  // of the lines that its breaks start
    size_t around;  // of the line with its closing bracket
    bool on_one_line;
  };

  void piece(size_t i) {
    const Op& op = ops_[i];
    const Group& group = groups_.back();
    switch (op.kind) {
      case Kind::text:
        return text(op.text);
      case Kind::spaces:
        return space(op.width);
      case Kind::comment:
        line_.comment = op.text;
        return;
      case Kind::hard_break:
        return new_line(op.closing ? group.around : group.indent, op.blank);
      case Kind::separator: {
        const bool fits = group.on_one_line || (is_fill(op.separator) && measures_.width_from(ops_, i) <= room());
        if (fits) return space(op.width);
        return new_line(op.closing ? group.around : group.indent, false);
      }
      case Kind::open: {
        const size_t around = op.aligned ? column_ : group.indent;
        const bool fits = group.on_one_line || measures_.width_from(ops_, i) <= room();
        groups_.push_back({around + op.width, around, fits});
        return;
      }
      case Kind::close:
        groups_.pop_back();
        return;
    }
  }

  size_t room() const { return column_ < kWidth ? kWidth - column_ : 0; }

  void space(size_t count) {
    line_.code.append(count, ' ');
    column_ += count;
  }

  void text(std::string_view text) {
    line_.code += text;
    const size_t first = text.find('\n');
    column_ += columns_of(text.substr(0, first));
    out_.widest = std::max(out_.widest, column_);
    if (first == std::string_view::npos) return;
    column_ = columns_of(text.substr(text.rfind('\n') + 1));
    out_.widest = std::max(out_.widest, column_);
  }

  void begin_line(size_t indent) {
    line_ = Line{.code = std::string(indent, ' ')};
    column_ = indent;
  }

  void end_line() {
    if (line_.code.find_first_not_of(' ') == std::string::npos) {
      line_.comment_indent = line_.code.size();
      line_.code.clear();
    }
    out_.lines.push_back(std::move(line_));
  }

  void new_line(size_t indent, bool blank) {
    end_line();
    if (blank) out_.lines.emplace_back();
    begin_line(std::min(indent, kDeepestIndent));
  }

  const std::vector<Op>& ops_;
  Measures measures_;
  std::vector<Group> groups_;
  Printed out_;
  Line line_;
  size_t column_ = 0;
};

Doc::Printed Doc::print(size_t indent) const { return Printer(ops_, indent).print(); }

}  // namespace ordain::layout
