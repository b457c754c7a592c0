// A freeze stops calls at once, whatever policies say, until it is lifted: an operator's stop switch.
// It lies in the database directory, and every runtime that has the directory open obeys it within a
// second.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/export.h"
#include "ordain/result.h"

namespace ordain {

/// Which calls are stopped, and why. An empty agent means every agent.
struct Freeze {
  std::string capability = "*";  ///< a name, or a glob as in a policy's target
  std::string agent = {};        ///< if set, only calls of this agent
  std::string because = {};      ///< required: callers and records get it as the reason
  std::string by = {};           ///< required: who stopped them
  int64_t since_ns = 0;          ///< since 1970-01-01T00:00:00Z; 0: now
};

/// Lifts the freeze that has the same capability and agent.
struct Thaw {
  std::string capability = "*";
  std::string agent = {};
  std::string because = {};  ///< for the record; may be empty
  std::string by = {};       ///< required
};

/// Writes a JSON object with the keys capability, agent, because, by, since.
ORDAIN_API std::string to_json(const Freeze& freeze);

/// Stops calls in all runtimes that use the directory, and then records who did it. A freeze of the
/// same capability and agent is replaced.
/// @returns error "no_database", "invalid_freeze", "too_many", "database_..." (nothing is frozen), or
/// "audit_unavailable" (calls are frozen, but that could not be recorded)
ORDAIN_API Result<void> freeze_calls(const std::string& directory, const Freeze& freeze);

/// Records who lifts a freeze, and then lifts it.
/// @returns error "no_database", "invalid_freeze", "not_frozen", "audit_unavailable" or "database_..."; then the freeze
/// stands
ORDAIN_API Result<void> thaw_calls(const std::string& directory, const Thaw& thaw);

/// @returns what is frozen, oldest first; error "no_database" or "database_..."
ORDAIN_API Result<std::vector<Freeze>> list_freezes(const std::string& directory);

}  // namespace ordain
