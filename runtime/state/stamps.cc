// stamps.cc is the ring.
#include "runtime/state/stamps.h"

#include <algorithm>

namespace ordain::state {

void Stamps::grow() {
  const size_t larger = std::max<size_t>(4, 2 * times_.size());
  std::vector<int64_t> times(larger);
  std::vector<Amount> amounts(sums_ ? larger : 0);
  for (size_t i = 0; i < size_; ++i) {
    times[i] = time(i);
    if (sums_) amounts[i] = amount(i);
  }
  times_ = std::move(times);
  amounts_ = std::move(amounts);
  first_ = 0;
}

void Stamps::pop() {
  total_ -= amount(0);
  first_ = place(1);
  --size_;
}

void Stamps::push(int64_t time, Amount amount, size_t most) {
  while (size_ > 0 && size_ >= most) {
    set_dropped(dropped_ + 1, Stamps::time(0));
    pop();
  }
  if (size_ == times_.size()) grow();
  const size_t at = place(size_);
  times_[at] = time;
  if (sums_) {
    amounts_[at] = amount;
    total_ += amount;
  }
  ++size_;
}

void Stamps::trim(int64_t now, int64_t window) {
  while (size_ > 0 && subtract_times(now, time(0)) > window) pop();
  if (dropped_ != 0 && subtract_times(now, last_dropped_) > window) dropped_ = 0;
}

void Stamps::set_dropped(uint64_t count, int64_t last) {
  dropped_ = count;
  last_dropped_ = last;
}

}  // namespace ordain::state
