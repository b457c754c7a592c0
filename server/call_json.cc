// Combines the rules' own decision of a governed call with its outcome.
#include "server/call_json.h"

#include <fmt/format.h>

#include <algorithm>

#include "server/json_object.h"

namespace ordain::server {
namespace {

/// What the answer says instead of the rules' decision.
struct Verdict {
  Effect effect = Effect::deny;
  std::string_view rule, reason, fault;
  std::string_view cause = {};        ///< why the runtime, not a rule, stopped the call
  std::string_view approval_id = {};  ///< that the call waits for
  bool approved = false;              ///< an approval or a grant stands in for `allow`
  bool failed = false;                ///< the tool failed, so that no rule saw an output
};

std::string texts_json(const std::vector<std::string>& texts) {
  return json_array(texts, [](std::string& out, const std::string& text) { append_json_string(out, text); });
}

std::string seconds_or_null(int64_t seconds) { return seconds == 0 ? "null" : fmt::format("{}", seconds); }

std::string obligation_json(const DetachedObligation& obligation) {
  JsonObject out;
  out.text("kind", to_string(obligation.kind));
  if (obligation.kind == RuleKind::redact) {
    out.text("path", obligation.path).raw("with", obligation.with.json());
  } else {
    out.text("reason", obligation.reason);
  }
  return out.text_or_null("rule", obligation.rule).close();
}

std::string need_json(const AskingRule& need) {
  JsonObject out;
  out.text_or_null("rule", need.rule).raw("from", texts_json(need.from)).raw("need", fmt::format("{}", need.need));
  if (!need.distinct) out.boolean("distinct", false);
  return out.raw("expires_seconds", seconds_or_null(need.expires_seconds)).close();
}

int64_t shortest_expiry(const std::vector<AskingRule>& needs) {
  int64_t out = 0;
  for (const AskingRule& need : needs) {
    if (need.expires_seconds != 0) out = out == 0 ? need.expires_seconds : std::min(out, need.expires_seconds);
  }
  return out;
}

/// An object as ordain/decision_json.h has it. What a rule's fault was is one text here.
std::string fault_json(const Verdict& verdict, std::string_view code) {
  if (verdict.fault.empty()) return "null";
  return JsonObject().text_or_null("rule", verdict.rule).text("code", code).text("message", verdict.fault).close();
}

std::string decision_text(Stage stage, std::string_view capability, const DetachedDecision& rules,
                          const Verdict& verdict) {
  const bool by_rules = verdict.cause.empty();
  const std::string_view code = verdict.failed ? to_string(DecisionCode::default_effect) : to_string(rules.code);
  JsonObject out;
  out.raw("event", "1").text("stage", to_string(stage)).text("capability", capability);
  out.text("effect", to_string(verdict.effect)).text("code", code);
  out.text_or_null("rule", verdict.rule);
  out.text_or_null("policy", by_rules ? rules.policy : "");
  out.text_or_null("policy_version", by_rules ? rules.policy_version : "");
  out.text("reason", verdict.reason).raw("matched", texts_json(rules.matched));
  // What a denial would have hidden is nobody's business.
  static const std::vector<DetachedObligation> kNothing;
  out.raw("obligations", json_array(verdict.effect == Effect::deny ? kNothing : rules.obligations,
                                    [](std::string& to, const auto& one) { to += obligation_json(one); }));
  if (verdict.effect == Effect::require_approval) {
    out.raw("from", texts_json(rules.from));
    out.raw("expires_seconds", seconds_or_null(shortest_expiry(rules.approvals)));
    out.raw("approvals", json_array(rules.approvals, [](std::string& to, const auto& one) { to += need_json(one); }));
  }
  out.raw("fault", fault_json(verdict, code));
  if (!verdict.cause.empty()) out.text("cause", verdict.cause);
  if (!verdict.approval_id.empty()) out.text("approval_id", verdict.approval_id);
  if (verdict.approved) out.boolean("approved", true);
  return out.close();
}

/// Why the runtime stopped the call, if the rules did not.
std::string_view cause_of(std::string_view code, const DetachedDecision& rules) {
  return code == to_string(rules.code) ? std::string_view() : code;
}

}  // namespace

bool redacts(const DetachedDecision& decision) {
  return std::any_of(decision.obligations.begin(), decision.obligations.end(),
                     [](const DetachedObligation& one) { return one.kind == RuleKind::redact; });
}

std::string before_json(std::string_view capability, const DetachedDecision& rules, const Outcome<Document>* outcome) {
  Verdict verdict{.rule = rules.rule, .reason = rules.reason, .fault = rules.fault};
  if (outcome == nullptr) {
    verdict.effect = Effect::allow;
    verdict.approved = rules.effect == Effect::require_approval;
  } else if (const Pending* pending = outcome->pending()) {
    verdict.effect = Effect::require_approval;
    verdict.rule = pending->rule;
    verdict.reason = pending->reason;
    verdict.approval_id = pending->approval_id;
  } else if (const Denied* denied = outcome->denied()) {
    verdict.rule = denied->rule;
    verdict.reason = denied->reason;
    verdict.fault = denied->fault;
    verdict.cause = cause_of(denied->code, rules);
  } else {  // the call ended before it was answered: it may not run
    verdict.reason = "the call ended before it could run";
    verdict.cause = "stopped";
  }
  return decision_text(Stage::before, capability, rules, verdict);
}

std::string after_json(std::string_view capability, const DetachedDecision& rules, const Outcome<Document>& outcome) {
  Verdict verdict{.rule = rules.rule, .reason = rules.reason, .fault = rules.fault};
  if (const Withheld* withheld = outcome.withheld()) {
    verdict.rule = withheld->rule;
    verdict.reason = withheld->reason;
    verdict.fault = withheld->fault;
    verdict.cause = cause_of(withheld->code, rules);
  } else if (outcome.has_value()) {
    verdict.effect = Effect::allow;
  } else if (outcome.failed() != nullptr) {
    verdict = {.effect = Effect::allow, .rule = "", .reason = "the tool failed; no rule saw an output", .fault = ""};
    verdict.failed = true;
  }
  return decision_text(Stage::after, capability, rules, verdict);
}

}  // namespace ordain::server
