// value_tags lists the first bytes of encoded values. docs/audit.md has the grammar.
#pragma once

#include <cstdint>

namespace ordain::detail {

/// First byte of an encoded value. The numbers are part of the format.
enum ValueTag : uint8_t {
  kNull = 0,
  kFalse = 1,
  kTrue = 2,
  kInt = 3,
  kUint = 4,
  kDouble = 5,
  kString = 6,
  kBytes = 7,
  kTimestamp = 8,
  kDuration = 9,
  kList = 10,
  kMap = 11,
};

}  // namespace ordain::detail
