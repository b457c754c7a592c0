// Inspection shows operators what the state of a database directory holds, and resets the share of
// one key. Reading changes nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/result.h"
#include "runtime/state/ledger.h"

namespace ordain::state {

/// What is held for one key of a state. Times are nanoseconds since 1970-01-01T00:00:00Z.
struct KeyShare {
  std::string key;                 ///< as read_key takes it; describe_key makes it readable
  uint64_t count = 0;              ///< history: calls in the window
  uint64_t running = 0;            ///< history: calls that run; budget: calls that hold some of it
  Amount amount = 0;               ///< history that sums: the sum; budget: what is used
  std::optional<int64_t> last_ns;  ///< history: the last call
  std::optional<int64_t>
      frees_ns;  ///< history with a window: when the oldest call leaves it; rate: when the next may come
};

/// The state of a directory at one moment.
struct Inspection {
  Ledger ledger;
  Moment now;
};

/// @returns error "no_database" if the directory holds no state, a "database_..." error, or "bad_state"
Result<Inspection> inspect_state(const std::string& directory);

/// @returns the shares of a state, which exists, in the order of their readable keys
std::vector<KeyShare> list_shares(Inspection& inspection, uint32_t state);

/// @returns the share of one key of a state, which exists; nothing if none is held
std::optional<KeyShare> find_share(Inspection& inspection, uint32_t state, const std::string& key);

struct Reset {
  uint32_t state = 0;  ///< in Inspection::ledger
  std::string key;
  std::string because;  ///< required
  std::string by;       ///< required
};
/// Records who forgets the share of a key, and then forgets it. Calls that are open go on to run and to hold what they
/// took. A key with fields of calls is recorded as a digest, like secrets, because such a field may be one.
/// @returns error "invalid_reset", "audit_unavailable", "bad_state" or "database_..."; then nothing is forgotten
Result<void> reset_share(const std::string& directory, const Inspection& inspection, const Reset& reset);

}  // namespace ordain::state
