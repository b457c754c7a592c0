#include "vm/jit/urgency.h"

#include <algorithm>

#include "vm/program_data.h"

namespace ordain::native {
namespace {

/// How decisions come to a predicate.
struct Use {
  bool known = false;  ///< a rule refers to it
  bool tried = false;  ///< as a condition that the plan does not prove
  bool first = false;  ///< for a capability that was asked for first
};

class Uses {
 public:
  explicit Uses(const ProgramData& data) : data_(data), predicates(data.predicates.size()) {}

  void collect(const CapabilityPlan& capability, bool first) {
    for (const Range& packages : capability.packages) {
      for (uint32_t i = 0; i < packages.count; ++i) {
        const PackagePlan& plan = data_.package_plans[packages.first + i];
        for (const RuleRange& range : {plan.deny, plan.require_approval, plan.allow, plan.answers, plan.obligations}) {
          rules(range, first);
        }
      }
    }
  }

 private:
  // Where the plan has a rule with and without proof, it is tried.
  void rules(const RuleRange& range, bool first) {
    const auto entry = [&](uint32_t at, bool sure) {
      const RuleCode& rule = data_.rule_codes[data_.plan[at]];
      use(rule.condition, first, !sure || rule.target_set != kNone);
      for (const uint32_t clause : {rule.because, rule.from, rule.expires, rule.with}) use(clause, first, false);
    };
    if (range.nodes.count == 0) {
      for (uint32_t i = 0; i < range.entries.count; ++i) entry(range.entries.first + i, false);
      return;
    }
    for (uint32_t i = 0; i < range.nodes.count; ++i) {
      const PlanNode& node = data_.plan_nodes[range.nodes.first + i];
      if (node.test != PlanTest::leaf) continue;
      for (uint32_t k = 0; k < node.edges.count; ++k) {
        const PlanLeaf& leaf = data_.plan_leaves[node.edges.first + k];
        entry(leaf.entry, leaf.sure);
      }
    }
  }

  void use(uint32_t predicate, bool first, bool tried) {
    if (predicate == kNone) return;
    Use& out = predicates[predicate];
    out.known = true;
    out.tried |= tried;
    out.first |= first;
  }

  const ProgramData& data_;

 public:
  std::vector<Use> predicates;
};

bool may_loop(const ProgramData& data, const Predicate& predicate) {
  const Insn* code = data.code.data() + predicate.code.first;
  return std::any_of(code, code + predicate.code.count, [](const Insn& insn) { return insn.op == Op::charge; });
}

}  // namespace

std::vector<Worth> worth_of_predicates(const Program& program, std::span<const std::string> first) {
  const ProgramData& data = program.data();
  Uses uses(data);
  std::vector<bool> asked(data.capability_plans.size(), false);
  for (const std::string& name : first) {
    const CapabilityId id = program.resolve(name).id;
    if (id < asked.size()) asked[id] = true;
  }
  for (size_t i = 0; i < data.capability_plans.size(); ++i) uses.collect(data.capability_plans[i], asked[i]);
  std::vector<Worth> out(data.predicates.size());
  for (size_t i = 0; i < out.size(); ++i) {
    const Use& use = uses.predicates[i];
    const bool tried = use.tried || !use.known;  // what no rule refers to is there to be evaluated
    out[i].optimised = tried || may_loop(data, data.predicates[i]);
    out[i].rank = use.first ? 0 : tried ? 1 : 2;
  }
  return out;
}

}  // namespace ordain::native
