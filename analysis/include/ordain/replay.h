// Replay: decides recorded calls again, from what was recorded alone, and says what another set of policies would
// change.
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
#include "ordain/program.h"
#include "ordain/result.h"

namespace ordain {

/// How a call's new verdict differs from the old one.
enum class ReplayChange : uint8_t {
  unchanged = 0,      ///< the same effect and obligations; the rule may be another
  newly_denied = 1,   ///< after: withheld
  newly_allowed = 2,  ///< after: released
  newly_approval = 3,
  obligations = 4,    ///< the same effect, other `redact` or `warn`
  indeterminate = 5,  ///< a rule reads what the record does not hold
};
inline constexpr size_t kReplayChanges = 6;
std::string_view to_string(ReplayChange change);

/// One side of an example.
struct ReplayVerdict {
  Effect effect = Effect::deny;
  std::string rule;  ///< or why there is none: "(default)", "(invalid_input)"
  std::string reason;
  std::vector<std::string> obligations;  ///< "redact input.card by payments.card"
};

struct ReplayExample {
  uint64_t number = 0;  ///< the record's id, or the event's line
  std::string capability, agent, approval;
  Stage stage = Stage::before;
  ReplayVerdict old_verdict, new_verdict;  ///< indeterminate: what is known of them
  std::string why;                         ///< indeterminate: which rule reads what
};

/// Calls that changed alike.
struct ReplayGroup {
  ReplayChange change = ReplayChange::unchanged;
  std::string old_rule, new_rule;  ///< obligations: the rules whose obligations went, and came; "" if none
  uint64_t count = 0;
  std::vector<ReplayExample> examples;  ///< the first ones, in order
};

struct ReplayReport {
  uint64_t decided = 0;                           ///< calls that have both verdicts, or are indeterminate
  uint64_t skipped = 0;                           ///< records without a decision: failed calls, lost records
  uint64_t malformed = 0;                         ///< lines that are no event
  std::array<uint64_t, kReplayChanges> counts{};  ///< by ReplayChange
  std::vector<ReplayGroup> groups;                ///< of all but `unchanged`, by change, then the most frequent first
  std::string first_malformed;                    ///< "line 7: ..."
  double seconds = 0;

  uint64_t changed() const { return counts[1] + counts[2] + counts[3] + counts[4]; }
};

struct ReplayOptions {
  DecideOptions decide = {};  ///< of both sides; the default effects must be those of the host
  size_t examples = 3;        ///< kept of each group
  unsigned threads = 0;       ///< that decide; 0: as many as there are cores
  /// The time of events that do not say theirs, since 1970. Without it a rule that reads `now` is indeterminate for
  /// them: the clock of the day would make the same trace give another answer tomorrow.
  std::optional<int64_t> now_ns = {};
  /// Told now and then how far it is, records or bytes. Runs on the calling thread.
  std::function<void(uint64_t done)> progress = {};
};

/// Decides every recorded call by `program`, and by `against` or, if that is nullptr, compares with what is recorded.
/// Clock, approvals and everything else are as recorded; nothing is asked, executed or written. A value that was taken
/// out of the record is taken to fit its declaration. Memory is bounded, whatever the log's size; hashes are not
/// checked. @returns error "bad_record" or "database_..." where the log cannot be read.
Result<ReplayReport> replay(const AuditLog& log, const std::shared_ptr<const Program>& program,
                            const std::shared_ptr<const Program>& against, const ReplayOptions& options = {});

/// The same for events, one JSON object a line; docs/cli.md says what may be in one. They hold no verdict, so `against`
/// is needed. @returns error "needs_against", or "unreadable".
Result<ReplayReport> replay(std::istream& events, const std::shared_ptr<const Program>& program,
                            const std::shared_ptr<const Program>& against, const ReplayOptions& options = {});

}  // namespace ordain
