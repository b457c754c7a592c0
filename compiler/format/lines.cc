// lines.cc writes what is between statements, and joins lines to text.
#include <algorithm>
#include <iterator>
#include <utility>

#include "compiler/format/layouter.h"

namespace ordain::layout {

void Layouter::write(size_t indent) { write_lines(doc_.print(indent)); }

void Layouter::write_lines(Doc::Printed printed) {
  std::move(printed.lines.begin(), printed.lines.end(), std::back_inserter(lines_));
}

void Layouter::write_gap(uint32_t i, size_t indent, bool first, bool closing) {
  bool begins = first;  // no line of the block is written yet
  for (const Comment& comment : tokens_.comments(i)) {
    if (comment.trailing && !lines_.empty()) {
      lines_.back().comment = comment.text;
      continue;
    }
    if (comment.blank_before && !begins) write_line("");
    lines_.push_back({.comment = comment.text, .comment_indent = indent});
    begins = false;
  }
  if (tokens_[i].blank_before && !closing && !begins) write_line("");
}

namespace {

bool has_comment_behind(const Line& line) { return !line.comment.empty() && !line.code.empty(); }

size_t code_width(const Line& line) {
  return columns_of(std::string_view(line.code).substr(line.code.rfind('\n') + 1));
}

// Adds lines that all have comments behind their code.
void append_commented(std::span<const Line> lines, std::string& out) {
  size_t column = 0;
  for (const Line& line : lines) column = std::max(column, code_width(line) + 2);
  const bool aligned = std::all_of(lines.begin(), lines.end(),
                                   [&](const Line& line) { return column + columns_of(line.comment) <= kWidth; });
  for (const Line& line : lines) {
    out += line.code;
    out.append(aligned ? column - code_width(line) : 2, ' ');
    out += line.comment;
    out += '\n';
  }
}

}  // namespace

std::string join_lines(const std::vector<Line>& lines) {
  std::string out;
  for (size_t i = 0; i < lines.size();) {
    size_t end = i;
    while (end < lines.size() && has_comment_behind(lines[end])) ++end;
    if (end > i) {
      append_commented(std::span(lines).subspan(i, end - i), out);
      i = end;
      continue;
    }
    out += lines[i].code;
    if (!lines[i].comment.empty()) out.append(lines[i].comment_indent, ' ') += lines[i].comment;
    out += '\n';
    ++i;
  }
  return out;
}

}  // namespace ordain::layout
