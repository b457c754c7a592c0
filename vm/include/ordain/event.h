// Events: the facts of one call to decide as one JSON object. EventReader makes a Call and a Context of it; to_json
// writes one. docs/cli.md lists the keys.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ordain/call.h"
#include "ordain/program.h"
#include "ordain/result.h"
#include "ordain/time_text.h"

namespace ordain {

/// What an event says. Texts and values are views: those of a reader live until its next `read`, those that are to be
/// written must live until `to_json` returns. nullptr: the event does not have the key.
struct Event {
  std::string_view capability;
  Stage stage = Stage::before;
  std::optional<TimeParts> now = {};  ///< since 1970-01-01T00:00:00Z

  // Who acts: maps of attributes; a string is short for a map with the `id` alone.
  const Value* agent = nullptr;
  const Value* principal = nullptr;
  const Value* tenant = nullptr;
  const Value* environment = nullptr;
  const Value* session = nullptr;

  const Value* resource = nullptr;  ///< a map of attributes, or a string: its `id`
  const Value* action = nullptr;    ///< a map of attributes
  const Value* metadata = nullptr;  ///< a map
  const Value* input = nullptr;     ///< a map; none counts as an empty one
  const Value* output = nullptr;    ///< after only
  std::optional<double> risk = {};
  /// after: how long the call took. Written as `action.elapsed`, where the reader leaves it: among `action`.
  std::optional<int64_t> elapsed_ns = {};
};

/// One line of canonical JSON, without a line end, that EventReader reads. Values that JSON does not have are written
/// as to_json(const Value&) writes them.
std::string to_json(const Event& event);

struct EventReaderOptions {
  /// The time of events that do not say `now`. None: the system's clock when they are read.
  std::optional<TimeParts> now = {};
  /// Called once for each key that events do not have, and each attribute that the program does not declare; both are
  /// ignored otherwise.
  std::function<void(const std::string& message)> warn = {};
};

/// Reads events for one program, one after another. Contexts are kept by who acts, up to a bound, so that an agent's
/// facts are bound once and not for every call. Use one reader per thread: it is not thread-safe.
///
///     EventReader reader(program);
///     if (auto read = reader.read(json); !read) return error_json(read.error());
///     return decision_json(reader.call(), decide(reader.call(), reader.context(), scratch));
class EventReader {
 public:
  explicit EventReader(std::shared_ptr<const Program> program, EventReaderOptions options = {});
  EventReader(EventReader&&) noexcept;
  EventReader& operator=(EventReader&&) noexcept;
  ~EventReader();

  /// Fills the call and the context from one JSON object, in time linear in its length; `json` need not outlive this.
  /// @returns error "bad_json" if the text is anything but one JSON value (something follows it, say), or "bad_event"
  /// if the value is not an event. The call is then one that is denied with code invalid_input. The same is true,
  /// without an error, of an event whose facts cannot be decided: they do not fit their declarations, a key stands
  /// twice, a text is not valid UTF-8.
  Result<void> read(std::string_view json);

  /// The last event, ready to decide. Valid until the next `read`; moving the reader does not invalidate them.
  const Call& call() const;
  const Context& context() const;
  /// What it says; empty if it could not be read. `now` is the time that its rules see.
  const Event& event() const;
  /// Why its facts cannot be decided, where that shows before they are bound: a repeated key, invalid UTF-8. Else "".
  const std::string& flaw() const;

  /// Keeps the contexts of all events, however many, so that they stay valid as long as the reader.
  void keep_all_contexts();
  size_t contexts() const;  ///< how many are kept

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ordain
