// Prepares the index for walking: one step for each node, and the tables that steps share.
#include "vm/program/link_index.h"

#include <algorithm>
#include <bit>

#include "vm/program/literal_index.h"
#include "vm/program/network_index.h"

namespace ordain::vm {
namespace {

class IndexPreparer {
 public:
  IndexPreparer(const ProgramData& data, LinkTables* tables) : data_(data), tables_(*tables) {}

  void prepare() {
    tables_.index_edges = data_.index_edges.data();
    tables_.index_leaves = data_.index_leaves.data();
    tables_.index_steps.reserve(data_.index_nodes.size());
    size_t cells = 0;
    for (const IndexNode& node : data_.index_nodes) {
      if (is_hashed(node)) cells += cell_count(node);
    }
    tables_.index_cells.reserve(cells);
    for (const IndexNode& node : data_.index_nodes) tables_.index_steps.push_back(step(node));
    find_batches();
  }

 private:
  static bool is_hashed(const IndexNode& node) {
    return node.test == IndexTest::symbol || node.test == IndexTest::number;
  }
  static uint32_t cell_count(const IndexNode& node) {
    return std::bit_ceil(node.edges.count + node.edges.count / 2 + 1);
  }

  const IndexEdge* edges(const IndexNode& node) const { return data_.index_edges.data() + node.edges.first; }

  IndexStep step(const IndexNode& node) {
    IndexStep out{};
    out.test = node.test;
    out.absent = node.absent;
    out.next = node.next;
    out.edges = node.edges.first;
    out.count = node.edges.count;
    out.below = out.above = kNone;
    out.bound = node.bound;
    out.first = node.edges.first;
    if (node.test == IndexTest::leaf) return out;
    const SlotPlace& place = tables_.slots[node.slot];
    out.bank = static_cast<uint8_t>(place.bank);
    out.slot = place.index;
    if (is_hashed(node)) hash(node, &out);
    if (node.test == IndexTest::member) mask(node, place, &out);
    if (node.test == IndexTest::text) index(node, &out);
    if (node.test == IndexTest::network) networks(node, &out);
    if (node.test == IndexTest::interval) bounds(node, &out);
    if (node.test == IndexTest::threshold || node.test == IndexTest::present) {
      for (uint32_t i = 0; i < node.edges.count; ++i)
        (edges(node)[i].key == 0 ? out.below : out.above) = edges(node)[i].node;
    }
    return out;
  }

  // Finds the ranges without a DAG. If two of them overlap in a hand-made program, the second has
  // no batches.
  void find_batches() {
    tables_.batch_sizes.assign(data_.rule_list.size(), 0);
    std::vector<bool> taken(data_.rule_list.size());
    for (const PackageRules& package : data_.package_rules) {
      for (const RuleRange& range : package.lists()) {
        if (range.nodes.count == 0) add_batches(range.entries, taken);
      }
    }
  }

  void add_batches(Range entries, std::vector<bool>& taken) {
    for (uint32_t i = 0; i < entries.count; ++i) {
      const RuleCode& rule = data_.rule_codes[data_.rule_list[entries.first + i]];
      if (taken[entries.first + i] || rule.target_set != kNone) return;
    }
    std::fill_n(taken.begin() + entries.first, entries.count, true);
    for (uint32_t i = 0; i < entries.count; i += kBatchRules) {
      tables_.batch_sizes[entries.first + i] = static_cast<uint8_t>(std::min(kBatchRules, entries.count - i));
    }
  }

  void hash(const IndexNode& node, IndexStep* out) {
    const uint32_t count = cell_count(node);
    out->first = static_cast<uint32_t>(tables_.index_cells.size());
    out->mask = count - 1;
    tables_.index_cells.resize(tables_.index_cells.size() + count);
    IndexCell* cells = tables_.index_cells.data() + out->first;
    for (uint32_t i = 0; i < node.edges.count; ++i) {
      const IndexEdge& edge = edges(node)[i];
      uint64_t at = hash_index_key(edge.key);
      while (cells[at & out->mask].node != kNone) ++at;
      cells[at & out->mask] = {edge.key, edge.node};
    }
  }

  void mask(const IndexNode& node, const SlotPlace& place, IndexStep* out) {
    out->first = static_cast<uint32_t>(tables_.index_members.size());
    out->bound = place.first_bit / 64;
    for (uint32_t i = 0; i < node.edges.count; ++i) {
      const auto word = static_cast<uint32_t>(edges(node)[i].key / 64);
      if (i == 0 || tables_.index_members.back().word != word) tables_.index_members.push_back({0, word, i});
      tables_.index_members.back().mask |= uint64_t{1} << edges(node)[i].key % 64;
    }
    out->mask = static_cast<uint32_t>(tables_.index_members.size()) - out->first - 1;
  }

  void index(const IndexNode& node, IndexStep* out) {
    std::vector<LiteralIndex::Literal> literals;
    for (uint32_t i = 0; i < node.edges.count; ++i) {
      const IndexLiteral& literal = data_.index_literals[edges(node)[i].key];
      literals.push_back({data_.constants[literal.constant].as_text(), literal.where, literal.ignore_case});
    }
    out->first = static_cast<uint32_t>(tables_.index_texts.size());
    tables_.index_texts.push_back(std::make_shared<const LiteralIndex>(std::move(literals)));
  }

  void networks(const IndexNode& node, IndexStep* out) {
    std::vector<Value> ranges;
    for (uint32_t i = 0; i < node.edges.count; ++i) ranges.push_back(data_.constants[edges(node)[i].key]);
    out->first = static_cast<uint32_t>(tables_.index_networks.size());
    tables_.index_networks.push_back(std::make_shared<const NetworkIndex>(ranges));
  }

  // A search touches fewer lines of the cache among keys alone than among edges.
  void bounds(const IndexNode& node, IndexStep* out) {
    out->first = static_cast<uint32_t>(tables_.index_bounds.size());
    for (uint32_t i = 0; i < node.edges.count; ++i) tables_.index_bounds.push_back(edges(node)[i].key);
  }

  const ProgramData& data_;
  LinkTables& tables_;
};

}  // namespace

void prepare_index(const ProgramData& data, LinkTables* tables) { IndexPreparer(data, tables).prepare(); }

}  // namespace ordain::vm
