// LiteralIndex finds which of many strings occur in a text, in one pass over it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ordain/arena.h"
#include "vm/program/program_data.h"

namespace ordain::vm {

/// Immutable once built. Scanning allocates only one bit for each literal, from the arena.
///
/// A hash table holds one window of each literal: four bytes, or two or one for shorter literals.
/// For every window of the text a bit filter, small enough for the first-level cache, says whether
/// to look in the table; what is found is compared in full. Windows are chosen so that few literals
/// share one. The scheme is that of Wu and Manber ("A fast algorithm for multi-pattern searching",
/// 1994) without its shifts, which do not pay when there are many short literals.
class LiteralIndex {
 public:
  struct Literal {
    std::string_view text;  ///< not empty; must live as long as the index
    IndexLiteral::Where where = IndexLiteral::anywhere;
    bool ignore_case = false;
  };
  explicit LiteralIndex(std::vector<Literal> literals);

  /// Calls `found(number)` once for each literal that occurs in `text`. A literal that ignores case
  /// may also be reported where letters beyond ASCII might match its letters. @returns false if the
  /// arena is exhausted.
  template <typename Found>
  bool scan(std::string_view text, Arena& arena, const Found& found) const {
    uint64_t* seen = arena.array<uint64_t>((literals_.size() + 63) / 64);
    if (seen == nullptr) return false;
    for (size_t i = 0; i < (literals_.size() + 63) / 64; ++i) seen[i] = 0;
    const auto is_new = [seen](uint32_t literal) { return (seen[literal / 64] >> literal % 64 & 1) == 0; };
    const auto report = [&](uint32_t literal) {
      seen[literal / 64] |= uint64_t{1} << literal % 64;
      found(literal);
    };
    for_windows(text, [&](uint64_t key, size_t at) {
      const Bucket bucket = find(key);
      for (uint32_t i = bucket.first; i < bucket.first + bucket.count; ++i) {
        if (is_new(entries_[i].literal) && occurs(entries_[i], text, at)) report(entries_[i].literal);
      }
    });
    if (!may_fold(text)) return true;
    for (uint32_t i = 0; i < literals_.size(); ++i) {
      if (literals_[i].ignore_case && is_new(i)) report(i);
    }
    return true;
  }

  size_t bytes() const;

 private:
  struct Entry {
    uint32_t literal;
    uint32_t offset;  ///< of the window in the literal
  };
  struct Bucket {
    uint64_t key = 0;
    uint32_t first = 0;
    uint32_t count = 0;  ///< 0: empty
  };

  /// The size is part of the key. Bits that tell upper from lower case are set, so that one table
  /// serves literals that ignore case and those that do not.
  static uint64_t window(std::string_view text, size_t at, size_t size) {
    uint32_t bytes = 0;
    for (size_t i = 0; i < size; ++i) bytes |= uint32_t{static_cast<uint8_t>(text[at + i])} << (8 * i);
    return uint64_t{bytes | 0x20202020u} | uint64_t{size} << 32;
  }
  static uint64_t mix(uint64_t key) { return key * 0x9E3779B97F4A7C15u; }
  Bucket find(uint64_t key) const;
  bool occurs(const Entry& entry, std::string_view text, size_t at) const;
  bool may_fold(std::string_view text) const;

  bool may_hold(uint64_t hash) const {
    const uint64_t bit = hash >> filter_shift_;
    return (filter_[bit / 64] >> bit % 64 & 1) != 0;
  }

  template <size_t kSize, typename Look>
  void for_windows_of(std::string_view text, const Look& look) const {
    if ((sizes_ & kSize) == 0) return;
    for (size_t at = 0; at + kSize <= text.size(); ++at) {
      const uint64_t key = window(text, at, kSize);
      if (may_hold(mix(key))) look(key, at);
    }
  }
  template <typename Look>
  void for_windows(std::string_view text, const Look& look) const {
    for_windows_of<4>(text, look);
    for_windows_of<2>(text, look);
    for_windows_of<1>(text, look);
  }

  std::vector<Literal> literals_;
  std::vector<Entry> entries_;   ///< by bucket
  std::vector<Bucket> buckets_;  ///< open addressing
  std::vector<uint64_t> filter_;
  unsigned filter_shift_ = 0;
  size_t sizes_ = 0;  ///< the sizes of windows that occur, as bits
  bool ignores_case_ = false;
};

}  // namespace ordain::vm
