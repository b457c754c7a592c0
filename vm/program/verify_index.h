// Verifying decision DAGs: that walking one ends, soon, and leads to rules of its own range only. Whether a DAG skips
// the right rules is the planner's to get right, and the tests' to see.
#pragma once

#include <string>
#include <vector>

#include "vm/program/program_data.h"

namespace ordain::vm {

/// What a walk that follows every edge may visit, for each rule, edge and node of a range's DAG. The planner stays
/// below.
inline constexpr uint64_t kMaxIndexVisits = 64;
/// Longest way from a root to a leaf.
inline constexpr uint32_t kMaxIndexDepth = 64;

inline bool inside(Range range, size_t size) { return range.first <= size && range.count <= size - range.first; }

class IndexChecker {
 public:
  explicit IndexChecker(const ProgramData& data) : data_(data) {}

  /// All nodes, edges, leaves and literals. To be called first, with slots and constants verified.
  std::string verify();
  /// The DAG of one range, whose entries are inside the plan.
  std::string verify(const RuleRange& range) const;

 private:
  /// What can be reached from a node.
  struct Reach {
    uint64_t visits = 0;
    uint32_t depth = 0;
    uint32_t last_node = 0;
    uint32_t first_entry = UINT32_MAX;
    uint32_t last_entry = 0;
    void add(const Reach& other);
  };

  std::string node(uint32_t number);
  std::string test_of(const IndexNode& node) const;
  std::string literals() const;

  const ProgramData& data_;
  std::vector<Reach> reach_;            ///< by node
  std::vector<uint64_t> edges_before_;  ///< by node, and one more
};

}  // namespace ordain::vm
