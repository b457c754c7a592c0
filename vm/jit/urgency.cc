// urgency.cc decides which predicates get optimised code, and in which order they are compiled.
#include "vm/jit/urgency.h"

#include <algorithm>
#include <utility>

#include "vm/interpret/frame.h"
#include "vm/jit/lower.h"
#include "vm/program/linked_program.h"

namespace ordain::native {
namespace {

/// With this many conditions evaluated together, they dominate the time of a decision.
constexpr uint32_t kCrowd = 8;

/// This many predicates are optimised in half a second, whether or not it helps.
constexpr size_t kFew = 512;

/// This much code, in instructions, is optimised in a few seconds on two cores. It is also about as
/// much as a processor's caches hold: beyond that, optimised code gains little.
constexpr uint64_t kMost = 24'000;

/// Conditions of a batch that are longer than this together stay in their own functions, because
/// LLVM's passes are not linear.
constexpr uint64_t kLongBatch = 4'000;

/// The factor by which the optimiser takes longer for an instruction if there are loops.
constexpr uint64_t kLoopFactor = 3;

/// How decisions reach a predicate.
struct Use {
  bool known = false;  ///< a rule refers to it
  bool first = false;  ///< for a capability that was requested first
  uint32_t crowd = 0;  ///< if the index does not prove it: how many are tried with it, including it
};

class Uses {
 public:
  explicit Uses(const Program& program)
      : data_(data_of(program)), runs_(link_tables(program).batch_sizes), predicates(data_.predicates.size()) {}

  /// @param id kNone for undeclared capabilities
  void collect(CapabilityId id, bool first) {
    for (const Stage stage : {Stage::before, Stage::after}) {
      for (const PackageRules& package : package_rules(data_, id, stage)) {
        for (const RuleRange& range : package.lists()) rules(range, first);
      }
    }
  }

 private:
  // If the index leads to a rule both with and without proof, the rule is tried.
  void rules(const RuleRange& range, bool first) {
    if (range.nodes.count == 0) {
      for (uint32_t i = 0; i < range.entries.count; ++i) {
        const uint32_t entry = range.entries.first + i;
        const bool has_batch =
            range.entries.first < runs_.size() && runs_[range.entries.first] >= 2;  // which has code of its own
        use(data_.rule_codes[data_.rule_list[entry]], first, has_batch ? 1 : range.entries.count);
      }
      return;
    }
    for (uint32_t i = 0; i < range.nodes.count; ++i) {
      const IndexNode& node = data_.index_nodes[range.nodes.first + i];
      if (node.test == IndexTest::leaf) {
        leaf(std::span(data_.index_leaves).subspan(node.edges.first, node.edges.count), first);
      }
    }
  }

  void leaf(std::span<const IndexLeaf> leaves, bool first) {
    const auto rule_of = [this](const IndexLeaf& leaf) -> const RuleCode& {
      return data_.rule_codes[data_.rule_list[leaf.entry]];
    };
    const auto is_tried = [&](const IndexLeaf& leaf) { return !leaf.sure || rule_of(leaf).target_set != kNone; };
    const auto tried = static_cast<uint32_t>(std::ranges::count_if(leaves, is_tried));
    for (const IndexLeaf& leaf : leaves) use(rule_of(leaf), first, is_tried(leaf) ? tried : 0);
  }

  void use(const RuleCode& rule, bool first, uint32_t crowd) {
    use(rule.condition, first, crowd);
    for (const uint32_t clause : {rule.because, rule.from, rule.expires, rule.with}) use(clause, first, 0);
  }

  void use(uint32_t predicate, bool first, uint32_t crowd) {
    if (predicate == kNone) return;
    Use& out = predicates[predicate];
    out.known = true;
    out.first |= first;
    out.crowd = std::max(out.crowd, crowd);
  }

  const ProgramData& data_;
  const std::vector<uint8_t>& runs_;

 public:
  std::vector<Use> predicates;
};

bool may_loop(const ProgramData& data, const Predicate& predicate) {
  const Insn* code = data.code.data() + predicate.code.first;
  return std::any_of(code, code + predicate.code.count, [](const Insn& insn) { return insn.op == Op::charge; });
}

/// Among many candidates, selects the predicates that are tried with many others, the largest
/// crowds first, until the limit is reached.
void choose(const ProgramData& data, const std::vector<Use>& uses, std::vector<Worth>* worth) {
  std::vector<uint32_t> crowded;
  for (uint32_t i = 0; i < uses.size(); ++i) {
    (*worth)[i].optimised = false;
    if (uses[i].crowd >= kCrowd) crowded.push_back(i);
  }
  std::ranges::sort(crowded, {}, [&uses](uint32_t i) { return std::pair(UINT32_MAX - uses[i].crowd, i); });
  uint64_t spent = 0;
  for (const uint32_t predicate : crowded) {
    const Predicate& p = data.predicates[predicate];
    spent += p.code.count * (may_loop(data, p) ? kLoopFactor : 1);
    if (spent > kMost) return;
    (*worth)[predicate].optimised = true;
  }
}

/// @returns, by capability, whether it was requested first
std::vector<bool> requested_capabilities(const Program& program, std::span<const std::string> first) {
  std::vector<bool> out(data_of(program).schema.capabilities.size(), false);
  for (const std::string& name : first) {
    const CapabilityId id = program.resolve(name).id;
    if (id < out.size()) out[id] = true;
  }
  return out;
}

/// @returns the entries of the rule list that decide the calls
std::vector<Range> ranges_of(const ProgramData& data, uint32_t calls) {
  std::vector<Range> out;
  for (const PackageRules& package : package_rules(data, calls / 2, static_cast<Stage>(calls % 2))) {
    for (const RuleRange& range : package.lists()) out.push_back(range.entries);
  }
  return out;
}

uint64_t code_of(const ProgramData& data, Range entries) {
  uint64_t out = 0;
  for (uint32_t i = 0; i < entries.count; ++i) {
    const uint32_t condition = data.rule_codes[data.rule_list[entries.first + i]].condition;
    if (condition != kNone) out += data.predicates[condition].code.count;
  }
  return out;
}

}  // namespace

Groups groups_of(const Program& program, std::span<const std::string> first) {
  const ProgramData& data = data_of(program);
  const std::vector<bool> requested = requested_capabilities(program, first);
  Groups out;
  uint64_t spent = 0;

  std::vector<Groups::Group> answers;
  for (uint32_t calls = 0; calls < 2 * data.schema.capabilities.size(); ++calls) {
    if (const uint32_t rules = answered_rules(program, calls); rules != 0) answers.push_back({calls, rules});
  }
  std::ranges::stable_sort(answers, {},
                           [&](const Groups::Group& one) { return std::pair(!requested[one.number / 2], ~one.rules); });
  std::vector<bool> answered(data.rule_list.size(), false);
  for (const Groups::Group& one : answers) {
    const std::vector<Range> ranges = ranges_of(data, one.number);
    for (const Range& range : ranges) spent += code_of(data, range);
    if (spent > kMost) break;
    out.answers.push_back(one);
    for (const Range& range : ranges) std::fill_n(answered.begin() + range.first, range.count, true);
  }

  const std::vector<uint8_t>& sizes = link_tables(program).batch_sizes;
  for (uint32_t entry = 0; entry < sizes.size(); ++entry) {
    const uint64_t code = sizes[entry] < 2 ? 0 : code_of(data, {entry, sizes[entry]});
    if (code == 0 || code > kLongBatch) continue;
    if (sizes[entry] < kCrowd) {
      if (answered[entry] && data.rules.size() > kFew) continue;
      spent += code;
      if (spent > kMost) continue;
    }
    out.runs.push_back({entry, sizes[entry]});
  }
  return out;
}

std::vector<Worth> worth_of_predicates(const Program& program, std::span<const std::string> first) {
  const ProgramData& data = data_of(program);
  Uses uses(program);
  const std::vector<bool> requested = requested_capabilities(program, first);
  for (CapabilityId id = 0; id < data.schema.capabilities.size(); ++id) uses.collect(id, requested[id]);
  uses.collect(kNone, false);
  std::vector<Worth> out(data.predicates.size());
  size_t candidates = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    Use& use = uses.predicates[i];
    if (!use.known) use.crowd = kCrowd;  // without a rule, it exists to be evaluated
    out[i].optimised = use.crowd > 0 || may_loop(data, data.predicates[i]);
    out[i].rank = use.first ? 0 : use.crowd > 0 ? 1 : 2;
    candidates += out[i].optimised ? 1 : 0;
  }
  if (candidates > kFew) choose(data, uses.predicates, &out);
  return out;
}

}  // namespace ordain::native
