// A Story is a test whose calls share state: it decides each call as a runtime would, with a store in memory and a
// clock that moves only as the test says.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/story_world.h"
#include "ordain/compile.h"
#include "ordain/decide.h"
#include "ordain/evaluate.h"
#include "ordain/event.h"

namespace ordain::detail {

/// @returns true if the calls of one test must be played as a story, because the program remembers something
bool tells_stories(const Program& program);

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
  explicit Story(std::unique_ptr<StoryWorld> world);

  Result<void> read(const std::string& event, EventReader& reader);
  std::optional<state::Verdict> decide_before(const TestCall& call, EventReader& reader, Played& played,
                                              const See& see);
  Result<void> run(const TestCall& call, EventReader& reader, Played& played, const See& see);
  Result<void> release(EventReader& reader, Played& played, const Decision& decision, const See& see);
  state::CallFacts facts(EventReader& reader, const Played& played);

  std::unique_ptr<StoryWorld> world_;
  Scratch deciding_;
};

}  // namespace ordain::detail
