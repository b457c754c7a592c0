// clock.cc reports tests that leave the time to the clock although a rule reads it: they may pass on
// one day and fail on another.
#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "compiler/diagnostic/words.h"
#include "compiler/lint/lint.h"

namespace ordain::lint {
namespace {

using typed::Node;
using typed::NodeKind;

class ClockReaders {
 public:
  explicit ClockReaders(const typed::PolicySet& set) : set_(set) {
    for (CapabilityId id = 0; id < set.schema.capabilities.size(); ++id)
      ids_.emplace(set.schema.capabilities[id].name, id);
  }

  /// @returns the first rule that reads the time when that capability is called; kNone if there is none
  RuleId find(std::string_view capability, Stage stage) {
    const auto& lists = set_.lists[static_cast<int>(stage)];
    const auto id = ids_.find(capability);
    const size_t list = id == ids_.end() ? lists.size() - 1 : id->second;
    const auto [known, added] = found_.try_emplace(static_cast<size_t>(stage) * lists.size() + list, kNone);
    if (!added) return known->second;
    for (const typed::RuleBody* body : lists[list].rules) {
      if (!reads_clock(*body)) continue;
      known->second = body->rule;
      break;
    }
    return known->second;
  }

 private:
  bool reads_clock(const typed::RuleBody& body) {
    const auto [known, added] = reads_.try_emplace(&body, false);
    if (added) known->second = body.when.root != nullptr && reads_clock(*body.when.root);
    return known->second;
  }

  bool reads_clock(const Node& node) const {
    if (node.kind == NodeKind::slot) return set_.schema.slots[node.slot].path == "now";
    return std::any_of(node.args.begin(), node.args.end(), [&](const Node* arg) { return reads_clock(*arg); });
  }

  const typed::PolicySet& set_;
  std::unordered_map<std::string_view, CapabilityId> ids_;
  std::unordered_map<size_t, RuleId> found_;
  std::unordered_map<const typed::RuleBody*, bool> reads_;
};

bool sets_clock(const typed::TestStep& call) {
  return std::any_of(call.facts.begin(), call.facts.end(),
                     [](const typed::TestFact& fact) { return !fact.path.empty() && fact.path[0] == "now"; });
}

}  // namespace

void warn_clock_in_tests(Diagnostics& diagnostics, const typed::PolicySet& set) {
  ClockReaders readers(set);
  for (const typed::Test& test : set.tests) {
    for (const typed::TestStep& step : test.steps) {
      if (step.capability.empty() || sets_clock(step)) continue;
      const RuleId rule = readers.find(step.capability, step.stage);
      if (rule == kNone) continue;
      Diagnostic& warning = diagnostics.warning(
          "clock-in-test", step.span,
          quoted(set.rules[rule].name) + " reads `now`, so the outcome depends on when the test runs",
          "say when it is: `with now = timestamp(\"2024-05-01T12:00:00Z\")`");
      warning.notes.push_back({Severity::note, "", "this rule reads the time", set.rule_spans[rule], "", {}});
    }
  }
}

}  // namespace ordain::lint
