// Recorder: writes what `ordain eval` decides into an audit log.
#pragma once

#include <memory>
#include <string>

#include "cli/shared.h"
#include "ordain/audit.h"
#include "ordain/decide.h"
#include "runtime/audit_writer.h"

namespace ordain::cli {

/// One log, one thread. Records are of kind `decision`.
class Recorder {
 public:
  /// Opens or makes the log in `directory`. nullptr after complaining.
  static std::unique_ptr<Recorder> open(const std::string& directory);

  /// Queues the decision's record; waits for room. False, after complaining, if the log cannot take it.
  bool add(const EventReader& reader, const Decision& decision);
  /// Waits until all is committed. False, after complaining, if it is not.
  bool close();

 private:
  std::unique_ptr<detail::AuditWriter> writer_;
  std::string session_;
  std::string body_;
};

}  // namespace ordain::cli
