// oracle_decide.cc combines rules as the design states it: it evaluates every rule, then applies
// the rules of combination to the results.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "ordain/json.h"
#include "tests/support/oracle.h"
#include "vm/decide/secret_faults.h"

namespace ordain::oracle {
namespace {

using typed::PolicySet;
using typed::RuleBody;

struct RuleOutcome {
  const RuleBody* body = nullptr;
  const RuleInfo* info = nullptr;
  uint32_t package = 0;
  bool matched = false;
  Outcome fault;  // set if faulted
  bool faulted = false;
};

DecisionCode code_of(FaultCode code) {
  switch (code) {
    case FaultCode::missing_context:
      return DecisionCode::missing_context;
    case FaultCode::cost_budget:
    case FaultCode::memory_budget:
      return DecisionCode::budget_exceeded;
    default:
      return DecisionCode::evaluation_error;
  }
}

// Charges for a value that replaces a redacted one, which is copied and written: a step per
// occurrence of each part, plus one for every ten bytes of text.
bool walkable(const Value& value, uint64_t* steps) {
  const bool is_text = value.is(Kind::string) || value.is(Kind::bytes);
  const uint64_t own = is_text ? 1 + value.aux / 10 : 1;
  if (*steps < own) return false;
  *steps -= own;
  if (value.is(Kind::list)) {
    for (const Value& element : value.as_list()) {
      if (!walkable(element, steps)) return false;
    }
  } else if (value.is(Kind::map)) {
    for (const MapEntry& entry : value.map->all()) {
      if (!walkable(entry.key, steps) || !walkable(entry.value, steps)) return false;
    }
  } else if (value.is(Kind::optional) && value.items != nullptr) {
    return walkable(*value.items, steps);
  }
  return true;
}

class Decider {
 public:
  Decider(Arena& arena, const PolicySet& set, const std::vector<std::shared_ptr<const Source>>& sources,
          const Call& call, const Context& context, const DecideOptions& options)
      : arena_(arena), set_(set), sources_(sources), call_(call), context_(context), options_(options) {}

  Verdict decide();

 private:
  Budget budget_of(uint32_t package) const {
    Budget out = options_.budget;
    if (set_.packages[package].budget != 0) out.cost = set_.packages[package].budget;
    return out;
  }
  Outcome value_of(const typed::Expression& expression, uint32_t package) {
    return evaluate(arena_, expression, set_.schema, call_, context_, budget_of(package));
  }
  std::vector<RuleOutcome> evaluate_rules();
  Verdict deny_by_fault(const RuleInfo& rule, const Outcome& fault);
  std::string reason_of(const RuleOutcome& rule);
  bool ask(const std::vector<const RuleOutcome*>& asking, Verdict* verdict);
  bool oblige(const std::vector<RuleOutcome>& rules, Verdict* verdict);
  std::string place(const Outcome& fault) const {
    const LineColumn at = line_column(*sources_[fault.at.file], fault.at.begin);
    return fmt::format("{}:{}", at.line, at.column);
  }

  Arena& arena_;
  const PolicySet& set_;
  const std::vector<std::shared_ptr<const Source>>& sources_;
  const Call& call_;
  const Context& context_;
  const DecideOptions& options_;
};

std::vector<RuleOutcome> Decider::evaluate_rules() {
  const auto& lists = set_.lists[static_cast<int>(call_.stage())];
  const bool undeclared = call_.capability().id == kNone;
  const typed::RuleList& list = undeclared ? lists.back() : lists[call_.capability().id];
  std::vector<RuleOutcome> out;
  for (size_t i = 0; i < list.rules.size(); ++i) {
    if (undeclared && (list.targets[i] & call_.capability().globs).none()) continue;
    RuleOutcome rule{.body = list.rules[i],
                     .info = &set_.rules[list.rules[i]->rule],
                     .package = set_.rule_packages[list.rules[i]->rule]};
    if (rule.body->when.root == nullptr) {
      rule.matched = true;
    } else {
      Outcome condition = value_of(rule.body->when, rule.package);
      if (condition.ok && !condition.value.is(Kind::boolean)) {
        condition = {
            .ok = false, .value = {}, .fault = {.code = FaultCode::no_such_overload}, .at = rule.body->when.root->at};
      }
      rule.faulted = !condition.ok;
      rule.fault = condition;
      rule.matched = condition.ok && condition.value.as_bool();
    }
    out.push_back(rule);
  }
  return out;
}

Verdict Decider::deny_by_fault(const RuleInfo& rule, const Outcome& fault) {
  Verdict out;
  out.effect = Effect::deny;
  out.code = code_of(fault.fault.code);
  out.rule = rule.name;
  out.reason = "";  // the engine chooses its own wording
  Fault shown = fault.fault;
  vm::conceal_values(set_.schema, call_.capability().id, &shown);
  out.fault = fmt::format("{}: {}: {} at {}", rule.name, fault_name(shown.code), fault_message(shown), place(fault));
  return out;
}

std::string Decider::reason_of(const RuleOutcome& rule) {
  if (rule.body->because.root != nullptr) {
    Outcome because = value_of(rule.body->because, rule.package);
    if (!because.ok) {
      return fmt::format("{} (its `because` faults: {})", rule.info->name, fault_name(because.fault.code));
    }
    if (because.value.is(Kind::string) && because.value.aux != 0) return std::string(because.value.as_text());
  }
  return rule.info->name;
}

// Collects `from` and `expires` of all asking rules. @returns false if one of them faults: then
// `verdict` denies.
bool Decider::ask(const std::vector<const RuleOutcome*>& asking, Verdict* verdict) {
  std::set<std::string> groups;
  std::map<RuleId, AskingRule> needs;
  for (const RuleOutcome* rule : asking) {
    std::set<std::string> own;
    int64_t own_expiry = 0;
    if (rule->body->from.root != nullptr) {
      Outcome from = value_of(rule->body->from, rule->package);
      if (!from.ok) {
        *verdict = deny_by_fault(*rule->info, from);
        return false;
      }
      if (from.value.is(Kind::string)) own.emplace(from.value.as_text());
      if (from.value.is(Kind::list)) {
        for (const Value& group : from.value.as_list()) own.emplace(group.as_text());
      }
    }
    if (rule->body->expires.root != nullptr) {
      Outcome expires = value_of(rule->body->expires, rule->package);
      if (!expires.ok) {
        *verdict = deny_by_fault(*rule->info, expires);
        return false;
      }
      own_expiry = expires.value.i;
      if (verdict->expires_seconds == 0 || own_expiry < verdict->expires_seconds) {
        verdict->expires_seconds = own_expiry;
      }
    }
    if (rule->body->from.root != nullptr && std::max<size_t>(1, rule->body->need) > own.size()) {
      const Fault fault{.code = FaultCode::invalid_argument,
                        .detail = Value::string("`from` names fewer groups than must approve")};
      *verdict = deny_by_fault(*rule->info,
                               {.ok = false, .value = {}, .fault = fault, .at = set_.rule_spans[rule->body->rule]});
      return false;
    }
    const size_t all = std::max<size_t>(1, own.size());
    needs[rule->body->rule] = {rule->info->name,
                               {own.begin(), own.end()},
                               static_cast<uint32_t>(rule->body->need == 0 ? all : rule->body->need),
                               rule->body->distinct,
                               own_expiry};
    groups.insert(own.begin(), own.end());
  }
  verdict->from.assign(groups.begin(), groups.end());
  for (auto& [rule, need] : needs) verdict->approvals.push_back(std::move(need));
  return true;
}

bool Decider::oblige(const std::vector<RuleOutcome>& rules, Verdict* verdict) {
  for (uint32_t package = 0; package < set_.packages.size(); ++package) {
    for (const RuleOutcome& rule : rules) {
      const RuleKind kind = rule.info->kind;
      if (rule.package != package || (kind != RuleKind::redact && kind != RuleKind::warn)) continue;
      if (rule.faulted && kind == RuleKind::redact) {
        *verdict = deny_by_fault(*rule.info, rule.fault);
        return false;
      }
      if (!rule.matched) continue;
      if (kind == RuleKind::warn) {
        verdict->obligations.push_back(fmt::format("warn because {} by {}", reason_of(rule), rule.info->name));
        continue;
      }
      Value with = Value::string("[redacted]");
      if (rule.body->with.root != nullptr) {
        Outcome outcome = value_of(rule.body->with, package);
        if (!outcome.ok) {
          *verdict = deny_by_fault(*rule.info, outcome);
          return false;
        }
        with = outcome.value;
        uint64_t steps = budget_of(package).cost;
        if (!walkable(with, &steps)) {
          *verdict = Verdict();
          verdict->code = DecisionCode::budget_exceeded;
          verdict->reason = "out of scratch memory";
          return false;
        }
      }
      verdict->obligations.push_back(
          fmt::format("redact {} with {} by {}", rule.info->redact_path, to_json(with), rule.info->name));
    }
  }
  return true;
}

Verdict Decider::decide() {
  Verdict out;
  for (const BindError* error : {&call_.error(), &context_.error()}) {
    if (!error->failed) continue;
    out.code = DecisionCode::invalid_input;
    out.reason = error->message;
    return out;
  }
  const std::vector<RuleOutcome> rules = evaluate_rules();

  // Find each package's answer: the rule (or fault) that decides it, and its strength.
  int strongest = -1;
  const RuleOutcome* winner = nullptr;
  std::vector<const RuleOutcome*> asking;
  for (uint32_t package = 0; package < set_.packages.size(); ++package) {
    const RuleOutcome* answer = nullptr;
    int strength = -1;
    std::vector<const RuleOutcome*> package_asks;
    for (const RuleOutcome& rule : rules) {
      const RuleKind kind = rule.info->kind;
      if (rule.package != package || kind == RuleKind::redact || kind == RuleKind::warn) continue;
      const bool blocks = rule.faulted && kind != RuleKind::allow;
      if (!rule.matched && !blocks) continue;
      const int rule_strength = kind == RuleKind::deny || blocks ? 2 : kind == RuleKind::require_approval ? 1 : 0;
      if (rule_strength == 1) package_asks.push_back(&rule);
      if (rule_strength > strength) {
        answer = &rule;
        strength = rule_strength;
      }
      if (set_.packages[package].first_match) break;
    }
    if (strength == 1) asking.insert(asking.end(), package_asks.begin(), package_asks.end());
    // A deny-overrides package may also deny; its asking rules then do not matter, because the
    // whole call is denied.
    if (strength > strongest) {
      strongest = strength;
      winner = answer;
    }
  }

  if (winner == nullptr) {
    out.effect = call_.stage() == Stage::before ? options_.default_before : options_.default_after;
    out.code = DecisionCode::default_effect;
    out.reason = "no rule matched";
  } else if (winner->faulted) {
    out = deny_by_fault(*winner->info, winner->fault);
  } else {
    out.effect = static_cast<Effect>(strongest);
    out.code = DecisionCode::rule;
    out.rule = winner->info->name;
    out.reason = reason_of(*winner);
    if (out.effect == Effect::require_approval) ask(asking, &out);
  }
  if (out.effect != Effect::deny) {
    if (!oblige(rules, &out)) out.obligations.clear();
  }
  for (const RuleOutcome& rule : rules) {
    if (rule.matched) out.matched.push_back(rule.info->name);
  }
  return out;
}

}  // namespace

Verdict decide(Arena& arena, const PolicySet& set, const std::vector<std::shared_ptr<const Source>>& sources,
               const Call& call, const Context& context, const DecideOptions& options) {
  return Decider(arena, set, sources, call, context, options).decide();
}

Verdict describe(const Program& program, const Decision& decision) {
  Verdict out;
  out.effect = decision.effect;
  out.code = decision.code;
  const auto rule_name = [&](RuleId rule) { return rule == kNone ? std::string() : program.rules()[rule].name; };
  out.rule = rule_name(decision.rule);
  out.reason = decision.fault ? "" : std::string(decision.reason);
  for (RuleId rule : decision.matched) out.matched.push_back(rule_name(rule));
  for (const Obligation& obligation : decision.obligations) {
    out.obligations.push_back(obligation.kind == RuleKind::warn
                                  ? fmt::format("warn because {} by {}", obligation.reason, rule_name(obligation.rule))
                                  : fmt::format("redact {} with {} by {}", obligation.path, to_json(obligation.with),
                                                rule_name(obligation.rule)));
  }
  for (std::string_view group : decision.from) out.from.emplace_back(group);
  out.expires_seconds = decision.expires_seconds;
  for (const ApprovalNeed& need : decision.approvals) {
    out.approvals.push_back(
        {rule_name(need.rule), {need.from.begin(), need.from.end()}, need.need, need.distinct, need.expires_seconds});
  }
  if (decision.fault) {
    const Location at = decision.fault.location == kNone ? Location{} : program.locations()[decision.fault.location];
    out.fault = fmt::format("{}: {}: {} at {}:{}", rule_name(decision.fault_rule), fault_name(decision.fault.code),
                            fault_message(decision.fault), at.line, at.column);
  }
  return out;
}

std::string to_string(const Verdict& v) {
  std::string needs;
  for (const AskingRule& rule : v.approvals) {
    needs += fmt::format(" {}: {} of {}{}, {}s;", rule.rule, rule.need, fmt::join(rule.from, ", "),
                         rule.distinct ? "" : " not distinct", rule.expires_seconds);
  }
  return fmt::format(
      "{} ({}) by {} because `{}`; matched [{}]; obligations [{}]; from [{}] expires {}s; needs{}; fault {}",
      to_string(v.effect), to_string(v.code), v.rule.empty() ? "-" : v.rule, v.reason, fmt::join(v.matched, ", "),
      fmt::join(v.obligations, ", "), fmt::join(v.from, ", "), v.expires_seconds, needs,
      v.fault.empty() ? "-" : v.fault);
}

}  // namespace ordain::oracle
