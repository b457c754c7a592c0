// Brings facts to a program: FactBinder fills Call and Context from the facts of one call, and
// EventParser takes these facts from JSON. EventReader (ordain/event.h) combines both for one
// program.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ordain/event.h"

namespace ordain::detail {

/// An event to bind, from any source. Views live as long as the maker of the event says.
struct EventFacts : Event {
  std::string_view flaw;  ///< why the call cannot be bound at all
};

/// Fills Call and Context of one program from events. A bounded number of contexts is kept, one for
/// each distinct agent, principal, tenant, environment and session, so that they are resolved once.
/// Not thread-safe.
class FactBinder {
 public:
  explicit FactBinder(std::shared_ptr<const Program> program);

  /// Binds an event.
  /// @param key equal for equal facts about who acts.
  /// @param fill `fill(Context&)` sets these facts if they are new; `event` itself need not have
  /// them.
  /// @param unknown receives the paths of undeclared attributes.
  template <typename Fill>
  void bind(const EventFacts& event, std::string_view key, const Fill& fill,
            std::vector<std::string>* unknown = nullptr) {
    call_.begin(program_->resolve(event.capability), event.stage);
    context_ = find_context(key);
    if (context_ == nullptr) {
      Context& made = make_context(key);
      fill(made);
      context_ = &made;
    }
    bind_call(event, unknown);
  }
  /// Binds a call without facts, which will be denied with code invalid_input.
  void reject(std::string message);

  Call& call() { return call_; }
  const Call& call() const { return call_; }
  const Context& context() const { return *context_; }
  /// Keeps every context, so that the contexts of earlier events stay valid.
  void keep_all_contexts() { max_contexts_ = SIZE_MAX; }
  size_t contexts() const { return contexts_.size(); }  ///< kept at present
  /// False if rules can see nothing of `action` but its risk and elapsed time; an event then need
  /// not contain it.
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
  void bind_call(const EventFacts& event, std::vector<std::string>* unknown);

  std::shared_ptr<const Program> program_;
  Call call_;
  const Context* context_ = nullptr;
  std::unique_ptr<const Context> nobody_;  ///< for rejected calls
  std::unordered_map<std::string, std::unique_ptr<Context>, TextHash, std::equal_to<>> contexts_;
  size_t max_contexts_ = 4096;  ///< bounds the memory of a long-lived host with many agents
  const bool reads_action_, reads_resource_, reads_metadata_;
};

/// Reads one JSON line, or the parts of an event. Not thread-safe.
class EventParser {
 public:
  using Warn = std::function<void(const std::string&)>;

  /// `warn` is called once for each unknown key.
  explicit EventParser(Warn warn = {});

  /// @returns an error if the line is not an event. Facts that do not fit their declarations,
  /// duplicate keys and invalid UTF-8 are not errors here: they lead to a decision (invalid_input).
  /// Values live until the next `parse`.
  Result<void> parse(std::string_view line);
  /// Likewise for an event in parts; only what the host says can be an error.
  Result<void> parse(const EventParts& parts);

  /// The last event; empty if the last line was not an event.
  const EventFacts& event() const { return out_; }
  /// A key of the facts about who acts; equal facts in the same order have equal keys.
  const std::string& context_key() const { return key_; }
  /// Sets these facts. Undeclared attributes are appended to `*unknown`.
  void fill(Context& context, std::vector<std::string>* unknown) const;
  const std::string& flaw() const { return flaw_; }
  void warn_once(const std::string& name, const std::string& what);

 private:
  Result<Value> parse_text(std::string_view text);
  Result<Value> join(const EventParts& parts);
  Result<void> accept(const Result<Value>& event);
  Result<void> check(const Value& event);
  void take(const Value& event);

  Warn warn_;
  Arena arena_;
  EventFacts out_;
  std::string flaw_, key_;
  std::set<std::string, std::less<>> warned_;
};

}  // namespace ordain::detail
