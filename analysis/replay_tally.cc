// Adds up what a replay changes.
#include "analysis/replay_tally.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "ordain/json.h"
#include "runtime/audit/value_bytes.h"

namespace ordain {

std::string_view to_string(ReplayChange change) {
  constexpr std::array<std::string_view, kReplayChanges> kNames = {"unchanged",      "newly_denied", "newly_allowed",
                                                                   "newly_approval", "obligations",  "indeterminate",
                                                                   "approval_terms", "state"};
  return kNames[static_cast<size_t>(change)];
}

namespace detail {
namespace {

constexpr std::array<std::string_view, 6> kNoRule = {
    "(rule)", "(default)", "(invalid_input)", "(missing_context)", "(evaluation_error)", "(budget_exceeded)"};

// Orders by what every record holds, and then, where both sides know it, by what a redaction shows.
struct ByContent {
  bool by_shown = true;
  bool operator()(const VerdictObligation& a, const VerdictObligation& b) const {
    const auto recorded = [](const VerdictObligation& each) {
      return std::tie(each.kind, each.rule, each.path, each.reason);
    };
    if (recorded(a) != recorded(b)) return recorded(a) < recorded(b);
    return by_shown && a.with < b.with;
  }
};

// The rules of the obligations that are in `from` but not in `other`.
std::string missing(const Verdict& from, const Verdict& other) {
  std::vector<VerdictObligation> found;
  std::set_difference(from.obligations.begin(), from.obligations.end(), other.obligations.begin(),
                      other.obligations.end(), std::back_inserter(found),
                      ByContent{from.knows_shown && other.knows_shown});
  std::string out;
  for (const VerdictObligation& obligation : found) {
    if (!out.empty()) out += ", ";
    out += obligation.rule;
  }
  return out;
}

std::string encoded(const Value& value) {
  std::string out;
  append_value(out, value);
  return out;
}

std::string json_of(std::string_view encoded_value) {
  Arena arena;
  Value value;
  return take_value(encoded_value, arena, &value) ? to_json(value) : "";
}

void add_terms(Verdict& out, VerdictTerms terms) {
  if (terms.from.size() < 2) terms.distinct = true;  // it makes no difference
  std::sort(terms.from.begin(), terms.from.end());
  out.terms.push_back(std::move(terms));
}

ReplayVerdict copy_verdict(const Verdict& verdict) {
  ReplayVerdict out;
  out.effect = verdict.effect;
  out.rule = verdict.rule;
  out.reason = verdict.reason;
  for (const VerdictObligation& obligation : verdict.obligations) {
    const std::string with = obligation.with.empty() ? "" : " with " + json_of(obligation.with);
    out.obligations.push_back(
        obligation.kind == RuleKind::redact
            ? fmt::format("redact {}{} by {}", obligation.path, with, obligation.rule)
            : fmt::format("{} by {}: {}", to_string(obligation.kind), obligation.rule, obligation.reason));
  }
  out.has_terms = verdict.knows_terms && verdict.effect == Effect::require_approval;
  if (!out.has_terms) return out;
  for (const VerdictTerms& terms : verdict.terms) {
    out.from.insert(out.from.end(), terms.from.begin(), terms.from.end());
    const int64_t seconds = terms.expires_seconds;
    if (seconds != 0 && (out.expires_seconds == 0 || seconds < out.expires_seconds)) out.expires_seconds = seconds;
    out.approvals.push_back(
        {"", {terms.from.begin(), terms.from.end()}, terms.need, terms.distinct, terms.expires_seconds});
  }
  std::sort(out.from.begin(), out.from.end());
  out.from.erase(std::unique(out.from.begin(), out.from.end()), out.from.end());
  return out;
}

void keep_first(std::vector<ReplayExample>& examples, size_t most) {
  std::sort(examples.begin(), examples.end(),
            [](const ReplayExample& a, const ReplayExample& b) { return a.number < b.number; });
  if (examples.size() > most) examples.resize(most);
}

}  // namespace

Verdict& set_decided(Verdict& out, const Program& program, const Decision& decision) {
  out.effect = decision.effect;
  const RuleId rule = decision.rule != kNone ? decision.rule : decision.fault_rule;
  out.rule = rule != kNone ? std::string_view(program.rules()[rule].name) : kNoRule[static_cast<size_t>(decision.code)];
  out.reason = decision.reason;
  out.obligations.clear();
  for (const Obligation& obligation : decision.obligations) {
    const bool redacts = obligation.kind == RuleKind::redact;
    out.obligations.push_back({obligation.kind, program.rules()[obligation.rule].name, obligation.path,
                               redacts ? std::string_view() : obligation.reason,
                               redacts ? encoded(obligation.with) : std::string()});
  }
  std::sort(out.obligations.begin(), out.obligations.end(), ByContent());
  out.knows_shown = out.knows_terms = true;
  out.terms.clear();
  for (const ApprovalNeed& need : decision.approvals) {
    add_terms(out, {{need.from.begin(), need.from.end()}, need.need, need.distinct, need.expires_seconds});
  }
  std::sort(out.terms.begin(), out.terms.end());
  return out;
}

Verdict& set_recorded(Verdict& out, const RecordView& record) {
  out.effect = record.effect;
  out.rule = !record.rule.empty() ? record.rule : kNoRule[static_cast<size_t>(record.code)];
  out.reason = record.reason;
  out.obligations.clear();
  out.knows_shown = true;
  for (const ObligationView& obligation : record.obligations) {
    const bool redacts = obligation.kind == RuleKind::redact;
    out.obligations.push_back({obligation.kind, obligation.rule, obligation.path,
                               redacts ? std::string_view() : obligation.reason, std::string(obligation.with)});
    out.knows_shown = out.knows_shown && (!redacts || !obligation.with.empty());
  }
  std::sort(out.obligations.begin(), out.obligations.end(), ByContent());
  // By default, without a rule, nobody is named.
  out.knows_terms = !record.asking.empty() || record.code == DecisionCode::default_effect;
  out.terms.clear();
  for (const AskingView& asking : record.asking) {
    VerdictTerms terms{{}, asking.need, asking.distinct, asking.expires_seconds};
    std::string_view groups = asking.groups;
    for (std::string_view group; take_sized(groups, &group);) terms.from.push_back(group);
    add_terms(out, std::move(terms));
  }
  std::sort(out.terms.begin(), out.terms.end());
  return out;
}

ReplayChange change_of(const Verdict& before, const Verdict& after) {
  if (before.effect != after.effect) {
    return after.effect == Effect::deny    ? ReplayChange::newly_denied
           : after.effect == Effect::allow ? ReplayChange::newly_allowed
                                           : ReplayChange::newly_approval;
  }
  if (before.knows_terms && after.knows_terms && after.effect == Effect::require_approval &&
      before.terms != after.terms) {
    return ReplayChange::approval_terms;
  }
  const ByContent less{before.knows_shown && after.knows_shown};
  const auto same = [&](const auto& a, const auto& b) { return !less(a, b) && !less(b, a); };
  const bool equal = std::equal(before.obligations.begin(), before.obligations.end(), after.obligations.begin(),
                                after.obligations.end(), same);
  return equal ? ReplayChange::unchanged : ReplayChange::obligations;
}

ReplayGroup& ReplayTally::group(ReplayChange change, std::string_view old_rule, std::string_view new_rule) {
  key_.assign(1, static_cast<char>(change));
  key_.append(old_rule).append(1, '\0').append(new_rule);
  auto [at, added] = groups_.try_emplace(key_);
  if (added) {
    at->second.change = change;
    at->second.old_rule = old_rule;
    at->second.new_rule = new_rule;
  }
  ++at->second.count;
  return at->second;
}

// Returns nullptr if the group has enough examples.
ReplayExample* ReplayTally::example(ReplayGroup& group, const ReplayCall& call) {
  if (group.examples.size() >= examples_) return nullptr;
  ReplayExample& out = group.examples.emplace_back();
  out.number = call.number;
  out.capability = call.capability;
  out.agent = call.agent;
  out.approval = call.approval;
  out.stage = call.stage;
  return &out;
}

void ReplayTally::compare(const ReplayCall& call, const Verdict& old_verdict, const Verdict& new_verdict) {
  const ReplayChange change = change_of(old_verdict, new_verdict);
  ++report_.decided;
  ++report_.counts[static_cast<size_t>(change)];
  if (change == ReplayChange::unchanged) return;
  ReplayGroup& into = change == ReplayChange::obligations
                          ? group(change, missing(old_verdict, new_verdict), missing(new_verdict, old_verdict))
                          : group(change, old_verdict.rule, new_verdict.rule);
  if (ReplayExample* one = example(into, call)) {
    one->old_verdict = copy_verdict(old_verdict);
    one->new_verdict = copy_verdict(new_verdict);
  }
}

void ReplayTally::indeterminate(const ReplayCall& call, std::string_view rule, std::string_view path,
                                const std::string& why) {
  ++report_.decided;
  ++report_.counts[static_cast<size_t>(ReplayChange::indeterminate)];
  if (ReplayExample* one = example(group(ReplayChange::indeterminate, path, rule), call)) one->why = why;
}

void ReplayTally::state_differs(const ReplayCall& call, std::string_view state, std::string_view member,
                                const std::string& why) {
  ++report_.decided;
  ++report_.counts[static_cast<size_t>(ReplayChange::state)];
  if (ReplayExample* one = example(group(ReplayChange::state, state, member), call)) one->why = why;
}

void ReplayTally::malformed(uint64_t line, const std::string& what) {
  ++report_.malformed;
  if (line >= first_malformed_) return;
  first_malformed_ = line;
  report_.first_malformed = fmt::format("line {}: {}", line, what);
}

void ReplayTally::add(ReplayTally&& other) {
  report_.decided += other.report_.decided;
  report_.skipped += other.report_.skipped;
  report_.malformed += other.report_.malformed;
  report_.knock_on += other.report_.knock_on;
  report_.not_reached += other.report_.not_reached;
  for (size_t i = 0; i < kReplayChanges; ++i) report_.counts[i] += other.report_.counts[i];
  if (other.first_malformed_ < first_malformed_) {
    first_malformed_ = other.first_malformed_;
    report_.first_malformed = other.report_.first_malformed;
  }
  for (auto& [key, from] : other.groups_) {
    auto [at, added] = groups_.try_emplace(key, std::move(from));
    if (added) continue;
    at->second.count += from.count;
    at->second.examples.insert(at->second.examples.end(), from.examples.begin(), from.examples.end());
    keep_first(at->second.examples, examples_);
  }
}

ReplayReport ReplayTally::finish() {
  for (auto& [key, one] : groups_) report_.groups.push_back(std::move(one));
  groups_.clear();
  std::sort(report_.groups.begin(), report_.groups.end(), [](const ReplayGroup& a, const ReplayGroup& b) {
    if (a.change != b.change) return a.change < b.change;
    if (a.count != b.count) return a.count > b.count;
    return std::tie(a.old_rule, a.new_rule) < std::tie(b.old_rule, b.new_rule);
  });
  return std::move(report_);
}

}  // namespace detail
}  // namespace ordain
