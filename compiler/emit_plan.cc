// Nodes keep their order, so that they still lead to later ones; edges are sorted by their numbers.
#include "compiler/emit_plan.h"

#include <algorithm>

namespace ordain::emission {
namespace {

uint64_t edge_key(Tables& tables, const planning::Node& node, const planning::Key& key) {
  switch (node.test) {
    case PlanTest::symbol:
      return tables.symbol(key.text);
    case PlanTest::member:
      return tables.member_bit(node.slot, key.text);
    case PlanTest::text:
      return tables.literal(key.text, key.where, key.ignore_case);
    default:
      return key.number;
  }
}

}  // namespace

Range add_plan(Tables& tables, ProgramData& data, const planning::Dag& dag, uint32_t first_entry) {
  const Range out{static_cast<uint32_t>(data.plan_nodes.size()), static_cast<uint32_t>(dag.nodes.size())};
  for (const planning::Node& node : dag.nodes) {
    PlanNode added{.test = node.test, .absent = node.absent, .slot = node.slot, .bound = node.bound};
    if (node.next != kNone) added.next = out.first + node.next;
    if (node.test == PlanTest::leaf) {
      added.edges = {static_cast<uint32_t>(data.plan_leaves.size()), static_cast<uint32_t>(node.leaves.size())};
      for (const planning::Leaf& leaf : node.leaves) data.plan_leaves.push_back({first_entry + leaf.rule, leaf.sure});
    } else {
      if (node.test == PlanTest::symbol) tables.mark_compared(node.slot);
      added.edges = {static_cast<uint32_t>(data.plan_edges.size()), static_cast<uint32_t>(node.edges.size())};
      for (const planning::Edge& edge : node.edges) {
        data.plan_edges.push_back({edge_key(tables, node, edge.key), out.first + edge.node});
      }
      std::sort(data.plan_edges.begin() + added.edges.first, data.plan_edges.end(),
                [](const PlanEdge& a, const PlanEdge& b) { return a.key < b.key; });
    }
    data.plan_nodes.push_back(added);
  }
  return out;
}

}  // namespace ordain::emission
