// Events: one JSON line is one call to decide. Fills Context and Call from it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ordain/call.h"
#include "ordain/program.h"
#include "ordain/time_text.h"

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

/// The clock when it is `time_ns` nanoseconds after 1970-01-01T00:00:00Z.
inline Now now_at(int64_t time_ns) {
  const auto [seconds, nanos] = timestamp_of_nanos(time_ns);
  return {seconds, nanos};
}

/// The facts of one call to decide, wherever they come from. Views live as long as who made it says.
struct Event {
  std::string_view capability;
  Stage stage = Stage::before;
  std::optional<Now> now;  ///< nothing: not known
  const Value* resource = nullptr;
  const Value* action = nullptr;
  const Value* metadata = nullptr;
  const Value* input = nullptr;   ///< nullptr: an empty record
  const Value* output = nullptr;  ///< after only; nullptr: none
  std::optional<double> risk;
  std::optional<int64_t> elapsed_ns;
  std::string_view flaw;  ///< why the call cannot be bound at all
};

/// Fills Call and Context of one program from events. Contexts are kept per distinct agent, principal, tenant,
/// environment and session, so that they are resolved once; a bounded number of them. Not thread-safe.
class FactBinder {
 public:
  explicit FactBinder(std::shared_ptr<const Program> program);

  /// @param key equal for equal facts about who acts. @param fill `fill(Context&)` sets these facts, if they are new.
  /// @param unknown gets the paths of undeclared attributes.
  template <typename Fill>
  void bind(const Event& event, std::string_view key, const Fill& fill, std::vector<std::string>* unknown = nullptr) {
    call_.begin(program_->resolve(event.capability), event.stage);
    context_ = find_context(key);
    if (context_ == nullptr) {
      Context& made = make_context(key);
      fill(made);
      context_ = &made;
    }
    bind_call(event, unknown);
  }

  Call& call() { return call_; }
  const Call& call() const { return call_; }
  const Context& context() const { return *context_; }
  /// Keeps every context, so that those of earlier events stay valid.
  void keep_all_contexts() { max_contexts_ = SIZE_MAX; }
  size_t contexts() const { return contexts_.size(); }  ///< kept now
  /// False if no rule can see `action` but for its risk and the time it took: then an event need not say it.
  bool reads_action() const { return reads_action_; }

 private:
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  const Context* find_context(std::string_view key) const {
    const auto at = contexts_.find(key);
    return at == contexts_.end() ? nullptr : at->second.get();
  }
  Context& make_context(std::string_view key);
  void bind_call(const Event& event, std::vector<std::string>* unknown);

  std::shared_ptr<const Program> program_;
  Call call_;
  const Context* context_ = nullptr;
  std::unordered_map<std::string, std::unique_ptr<Context>, TextHash, std::equal_to<>> contexts_;
  size_t max_contexts_ = 4096;  ///< a long-lived host must not grow with those who call
  const bool reads_action_, reads_resource_, reads_metadata_;
};

/// One JSON line as an event. Not thread-safe.
class EventParser {
 public:
  using Warn = std::function<void(const std::string&)>;

  /// `warn` is told once of each unknown key.
  explicit EventParser(Warn warn = {});

  /// @returns what is wrong if the line is not an event; facts that do not fit their declarations, duplicate keys and
  /// invalid UTF-8 are the decision's business (invalid_input). Values live until the next `parse`.
  std::optional<EventError> parse(std::string_view line);

  const Event& event() const { return out_; }
  /// Equal for equal facts about who acts, in the same order.
  const std::string& context_key() const { return key_; }
  /// Sets these facts. Undeclared attributes are appended to `*unknown`.
  void fill(Context& context, std::vector<std::string>* unknown) const;
  const std::string& flaw() const { return flaw_; }
  /// What the event says under a top-level key; nullptr if nothing.
  const Value* fact(std::string_view key) const { return event_.is(Kind::map) ? map_find(*event_.map, key) : nullptr; }
  void warn_once(const std::string& name, const std::string& what);

 private:
  std::optional<EventError> check(const Value& event);
  void take(const Value& event);

  Warn warn_;
  Arena arena_;
  Event out_;
  std::string flaw_, key_;
  Value event_;
  std::set<std::string, std::less<>> warned_;
};

/// Reads events for one program. Not thread-safe.
class EventReader {
 public:
  using Warn = EventParser::Warn;

  /// `warn` is told once of each unknown key and attribute.
  EventReader(std::shared_ptr<const Program> program, Now now, Warn warn = {});

  /// Fills the call and the context from one line. @returns what is wrong if it is not an event.
  std::optional<EventError> read(std::string_view line);

  /// The clock for the events that follow.
  void set_now(Now now) { now_ = now; }
  /// As of FactBinder.
  void keep_all_contexts() { binder_.keep_all_contexts(); }
  size_t contexts() const { return binder_.contexts(); }

  const Call& call() const { return binder_.call(); }
  const Context& context() const { return binder_.context(); }
  std::string_view capability() const { return capability_; }
  /// `now` as the last event's rules see it.
  Now now() const { return event_now_; }
  /// The risk that the last event gives, as a number.
  std::optional<double> risk() const { return parser_.event().risk; }
  /// Why the last event was made invalid before its facts were bound; "" if it was not.
  const std::string& flaw() const { return parser_.flaw(); }
  /// What the last event says under a top-level key; nullptr if nothing. Valid until the next `read`.
  const Value* fact(std::string_view key) const { return parser_.fact(key); }

 private:
  Now now_;
  EventParser parser_;
  FactBinder binder_;
  std::string capability_;
  Now event_now_;
};

}  // namespace ordain::detail
