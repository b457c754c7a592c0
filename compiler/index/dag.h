// build_dag: the rules that answer one question, as a decision DAG that leads a call to those that can match it.
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
  uint32_t rule = 0;  ///< place among the rules that the DAG is of
  bool sure = false;
};

/// As IndexNode, with names in place of numbers. Nodes come before those that they lead to; edges in any order.
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
  std::vector<Node> nodes;       ///< empty: every rule is to be tried
  std::vector<IndexNote> notes;  ///< by rule
};

/// A rule to be found. `strict`: its faults matter.
struct Rule {
  const typed::RuleBody* body = nullptr;
  bool strict = true;
};

/// The size of the DAG is in proportion to the rules and the literals that they name.
Dag build_dag(std::span<const Rule> rules, const Schema& schema);

}  // namespace ordain::indexing
