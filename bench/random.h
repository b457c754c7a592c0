// A small seeded generator whose numbers are the same on every platform, so that a bench measures the same rules
// anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace ordain::bench {

/// SplitMix64. One for each thing that is generated: `Random(seed, i)` gives rule i, whatever came before it.
class Random {
 public:
  // Mixed, so that the streams of neighbouring numbers do not overlap.
  explicit Random(uint64_t seed, uint64_t number = 0) : state_(mix(mix(seed) + 0x9E3779B97F4A7C15 * (number + 1))) {}

  uint64_t next() { return mix(state_ += 0x9E3779B97F4A7C15); }
  /// In [0, bound); `bound` is not 0.
  uint64_t below(uint64_t bound) { return next() % bound; }
  /// In [low, high].
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(below(static_cast<uint64_t>(high - low) + 1));
  }
  /// True once in `n` times.
  bool one_in(uint64_t n) { return below(n) == 0; }

  template <typename T, size_t n>
  const T& pick(const T (&items)[n]) {
    return items[below(n)];
  }
  /// `length` small letters and digits.
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
