// votes.cc decides whom a vote counts for. Each asking rule is satisfied by itself; a name counts for one
// group of a request, unless the rule allows more.
#include "runtime/approvals/votes.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "runtime/identity/text.h"

namespace ordain {

using namespace detail;  // NOLINT(google-build-using-namespace): our own internals

namespace {

/// A vote that may count. `first` is false if the same name approved before.
struct Countable {
  const ApprovalVote* vote;
  bool first;
};

bool is_principal(const Approval& approval, std::string_view name) {
  return !approval.principal.empty() && approval.principal == name;
}

std::vector<Countable> countable_votes(const Approval& approval) {
  std::vector<Countable> out;
  std::set<std::string_view> names;
  for (const ApprovalVote& vote : approval.votes) {
    if (may_count(approval, vote)) out.push_back({&vote, names.insert(vote.approver).second});
  }
  return out;
}

bool has_approved(const AskingRule& rule, const std::vector<Countable>& votes, std::string_view group) {
  return std::any_of(votes.begin(), votes.end(),
                     [&](const Countable& one) { return one.vote->group == group && (one.first || !rule.distinct); });
}

size_t approvals_of(const AskingRule& rule, const std::vector<Countable>& votes) {
  if (rule.from.empty()) return votes.empty() ? 0 : 1;
  return static_cast<size_t>(std::count_if(rule.from.begin(), rule.from.end(),
                                           [&](const auto& group) { return has_approved(rule, votes, group); }));
}

size_t needed(const AskingRule& rule) { return std::max<size_t>(1, rule.need); }

std::vector<std::string> missing_groups(const AskingRule& rule, const std::vector<Countable>& votes) {
  std::vector<std::string> out;
  std::copy_if(rule.from.begin(), rule.from.end(), std::back_inserter(out),
               [&](const auto& group) { return !has_approved(rule, votes, group); });
  return out;
}

/// A request that no rule made, but the host's default, needs anyone's approval.
std::vector<AskingRule> rules_of(const Approval& approval) {
  return approval.asking.empty() ? std::vector<AskingRule>(1) : approval.asking;
}

bool has_group(const std::vector<std::string>& groups, std::string_view group) {
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

Error not_eligible(std::string message) { return Error{"not_eligible", std::move(message)}; }

/// Chooses the group of a vote that names none. @returns "" unless there is exactly one choice.
std::string only_group(const Approval& approval, const ApprovalVote& vote) {
  const auto groups = approval.groups();
  if (!vote.group.empty()) return vote.group;
  if (is_principal(approval, vote.approver)) {
    return vote.approve && has_group(groups, kPrincipalGroup) ? std::string(kPrincipalGroup) : "";
  }
  return groups.size() == 1 ? groups.front() : "";
}

}  // namespace

std::vector<std::string> Approval::groups() const {
  std::set<std::string> out;
  for (const AskingRule& rule : asking) out.insert(rule.from.begin(), rule.from.end());
  return {out.begin(), out.end()};
}

std::vector<std::string> Approval::missing() const {
  const auto counted = countable_votes(*this);
  std::set<std::string> out;
  for (const AskingRule& rule : asking) {
    if (approvals_of(rule, counted) >= needed(rule)) continue;
    for (std::string& group : missing_groups(rule, counted)) out.insert(std::move(group));
  }
  return {out.begin(), out.end()};
}

bool Approval::satisfied() const {
  const auto counted = countable_votes(*this);
  const auto rules = rules_of(*this);
  return std::all_of(rules.begin(), rules.end(),
                     [&](const AskingRule& rule) { return approvals_of(rule, counted) >= needed(rule); });
}

std::string Approval::waits_for() const {
  const auto counted = countable_votes(*this);
  std::vector<std::string> parts;
  const auto add = [&](std::string part) {
    if (!has_group(parts, part)) parts.push_back(std::move(part));
  };
  for (const AskingRule& rule : rules_of(*this)) {
    const size_t have = approvals_of(rule, counted), need = needed(rule);
    if (have >= need) continue;
    const auto groups = missing_groups(rule, counted);
    if (groups.empty()) {
      add("anyone");
    } else if (need - have < groups.size()) {
      add(fmt::format("{} of [{}]", need - have, fmt::join(groups, ", ")));
    } else {
      for (const std::string& group : groups) add(group);
    }
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string describe(const AskingRule& rule) {
  std::string out = "anyone";
  if (!rule.from.empty()) {
    const std::string groups = fmt::format("{}", fmt::join(rule.from, ", "));
    out = rule.need >= rule.from.size() ? groups : fmt::format("{} of [{}]", needed(rule), groups);
  }
  return rule.distinct ? out : out + " (one person may approve for several groups)";
}

namespace detail {

bool may_count(const Approval& approval, const ApprovalVote& vote) {
  if (!vote.approve || !vote.counts || vote.approver.empty() || vote.approver == approval.agent) return false;
  if (is_principal(approval, vote.approver)) return vote.group.empty() || vote.group == kPrincipalGroup;
  return vote.group != kPrincipalGroup;
}

Result<ApprovalVote> check_vote(const Approval& approval, ApprovalVote vote) {
  if (vote.approver.empty()) return Error{"invalid_approver", "an approver's name is needed"};
  for (const std::string* text : {&vote.approver, &vote.group, &vote.note}) {
    if (auto problem = text_problem(*text); !problem.empty()) {
      return Error{"invalid_approver", "name, group or note is " + problem};
    }
  }
  const bool principal = is_principal(approval, vote.approver);
  if (vote.approve && vote.approver == approval.agent) {
    return not_eligible(fmt::format("{} asks for approval {}, and cannot give it", vote.approver, approval.id));
  }
  const auto groups = approval.groups();
  vote.group = only_group(approval, vote);
  if (vote.group.empty() && (groups.empty() || !vote.approve)) return vote;
  if (vote.group.empty() && principal) {
    const bool anyone = std::any_of(approval.asking.begin(), approval.asking.end(),
                                    [](const AskingRule& rule) { return rule.from.empty(); });
    if (anyone) return vote;
    return not_eligible(fmt::format("{} is the principal of the call, and no rule asks the principal", vote.approver));
  }
  if (!has_group(groups, vote.group)) {
    std::string wanted = groups.empty() ? "none" : fmt::format("{}", fmt::join(groups, ", "));
    return Error{"unknown_group", fmt::format("approval {} asks groups: {}", approval.id, wanted)};
  }
  if (vote.approve && principal && vote.group != kPrincipalGroup) {
    return not_eligible(
        fmt::format("{} is the principal of the call, and cannot approve for {}", vote.approver, vote.group));
  }
  if (vote.approve && !principal && vote.group == kPrincipalGroup) {
    return not_eligible(approval.principal.empty()
                            ? "the call has no principal who could approve it"
                            : fmt::format("only {}, the principal of the call, approves as group {}",
                                          approval.principal, kPrincipalGroup));
  }
  return vote;
}

std::optional<Error> useless(const Approval& approval, const ApprovalVote& vote) {
  Approval after = approval;
  after.votes.push_back(vote);
  const auto before_votes = countable_votes(approval), after_votes = countable_votes(after);
  for (const AskingRule& rule : rules_of(approval)) {
    const size_t before = approvals_of(rule, before_votes);
    if (before < needed(rule) && approvals_of(rule, after_votes) > before) return std::nullopt;
  }
  const bool again = std::any_of(before_votes.begin(), before_votes.end(), [&](const Countable& one) {
    return one.vote->approver == vote.approver && one.vote->group != vote.group;
  });
  if (again && has_group(approval.missing(), vote.group)) {
    return Error{"already_voted", fmt::format("{} has approved {} for another group; group {} needs another person",
                                              vote.approver, approval.id, vote.group)};
  }
  return Error{"already_approved",
               vote.group.empty()
                   ? fmt::format("{} needs no other approval of this kind", approval.id)
                   : fmt::format("group {} has approved {}, or need not any more", vote.group, approval.id)};
}

}  // namespace detail
}  // namespace ordain
