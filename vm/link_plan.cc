// A step for each node, and the tables that steps share.
#include "vm/link_plan.h"

#include <algorithm>
#include <bit>

#include "vm/literal_index.h"

namespace ordain {
namespace {

class PlanPreparer {
 public:
  PlanPreparer(const ProgramData& data, LinkTables* tables) : data_(data), tables_(*tables) {}

  void prepare() {
    tables_.plan_edges = data_.plan_edges.data();
    tables_.plan_leaves = data_.plan_leaves.data();
    tables_.plan_steps.reserve(data_.plan_nodes.size());
    size_t cells = 0;
    for (const PlanNode& node : data_.plan_nodes) {
      if (is_hashed(node)) cells += cell_count(node);
    }
    tables_.plan_cells.reserve(cells);
    for (const PlanNode& node : data_.plan_nodes) tables_.plan_steps.push_back(step(node));
    find_runs();
  }

 private:
  static bool is_hashed(const PlanNode& node) { return node.test == PlanTest::symbol || node.test == PlanTest::number; }
  static uint32_t cell_count(const PlanNode& node) {
    return std::bit_ceil(node.edges.count + node.edges.count / 2 + 1);
  }

  const PlanEdge* edges(const PlanNode& node) const { return data_.plan_edges.data() + node.edges.first; }

  PlanStep step(const PlanNode& node) {
    PlanStep out{};
    out.test = node.test;
    out.absent = node.absent;
    out.next = node.next;
    out.edges = node.edges.first;
    out.count = node.edges.count;
    out.below = out.above = kNone;
    out.bound = node.bound;
    out.first = node.edges.first;
    if (node.test == PlanTest::leaf) return out;
    const SlotPlace& place = tables_.slots[node.slot];
    out.bank = static_cast<uint8_t>(place.bank);
    out.slot = place.index;
    if (is_hashed(node)) hash(node, &out);
    if (node.test == PlanTest::member) mask(node, place, &out);
    if (node.test == PlanTest::text) index(node, &out);
    if (node.test == PlanTest::threshold || node.test == PlanTest::present) {
      for (uint32_t i = 0; i < node.edges.count; ++i)
        (edges(node)[i].key == 0 ? out.below : out.above) = edges(node)[i].node;
    }
    return out;
  }

  // Ranges without a DAG. Of two that overlap in a hand-made program the second has no runs.
  void find_runs() {
    tables_.run_sizes.assign(data_.plan.size(), 0);
    std::vector<bool> taken(data_.plan.size());
    for (const PackagePlan& plan : data_.package_plans) {
      for (const RuleRange& range : plan.lists()) {
        if (range.nodes.count == 0) add_runs(range.entries, taken);
      }
    }
  }

  void add_runs(Range entries, std::vector<bool>& taken) {
    for (uint32_t i = 0; i < entries.count; ++i) {
      const RuleCode& rule = data_.rule_codes[data_.plan[entries.first + i]];
      if (taken[entries.first + i] || rule.target_set != kNone) return;
    }
    std::fill_n(taken.begin() + entries.first, entries.count, true);
    for (uint32_t i = 0; i < entries.count; i += kRunRules) {
      tables_.run_sizes[entries.first + i] = static_cast<uint8_t>(std::min(kRunRules, entries.count - i));
    }
  }

  void hash(const PlanNode& node, PlanStep* out) {
    const uint32_t count = cell_count(node);
    out->first = static_cast<uint32_t>(tables_.plan_cells.size());
    out->mask = count - 1;
    tables_.plan_cells.resize(tables_.plan_cells.size() + count);
    PlanCell* cells = tables_.plan_cells.data() + out->first;
    for (uint32_t i = 0; i < node.edges.count; ++i) {
      const PlanEdge& edge = edges(node)[i];
      uint64_t at = hash_plan_key(edge.key);
      while (cells[at & out->mask].node != kNone) ++at;
      cells[at & out->mask] = {edge.key, edge.node};
    }
  }

  void mask(const PlanNode& node, const SlotPlace& place, PlanStep* out) {
    out->first = static_cast<uint32_t>(tables_.plan_members.size());
    out->bound = place.first_bit / 64;
    for (uint32_t i = 0; i < node.edges.count; ++i) {
      const auto word = static_cast<uint32_t>(edges(node)[i].key / 64);
      if (i == 0 || tables_.plan_members.back().word != word) tables_.plan_members.push_back({0, word, i});
      tables_.plan_members.back().mask |= uint64_t{1} << edges(node)[i].key % 64;
    }
    out->mask = static_cast<uint32_t>(tables_.plan_members.size()) - out->first - 1;
  }

  void index(const PlanNode& node, PlanStep* out) {
    std::vector<LiteralIndex::Literal> literals;
    for (uint32_t i = 0; i < node.edges.count; ++i) {
      const PlanLiteral& literal = data_.plan_literals[edges(node)[i].key];
      literals.push_back({data_.constants[literal.constant].as_text(), literal.where, literal.ignore_case});
    }
    out->first = static_cast<uint32_t>(tables_.plan_texts.size());
    tables_.plan_texts.push_back(std::make_shared<const LiteralIndex>(std::move(literals)));
  }

  const ProgramData& data_;
  LinkTables& tables_;
};

}  // namespace

void prepare_plan(const ProgramData& data, LinkTables* tables) { PlanPreparer(data, tables).prepare(); }

}  // namespace ordain
