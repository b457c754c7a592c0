// time.cc implements the parts of timestamps, in UTC or in a time zone, and of durations.
#include <date/tz.h>

#include <exception>
#include <memory>
#include <string>

#include "ordain/time_text.h"
#include "stdlib/rows.h"
#include "vm/value/nearest_word.h"

namespace ordain::stdlib {
namespace {

constexpr int64_t kDay = 86400;
constexpr int64_t kEndOfTimestamps = 253402300800;  // 10000-01-01T00:00:00Z

// A time zone: a fixed offset, or a zone of the tz database.
struct Clock {
  int64_t offset = 0;
  const date::time_zone* zone = nullptr;
};

bool two_digits(std::string_view text, int64_t* out) {
  if (text.empty() || text.size() > 2) return false;
  *out = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return false;
    *out = *out * 10 + (c - '0');
  }
  return true;
}

// Reads "+05:30", "-08:00" or "02:00".
bool read_offset(std::string_view text, int64_t* offset) {
  bool negative = text[0] == '-';
  if (negative || text[0] == '+') text.remove_prefix(1);
  size_t colon = text.find(':');
  int64_t hours = 0;
  int64_t minutes = 0;
  if (colon == std::string_view::npos || text.size() - colon != 3) return false;
  if (!two_digits(text.substr(0, colon), &hours) || !two_digits(text.substr(colon + 1), &minutes)) return false;
  if (hours > 23 || minutes > 59) return false;
  *offset = (hours * 3600 + minutes * 60) * (negative ? -1 : 1);
  return true;
}

// Finds a time zone. The library throws on unknown names and unreadable files; those exceptions do
// not leave this function.
bool find_clock(std::string_view name, Clock* clock) {
  if (name.empty() || name == "UTC") return !name.empty();
  if (name.find(':') != std::string_view::npos) return read_offset(name, &clock->offset);
  try {
    clock->zone = date::locate_zone(name);
    // Read the zone's file now, so that later look-ups do not.
    clock->zone->get_info(date::sys_seconds{std::chrono::seconds{0}});
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

// The database lists changes up to 2037; afterwards the rules then in force continue, which name days
// by month and day of the week. So a later time is looked up in the last year of 365 days in which its
// month begins on the same day of the week. All such years are after 2026, so that no rule that was
// abolished before counts.
int64_t within_listed_years(int64_t seconds) {
  constexpr int kLast = 2037;
  int64_t day = seconds / kDay - (seconds % kDay < 0 ? 1 : 0);
  const CivilDay civil = civil_from_days(day);
  if (civil.year <= kLast) return seconds;
  const auto first_of_month = [&civil](int32_t year) { return days_from_civil({year, civil.month, 1}); };
  const int64_t first = first_of_month(civil.year);
  for (int32_t like = kLast; like > kLast - 11; --like) {
    if (days_from_civil({like + 1, 1, 1}) - days_from_civil({like, 1, 1}) != 365) continue;
    if ((first - first_of_month(like)) % 7 != 0) continue;
    const int64_t leap_day = civil.month == 2 && civil.day == 29 ? 1 : 0;  // looked up on the day before
    return seconds - (first - first_of_month(like) + leap_day) * kDay;
  }
  return seconds;
}

bool local_seconds(Eval& eval, const Clock& clock, int64_t seconds, int64_t* local) {
  if (clock.zone == nullptr) {
    *local = seconds + clock.offset;
    return true;
  }
  try {
    date::sys_info info = clock.zone->get_info(date::sys_seconds{std::chrono::seconds{seconds}});
    const int64_t like = within_listed_years(seconds);
    if (like != seconds && info.end.time_since_epoch().count() >= kEndOfTimestamps) {  // after the last listed change
      info = clock.zone->get_info(date::sys_seconds{std::chrono::seconds{like}});
    }
    *local = seconds + info.offset.count();
    return true;
  } catch (const std::exception&) {
    return fail_with(eval, FaultCode::invalid_argument, "time zone cannot be read");
  }
}

enum class Part { year, month, day_of_year, day_of_month, date, day_of_week, hours, minutes, seconds, milliseconds };

int64_t part_of(Part part, int64_t local, int32_t nanos) {
  int64_t day = local / kDay;
  int64_t second = local % kDay;
  if (second < 0) {
    second += kDay;
    --day;
  }
  CivilDay civil = civil_from_days(day);
  switch (part) {
    case Part::year:
      return civil.year;
    case Part::month:
      return civil.month - 1;
    case Part::day_of_year:
      return day - days_from_civil({civil.year, 1, 1});
    case Part::day_of_month:
      return civil.day - 1;
    case Part::date:
      return civil.day;
    case Part::day_of_week:
      return ((day + 4) % 7 + 7) % 7;  // 1970-01-01 was a Thursday.
    case Part::hours:
      return second / 3600;
    case Part::minutes:
      return second / 60 % 60;
    case Part::seconds:
      return second % 60;
    case Part::milliseconds:
      return nanos / 1'000'000;
  }
  return 0;
}

template <Part part>
bool in_utc(Eval&, const Value* args, Value* result) {
  return give(result, Value::integer(part_of(part, args[0].i, args[0].nanos())));
}

template <Part part>
bool in_clock(Eval& eval, const void* clock, const Value* args, Value* result) {
  int64_t local = 0;
  if (!local_seconds(eval, *static_cast<const Clock*>(clock), args[0].i, &local)) return false;
  return give(result, Value::integer(part_of(part, local, args[0].nanos())));
}

template <Part part>
bool in_zone(Eval& eval, const Value* args, Value* result) {
  Clock clock;
  if (!find_clock(args[1].as_text(), &clock)) {
    return fail_with(eval, FaultCode::invalid_argument, "unknown time zone");
  }
  return in_clock<part>(eval, &clock, args, result);
}

// @returns the zone that was probably meant, by a slip of the pen or by its city alone; or ""
std::string nearest_zone(std::string_view name) {
  NearestWord near(name);
  const std::string city = "/" + std::string(name);
  std::string of_city;
  try {
    for (const date::time_zone& zone : date::get_tzdb().zones) {
      near.offer(zone.name());
      if (of_city.empty() && zone.name().ends_with(city)) of_city = zone.name();
    }
  } catch (const std::exception&) {
    return "";
  }
  return of_city.empty() ? std::string(near.found()) : of_city;
}

std::shared_ptr<const void> prepare_clock(const Value& name, std::string* error) {
  auto clock = std::make_shared<Clock>();
  if (find_clock(name.as_text(), clock.get())) return clock;
  *error = "unknown time zone";
  if (const std::string near = nearest_zone(name.as_text()); !near.empty()) *error += ", did you mean `" + near + "`?";
  return nullptr;
}

// Charged for finding the rules in force.
uint64_t zone_cost(const Value*) { return 50; }

template <Part part>
void add_part(FunctionTable& table, const std::string& name, const std::string& id, const std::string& doc) {
  table.add({name, id, "timestamp.() -> int", in_utc<part>, doc + ", in UTC.", nullptr, kNeverFaults});
  table.add({name,
             id + "_with_tz",
             "timestamp.(string) -> int",
             in_zone<part>,
             doc + ", in a time zone (\"Europe/Paris\") or at an offset (\"-08:00\").",
             zone_cost,
             kMayLock,
             {1, prepare_clock, in_clock<part>, nullptr}});
}

template <int64_t seconds>
bool whole_units(Eval&, const Value* args, Value* result) {
  return give(result, Value::integer(args[0].i / seconds));
}
// Unlike the other parts, CEL defines this as the part beyond whole seconds; it has the duration's
// sign.
bool part_milliseconds(Eval&, const Value* args, Value* result) {
  return give(result, Value::integer(args[0].nanos() / 1'000'000));
}

}  // namespace

void add_time(FunctionTable& table) {
  add_part<Part::year>(table, "getFullYear", "timestamp_to_year", "The year");
  add_part<Part::month>(table, "getMonth", "timestamp_to_month", "The month, from 0");
  add_part<Part::day_of_year>(table, "getDayOfYear", "timestamp_to_day_of_year", "The day of the year, from 0");
  add_part<Part::day_of_month>(table, "getDayOfMonth", "timestamp_to_day_of_month", "The day of the month, from 0");
  add_part<Part::date>(table, "getDate", "timestamp_to_day_of_month_1_based", "The day of the month, from 1");
  add_part<Part::day_of_week>(table, "getDayOfWeek", "timestamp_to_day_of_week", "The day of the week, 0 for Sunday");
  add_part<Part::hours>(table, "getHours", "timestamp_to_hours", "The hour, 0 to 23");
  add_part<Part::minutes>(table, "getMinutes", "timestamp_to_minutes", "The minute, 0 to 59");
  add_part<Part::seconds>(table, "getSeconds", "timestamp_to_seconds", "The second, 0 to 59");
  add_part<Part::milliseconds>(table, "getMilliseconds", "timestamp_to_milliseconds", "The millisecond, 0 to 999");
  const Overload rows[] = {
      {"getHours", "duration_to_hours", "duration.() -> int", whole_units<3600>, "The duration in whole hours.",
       nullptr, kNeverFaults},
      {"getMinutes", "duration_to_minutes", "duration.() -> int", whole_units<60>, "The duration in whole minutes.",
       nullptr, kNeverFaults},
      {"getSeconds", "duration_to_seconds", "duration.() -> int", whole_units<1>, "The duration in whole seconds.",
       nullptr, kNeverFaults},
      {"getMilliseconds", "duration_to_milliseconds", "duration.() -> int", part_milliseconds,
       "The milliseconds beyond whole seconds, 0 to 999, negative if the duration is.", nullptr, kNeverFaults},
  };
  add_rows(table, rows);
}

}  // namespace ordain::stdlib
