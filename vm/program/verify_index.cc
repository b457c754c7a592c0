// Verifies an index in one pass over the nodes, last first, so that all that a node leads to is
// known when it is visited.
#include "vm/program/verify_index.h"

#include <fmt/format.h>

#include <algorithm>

namespace ordain::vm {
namespace {

constexpr uint64_t kManyVisits = uint64_t{1} << 62;

}  // namespace

void IndexChecker::Reach::add(const Reach& other) {
  visits = std::min(visits + other.visits, kManyVisits);
  depth = std::max(depth, other.depth);
  last_node = std::max(last_node, other.last_node);
  first_entry = std::min(first_entry, other.first_entry);
  last_entry = std::max(last_entry, other.last_entry);
}

std::string IndexChecker::verify() {
  if (std::string wrong = literals(); !wrong.empty()) return wrong;
  uint64_t edges = 0, leaves = 0;
  for (const IndexNode& node : data_.index_nodes) {
    if (static_cast<uint32_t>(node.test) >= kIndexTests) return "a node of the index has an unknown test";
    uint64_t& before = node.test == IndexTest::leaf ? leaves : edges;
    if (node.edges.first != before) return "a node's edges do not follow those of the node before";
    edges_before_.push_back(edges);
    before += node.edges.count;
  }
  edges_before_.push_back(edges);
  if (edges != data_.index_edges.size() || leaves != data_.index_leaves.size()) return "there are edges of no node";
  reach_.resize(data_.index_nodes.size());
  for (auto i = static_cast<uint32_t>(data_.index_nodes.size()); i-- > 0;) {
    if (std::string wrong = node(i); !wrong.empty()) return fmt::format("node {} of the index: {}", i, wrong);
  }
  return "";
}

std::string IndexChecker::literals() const {
  for (const IndexLiteral& literal : data_.index_literals) {
    if (literal.constant >= data_.constants.size() || !data_.constants[literal.constant].is(Kind::string) ||
        data_.constants[literal.constant].aux == 0 || literal.where > IndexLiteral::at_end) {
      return "a literal of the index is not a string";
    }
  }
  return "";
}

std::string IndexChecker::node(uint32_t number) {
  const IndexNode& node = data_.index_nodes[number];
  Reach reach{.visits = 1, .depth = 1, .last_node = number};
  if (node.test == IndexTest::leaf) {
    reach.visits += node.edges.count;
    for (uint32_t i = 0; i < node.edges.count; ++i) {
      const uint32_t entry = data_.index_leaves[node.edges.first + i].entry;
      reach.first_entry = std::min(reach.first_entry, entry);
      reach.last_entry = std::max(reach.last_entry, entry);
    }
    if (node.slot != kNone) return "a leaf has no slot";
  } else {
    if (std::string wrong = test_of(node); !wrong.empty()) return wrong;
    for (uint32_t i = 0; i < node.edges.count; ++i) {
      const IndexEdge* edge = &data_.index_edges[node.edges.first + i];
      if (i > 0 && edge->key <= edge[-1].key) return "its edges are not in order";
      if (edge->node <= number || edge->node >= reach_.size()) return "an edge does not lead to a later node";
      reach.add(reach_[edge->node]);
    }
    ++reach.depth;
  }
  if (node.next != kNone) {
    if (node.next <= number || node.next >= reach_.size()) return "the next node is not a later one";
    reach.add(reach_[node.next]);
  }
  if (reach.depth > kMaxIndexDepth) return "the way to a leaf is too long";
  reach_[number] = reach;
  return "";
}

std::string IndexChecker::test_of(const IndexNode& node) const {
  if (node.slot >= data_.schema.slots.size()) return "its slot is not there";
  const Slot& slot = data_.schema.slots[node.slot];
  const TypeKind kind = slot.type->kind;
  if (node.edges.count == 0) return "its test leads nowhere";
  uint64_t keys = 0;  // keys are below this number
  switch (node.test) {
    case IndexTest::symbol:
      if (!slot.compared) return "its slot has no symbol";
      keys = data_.symbols.size() + 1;
      break;
    case IndexTest::member:
      keys = slot.member_symbols.size();
      break;
    case IndexTest::number:
      if (!is_scalar(kind)) return "its slot is not of a number";
      break;
    case IndexTest::threshold:
      if (!is_scalar(kind)) return "its slot has no order";
      keys = 2;
      break;
    case IndexTest::present:
      keys = 2;
      break;
    case IndexTest::interval:
      if (!is_scalar(kind)) return "its slot has no order";
      break;
    case IndexTest::network:
      if (kind != TypeKind::string) return "its slot is not of a text";
      return networks_of(node);
    default:
      if (kind != TypeKind::string && kind != TypeKind::dyn) return "its slot is not of a text";
      keys = data_.index_literals.size();
      break;
  }
  const bool all_are_keys = node.test == IndexTest::number || node.test == IndexTest::interval;
  const uint64_t last = data_.index_edges[node.edges.first + node.edges.count - 1].key;
  return all_are_keys || last < keys ? "" : "an edge's key is out of range";
}

std::string IndexChecker::networks_of(const IndexNode& node) const {
  for (uint32_t i = 0; i < node.edges.count; ++i) {
    const uint64_t key = data_.index_edges[node.edges.first + i].key;
    if (key >= data_.constants.size()) return "an edge's key is out of range";
    if (!data_.constants[key].is(Kind::cidr)) return "an edge's key is not a range of addresses";
  }
  return "";
}

std::string IndexChecker::verify(const RuleRange& range) const {
  const Range nodes = range.nodes;
  if (nodes.count == 0) return "";
  if (!inside(nodes, data_.index_nodes.size())) return "its nodes are not there";
  const Reach& reach = reach_[nodes.first];
  if (reach.last_node >= nodes.first + nodes.count) return "a node leads out of its range";
  const uint64_t edges = edges_before_[nodes.first + nodes.count] - edges_before_[nodes.first];
  if (reach.visits > kMaxIndexVisits * (edges + nodes.count + range.entries.count)) return "walking it takes too long";
  if (reach.first_entry <= reach.last_entry &&
      (reach.first_entry < range.entries.first || reach.last_entry >= range.entries.first + range.entries.count)) {
    return "a leaf is of another range";
  }
  return "";
}

}  // namespace ordain::vm
