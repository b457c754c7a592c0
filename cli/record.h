// Recorder: writes what `ordain eval` decides into an audit log.
#pragma once

#include <memory>
#include <string>

#include "ordain/decision_recorder.h"
#include "vm/wire/event.h"

namespace ordain::cli {

/// Writes one log; used by one thread.
class Recorder {
 public:
  struct Where {
    std::string directory, key, checkpoints;  ///< the last two may be empty
  };
  /// Opens the log, or makes it. @returns nullptr after complaining
  static std::unique_ptr<Recorder> open(const Where& where);

  /// Queues the decision's record; waits for room. False, after complaining, if the log cannot take it.
  bool add(const detail::EventReader& reader, const Decision& decision);
  /// Waits until all is committed. False, after complaining, if it is not.
  bool close();

 private:
  std::unique_ptr<DecisionRecorder> recorder_;
};

}  // namespace ordain::cli
