// plan.cc decides several actions ahead. The plan's own rules turn into host rules of the
// individual calls, so that executing the plan combines, asks for and records them like any other
// rule.
#include "ordain/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "runtime/govern/plan_call.h"

namespace ordain {

using namespace detail;  // NOLINT(google-build-using-namespace): our own internals

namespace {

double risk_of(const Runtime& runtime, const Action& action) {
  if (action.risk) return action.risk->value;
  auto program = runtime.program();
  CapabilityId id = program->resolve(action.capability).id;
  return id != kNone ? program->schema().capabilities[id].risk : 0;
}

HostRule fixed(std::string name, Effect effect, std::string reason) {
  HostRule out;
  out.name = std::move(name);
  out.version = reason;
  out.decide = [effect, reason](const HostCall&) {
    HostVerdict verdict;
    verdict.effect = effect;
    verdict.reason = reason;
    return verdict;
  };
  return out;
}

std::string or_else(const std::string& given, std::string otherwise) { return given.empty() ? otherwise : given; }

/// Applies the rules along the plan.
class PlanJudge {
 public:
  explicit PlanJudge(const PlanRules& rules) : rules_(rules), reached_(rules.sequences.size(), 0) {}

  std::vector<HostRule> judge(const Action& action, double risk) {
    std::vector<HostRule> out;
    for (size_t i = 0; i < rules_.sequences.size(); ++i) follow(rules_.sequences[i], reached_[i], action, &out);
    // NaN (a risk whose name is unknown) is above every limit.
    total_ += risk;
    for (const CumulativeRiskRule& rule : rules_.risks) {
      if (total_ <= rule.limit) continue;
      auto reason = fmt::format("the plan's risk adds up to {}, above {}", total_, rule.limit);
      out.push_back(fixed("plan." + rule.name, rule.effect, or_else(rule.reason, reason)));
    }
    return out;
  }

 private:
  static void follow(const SequenceRule& rule, size_t& reached, const Action& action, std::vector<HostRule>* out) {
    const auto& steps = rule.capabilities;
    if (steps.empty()) return;
    bool last = reached + 1 == steps.size();
    if (!glob_matches(steps[reached], action.capability)) return;
    if (!last) {
      ++reached;
      return;
    }
    auto reason = fmt::format("the plan has {} in this order", fmt::join(steps, ", "));
    out->push_back(fixed("plan." + rule.name, rule.effect, or_else(rule.reason, reason)));
  }

  const PlanRules& rules_;
  std::vector<size_t> reached_;
  double total_ = 0;
};

}  // namespace

namespace detail {

CallOptions call_options(const Action& action, const std::vector<HostRule>* rules) {
  CallOptions out;
  if (action.identity) out.identity = &*action.identity;
  out.trace = action.trace;
  out.parent = action.parent;
  out.type = action.type;
  out.target = action.target;
  out.description = action.description;
  out.risk = action.risk;
  out.resource = action.resource.root();
  out.metadata = action.metadata.root();
  out.rules = rules;
  return out;
}

}  // namespace detail

Document empty_object() { return *Document::parse("{}"); }

size_t Plan::count(Effect effect) const {
  return static_cast<size_t>(std::count_if(actions.begin(), actions.end(),
                                           [&](const PlannedAction& one) { return one.decision.effect == effect; }));
}

std::string Plan::summary() const {
  std::string out = fmt::format("{} action{}: {} allow, {} require_approval, {} deny\n", size(), size() == 1 ? "" : "s",
                                count(Effect::allow), count(Effect::require_approval), count(Effect::deny));
  for (size_t i = 0; i < actions.size(); ++i) {
    const DetachedDecision& decision = actions[i].decision;
    std::string by = decision.rule.empty() ? "" : " by " + decision.rule;
    out += fmt::format("  {}. {}: {}{}: {}\n", i + 1, actions[i].action.capability, to_string(decision.effect), by,
                       decision.reason);
  }
  return out;
}

std::string_view to_string(ActionStatus status) {
  constexpr std::array<std::string_view, 5> kNames = {"success", "failed", "blocked", "denied", "skipped"};
  return kNames[static_cast<size_t>(status)];
}

Plan make_plan(const Runtime& runtime, std::vector<Action> actions, const PlanRules& rules) {
  PlanJudge judge(rules);
  Plan out;
  for (Action& action : actions) {
    PlannedAction planned;
    planned.rules = judge.judge(action, risk_of(runtime, action));
    planned.decision = runtime.evaluate(action.capability, action.input, call_options(action, &planned.rules));
    planned.action = std::move(action);
    out.actions.push_back(std::move(planned));
  }
  return out;
}

}  // namespace ordain
