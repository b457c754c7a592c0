// fill_state gives new histories, rates and budgets what they would have counted, from the audit log, so that a limit
// holds from the first call on and not only after its window has passed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ordain/decide.h"
#include "ordain/export.h"
#include "ordain/program.h"
#include "ordain/result.h"

namespace ordain {

/// A state that a program declares.
struct FilledState {
  std::string name;
  bool kept = false;     ///< the directory kept it already, so it stays as it is
  bool added = false;    ///< with its past. Neither: it begins empty, because rules read its order (`after`)
  uint64_t calls = 0;    ///< of the record, that it counts
  int64_t since_ns = 0;  ///< it is complete from this time on, in nanoseconds since 1970; 0: as far back as it reaches
};

/// Adds the states that a database directory does not keep yet, with what its audit log says of the past, by the rules
/// of docs/history.md ("Trying a new limit on old records"). Call it before a runtime uses the program: a state that a
/// runtime has begun stays as it is. Calls that are recorded meanwhile may be missing.
/// @returns error "bad_record", "bad_state", "state_full", "unknown_zone" or "database_..."; then nothing was added
ORDAIN_API Result<std::vector<FilledState>> fill_state(const std::string& directory,
                                                       const std::shared_ptr<const Program>& program,
                                                       const DecideOptions& options = {});

}  // namespace ordain
