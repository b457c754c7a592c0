// Periods are the hours, days, weeks and months after which a budget is filled again. They are
// numbered, so that comparing two numbers says which period is later.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "ordain/history.h"

namespace ordain::state {

/// Gives the seconds that a time zone is ahead of UTC at a moment; nothing for an unknown zone. The
/// host of this room supplies it, because the time zones are the standard library's.
using ZoneOffset = std::function<std::optional<int32_t>(std::string_view zone, int64_t utc_seconds)>;

/// @returns the number of the period that a moment lies in: 0 for budgets without one; nothing if
/// the zone is not known. Weeks begin on Monday.
std::optional<int64_t> period_at(BudgetPeriod period, std::string_view zone, int64_t wall_ns, const ZoneOffset& offset);

}  // namespace ordain::state
