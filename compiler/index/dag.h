// build_dag arranges rules that answer one question as a decision DAG, which leads a call to the
// rules that can match it.
#pragma once

#include <span>
#include <vector>

#include "compiler/check/expression/typed.h"
#include "compiler/index/conditions.h"

namespace ordain::indexing {

struct Edge {
  Key key;
  uint32_t node = 0;
};

struct Leaf {
  uint32_t rule = 0;  ///< place among the rules of the DAG
  bool sure = false;
  bool rare = false;  ///< only calls with extreme values get here
};

/// Like IndexNode, with names instead of numbers. A node comes before the nodes that it leads to;
/// edges are in any order.
struct Node {
  IndexTest test = IndexTest::leaf;
  bool absent = false;
  SlotId slot = kNone;
  uint32_t next = kNone;
  uint64_t bound = 0;
  std::vector<Edge> edges;
  std::vector<Leaf> leaves;
};

struct Dag {
  std::vector<Node> nodes;       ///< empty: every rule must be tried
  std::vector<IndexNote> notes;  ///< by rule
};

/// A rule to find. `strict`: its faults matter.
struct Rule {
  const typed::RuleBody* body = nullptr;
  bool strict = true;
};

/// Builds the DAG. Its size is in proportion to the rules and the literals that they name.
/// @param budget the steps that each condition may spend, at least.
Dag build_dag(std::span<const Rule> rules, const Schema& schema, uint64_t budget);

}  // namespace ordain::indexing
