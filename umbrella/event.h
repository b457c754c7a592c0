// Events: one JSON line is one call to decide. Fills Context and Call from it.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "ordain/call.h"
#include "ordain/program.h"

namespace ordain::detail {

/// What is wrong with a line that cannot be decided at all.
struct EventError {
  std::string code;  ///< "bad_json", "bad_event"
  std::string message;
};

/// The run's clock, for events that carry no `now`.
struct Now {
  int64_t seconds = 0;
  int32_t nanos = 0;
};

/// Reads events for one program. Contexts are kept per distinct agent, principal, tenant, environment and session, so
/// that they are resolved once; a bounded number of them. Not thread-safe.
class EventReader {
 public:
  using Warn = std::function<void(const std::string&)>;

  /// `warn` is told once of each unknown key and attribute.
  EventReader(std::shared_ptr<const Program> program, Now now, Warn warn = {});

  /// Fills the call and the context from one line. @returns what is wrong if it is not an event; facts that do not fit
  /// their declarations, duplicate keys and invalid UTF-8 are the decision's business (invalid_input).
  std::optional<EventError> read(std::string_view line);

  /// The clock for the events that follow.
  void set_now(Now now) { now_ = now; }

  const Call& call() const { return call_; }
  const Context& context() const { return *context_; }
  std::string_view capability() const { return capability_; }
  /// `now` as the last event's rules see it.
  Now now() const { return event_now_; }
  /// Why the last event was made invalid before its facts were bound; "" if it was not.
  const std::string& flaw() const { return flaw_; }
  size_t contexts() const { return contexts_.size(); }  ///< made so far
  /// What the last event says under a top-level key; nullptr if nothing. Valid until the next `read`.
  const Value* fact(std::string_view key) const { return event_.is(Kind::map) ? map_find(*event_.map, key) : nullptr; }

 private:
  std::optional<EventError> check(const Value& event);
  void bind_context(const Value& event);
  void bind_call(const Value& event);
  void warn_once(const std::string& name, const std::string& what);

  std::shared_ptr<const Program> program_;
  Now now_;
  Warn warn_;
  Arena arena_;
  Call call_;
  const Context* context_ = nullptr;
  // What hosts say of who acts, by a hash of it, and the context made from it.
  struct Caller {
    std::array<Value, 5> facts;
    std::unique_ptr<Context> context;
  };
  std::unordered_multimap<uint64_t, Caller> contexts_;
  Arena callers_;
  std::string capability_, flaw_;
  Now event_now_;
  Value event_;
  std::set<std::string, std::less<>> warned_;
};

}  // namespace ordain::detail
