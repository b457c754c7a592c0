// text_lines.cc counts lines and units. Text that is not UTF-8 is counted byte by byte where it is wrong.
#include "lsp/text_lines.h"

#include <algorithm>

#include "vm/value/code_point.h"

namespace ordain::lsp {
namespace {

constexpr size_t kStretch = 64;

struct Step {
  size_t bytes = 1;
  uint32_t units = 1;
};

Step step_at(std::string_view text, size_t at, Encoding encoding) {
  const size_t bytes = std::max<size_t>(detail::code_point_at(text, at).length, 1);
  if (encoding == Encoding::utf8) return {bytes, static_cast<uint32_t>(bytes)};
  return {bytes, bytes == 4 ? 2U : 1U};
}

}  // namespace

TextLines::TextLines(std::string_view text, Encoding encoding) : text_(text), encoding_(encoding) {
  for (size_t at = 0; at < text.size(); ++at) {
    const bool ends = text[at] == '\n' || (text[at] == '\r' && (at + 1 == text.size() || text[at + 1] != '\n'));
    if (ends) starts_.push_back(at + 1);
  }
  for (Mark at;;) {
    if (at.offset >= marks_.size() * kStretch) marks_.push_back(at);
    if (at.offset >= text.size()) break;
    const Step step = step_at(text, at.offset, encoding);
    at.offset += step.bytes;
    at.units += step.units;
  }
}

// The units before the character that the byte belongs to.
size_t TextLines::units_before(size_t offset) const {
  size_t mark = std::min(offset / kStretch, marks_.size() - 1);
  if (marks_[mark].offset > offset) --mark;  // the first character of a stretch may begin a few bytes later
  Mark at = marks_[mark];
  while (at.offset < offset) {
    const Step step = step_at(text_, at.offset, encoding_);
    if (at.offset + step.bytes > offset) break;
    at.offset += step.bytes;
    at.units += step.units;
  }
  return at.units;
}

size_t TextLines::line_end(size_t line) const {
  if (line + 1 >= starts_.size()) return text_.size();
  size_t end = starts_[line + 1] - 1;
  if (text_[end] == '\n' && end > starts_[line] && text_[end - 1] == '\r') --end;
  return end;
}

Position TextLines::position(size_t offset) const {
  offset = std::min(offset, text_.size());
  const size_t line =
      static_cast<size_t>(std::upper_bound(starts_.begin(), starts_.end(), offset) - starts_.begin()) - 1;
  offset = std::min(offset, line_end(line));
  return {static_cast<uint32_t>(line), static_cast<uint32_t>(units_before(offset) - units_before(starts_[line]))};
}

size_t TextLines::offset(Position position) const {
  if (position.line >= starts_.size()) return text_.size();
  const size_t end = line_end(position.line);
  const size_t start = starts_[position.line];
  const size_t wanted = units_before(start) + position.character;
  const auto after = std::upper_bound(marks_.begin(), marks_.end(), wanted,
                                      [](size_t units, const Mark& mark) { return units < mark.units; });
  Mark at = after == marks_.begin() ? Mark() : *(after - 1);
  if (at.offset < start) at = {start, units_before(start)};
  while (at.offset < end) {
    const Step step = step_at(text_, at.offset, encoding_);
    if (at.units + step.units > wanted) break;
    at.units += step.units;
    at.offset += step.bytes;
  }
  return std::min(at.offset, end);
}

std::string TextLines::position_json(size_t offset) const {
  const Position place = position(offset);
  return "{\"line\":" + std::to_string(place.line) + ",\"character\":" + std::to_string(place.character) + "}";
}

std::string TextLines::range_json(size_t begin, size_t end) const {
  return "{\"start\":" + position_json(begin) + ",\"end\":" + position_json(std::max(begin, end)) + "}";
}

}  // namespace ordain::lsp
