// A ReplayWorld is what one program would have remembered of the calls that a replay plays, one after another. It is
// a StoryWorld whose calls begin and end as records say, so histories, rates, budgets and labels are folded by the same
// code as in a runtime.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analysis/state_doubts.h"
#include "analysis/state_reads.h"
#include "analysis/story_world.h"
#include "analysis/unknown.h"
#include "vm/wire/event.h"

namespace ordain::detail {

/// How a call went on, as far as one record or event says.
enum class ReplayWay : uint8_t {
  // Before it ran:
  asked,    ///< an event: nothing is known but the call
  began,    ///< it ran, or was authorized to
  waited,   ///< it waited for approval; another step follows if it went on
  denied,   ///< by policies
  stopped,  ///< by something else, whatever policies say: a human who rejected it, a freeze
  // After it ran:
  returned,      ///< an event: it has an output
  released,      ///< its output, perhaps redacted
  withheld,      ///< its output was kept back
  failed,        ///< it may have had an effect
  not_executed,  ///< the host says that it had none
};

struct ReplayStep {
  ReplayWay way = ReplayWay::asked;
  const EventFacts& event;
  std::string_view key;  ///< of the facts about who acts, as FactBinder has it
  const std::function<void(Context&)>& fill;
  std::span<const std::string_view> unknown;  ///< paths whose values are not those of the call
  std::string action;  ///< identifies the call; "" for events, which go by session and capability
  std::string session;
  std::span<const std::string_view> approved_by{};  ///< groups
  bool decides = true;                              ///< whether the rules decide now; not so if a call failed
  std::string_view state{};                         ///< what the record says that was read, encoded
  bool ends_late = false;                           ///< its outcome follows, although after a long time
};

struct ReplayAnswer {
  UnknownFacts::Answer answer;
  bool absent = false;  ///< the call would not have begun, so there is nothing to decide
  StateDifference difference;
};

/// Use it from one thread.
class ReplayWorld {
 public:
  /// Which verdicts decide whether a call begins: those of the records, or those of the program.
  enum class Follows : uint8_t { records, decisions };

  /// @param observe is called with each op of the store
  static Result<std::unique_ptr<ReplayWorld>> make(std::shared_ptr<const Program> program, const DecideOptions& options,
                                                   Follows follows, TimeParts start,
                                                   std::function<void(std::string_view)> observe = {});

  /// Decides a stage of a call, and remembers what follows. The answer lives until the next call.
  ReplayAnswer play(const ReplayStep& step);
  /// The first record is not the log's first, so what came before it is not known.
  void doubt_past(int64_t now_ns) { doubts_.keep_all(now_ns); }
  /// Somebody forgot a share of the state.
  void doubt_state(std::string_view name, int64_t now_ns) { doubts_.keep_state(name, now_ns); }

  const Program& program() const { return *program_; }
  const FactBinder& binder() const { return binder_; }
  uint64_t compared_reads() const { return compared_; }
  const state::Meter& meter() const { return world_->meter(); }
  /// @returns the time of the last call from which on a state was not known; nothing if it was always known
  std::optional<int64_t> last_doubt(StateId state) const { return doubts_.last(state); }

 private:
  using Place = std::pair<std::string, std::string>;  ///< session and capability
  struct Open {                                       ///< a call that began, or would not have
    std::unique_ptr<state::MeteredCall> call;         ///< nullptr: it would not have begun
    std::string action;
    Place place;  ///< of events
    int64_t begun_ns = 0;
    bool leased = false;
    std::vector<std::string> groups;
  };

  ReplayWorld(std::shared_ptr<const Program> program, const DecideOptions& options, Follows follows,
              std::unique_ptr<StoryWorld> world);

  ReplayAnswer play_before(const ReplayStep& step);
  ReplayAnswer play_after(const ReplayStep& step);
  EventFacts bind(FactBinder& binder, const ReplayStep& step, const EventFacts& event,
                  std::span<const std::string_view> unknown);
  UnknownFacts::Answer decide(const ReplayStep& step, const EventFacts& event, const std::vector<StateDoubt>& own,
                              std::span<const std::string_view> unknown);
  UnknownFacts::Answer refuse(const Error& error, const std::vector<StateDoubt>& own,
                              std::span<const std::string_view> unknown);
  state::Verdict verdict_of(const ReplayStep& step, const UnknownFacts::Answer& answer) const;
  void compare(const ReplayStep& step, const state::MeteredCall& call, ReplayAnswer& out);
  void keep_open(const ReplayStep& step, std::unique_ptr<state::MeteredCall> call);
  void release_unseen(const ReplayStep& step, state::MeteredCall& call);
  void release(const ReplayStep& step, FactBinder& binder, const EventFacts& event,
               std::span<const std::string_view> unknown, std::span<const std::string> groups, state::MeteredCall& call,
               std::span<const Obligation> obligations);
  void doubt_labels(const ReplayStep& step, CapabilityId capability, std::span<const std::string_view> unknown);
  void end_leases();
  void forget_oldest();
  std::optional<Open> take_open(const ReplayStep& step);
  void keep_slots();
  void restore_slots();

  std::shared_ptr<const Program> program_;
  const DecideOptions options_;
  const Follows follows_;
  std::unique_ptr<StoryWorld> world_;
  FactBinder binder_;
  FactBinder unseen_;  ///< of the ends of calls that were not recorded
  UnknownFacts unknown_;
  StateDoubts doubts_;
  Scratch deciding_;
  Arena arena_{4096};
  std::string refusal_;                          ///< viewed by the last answer
  std::vector<std::string_view> doubtful_;       ///< likewise
  std::vector<std::pair<SlotRef, Value>> kept_;  ///< the state's slots of the last read
  std::map<uint64_t, Open> open_;                ///< in the order in which they began
  std::unordered_map<std::string, uint64_t> by_action_;
  std::map<Place, std::deque<uint64_t>> by_place_;
  uint64_t next_ = 1, lease_next_ = 1, compared_ = 0;
};

}  // namespace ordain::detail
