// call_record holds the audit records of one governed call, drafted as the call proceeds and then
// queued.
#pragma once

#include <string>
#include <vector>

#include "runtime/audit/writer.h"
#include "runtime/govern/core.h"
#include "runtime/govern/ruling.h"
#include "vm/json/redact.h"

namespace ordain::detail {

/// What happened to a record.
enum class Recorded : uint8_t {
  yes,
  full,         ///< not taken: the queue has no room
  unavailable,  ///< not taken: the log cannot be written, or (for an intent) a sink cannot
  lost,         ///< taken, but its commit or a sink failed
  refused,      ///< left out: the log says that the approval was used before
};

/// The records of one call, one after the other. The drafts view the call, its ruling and its
/// worker, which must live at least as long. Use it from one thread at a time.
class CallRecord {
 public:
  CallRecord(Core& core, Worker& worker, const Identity& who, const ActionFacts& action, bool observe);
  CallRecord(const CallRecord&) = delete;  // the draft views `input`
  CallRecord& operator=(const CallRecord&) = delete;

  RecordDraft draft;            ///< of the current record; the call's path adds to it
  Value input = Value::null();  ///< the input as it is recorded
  uint64_t approval_since = 0;  ///< Approval::recorded of the approval in an intent or a decision

  /// Drafts the decision for an intent or an outcome. `decision` must stay unchanged until the next
  /// call of note.
  void note(const Ruling& decision, Stage stage, int64_t now_ns);
  /// Says in the draft what the call has read and changed of the state. Call it after `note`. Keys that may hold
  /// fields which nobody should see become digests.
  void keep_state(const state::Meter& meter, const state::MeteredCall& call);
  /// Turns the draft into that of an outcome, without the fields that the intent record already
  /// has.
  void begin_outcome(int64_t elapsed_ns);
  /// @returns whether the capability of the call has secret fields
  bool conceals() const;
  /// Copies `value` (the input or output) as it may be shown and recorded: with digests in place of secrets. Keeps
  /// their full digests like those of redacted values. Call it after `note`.
  Value conceal(std::string_view root, const Value& value);
  /// Keeps digests of the values that are about to be replaced, so that a reader can tell only
  /// whether two are equal.
  void digest_redacted(const Ruling& decision, std::string_view root, const Value& value);
  /// Records only that an output was withheld, and its digest.
  void digest_withheld(const Value& output);

  /// Queues the draft and passes it to the sinks. Waits for its commit if durability and kind
  /// require that.
  Recorded append();
  /// Called when no outcome will follow: gives back the room that the intent reserved for it.
  void abandon();

 private:
  void digest(const FoundValue& found);
  bool waits() const;
  bool uses_approval() const;
  RecordRole role() const;
  void clear_redacted();
  Recorded queue(std::string_view body);

  Core& core_;
  Worker& worker_;
  const ActionFacts& action_;
  const bool observe_;
  Value remembered_ = Value::null();  ///< what the draft says of the state
  bool redacts_ = false;              ///< a decision of the call did
  bool reserved_ = false;             ///< the intent reserved room for its outcome
  std::vector<DraftObligation> obligations_;
  std::vector<DraftRedacted> redacted_;
};

}  // namespace ordain::detail
