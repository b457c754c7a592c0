// Replay decides recorded calls again, from the record alone, and reports what another set of
// policies would change.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <istream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ordain/audit.h"
#include "ordain/decide.h"
#include "ordain/export.h"
#include "ordain/program.h"
#include "ordain/result.h"

namespace ordain {

/// How a call's new verdict differs from the old one.
enum class ReplayChange : uint8_t {
  unchanged = 0,      ///< the same effect and obligations; the rule may differ
  newly_denied = 1,   ///< after: withheld
  newly_allowed = 2,  ///< after: released
  newly_approval = 3,
  obligations = 4,     ///< the same effect, but other obligations: rule, path, replacement, text of a warning
  indeterminate = 5,   ///< a rule reads a value that the record does not hold
  approval_terms = 6,  ///< still needs approval, but of others, of another number, or within another time
  state = 7,           ///< the record read another state than the records before it make, under the same policies
};
inline constexpr size_t kReplayChanges = 8;
ORDAIN_API std::string_view to_string(ReplayChange change);

/// One side of an example.
struct ReplayVerdict {
  Effect effect = Effect::deny;
  std::string rule;  ///< or why there is no rule: "(default)", "(invalid_input)"
  std::string reason;
  /// "redact input.card with \"***\" by payments.card", "warn by payments.round: a round amount". A
  /// record of an earlier version does not hold what a redaction shows.
  std::vector<std::string> obligations;
  /// Whether the fields below are known: the call needs approval, and its record is not of an earlier version.
  bool has_terms = false;
  std::vector<std::string> from;           ///< approver groups of all rules
  int64_t expires_seconds = 0;             ///< the shortest of all rules; 0: none says
  std::vector<AskingRule> approvals = {};  ///< what each rule asks for, without its name, because that may differ
};

struct ReplayExample {
  uint64_t number = 0;  ///< the record's id, or the event's line number
  std::string capability, agent, approval;
  Stage stage = Stage::before;
  ReplayVerdict old_verdict, new_verdict;  ///< for indeterminate: what is known of them
  std::string why;                         ///< for indeterminate: which rule reads what; for state: what differs
};

/// Calls that changed in the same way.
struct ReplayGroup {
  ReplayChange change = ReplayChange::unchanged;
  /// obligations: rules whose obligations were lost and gained; "" if none. indeterminate: what is not known, and the
  /// rule that reads it. state: the state and its member.
  std::string old_rule, new_rule;
  uint64_t count = 0;
  std::vector<ReplayExample> examples;  ///< the first ones, in order
};

struct ReplayReport {
  uint64_t decided = 0;                           ///< calls that have both verdicts, or are indeterminate
  uint64_t skipped = 0;                           ///< records without a decision: failed calls, lost records
  uint64_t malformed = 0;                         ///< lines that are not events
  std::array<uint64_t, kReplayChanges> counts{};  ///< by ReplayChange
  std::vector<ReplayGroup> groups;                ///< of all but `unchanged`, by change, then the most frequent first
  std::string first_malformed;                    ///< "line 7: ..."
  /// Whether one of the programs declares histories, rates, budgets or labels, which are then made anew.
  bool folds_state = false;
  uint64_t state_reads = 0;  ///< that were compared, because the records are of the same program
  /// Calls whose effect changes only because calls before them would not have run, or would have.
  uint64_t knock_on = 0;
  uint64_t not_reached = 0;  ///< outcomes of calls that would have been denied: there is nothing to decide
  double seconds = 0;

  uint64_t changed() const { return counts[1] + counts[2] + counts[3] + counts[4] + counts[6] + counts[7]; }
};

struct ReplayOptions {
  DecideOptions decide = {};  ///< for both sides; the default effects must be those of the host
  size_t examples = 3;        ///< the most examples per group
  unsigned threads = 0;       ///< that decide; 0: one for each core. What remembers calls is decided by one
  /// The time of events without `now`, in nanoseconds since 1970. If it is empty, a rule that reads
  /// `now` is indeterminate for them, because the current time would make the same events give
  /// another answer tomorrow.
  std::optional<int64_t> now_ns = {};
  /// Called periodically with progress, in records or bytes. Runs on the calling thread.
  std::function<void(uint64_t done)> progress = {};
};

/// Decides every recorded call by `program`, and by `against` or, if that is nullptr, compares with
/// the recorded verdict. Clock, approvals and everything else are as recorded; replay does not ask,
/// execute or write anything. What a program remembers between calls is made anew from the records;
/// docs/history.md says how. A value that was removed from the record is assumed to fit its
/// declaration; if the recorded verdict is that it did not, the call is indeterminate. Records of earlier
/// versions hold neither the terms of approval nor what a redaction shows, so only `against` compares those.
/// Memory is bounded, whatever the log's size; hashes are not checked.
/// @returns error "bad_record" or "database_..." if the log cannot be read.
ORDAIN_API Result<ReplayReport> replay(const AuditLog& log, const std::shared_ptr<const Program>& program,
                                       const std::shared_ptr<const Program>& against,
                                       const ReplayOptions& options = {});

/// Replays events, one JSON object per line; docs/cli.md describes them. Events do not hold a
/// verdict, so `against` is required. @returns error "needs_against" or "unreadable".
ORDAIN_API Result<ReplayReport> replay(std::istream& events, const std::shared_ptr<const Program>& program,
                                       const std::shared_ptr<const Program>& against,
                                       const ReplayOptions& options = {});

}  // namespace ordain
