// Recorder: writes what `ordain eval` decides into an audit log.
#pragma once

#include <memory>
#include <string>

#include "ordain/decision_recorder.h"
#include "ordain/event.h"

namespace ordain::cli {

/// One log, one thread.
class Recorder {
 public:
  struct Where {
    std::string directory, key, checkpoints;  ///< the last two may be empty
  };
  /// Opens or makes the log. nullptr after complaining.
  static std::unique_ptr<Recorder> open(const Where& where);

  /// Queues the decision's record; waits for room. False, after complaining, if the log cannot take it.
  bool add(const EventReader& reader, const Decision& decision);
  /// Waits until all is committed. False, after complaining, if it is not.
  bool close();

 private:
  std::unique_ptr<DecisionRecorder> recorder_;
};

}  // namespace ordain::cli
