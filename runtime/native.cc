// native: asks the host's rules, then a remote decision point, and combines what they say with the policies' decision
// as one more package.
#include "ordain/native.h"

#include <algorithm>
#include <exception>

#include "ordain/runtime.h"
#include "runtime/core.h"
#include "runtime/remote.h"
#include "runtime/ruling.h"
#include "runtime/text.h"

namespace ordain {

Value NativeCall::arg(std::string_view name) const {
  const Value* field = input.is(Kind::map) ? map_find(*input.map, name) : nullptr;
  return field != nullptr ? *field : Value();
}

namespace detail {
namespace {

using RuleList = std::vector<const NativeRule*>;

void select(const std::vector<NativeRule>& rules, const NativeCall& call, RuleList* out) {
  for (const NativeRule& one : rules) {
    if (one.stage == call.stage && glob_matches(one.target, call.capability)) out->push_back(&one);
  }
}

/// What one of them said.
struct Answer {
  NativeRuling::Asking who;
  NativeVerdict verdict;
  std::string fault;  ///< of one that failed, and denies for it
};

Answer ask(const NativeRule& rule, const NativeCall& call) {
  Answer out{{rule.name, rule.version}, {}, {}};
  try {
    out.verdict = rule.decide(call);
    if (!is_text(out.verdict)) out.fault = "native rule " + rule.name + ": what it says is not valid UTF-8";
  } catch (const std::exception& e) {
    out.fault = "native rule " + rule.name + " threw: " + mended(e.what());
  } catch (...) {
    out.fault = "native rule " + rule.name + " threw what is no std::exception";
  }
  if (!out.fault.empty()) out.verdict = NativeVerdict::deny("a native rule failed");
  return out;
}

void note(NativeRuling& out, Stage stage, Answer answer) {
  NativeVerdict& verdict = answer.verdict;
  if (verdict.reason.empty()) verdict.reason = answer.who.name;
  if (stage == Stage::after && verdict.effect == Effect::require_approval) {
    verdict.effect = Effect::deny;
    verdict.reason += " (nothing can be approved after the fact)";
  }
  if (verdict.effect == Effect::require_approval) {
    out.asking.push_back(answer.who);
    out.from.insert(out.from.end(), verdict.from.begin(), verdict.from.end());
    int64_t seconds = verdict.expires.count();
    if (seconds > 0 && (out.expires_seconds == 0 || seconds < out.expires_seconds)) out.expires_seconds = seconds;
  }
  if (verdict.effect && (!out.effect || *verdict.effect > *out.effect)) {
    out.effect = verdict.effect;
    out.rule = answer.who.name;
    out.reason = verdict.reason;
    out.fault = answer.fault;
    out.code = answer.fault.empty() ? DecisionCode::rule : DecisionCode::evaluation_error;
  }
  out.said.push_back({answer.who.name, std::move(verdict)});
}

void ask_all(const RuleList& rules, const RemoteOptions& remote, const NativeCall& call, NativeRuling& out) {
  for (const NativeRule* rule : rules) {
    note(out, call.stage, ask(*rule, call));
    if (out.effect == Effect::deny) return;
  }
  if (remote.decider == nullptr) return;
  RemoteVerdict said = consult(remote, call);
  out.remote = std::move(said.record);
  // An approval is bound to what the approver was told: the remote's rules may change under their names.
  NativeRuling::Asking who{std::move(said.rule), said.verdict.reason};
  note(out, call.stage, {std::move(who), std::move(said.verdict), std::move(said.fault)});
}

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
  out.obligations.clear();
  for (const Obligation& one : decision.obligations) {
    std::string_view name = one.rule != kNone ? std::string_view(program.rules()[one.rule].name) : std::string_view();
    out.obligations.push_back({one.kind, name, one.path, one.reason, one.with});
  }
}

/// The native rules' answer wins where it is stronger, or where no policy spoke.
void combine(Ruling& out) {
  const NativeRuling& native = *out.native;
  bool spoke = out.code == DecisionCode::rule;
  if (native.effect && (!spoke || *native.effect > out.effect)) {
    out.effect = *native.effect;
    out.code = native.code;
    out.rule = native.rule;
    out.policy_rule = kNone;
    out.reason = native.reason;
    out.fault = native.fault;
  }
  if (out.effect == Effect::deny) {
    out.obligations.clear();
    out.from.clear();
    return;
  }
  if (out.effect == Effect::require_approval) {
    out.from.insert(out.from.end(), native.from.begin(), native.from.end());
    std::sort(out.from.begin(), out.from.end());
    out.from.erase(std::unique(out.from.begin(), out.from.end()), out.from.end());
    int64_t seconds = native.expires_seconds;
    if (seconds > 0 && (out.expires_seconds == 0 || seconds < out.expires_seconds)) out.expires_seconds = seconds;
  }
  for (const auto& [name, verdict] : native.said) {
    for (const auto& redaction : verdict.redactions) {
      out.obligations.push_back({RuleKind::redact, name, redaction.path, "", redaction.with.root()});
    }
    for (const auto& warning : verdict.warnings) {
      out.obligations.push_back({RuleKind::warn, name, "", warning, Value::null()});
    }
  }
}

}  // namespace

bool is_text(const NativeVerdict& verdict) {
  bool out = valid_utf8(verdict.reason);
  for (const auto* texts : {&verdict.from, &verdict.warnings}) {
    for (const std::string& each : *texts) out = out && valid_utf8(each);
  }
  for (const NativeRedaction& each : verdict.redactions) out = out && valid_utf8(each.path);
  return out;
}

bool Ruling::redacts() const {
  return std::any_of(obligations.begin(), obligations.end(),
                     [](const RulingObligation& one) { return one.kind == RuleKind::redact; });
}

void rule(Core& core, Worker& worker, const RulingFacts& facts, Ruling& out) {
  out.native.reset();
  DecideOptions options = core.options.decide;
  auto run = [&] {
    return facts.all ? decide_all(facts.call, *worker.context, worker.scratch, options)
                     : decide(facts.call, *worker.context, worker.scratch, options);
  };
  RuleList rules;
  std::shared_ptr<const std::vector<NativeRule>> shared;
  if (core.has_native.load(std::memory_order_acquire)) shared = core.native_rules();
  if (shared != nullptr) select(*shared, facts.seen, &rules);
  if (facts.seen.options.rules != nullptr) select(*facts.seen.options.rules, facts.seen, &rules);
  const RemoteOptions& remote = core.options.remote;
  if (rules.empty() && remote.decider == nullptr) return take(*worker.program, run(), out);
  // Where no policy speaks a native rule may: so the default waits, and obligations are gathered meanwhile.
  Effect& otherwise = facts.seen.stage == Stage::before ? options.default_before : options.default_after;
  const Effect configured = otherwise;
  otherwise = Effect::allow;
  take(*worker.program, run(), out);
  if (out.effect == Effect::deny) return;
  out.native = std::make_unique<NativeRuling>();
  ask_all(rules, remote, facts.seen, *out.native);
  if (!out.native->effect && out.code == DecisionCode::default_effect && configured != Effect::allow) {
    otherwise = configured;
    take(*worker.program, run(), out);
    if (out.effect == Effect::deny) return;
  }
  combine(out);
}

}  // namespace detail

namespace {

Result<void> check(const NativeRule& rule) {
  if (rule.name.empty()) return Error{"invalid_options", "native rule: a name is needed"};
  if (rule.target.empty()) return Error{"invalid_options", "native rule " + rule.name + ": a target is needed"};
  if (!rule.decide) return Error{"invalid_options", "native rule " + rule.name + ": there is no function"};
  return {};
}

}  // namespace

Result<void> Runtime::add_rule(NativeRule rule) const {
  if (auto checked = check(rule); !checked.ok()) return checked;
  std::lock_guard lock(core_->native_mutex);
  auto next = core_->native != nullptr ? std::make_shared<std::vector<NativeRule>>(*core_->native)
                                       : std::make_shared<std::vector<NativeRule>>();
  for (const NativeRule& known : *next) {
    if (known.name == rule.name) return Error{"invalid_options", "native rule " + rule.name + ": there is one already"};
  }
  next->push_back(std::move(rule));
  core_->native = std::move(next);
  core_->has_native.store(true, std::memory_order_release);
  return {};
}

Result<void> Runtime::before(std::string target, std::string name,
                             std::function<NativeVerdict(const NativeCall&)> decide) const {
  return add_rule({.name = std::move(name), .target = std::move(target), .decide = std::move(decide)});
}

Result<void> Runtime::after(std::string target, std::string name,
                            std::function<NativeVerdict(const NativeCall&)> decide) const {
  return add_rule(
      {.name = std::move(name), .target = std::move(target), .decide = std::move(decide), .stage = Stage::after});
}

}  // namespace ordain
