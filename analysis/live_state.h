// LiveState reads what a database directory remembers at present, for explaining what a call would come to now. It
// works on a copy, so it changes nothing in the directory.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/local_state.h"
#include "ordain/decide.h"
#include "ordain/event.h"
#include "runtime/state/inspect.h"
#include "runtime/state/metering.h"

namespace ordain::detail {

/// Use it from one thread.
class LiveState {
 public:
  /// @returns error "no_database" if the directory holds no state, or another error of inspect_state or of a store
  static Result<std::unique_ptr<LiveState>> make(std::shared_ptr<const Program> program, const DecideOptions& options,
                                                 const std::string& directory);

  /// Fills the slots for state of the event that `reader` holds, as if its call came now. @returns what a runtime would
  /// deny the call for
  Result<void> read(EventReader& reader);

  /// What the rules can then read, a text for each state and key: "sends: 12 for principal ann within 3600s (1 running;
  /// last 2026-01-01T14:03:11Z); the oldest leaves at 2026-01-01T14:12:40Z"
  std::vector<std::string> last_read();

 private:
  LiveState(const DecideOptions& options, state::Inspection found);
  std::string words_of(const state::StateNote& note);

  const DecideOptions options_;
  state::Inspection found_;
  LocalState copy_;
  Scratch metering_;
  std::vector<state::StateNote> notes_;  ///< of the last read
  state::Moment now_;                    ///< likewise
};

}  // namespace ordain::detail
