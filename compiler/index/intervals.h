// Intervals finds the conditions on a number, or a time, that one node of the DAG can tell apart by
// looking the number up among the bounds of all of them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vm/program/program_data.h"

namespace ordain::indexing {

/// What a path implies about a slot's order_key. Both ends are inclusive.
struct Bounds {
  SlotId slot = kNone;
  uint64_t low = 0, high = UINT64_MAX;
};

/// One item's key (or interval) for a test of a slot.
struct Use {
  IndexTest test;
  SlotId slot;
  uint32_t key = 0;  ///< number of a Key
  uint32_t item = 0;
  uint32_t atom = 0;
  uint64_t low = 0, high = UINT64_MAX;
};

/// Those uses of a slot that cover few of the intervals between the bounds of them all.
class Intervals {
 public:
  /// A use is behind at most so many intervals.
  static constexpr size_t kMost = 8;

  /// @param known what the path implies about the slot.
  Intervals(std::span<const Use> axis, const Bounds& known);

  /// The use covers the intervals from this place in `bounds` up to before that one. An interval
  /// lasts until the next bound.
  size_t first(const Use& use) const;
  size_t end(const Use& use) const;

  /// By how many places the uses are more than themselves.
  size_t growth() const;

  std::vector<uint64_t> bounds;  ///< ascending
  std::vector<Use> uses;         ///< in their order in the axis

 private:
  void collect_bounds();
  size_t place(uint64_t bound) const;

  const Bounds known_;
};

}  // namespace ordain::indexing
