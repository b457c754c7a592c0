// Verifies decision DAGs: a walk must end soon, and lead only to rules of its own range. The
// verifier cannot tell whether a DAG skips the right rules; the compiler must ensure that, and
// tests check it.
#pragma once

#include <string>
#include <vector>

#include "vm/program/program_data.h"
#include "vm/program/verify.h"

namespace ordain::vm {

/// The most visits of a walk that follows every edge, for each rule, edge and node of a range's
/// DAG. The compiler stays below this.
inline constexpr uint64_t kMaxIndexVisits = 64;
/// The longest path from a root to a leaf.
inline constexpr uint32_t kMaxIndexDepth = 64;

class IndexChecker {
 public:
  explicit IndexChecker(const ProgramData& data) : data_(data) {}

  /// Verifies all nodes, edges, leaves and literals. Call it first, after slots and constants are
  /// verified.
  std::string verify();
  /// Verifies the DAG of one range, whose entries are known to be in `rule_list`.
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
  std::string networks_of(const IndexNode& node) const;

  const ProgramData& data_;
  std::vector<Reach> reach_;            ///< by node
  std::vector<uint64_t> edges_before_;  ///< by node, and one more
};

}  // namespace ordain::vm
