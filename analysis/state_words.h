// What rules could read of the state, as people read it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ordain/history.h"
#include "runtime/state/metering.h"

namespace ordain::detail {

/// "sends: 12 for principal ann within 3600s (1 running; last 2026-01-01T14:03:11Z)". The call itself is in the count.
std::string words_of_read(const StateDecl& declared, const state::StateNote& note, const state::Moment& now);

}  // namespace ordain::detail
