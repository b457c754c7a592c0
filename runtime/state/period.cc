// period.cc numbers periods by local time.
#include "runtime/state/period.h"

#include <chrono>

namespace ordain::state {
namespace {

constexpr int64_t kNanosecondsInSecond = 1'000'000'000, kHour = 3600, kDay = 24 * kHour;

/// Rounds toward the past, also before 1970.
int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

int64_t month_of(int64_t day) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{static_cast<int>(day)}}};
  return static_cast<int64_t>(static_cast<int>(date.year())) * 12 + static_cast<unsigned>(date.month()) - 1;
}

}  // namespace

std::optional<int64_t> period_at(BudgetPeriod period, std::string_view zone, int64_t wall_ns,
                                 const ZoneOffset& offset) {
  if (period == BudgetPeriod::none || period == BudgetPeriod::at_once) return 0;
  const int64_t utc = floor_divide(wall_ns, kNanosecondsInSecond);
  int64_t local = utc;
  if (!zone.empty() && zone != "UTC") {
    const auto ahead = offset ? offset(zone, utc) : std::nullopt;
    if (!ahead) return std::nullopt;
    local += *ahead;
  }
  const int64_t day = floor_divide(local, kDay);
  switch (period) {
    case BudgetPeriod::hour:
      return floor_divide(local, kHour);
    case BudgetPeriod::week:
      return floor_divide(day + 3, 7);  // 1970-01-01 was a Thursday
    case BudgetPeriod::month:
      return month_of(day);
    default:
      return day;
  }
}

}  // namespace ordain::state
