// LineMap finds lines and columns of many places in one source.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ordain/diagnostic.h"

namespace ordain {

/// Converts byte offsets of a source to line and column, in constant time after one pass over the
/// source, which must outlive it.
class LineMap {
 public:
  explicit LineMap(const Source& source);
  LineColumn at(uint32_t offset) const;
  /// Returns the line that contains the offset, without its end ("\n", "\r\n").
  std::string_view line(uint32_t offset) const;

 private:
  size_t number(uint32_t offset) const;  ///< of the line, from 1
  uint32_t points_before(uint32_t offset) const;

  static constexpr uint32_t kStride = 256;
  std::string_view text_;
  std::vector<uint32_t> line_starts_;
  std::vector<uint32_t> points_;  ///< code points before byte i * kStride
};

}  // namespace ordain
