// ruling.cc combines the decision of the policies with the verdicts of the host's rules and of a
// remote decision point, which together count as one more package.
#include "runtime/govern/ruling.h"

#include <algorithm>

#include "ordain/runtime.h"
#include "runtime/govern/core.h"
#include "runtime/identity/text.h"

namespace ordain {
namespace detail {
namespace {

void take(const Program& program, const Decision& decision, Ruling& out) {
  out.decision = decision;
  out.effect = decision.effect;
  out.code = decision.code;
  RuleId rule = decision.rule != kNone ? decision.rule : decision.fault_rule;
  out.policy_rule = rule;
  out.rule = rule != kNone ? std::string_view(program.rules()[rule].name) : std::string_view();
  out.reason = decision.reason;
  out.fault.clear();
  if (decision.fault) out.fault = fault_text(program, decision.fault);
  out.expires_seconds = decision.expires_seconds;
  out.from.assign(decision.from.begin(), decision.from.end());
  out.approvals.clear();
  for (const ApprovalNeed& need : decision.approvals) {
    out.approvals.push_back({program.rules()[need.rule].name,
                             {need.from.begin(), need.from.end()},
                             need.need,
                             need.distinct,
                             need.expires_seconds});
  }
  out.obligations.clear();
  for (const Obligation& one : decision.obligations) {
    std::string_view name = one.rule != kNone ? std::string_view(program.rules()[one.rule].name) : std::string_view();
    out.obligations.push_back({one.kind, name, one.path, one.reason, one.with});
  }
}

/// Replaces the effect of a decision that no rule made by this default effect.
void apply_default(Effect effect, Ruling& out) {
  out.effect = out.decision.effect = effect;
  if (effect == Effect::deny) out.decision.obligations = {};
}

/// Takes the verdict of the host rules if it is stronger, or if no policy applied.
void combine(Ruling& out) {
  const HostRuling& host = *out.host;
  bool spoke = out.code == DecisionCode::rule;
  if (host.effect && (!spoke || *host.effect > out.effect)) {
    out.effect = *host.effect;
    out.code = host.code;
    out.rule = host.rule;
    out.policy_rule = kNone;
    out.reason = host.reason;
    out.fault = host.fault;
  }
  if (out.effect == Effect::deny) {
    out.obligations.clear();
    out.from.clear();
    out.approvals.clear();
    return;
  }
  if (out.effect == Effect::require_approval) {
    for (const AskingRule& need : host.needs) out.from.insert(out.from.end(), need.from.begin(), need.from.end());
    out.approvals.insert(out.approvals.end(), host.needs.begin(), host.needs.end());
    std::sort(out.from.begin(), out.from.end());
    out.from.erase(std::unique(out.from.begin(), out.from.end()), out.from.end());
    int64_t seconds = host.expires_seconds;
    if (seconds > 0 && (out.expires_seconds == 0 || seconds < out.expires_seconds)) out.expires_seconds = seconds;
  }
  for (const auto& [name, verdict] : host.verdicts) {
    for (const auto& redaction : verdict.redactions) {
      out.obligations.push_back({RuleKind::redact, name, redaction.path, "", redaction.with.root()});
    }
    for (const auto& warning : verdict.warnings) {
      out.obligations.push_back({RuleKind::warn, name, "", warning, Value::null()});
    }
  }
}

}  // namespace

bool Ruling::redacts() const {
  return std::any_of(obligations.begin(), obligations.end(),
                     [](const RulingObligation& one) { return one.kind == RuleKind::redact; });
}

void deny_for_state(const Error& error, Ruling& out) {
  out = Ruling();
  out.code = error.code == "missing_context" ? DecisionCode::missing_context : DecisionCode::evaluation_error;
  out.decision.code = out.code;
  out.reason = error.message;
  out.fault = error.code + ": " + error.message;
}

HostRules::HostRules(Core& core, const RulingFacts& facts) : core_(core), facts_(facts) {
  if (core.has_host_rules.load(std::memory_order_acquire)) shared_ = core.current_host_rules();
  if (shared_ != nullptr) select_rules(*shared_, facts.seen, &rules_);
  if (facts.seen.options.rules != nullptr) select_rules(*facts.seen.options.rules, facts.seen, &rules_);
}

bool HostRules::any() const { return !rules_.empty() || core_.options.remote.decider != nullptr; }

std::unique_ptr<HostRuling> HostRules::ask() const {
  auto out = std::make_unique<HostRuling>();
  ask_host(rules_, core_.options.remote, facts_.seen, *out);
  return out;
}

void rule_by_policies(Core& core, Worker& worker, const RulingFacts& facts, bool asks_host, Ruling& out) {
  out.host.reset();
  DecideOptions options = core.options.decide;
  // If no policy applies, a host rule may: the default comes last; obligations are gathered now.
  if (asks_host) (facts.seen.stage == Stage::before ? options.default_before : options.default_after) = Effect::allow;
  take(*worker.program,
       facts.all ? decide_all(facts.call, *worker.context, worker.scratch, options)
                 : decide(facts.call, *worker.context, worker.scratch, options),
       out);
}

void add_host_ruling(Core& core, const RulingFacts& facts, std::unique_ptr<HostRuling> host, Ruling& out) {
  const DecideOptions& options = core.options.decide;
  out.host = std::move(host);
  if (!out.host->effect && out.code == DecisionCode::default_effect)
    apply_default(facts.seen.stage == Stage::before ? options.default_before : options.default_after, out);
  combine(out);
}

void rule(Core& core, Worker& worker, const RulingFacts& facts, Ruling& out) {
  const HostRules host(core, facts);
  const bool asks_host = host.any();
  rule_by_policies(core, worker, facts, asks_host, out);
  if (asks_host && out.effect != Effect::deny) add_host_ruling(core, facts, host.ask(), out);
}

}  // namespace detail

namespace {

Result<void> check(const HostRule& rule) {
  if (rule.name.empty()) return Error{"invalid_options", "host rule: a name is needed"};
  if (rule.target.empty()) return Error{"invalid_options", "host rule " + rule.name + ": a target is needed"};
  if (!rule.decide) return Error{"invalid_options", "host rule " + rule.name + ": there is no function"};
  return {};
}

}  // namespace

Result<void> Runtime::add_rule(HostRule rule) const {
  if (auto checked = check(rule); !checked.ok()) return checked;
  std::lock_guard lock(core_->host_rules_mutex);
  auto next = core_->host_rules != nullptr ? std::make_shared<std::vector<HostRule>>(*core_->host_rules)
                                           : std::make_shared<std::vector<HostRule>>();
  for (const HostRule& known : *next) {
    if (known.name == rule.name) return Error{"invalid_options", "host rule " + rule.name + ": there is one already"};
  }
  next->push_back(std::move(rule));
  core_->host_rules = std::move(next);
  core_->has_host_rules.store(true, std::memory_order_release);
  return {};
}

Result<void> Runtime::before(std::string target, std::string name,
                             std::function<HostVerdict(const HostCall&)> decide) const {
  return add_rule({.name = std::move(name), .target = std::move(target), .decide = std::move(decide)});
}

Result<void> Runtime::after(std::string target, std::string name,
                            std::function<HostVerdict(const HostCall&)> decide) const {
  return add_rule(
      {.name = std::move(name), .target = std::move(target), .decide = std::move(decide), .stage = Stage::after});
}

}  // namespace ordain
