// An event holds the facts of one call to decide as one JSON object. EventReader turns events into
// a Call and a Context; to_json writes them. docs/cli.md lists the keys.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ordain/call.h"
#include "ordain/export.h"
#include "ordain/program.h"
#include "ordain/result.h"
#include "ordain/time_text.h"

namespace ordain {

/// What an event says. Texts and values are views: a reader's views live until its next `read`, and
/// those to be written must live until `to_json` returns. nullptr means that the event does not
/// have the key.
struct Event {
  std::string_view capability;
  Stage stage = Stage::before;
  std::optional<TimeParts> now = {};  ///< since 1970-01-01T00:00:00Z

  // Who acts. Each is a map of attributes, or a string, which is short for a map with `id`
  // alone.
  const Value* agent = nullptr;
  const Value* principal = nullptr;
  const Value* tenant = nullptr;
  const Value* environment = nullptr;
  const Value* session = nullptr;

  const Value* resource = nullptr;  ///< a map of attributes, or a string, its `id`
  const Value* action = nullptr;    ///< a map of attributes
  const Value* metadata = nullptr;  ///< a map
  const Value* input = nullptr;     ///< a map; nullptr counts as an empty map
  const Value* output = nullptr;    ///< only in the after stage
  std::optional<double> risk = {};
  /// Only in the after stage: how long the call took. It is written as `action.elapsed`, and a
  /// reader leaves it in `action`.
  std::optional<int64_t> elapsed_ns = {};
};

/// The facts of one call in parts, apart by who says them. The agent's texts set nothing but the part
/// that they are, whatever keys they have, so a host need not compose one text of what it knows and
/// what an agent sent. Everything is a view that must live until `read` returns.
struct EventParts {
  // From the host.
  std::string_view capability;
  Stage stage = Stage::before;
  /// A JSON object with the host's keys of an event: agent, principal, tenant, environment, session,
  /// resource, action, risk and now. It may have no other key.
  std::string_view host = "{}";

  // From the agent: one JSON text each.
  std::optional<std::string_view> input = {};
  std::optional<std::string_view> output = {};  ///< only in the after stage
  std::optional<std::string_view> metadata = {};
};

/// Writes an event as one line of canonical JSON, without a line end, which EventReader can read.
/// Values that JSON lacks are written as to_json(const Value&) writes them.
ORDAIN_API std::string to_json(const Event& event);

struct EventReaderOptions {
  /// The time of events without `now`. If it is empty, they get the system time at which they are
  /// read.
  std::optional<TimeParts> now = {};
  /// Called once for each unknown key, and once for each attribute that the program does not
  /// declare. Both are otherwise ignored.
  std::function<void(const std::string& message)> warn = {};
};

/// Reads events for one program, one after another. It keeps a bounded number of contexts, so that
/// an agent's facts are bound once and not for every call. Not thread-safe: use one reader per
/// thread.
///
///     EventReader reader(program);
///     if (auto read = reader.read(json); !read) return error_json(read.error());
///     return decision_json(reader.call(), decide(reader.call(), reader.context(), scratch));
class ORDAIN_API EventReader {
 public:
  explicit EventReader(std::shared_ptr<const Program> program, EventReaderOptions options = {});
  EventReader(EventReader&&) noexcept;
  EventReader& operator=(EventReader&&) noexcept;
  ~EventReader();

  /// Fills the call and the context from one JSON object, in time linear in its length. `json` need
  /// not outlive this function.
  /// @returns error "bad_json" if the text is anything but one JSON value (if something follows the
  /// value, for example), or "bad_event" if the value is not an event. The call is then invalid and
  /// will be denied with code invalid_input. An event whose facts cannot be decided also makes the
  /// call invalid, but without an error: its facts do not fit their declarations, a key is
  /// repeated, or a text is not valid UTF-8.
  Result<void> read(std::string_view json);

  /// Like above, for a call whose host's facts and agent's texts are apart.
  /// @returns error "bad_json" or "bad_event" for what the host says alone. A text of the agent that
  /// is not one JSON value makes the call invalid, without an error.
  Result<void> read(const EventParts& parts);

  /// The last event, ready to decide. The references stay valid until the next `read`, also if the
  /// reader is moved.
  const Call& call() const&;
  const Call& call() const&& = delete;
  /// The same, to set facts that no event has, such as what a runtime remembers.
  Call& call() &;
  const Context& context() const&;
  const Context& context() const&& = delete;
  /// What the last event says; empty if it could not be read. `now` is the time that the rules see.
  const Event& event() const&;
  const Event& event() const&& = delete;
  /// Why its facts cannot be decided, if that is known before they are bound: a repeated key or
  /// invalid UTF-8. Otherwise "".
  const std::string& flaw() const&;
  const std::string& flaw() const&& = delete;

  /// Keeps the contexts of all events, however many there are, so that they stay valid as long as
  /// the reader.
  void keep_all_contexts();
  size_t contexts() const;  ///< how many are kept

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ordain
