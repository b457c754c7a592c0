// Uses the decision's own walk, started at one node of the DAG after another. If it finds a rule
// from below a node but not from the node itself, then that node's test skips the rule.
#include "analysis/explain_index.h"

#include "ordain/index_text.h"
#include "vm/decide/decide_run.h"
#include "vm/decide/index_walk.h"
#include "vm/program/linked_program.h"

namespace ordain::detail {
namespace {

// The DAG of one list of rules, upwards: how each node and each rule is reached.
struct WaysUp {
  Range nodes;
  std::vector<uint32_t> parent;                 ///< by node, counted from the first
  std::unordered_map<uint32_t, uint32_t> leaf;  ///< by entry

  WaysUp(const ProgramData& data, Range all) : nodes(all), parent(all.count, kNone) {
    for (uint32_t node = nodes.first; node < nodes.first + nodes.count; ++node) {
      const IndexNode& at = data.index_nodes[node];
      for (uint32_t i = at.edges.first; i < at.edges.first + at.edges.count; ++i) {
        if (at.test == IndexTest::leaf) {
          leaf.emplace(data.index_leaves[i].entry, node);
        } else {
          add(data.index_edges[i].node, node);
        }
      }
      if (at.next != kNone) add(at.next, node);
    }
  }
  uint32_t up(uint32_t node) const { return parent[node - nodes.first]; }

 private:
  void add(uint32_t node, uint32_t from) {
    if (parent[node - nodes.first] == kNone) parent[node - nodes.first] = from;
  }
};

// What the walk from one node finds, by entry counted from the list's first. Without memory for the
// walk, everything.
std::vector<bool> found_from(uint32_t node, const RuleRange& range, const Call& call, const Context& context,
                             Scratch& scratch) {
  const DecideOptions options;
  Run run(call, context, scratch, options);
  Candidates candidates;
  const RuleRange from{range.entries, {node, range.nodes.count}};
  if (!candidates.gather(run.frame, run.arena, from)) return std::vector<bool>(range.entries.count, true);
  std::vector<bool> out(range.entries.count);
  for (const Candidate& candidate : candidates.all()) out[candidate.place()] = true;
  return out;
}

}  // namespace

std::vector<RuleRange> rule_ranges(const Call& call) {
  std::vector<RuleRange> out;
  for (const PackageRules& plan : package_rules(data_of(call.program()), call.capability().id, call.stage())) {
    for (const RuleRange& range : plan.lists()) out.push_back(range);
  }
  return out;
}

std::unordered_map<RuleId, std::string> skipped_rules(const Call& call, const Context& context, Scratch& scratch) {
  const Program& program = call.program();
  const ProgramData& data = data_of(program);
  std::unordered_map<RuleId, std::string> out;
  for (const RuleRange& range : rule_ranges(call)) {
    if (range.nodes.count == 0) continue;
    const WaysUp ways(data, range.nodes);
    std::unordered_map<uint32_t, std::vector<bool>> found;  // by node
    const auto finds = [&](uint32_t node, uint32_t place) {
      auto [known, is_new] = found.try_emplace(node);
      if (is_new) known->second = found_from(node, range, call, context, scratch);
      return known->second[place];
    };
    for (uint32_t place = 0; place < range.entries.count; ++place) {
      const uint32_t entry = range.entries.first + place;
      if (finds(range.nodes.first, place)) continue;
      uint32_t node = ways.leaf.at(entry);
      while (finds(node, place)) node = ways.up(node);
      out.emplace(data.rule_codes[data.rule_list[entry]].rule, describe_test(program, node));
    }
  }
  return out;
}

}  // namespace ordain::detail
