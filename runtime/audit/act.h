// An act is what an operator does to the directory itself, such as a freeze: no call, but part of the
// audit log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ordain/result.h"
#include "runtime/audit/writer.h"

namespace ordain::detail {

/// Empty texts are not recorded.
struct Act {
  std::string_view what;        ///< "freeze", "thaw", "reset"
  std::string_view by;          ///< who did it; recorded as the principal
  std::string_view capability;  ///< a name or a glob
  std::string_view agent;
  std::string_view target;       ///< what it was done to, such as the name of a state
  std::string_view description;  ///< which part of the target
  std::string_view because;
  int64_t time_ns = 0;
};

/// @returns the body of the act's record. Views `buffer`.
std::string_view encode_act(const Act& act, const Id128& id, std::string& buffer);

/// Records the act and waits until it is on disk. @returns error "audit_unavailable"
Result<void> record_act(AuditWriter& writer, const Act& act);
/// The same in the log of a directory, which must exist. @returns a "database_..." error too
Result<void> record_act(const std::string& directory, const Act& act);

}  // namespace ordain::detail
