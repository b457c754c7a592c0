// Unicode tables for folding texts: what each code point becomes, and which ones words consist of.
// scripts/make-unicode-tables writes them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ordain::state {

/// What a code point becomes: `length` code points of kUnicodeFolded, from `at` on.
struct UnicodeFold {
  uint32_t from = 0;
  uint16_t at = 0;
  uint8_t length = 0;
};
struct UnicodeRange {
  uint32_t first = 0, last = 0;
};

// All are sorted, and begin above ASCII. Hangul syllables are not among the folds.
extern const UnicodeFold kUnicodeFolds[];
extern const size_t kUnicodeFoldCount;
extern const uint32_t kUnicodeFolded[];
extern const UnicodeRange kUnicodeWordRanges[];  ///< letters, digits and the marks upon them
extern const size_t kUnicodeWordRangeCount;
extern const UnicodeRange kUnicodeMarkRanges[];
extern const size_t kUnicodeMarkRangeCount;
extern const UnicodeRange kUnicodeIgnoredRanges[];  ///< that nobody sees
extern const size_t kUnicodeIgnoredRangeCount;

}  // namespace ordain::state
