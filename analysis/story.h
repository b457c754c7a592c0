// A Story is a test whose calls share state: it decides each call as a runtime would, with a store in memory and a
// clock that moves only as the test says.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ordain/compile.h"
#include "ordain/decide.h"
#include "ordain/evaluate.h"
#include "ordain/event.h"
#include "ordain/time_text.h"
#include "runtime/state/metering.h"

namespace ordain::detail {

/// @returns true if the calls of one test must be played as a story, because the program remembers something
bool tells_stories(const Program& program);

// What Story and EventStories have in common.

/// Nanoseconds since 1970, within what a story's clock can count.
int64_t story_nanos(int64_t seconds, int32_t nanos);
/// The text that an event has for somebody: `{"id": "x"}`, or "x" for short. "" if it has none.
std::string story_id(const Value* who);
/// The denial of a call whose state cannot tell what its rules ask for. Views `reason`.
Decision story_denial(const std::string& reason, DecisionCode code);
DecisionCode story_code(const Error& error);
/// The output of the event that the reader holds, which has one, as the decision releases it.
Value story_output(EventReader& reader, const Decision& decision);

/// An answer to a request for approval.
struct StoryApproval {
  std::string group;     ///< "": for each group that is asked
  std::string approver;  ///< "": somebody else each time
};

/// @returns true if the approvals satisfy every rule that asks
bool is_approved(const Decision& decision, const std::vector<StoryApproval>& approvals);

class Story {
 public:
  /// Called with each decision of a call, while the reader holds the facts that it was made on. The last one is what
  /// the call came to. @param by_rules false if the rules alone would decide otherwise: a human answered, or the state
  /// cannot tell what the rules ask for
  using See = std::function<void(const Decision& decision, bool by_rules)>;

  /// @param start the time at which the reader reads events that name none. The story begins then, or at the time that
  /// its first call names.
  static Result<std::unique_ptr<Story>> make(std::shared_ptr<const Program> program, const DecideOptions& options,
                                             TimeParts start);

  /// Decides a call, and runs it if it is allowed. @returns an error of `reader`, or of ending the call
  Result<void> play(const TestCall& call, EventReader& reader, const See& see);

 private:
  struct Played;  ///< a call under way
  Story(std::shared_ptr<const Program> program, const DecideOptions& options, TimeParts start);

  Result<void> read(const std::string& event, EventReader& reader);
  void pass(const TestCall& call);
  std::optional<state::Verdict> decide_before(const TestCall& call, EventReader& reader, Played& played,
                                              const See& see);
  Result<void> run(const TestCall& call, EventReader& reader, Played& played, const See& see);
  Result<void> release(EventReader& reader, Played& played, const Decision& decision, const See& see);
  state::CallFacts facts(EventReader& reader, const Played& played);

  std::shared_ptr<const Program> program_;
  DecideOptions options_;
  TimeParts start_;
  std::shared_ptr<state::ClockReading> clock_;
  bool begun_ = false;  ///< a call has been played
  std::unique_ptr<state::Store> store_;
  std::optional<state::Meter> meter_;
  Scratch deciding_, metering_;
};

}  // namespace ordain::detail
