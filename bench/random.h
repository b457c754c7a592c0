// Random is a small seeded generator with the same numbers on every platform, so that a bench
// measures the same rules everywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace ordain::bench {

/// SplitMix64. Use one instance per generated thing: `Random(seed, i)` makes rule i, independently
/// of the others.
class Random {
 public:
  // The seed is mixed, so that the streams of neighbouring numbers do not overlap.
  explicit Random(uint64_t seed, uint64_t number = 0) : state_(mix(mix(seed) + 0x9E3779B97F4A7C15 * (number + 1))) {}

  uint64_t next() { return mix(state_ += 0x9E3779B97F4A7C15); }
  /// @returns a number in [0, bound); `bound` is not 0
  uint64_t below(uint64_t bound) { return next() % bound; }
  /// @returns a number in [low, high]
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(below(static_cast<uint64_t>(high - low) + 1));
  }
  /// @returns true in one of `n` cases
  bool one_in(uint64_t n) { return below(n) == 0; }

  template <typename T, size_t n>
  const T& pick(const T (&items)[n]) {
    return items[below(n)];
  }
  /// @returns `length` lower-case letters and digits
  std::string word(size_t length) {
    std::string out;
    for (size_t i = 0; i < length; ++i) out += "abcdefghijklmnopqrstuvwxyz0123456789"[below(36)];
    return out;
  }

 private:
  static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  uint64_t state_;
};

}  // namespace ordain::bench
