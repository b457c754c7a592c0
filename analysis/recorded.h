// RecordedCall holds the facts on which the decision of an audit record was based, as an event
// to decide again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/audit/view.h"
#include "vm/wire/event.h"

namespace ordain::detail {

/// Reads records one after another. Not thread-safe. Its results live until the next `read`, and
/// only as long as the bodies.
class RecordedCall {
 public:
  /// @param with_action whether a rule reads what the runtime sets in `action`.
  /// @param with_ends whether outcomes that nothing was decided about are read too: failed calls, and actions of which
  /// the host reported the end
  explicit RecordedCall(bool with_action, bool with_ends = false)
      : with_action_(with_action), with_ends_(with_ends), arena_(1 << 16) {}

  /// @param intent for an outcome, the body of the same call's intent record; otherwise "".
  /// @returns what is wrong with the record, or "".
  std::string read(std::string_view body, std::string_view intent);

  const RecordView& record() const { return record_; }
  const EventFacts& event() const { return event_; }
  /// A key of the facts about who acts; equal facts have equal keys.
  const std::string& context_key() const { return key_; }
  void fill(Context& context) const;
  /// The session of the call; "" if the host names none.
  std::string session() const;
  /// The groups that approved the call.
  const std::vector<std::string_view>& approvers() const { return facts().approvers; }
  /// Paths in input and output whose values are not those that the rules saw.
  const std::vector<std::string_view>& unknown() const { return unknown_; }
  Arena& arena() { return arena_; }

 private:
  bool take(std::string_view bytes, Value* value, const Value** out);
  void take_action(const RecordView& facts);
  bool is_unknown_within(std::string_view root) const;
  const RecordView& facts() const { return record_.kind == RecordKind::outcome ? intent_ : record_; }

  const bool with_action_, with_ends_;
  Arena arena_;
  RecordView record_, intent_;
  EventFacts event_;
  Value input_, output_, resource_, metadata_, action_;
  std::string key_, action_hex_;
  std::vector<std::string_view> unknown_;
};

}  // namespace ordain::detail
