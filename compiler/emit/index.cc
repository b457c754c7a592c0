// Emits the index. Nodes keep their order, so they still lead to later nodes only. Edges are
// sorted by their numbers.
#include "compiler/emit/index.h"

#include <algorithm>

namespace ordain::emission {
namespace {

uint64_t edge_key(Tables& tables, const indexing::Node& node, const indexing::Key& key) {
  switch (node.test) {
    case IndexTest::symbol:
      return tables.symbol(key.text);
    case IndexTest::member:
      return tables.member_bit(node.slot, key.text);
    case IndexTest::text:
      return tables.literal(key.text, key.where, key.ignore_case);
    case IndexTest::network:
      return tables.constant(indexing::range_of(key));
    default:
      return key.number;
  }
}

}  // namespace

Range add_dag(Tables& tables, ProgramData& data, const indexing::Dag& dag, uint32_t first_entry) {
  const Range out{static_cast<uint32_t>(data.index_nodes.size()), static_cast<uint32_t>(dag.nodes.size())};
  for (const indexing::Node& node : dag.nodes) {
    IndexNode added{.test = node.test, .absent = node.absent, .slot = node.slot, .bound = node.bound};
    if (node.next != kNone) added.next = out.first + node.next;
    if (node.test == IndexTest::leaf) {
      added.edges = {static_cast<uint32_t>(data.index_leaves.size()), static_cast<uint32_t>(node.leaves.size())};
      for (const indexing::Leaf& leaf : node.leaves) data.index_leaves.push_back({first_entry + leaf.rule, leaf.sure});
    } else {
      if (node.test == IndexTest::symbol) tables.mark_compared(node.slot);
      added.edges = {static_cast<uint32_t>(data.index_edges.size()), static_cast<uint32_t>(node.edges.size())};
      for (const indexing::Edge& edge : node.edges) {
        data.index_edges.push_back({edge_key(tables, node, edge.key), out.first + edge.node});
      }
      std::sort(data.index_edges.begin() + added.edges.first, data.index_edges.end(),
                [](const IndexEdge& a, const IndexEdge& b) { return a.key < b.key; });
    }
    data.index_nodes.push_back(added);
  }
  return out;
}

}  // namespace ordain::emission
