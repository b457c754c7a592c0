// TextIndex finds the number of a string in a fixed list. It uses flat open addressing; a
// look-up does not allocate.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace ordain {

/// A fast hash of short strings. Do not insert untrusted strings: only a program's own strings fill
/// tables.
inline uint64_t hash_text(std::string_view text) {
  constexpr uint64_t kMul = 0x9E3779B97F4A7C15u;
  uint64_t hash = text.size() * kMul;
  const char* p = text.data();
  size_t left = text.size();
  auto mix = [&hash](uint64_t word) {
    hash = (hash ^ word) * kMul;
    hash ^= hash >> 32;
  };
  for (; left >= 8; left -= 8, p += 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    mix(word);
  }
  uint64_t tail = 0;
  for (size_t i = 0; i < left; ++i) tail = tail << 8 | static_cast<uint8_t>(p[i]);
  mix(tail);
  return hash ^ hash >> 29;
}

/// Mixes all bits of `key`.
inline uint64_t hash_key(uint64_t key) {
  key = (key ^ key >> 32) * 0x9E3779B97F4A7C15u;
  return key ^ key >> 29;
}

/// Maps strings to their numbers, 0 .. count - 1. Of equal strings the first counts.
class TextIndex {
 public:
  static constexpr uint32_t kMissing = UINT32_MAX;

  /// @param text_of (number) -> string_view; must return the same strings when `find` is called.
  template <typename TextOf>
  void build(size_t count, const TextOf& text_of) {
    cells_.assign(std::bit_ceil(2 * count + 1), Cell{});
    for (uint32_t i = 0; i < count; ++i) {
      const std::string_view text = text_of(i);
      if (find(text, text_of) == kMissing) insert(hash_text(text), i);
    }
  }

  template <typename TextOf>
  uint32_t find(std::string_view text, const TextOf& text_of) const {
    const uint64_t hash = hash_text(text);
    const size_t mask = cells_.size() - 1;
    for (size_t at = hash & mask;; at = (at + 1) & mask) {
      const Cell& cell = cells_[at];
      if (cell.number == kMissing) return kMissing;
      if (cell.hash == static_cast<uint32_t>(hash >> 32) && text_of(cell.number) == text) return cell.number;
    }
  }

  size_t bytes() const { return cells_.capacity() * sizeof(Cell); }

 private:
  struct Cell {
    uint32_t hash = 0;
    uint32_t number = kMissing;
  };

  void insert(uint64_t hash, uint32_t number) {
    const size_t mask = cells_.size() - 1;
    size_t at = hash & mask;
    while (cells_[at].number != kMissing) at = (at + 1) & mask;
    cells_[at] = {static_cast<uint32_t>(hash >> 32), number};
  }

  std::vector<Cell> cells_{Cell{}};
};

/// Maps 64-bit keys to numbers in the same way.
class KeyIndex {
 public:
  static constexpr uint32_t kMissing = UINT32_MAX;

  void reserve(size_t count) { cells_.assign(std::bit_ceil(2 * count + 1), Cell{}); }
  void insert(uint64_t key, uint32_t number) { cells_[place(key)] = {key, number}; }
  uint32_t find(uint64_t key) const { return cells_[place(key)].number; }
  size_t bytes() const { return cells_.capacity() * sizeof(Cell); }

 private:
  struct Cell {
    uint64_t key = 0;
    uint32_t number = kMissing;
  };

  size_t place(uint64_t key) const {
    const size_t mask = cells_.size() - 1;
    size_t at = hash_key(key) & mask;
    while (cells_[at].number != kMissing && cells_[at].key != key) at = (at + 1) & mask;
    return at;
  }

  std::vector<Cell> cells_{Cell{}};
};

}  // namespace ordain
