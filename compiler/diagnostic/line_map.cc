// Counts the lines and code points of a source once, for LineMap.
#include "compiler/diagnostic/line_map.h"

#include <algorithm>

namespace ordain {

LineMap::LineMap(const Source& source) : text_(source.text), line_starts_{0} {
  points_.reserve(text_.size() / kStride + 1);
  uint32_t points = 0;
  for (uint32_t i = 0; i < text_.size(); ++i) {
    if (i % kStride == 0) points_.push_back(points);
    if ((static_cast<uint8_t>(text_[i]) & 0xC0) != 0x80) ++points;
    if (text_[i] == '\n') line_starts_.push_back(i + 1);
  }
  if (text_.size() % kStride == 0) points_.push_back(points);
}

size_t LineMap::number(uint32_t offset) const {
  return static_cast<size_t>(std::upper_bound(line_starts_.begin(), line_starts_.end(), offset) - line_starts_.begin());
}

uint32_t LineMap::points_before(uint32_t offset) const {
  uint32_t points = points_[offset / kStride];
  for (uint32_t i = offset / kStride * kStride; i < offset; ++i) {
    if ((static_cast<uint8_t>(text_[i]) & 0xC0) != 0x80) ++points;
  }
  return points;
}

LineColumn LineMap::at(uint32_t offset) const {
  offset = std::min(offset, static_cast<uint32_t>(text_.size()));
  const size_t line = number(offset);
  return {static_cast<uint32_t>(line), points_before(offset) - points_before(line_starts_[line - 1]) + 1};
}

std::string_view LineMap::line(uint32_t offset) const {
  const size_t line = number(offset);
  const size_t begin = line_starts_[line - 1];
  size_t end = line < line_starts_.size() ? line_starts_[line] - 1 : text_.size();
  if (end > begin && text_[end - 1] == '\r') --end;
  return text_.substr(begin, end - begin);
}

}  // namespace ordain
