// Stamps are the times (and amounts) of the calls in a window, oldest first: a ring that grows as
// needed and keeps a running total, so that adding and removing take constant time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/state/amount.h"
#include "runtime/state/clock.h"

namespace ordain::state {

class Stamps {
 public:
  /// @param sums whether amounts are kept
  explicit Stamps(bool sums) : sums_(sums) {}

  size_t size() const { return size_; }
  int64_t time(size_t i) const { return times_[place(i)]; }
  Amount amount(size_t i) const { return sums_ ? amounts_[place(i)] : 0; }
  Amount total() const { return total_; }

  /// Adds the newest stamp. If there are `most` already, the oldest is dropped first.
  void push(int64_t time, Amount amount, size_t most);
  /// Removes what is older than the window. Its edge is closed: an age equal to the window is within.
  void trim(int64_t now, int64_t window);

  /// Counts the stamps that were dropped while they were still within the window. They count as
  /// long as the last of them would, so that a count that is asked for with a larger bound later is
  /// never too small.
  uint64_t dropped() const { return dropped_; }
  int64_t last_dropped() const { return last_dropped_; }
  void set_dropped(uint64_t count, int64_t last);

 private:
  size_t place(size_t i) const { return (first_ + i) & (times_.size() - 1); }
  void grow();
  void pop();

  std::vector<int64_t> times_;   // the size is a power of two, or 0
  std::vector<Amount> amounts_;  // likewise, if sums_
  size_t first_ = 0, size_ = 0;
  uint64_t dropped_ = 0;
  int64_t last_dropped_ = 0;
  Amount total_ = 0;
  bool sums_;
};

}  // namespace ordain::state
