// EventStories decides events one after another, each with what those before it left: the events of a file are the
// stories of its sessions, which run side by side.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "analysis/story_world.h"
#include "ordain/decide.h"
#include "ordain/evaluate.h"
#include "ordain/event.h"

namespace ordain::detail {

/// An event of the stage before is a call: if it is allowed, it has begun. An event of the stage after says how the
/// oldest such call of the same session and capability ended; one without a call only reads what is remembered. Use it
/// from one thread at a time.
class EventStories {
 public:
  /// @param start the time at which the reader reads events that name none. The clock begins there or at the time that
  /// the first event names, and moves with the times that events name, never back.
  static Result<std::unique_ptr<EventStories>> make(std::shared_ptr<const Program> program,
                                                    const DecideOptions& options, TimeParts start);

  /// Decides the event that `reader` holds, and lists every rule that matches. The decision lives until the next one,
  /// and as long as `deciding` and the reader's call are unchanged.
  Decision decide(EventReader& reader, Scratch& deciding);

  /// What the rules of the last decision could read, as people read it, a text for each state and key:
  /// "sends: 12 for principal ann within 3600s (1 running; last 2026-01-01T14:03:11Z)"
  std::vector<std::string> last_read() const;

 private:
  using Place = std::pair<std::string, std::string>;  ///< session and capability
  explicit EventStories(std::unique_ptr<StoryWorld> world);

  Decision decide_before(EventReader& reader, Scratch& deciding, const Place& place);
  Decision decide_after(EventReader& reader, Scratch& deciding, const Place& place);
  std::unique_ptr<state::MeteredCall> take_open(const Place& place);
  Decision refuse(const Error& error);
  void keep_notes(const state::MeteredCall& call);

  std::unique_ptr<StoryWorld> world_;
  std::map<Place, std::deque<std::unique_ptr<state::MeteredCall>>> open_;
  Error refusal_;                        ///< viewed by the last decision
  std::vector<state::StateNote> notes_;  ///< of the last decision
  state::Moment now_;                    ///< likewise
};

}  // namespace ordain::detail
