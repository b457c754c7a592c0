// LatencyHistogram is a histogram of durations in nanoseconds, with constant memory and a
// resolution of 3 %.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace ordain {

/// Values below 32 ns are exact; larger values fall into 32 buckets per power of two. Not
/// thread-safe.
class LatencyHistogram {
 public:
  void add(uint64_t nanos) {
    ++buckets_[bucket(nanos)];
    ++count_;
  }
  void add(const LatencyHistogram& other) {
    for (size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
  }
  uint64_t count() const { return count_; }

  /// The share (0 to 1) of the values that do not exceed `nanos`, to the resolution of the buckets.
  double share_upto(uint64_t nanos) const {
    uint64_t seen = 0;
    const size_t last = bucket(nanos);
    for (size_t i = 0; i <= last; ++i) seen += buckets_[i];
    return count_ == 0 ? 0 : static_cast<double>(seen) / static_cast<double>(count_);
  }

  /// The smallest bucket bound that at least a share of `quantile` (0 to 1) of the values do not
  /// exceed; 0 if there are no values.
  uint64_t quantile(double quantile) const {
    const auto wanted = static_cast<uint64_t>(quantile * static_cast<double>(count_));
    uint64_t seen = 0;
    for (size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen > wanted || (seen == count_ && seen > 0)) return bound(i);
    }
    return 0;
  }

 private:
  static size_t bucket(uint64_t nanos) {
    if (nanos < 32) return nanos;
    const int shift = std::bit_width(nanos) - 6;
    return static_cast<size_t>(shift + 1) * 32 + ((nanos >> shift) & 31);
  }
  static uint64_t bound(size_t bucket) {
    if (bucket < 64) return bucket;
    const auto shift = bucket / 32 - 1;
    return ((32 + bucket % 32) << shift) + (uint64_t{1} << shift) - 1;
  }

  std::array<uint64_t, 60 * 32> buckets_{};
  uint64_t count_ = 0;
};

}  // namespace ordain
