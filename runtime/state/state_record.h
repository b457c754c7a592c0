// state_record says for the audit log what a call read and changed of the state.
#pragma once

#include "ordain/arena.h"
#include "ordain/keys.h"
#include "ordain/value.h"
#include "runtime/state/metering.h"

namespace ordain::detail {

/// @param hide if not nullptr, keys are recorded as digests under it
/// @returns a map as docs/audit.md has it, in `arena`; null if there is nothing to say
Value describe_state(Arena& arena, const state::Meter& meter, const state::MeteredCall& call, const DigestKey* hide);

}  // namespace ordain::detail
