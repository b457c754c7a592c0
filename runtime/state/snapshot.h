// A snapshot is a whole ledger as bytes. Equal ledgers have equal snapshots, and a snapshot that was
// altered is refused. docs/state.md has the grammar.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ordain/result.h"
#include "runtime/state/ledger.h"

namespace ordain::state {

inline constexpr uint32_t kSnapshotVersion = 2;

/// @returns the snapshot of a ledger whose timeline has started. Trims the ledger first.
std::string save_ledger(Ledger& ledger);

/// @returns the ledger of a snapshot, or error "bad_state". Accepts any bytes safely: it checks that
/// numbers are possible and agree with each other, so that no snapshot makes later ops fail.
Result<Ledger> load_ledger(std::string_view bytes, const Limits& limits);

}  // namespace ordain::state
