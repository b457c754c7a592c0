// Leaves out the widest uses first, because their bounds make the others look wide, too.
#include "compiler/index/intervals.h"

#include <algorithm>

namespace ordain::indexing {

Intervals::Intervals(std::span<const Use> axis, const Bounds& known) : uses(axis.begin(), axis.end()), known_(known) {
  for (size_t most = kMost * 8; most >= kMost; most /= 2) {
    collect_bounds();
    std::erase_if(uses, [&](const Use& use) {
      // A condition that is never true here must still be found where its fact is absent.
      const bool never = use.low > use.high || use.high < known_.low || use.low > known_.high;
      return never || end(use) - first(use) > most;
    });
  }
  collect_bounds();
}

void Intervals::collect_bounds() {
  bounds.clear();
  for (const Use& use : uses) {
    bounds.push_back(std::max(use.low, known_.low));
    if (use.high < known_.high) bounds.push_back(use.high + 1);
  }
  std::sort(bounds.begin(), bounds.end());
  bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
}

size_t Intervals::first(const Use& use) const { return place(std::max(use.low, known_.low)); }

size_t Intervals::end(const Use& use) const { return use.high < known_.high ? place(use.high + 1) : bounds.size(); }

size_t Intervals::growth() const {
  size_t out = 0;
  for (const Use& use : uses) out += end(use) - first(use) - 1;
  return out;
}

size_t Intervals::place(uint64_t bound) const {
  return static_cast<size_t>(std::lower_bound(bounds.begin(), bounds.end(), bound) - bounds.begin());
}

}  // namespace ordain::indexing
