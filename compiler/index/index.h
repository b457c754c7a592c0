// index_rules makes the lists of rules that answer one question each, and the decision DAG that
// leads a call to the rules of a list that can match it.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "compiler/check/expression/typed.h"
#include "compiler/index/dag.h"
#include "vm/program/program_data.h"

namespace ordain::indexing {

/// One list of a package's rules for a capability and stage.
struct IndexedList {
  std::vector<uint32_t> places;  ///< of the rules in their typed::RuleList, in source order
  uint32_t dag = kNone;          ///< in Index::dags; kNone: the package's order does not use the list
};

struct IndexedPackage {
  uint32_t package = 0;
  bool first_match = false;
  std::array<IndexedList, kRuleLists.size()> lists;  ///< as in kRuleLists
};

struct Index {
  std::vector<Dag> dags;  ///< lists with the same rules share one
  /// By stage, then by capability, as in PolicySet::lists: the packages that have rules there, in
  /// the set's order.
  std::vector<std::vector<IndexedPackage>> packages[2];
};

/// `set` must be folded. A rule that cannot match any call is in no list.
Index index_rules(const typed::PolicySet& set);

}  // namespace ordain::indexing
