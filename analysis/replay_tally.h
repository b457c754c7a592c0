// ReplayTally holds the sums of a replay: how many calls changed in which way, and the first
// examples of each change.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ordain/replay.h"
#include "runtime/audit/view.h"

namespace ordain::detail {

struct VerdictObligation {
  RuleKind kind = RuleKind::warn;
  std::string_view rule, path;
  std::string_view reason;  ///< of a warning
  std::string with;         ///< what a redaction shows, encoded as in a record; empty if that is not known
};

/// What one rule that requires approval asks for, whatever its name.
struct VerdictTerms {
  std::vector<std::string_view> from;  ///< approver groups, sorted
  uint32_t need = 1;                   ///< how many of them must approve
  bool distinct = true;
  int64_t expires_seconds = 0;  ///< 0: the rule does not say
  auto operator<=>(const VerdictTerms&) const = default;
};

/// One side's verdict, as views.
struct Verdict {
  Effect effect = Effect::deny;
  std::string_view rule;  ///< or "(default)"
  std::string_view reason;
  std::vector<VerdictObligation> obligations;  ///< sorted
  // Records of earlier versions hold neither what redactions show nor the terms of approval.
  bool knows_shown = true;
  bool knows_terms = true;
  std::vector<VerdictTerms> terms;  ///< of the rules that require approval, sorted
};
Verdict& set_decided(Verdict& out, const Program& program, const Decision& decision);
Verdict& set_recorded(Verdict& out, const RecordView& record);

ReplayChange change_of(const Verdict& before, const Verdict& after);

/// What is reported about a call besides its verdicts.
struct ReplayCall {
  uint64_t number = 0;
  Stage stage = Stage::before;
  std::string_view capability, agent, approval;
};

/// The sums of one thread. Calls come in ascending order of their numbers.
class ReplayTally {
 public:
  explicit ReplayTally(size_t examples) : examples_(examples) {}

  void compare(const ReplayCall& call, const Verdict& old_verdict, const Verdict& new_verdict);
  /// @param path what is unknown. @param rule the rule that reads it; "" if there is none.
  void indeterminate(const ReplayCall& call, std::string_view rule, std::string_view path, const std::string& why);
  /// @param state and its member, of which the record says something else
  void state_differs(const ReplayCall& call, std::string_view state, std::string_view member, const std::string& why);
  void not_reached() { ++report_.not_reached; }
  void knock_on() { ++report_.knock_on; }
  void malformed(uint64_t line, const std::string& what);
  void skip() { ++report_.skipped; }

  /// Adds the sums of another thread.
  void add(ReplayTally&& other);
  ReplayReport finish();

 private:
  ReplayGroup& group(ReplayChange change, std::string_view old_rule, std::string_view new_rule);
  ReplayExample* example(ReplayGroup& group, const ReplayCall& call);

  const size_t examples_;
  ReplayReport report_;
  uint64_t first_malformed_ = UINT64_MAX;
  std::string key_;
  std::unordered_map<std::string, ReplayGroup> groups_;
};

}  // namespace ordain::detail
