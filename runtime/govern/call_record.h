// call_record: what the audit says of one governed call: drafted as the call goes on, then queued.
#pragma once

#include <string>
#include <vector>

#include "runtime/audit/writer.h"
#include "runtime/govern/core.h"
#include "runtime/govern/ruling.h"
#include "runtime/identity/redact.h"

namespace ordain::detail {

/// What became of a record.
enum class Recorded : uint8_t {
  yes,
  full,         ///< not taken: no room
  unavailable,  ///< not taken: the log or, of an intent, a sink cannot be written
  lost,         ///< taken, but its commit failed, or a sink did
};

/// The records of one call, one after the other. The drafts view the call, its ruling and its worker: all must live as
/// long. One thread at a time.
class CallRecord {
 public:
  CallRecord(Core& core, Worker& worker, const Identity& who, const ActionFacts& action, bool observe);
  CallRecord(const CallRecord&) = delete;  // the draft views `input`
  CallRecord& operator=(const CallRecord&) = delete;

  RecordDraft draft;            ///< of the record under way; the call's path adds what it alone knows
  Value input = Value::null();  ///< what is recorded of the input

  /// Drafts what was decided, of an intent or an outcome. `decision` must stay as it is until the next is noted.
  void note(const Ruling& decision, Stage stage, int64_t now_ns);
  /// Makes the draft that of an outcome. The intent record has what this leaves out.
  void begin_outcome(int64_t elapsed_ns);
  /// Keeps what may be known of the values that are about to be replaced: whether they are the same as others.
  void digest_redacted(const Ruling& decision, std::string_view root, const Value& value);
  /// Nothing of a withheld output is recorded but that it was there.
  void digest_withheld(const Value& output);

  /// Queues the draft, and gives it to the sinks. Waits for its commit where durability and kind say so.
  Recorded append();
  /// There will be no outcome: gives back the room that the intent kept for it.
  void abandon();

 private:
  void digest(const FoundValue& found);
  bool waits() const;
  RecordRole role() const;
  void clear_redacted();
  Recorded queue(std::string_view body);
  bool sink(std::string_view body);

  Core& core_;
  Worker& worker_;
  const ActionFacts& action_;
  const bool observe_;
  bool reserved_ = false;  ///< the intent kept room for its outcome
  std::vector<DraftObligation> obligations_;
  std::vector<DraftRedacted> redacted_;
};

}  // namespace ordain::detail
