// A StoryWorld is what the calls of a story share: a store in memory, and a clock that moves only on request. The
// functions beside it serve all that plays calls without a runtime: tests, files of events, and replays.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "analysis/local_state.h"
#include "ordain/decide.h"
#include "ordain/evaluate.h"
#include "ordain/event.h"
#include "ordain/time_text.h"
#include "runtime/state/metering.h"

namespace ordain::detail {

/// Nanoseconds since 1970, within what a story's clock can count.
int64_t story_nanos(int64_t seconds, int32_t nanos);
/// The text that an event has for somebody: `{"id": "x"}`, or "x" for short. "" if it has none. Views `who`.
std::string_view story_id(const Value* who);
/// The denial of a call whose state cannot tell what its rules ask for. Views `reason`.
Decision story_denial(const std::string& reason, DecisionCode code);
DecisionCode story_code(const Error& error);
/// The output as a decision with these obligations releases it. Lives as long as `arena` and the output.
Value story_output(Arena& arena, Value output, std::span<const Obligation> obligations);

class StoryWorld {
 public:
  /// @param start the time at which readers read events that name none. The clock begins there, or at the time that the
  /// first event names.
  /// @param observe is called with each op of the store
  static Result<std::unique_ptr<StoryWorld>> make(std::shared_ptr<const Program> program, const DecideOptions& options,
                                                  TimeParts start, std::function<void(std::string_view)> observe = {});

  /// Lets time pass.
  void pass(int64_t nanos);
  /// Moves the clock to the time that the reader's event names, never back, and tells the event what time it is.
  void move_clock(EventReader& reader);
  /// Moves the clock to a time, never back. The first time that is named is when it begins.
  void move_clock_to(TimeParts named);
  /// Nanoseconds since 1970.
  int64_t now_ns() const { return clock_->wall_ns; }
  /// What a metered call needs of the event that the reader holds.
  state::CallFacts facts(EventReader& reader, const std::string& session);
  /// The same, of facts that somebody else has bound. Views `session`.
  state::CallFacts facts(Call& call, const Context& context, const std::string& session);
  /// A call that has not begun. It must not outlive this world.
  state::MeteredCall new_call() { return {*state_.meter, *state_.store, Id128::random()}; }
  const HistoryTables& tables() const { return state_.meter->tables(); }
  const state::Meter& meter() const { return *state_.meter; }
  const DecideOptions& options() const { return options_; }

 private:
  StoryWorld(const DecideOptions& options, TimeParts start);

  DecideOptions options_;
  TimeParts start_;
  std::shared_ptr<state::ClockReading> clock_;
  bool begun_ = false;  ///< an event was read
  LocalState state_;
  Scratch metering_;
};

}  // namespace ordain::detail
