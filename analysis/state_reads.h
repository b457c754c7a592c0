// What a record says that its call read of the state is compared with what the records before it make of the same
// state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "analysis/state_doubts.h"
#include "runtime/state/metering.h"

namespace ordain::detail {

/// What differs, if anything.
struct StateDifference {
  std::string state, member;  ///< "refunded", "count"; `labels` has no state
  std::string why;            ///< "refunded for acme, c1: its count is 3 in the record, and 2 by the records before it"
  bool any() const { return !why.empty(); }
};

/// Compares the last decision of `call` with the state that the record of the same decision holds. What `doubts` names
/// is left out. Times may differ by a second, because a record's time is not that of its turn.
/// @param recorded the encoded field of the record; "" if it has none
/// @param session whose labels the call has
/// @param compared is raised by the number of reads that were compared
StateDifference compare_state(std::string_view recorded, const state::Meter& meter, const state::MeteredCall& call,
                              const StateDoubts& doubts, const std::string& session, int64_t now_ns,
                              uint64_t* compared);

/// @returns the number of the last change that the call of a record had made; 0 if it says none
uint64_t sequence_in_state(std::string_view recorded);

}  // namespace ordain::detail
