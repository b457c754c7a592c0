// Recorded calls: the facts that an audit record's decision was made from, as an event to decide again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/audit/view.h"
#include "vm/wire/event.h"

namespace ordain::detail {

/// Reads records one after another. Not thread-safe. What it gives lives until the next `read`, as long as the bodies.
class RecordedCall {
 public:
  /// @param with_action whether any rule reads what the runtime sets of `action`.
  explicit RecordedCall(bool with_action) : with_action_(with_action), arena_(1 << 16) {}

  /// @param intent the body of the same call's intent record, for an outcome; else "".
  /// @returns what is wrong with the record, or "".
  std::string read(std::string_view body, std::string_view intent);

  const RecordView& record() const { return record_; }
  const EventFacts& event() const { return event_; }
  /// Equal for equal facts about who acts.
  const std::string& context_key() const { return key_; }
  void fill(Context& context) const;
  /// Parts of input and output that are not as the rules saw them.
  const std::vector<std::string_view>& unknown() const { return unknown_; }
  Arena& arena() { return arena_; }

 private:
  bool take(std::string_view bytes, Value* value, const Value** out);
  void take_action(const RecordView& facts);
  const RecordView& facts() const { return record_.kind == RecordKind::outcome ? intent_ : record_; }

  const bool with_action_;
  Arena arena_;
  RecordView record_, intent_;
  EventFacts event_;
  Value input_, output_, resource_, metadata_, action_;
  std::string key_, action_hex_;
  std::vector<std::string_view> unknown_;
};

}  // namespace ordain::detail
