// rules.cc asks the host's rules, then a remote decision point, and combines their verdicts.
#include "ordain/host_rules.h"

#include <algorithm>
#include <exception>

#include "runtime/host/host_ruling.h"
#include "runtime/host/remote.h"
#include "runtime/identity/text.h"

namespace ordain {

Value HostCall::arg(std::string_view name) const {
  const Value* field = input.is(Kind::map) ? map_find(*input.map, name) : nullptr;
  return field != nullptr ? *field : Value();
}

namespace detail {
namespace {

/// The answer of one rule or of the remote.
struct Answer {
  HostRuling::Asking who;
  HostVerdict verdict;
  std::string fault;  ///< set if the rule failed and denies for that reason
};

Answer ask(const HostRule& rule, const HostCall& call) {
  Answer out{{rule.name, rule.version}, {}, {}};
  try {
    out.verdict = rule.decide(call);
    if (!is_text(out.verdict)) out.fault = "host rule " + rule.name + ": its verdict is not valid UTF-8";
  } catch (const std::exception& e) {
    out.fault = "host rule " + rule.name + " threw: " + mend_utf8(e.what());
  } catch (...) {
    out.fault = "host rule " + rule.name + " threw something that is not a std::exception";
  }
  if (!out.fault.empty()) out.verdict = HostVerdict::deny("a host rule failed");
  return out;
}

/// A verdict without a list of needs asks once: every group in `from` must approve.
void note_needs(HostRuling& out, const HostRuling::Asking& who, const HostVerdict& verdict) {
  std::vector<AskingRule> needs = verdict.approvals;
  if (needs.empty()) needs.push_back({who.name, verdict.from, 0, true, std::max<int64_t>(verdict.expires.count(), 0)});
  for (AskingRule& need : needs) {
    std::sort(need.from.begin(), need.from.end());
    need.from.erase(std::unique(need.from.begin(), need.from.end()), need.from.end());
    if (need.need == 0) need.need = std::max<uint32_t>(1, static_cast<uint32_t>(need.from.size()));
    if (need.rule.empty()) need.rule = who.name;
    out.asking.push_back({need.rule, who.version});
    out.needs.push_back(std::move(need));
  }
}

void note(HostRuling& out, Stage stage, Answer answer) {
  HostVerdict& verdict = answer.verdict;
  if (verdict.reason.empty()) verdict.reason = answer.who.name;
  if (stage == Stage::after && verdict.effect == Effect::require_approval) {
    verdict.effect = Effect::deny;
    verdict.reason += " (nothing can be approved after the fact)";
  }
  if (verdict.effect == Effect::require_approval) {
    note_needs(out, answer.who, verdict);
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
  out.verdicts.push_back({answer.who.name, std::move(verdict)});
}

}  // namespace

void select_rules(const std::vector<HostRule>& rules, const HostCall& call, HostRuleList* out) {
  for (const HostRule& one : rules) {
    if (one.stage == call.stage && glob_matches(one.target, call.capability)) out->push_back(&one);
  }
}

bool is_text(const HostVerdict& verdict) {
  bool out = valid_utf8(verdict.reason);
  for (const auto* texts : {&verdict.from, &verdict.warnings}) {
    for (const std::string& each : *texts) out = out && valid_utf8(each);
  }
  for (const HostRedaction& each : verdict.redactions) out = out && valid_utf8(each.path);
  for (const AskingRule& each : verdict.approvals) {
    out = out && valid_utf8(each.rule);
    for (const std::string& group : each.from) out = out && valid_utf8(group);
  }
  return out;
}

void ask_host(const HostRuleList& rules, const RemoteOptions& remote, const HostCall& call, HostRuling& out) {
  for (const HostRule* rule : rules) {
    note(out, call.stage, ask(*rule, call));
    if (out.effect == Effect::deny) return;
  }
  if (remote.decider == nullptr) return;
  RemoteVerdict said = consult(remote, call);
  out.remote = std::move(said.record);
  // An approval is bound to the reason that the approver read, because the remote may change its
  // rules without renaming them.
  HostRuling::Asking who{std::move(said.rule), said.verdict.reason};
  note(out, call.stage, {std::move(who), std::move(said.verdict), std::move(said.fault)});
}

}  // namespace detail

}  // namespace ordain
