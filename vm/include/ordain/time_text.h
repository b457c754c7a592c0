// Timestamps and durations as text: RFC 3339, and the durations of the expression language
// ("1h30m", "1.5s").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ordain/export.h"

namespace ordain {

/// The range of timestamps, in seconds since 1970: 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z.
inline constexpr int64_t kMinTimestampSeconds = -62135596800;
inline constexpr int64_t kMaxTimestampSeconds = 253402300799;

/// A timestamp or a duration. Both parts of a duration have its sign; a timestamp's nanos are never
/// negative.
struct TimeParts {
  int64_t seconds = 0;
  int32_t nanos = 0;
};

/// True if a timestamp of these seconds is within years 1 to 9999.
constexpr bool timestamp_in_range(int64_t seconds) {
  return seconds >= kMinTimestampSeconds && seconds <= kMaxTimestampSeconds;
}

/// True if an int64 can hold the duration in nanoseconds (some 292 years): the range of durations.
ORDAIN_API bool duration_in_range(int64_t seconds, int32_t nanos);

/// Returns the duration in nanoseconds. The duration must be in range.
ORDAIN_API int64_t duration_nanos(int64_t seconds, int32_t nanos);
constexpr TimeParts duration_of_nanos(int64_t nanos) {
  return {nanos / 1'000'000'000, static_cast<int32_t>(nanos % 1'000'000'000)};
}

/// Returns the timestamp that lies `nanos` nanoseconds after 1970-01-01T00:00:00Z. Every number is
/// valid.
constexpr TimeParts timestamp_of_nanos(int64_t nanos) {
  const bool down = nanos % 1'000'000'000 < 0;
  return {nanos / 1'000'000'000 - (down ? 1 : 0),
          static_cast<int32_t>(nanos % 1'000'000'000 + (down ? 1'000'000'000 : 0))};
}

/// Reads RFC 3339: "2009-02-13T23:31:30.5Z", or with an offset such as "+01:00". Fractional digits
/// beyond the ninth are dropped.
/// @returns false on anything else, on a date that does not exist (February 30), and outside the
/// range.
ORDAIN_API bool parse_timestamp(std::string_view text, TimeParts* out);

/// Reads an optional sign and one or more numbers with the units h, m, s, ms, us (µs), ns: "1h30m",
/// "-1.5s"; or "0". Digits beyond a nanosecond are dropped. @returns false on anything else and
/// outside the range.
ORDAIN_API bool parse_duration(std::string_view text, TimeParts* out);

/// The longest texts that the formatters below write, in bytes.
inline constexpr size_t kTimestampTextSize = 32;
inline constexpr size_t kDurationTextSize = 40;

/// Writes RFC 3339 in UTC with as few of 0, 3, 6 or 9 fractional digits as preserve the value.
/// @returns the number of bytes written.
ORDAIN_API size_t format_timestamp(int64_t seconds, int32_t nanos, char (&out)[kTimestampTextSize]);
ORDAIN_API std::string format_timestamp(int64_t seconds, int32_t nanos);

/// Nanoseconds since 1970-01-01T00:00:00Z by the system's clock.
ORDAIN_API int64_t system_time_ns();
/// Writes RFC 3339 in UTC with 0, 3, 6 or 9 fractional digits: "2026-01-31T12:00:00.250Z".
ORDAIN_API std::string format_time(int64_t time_ns);

/// Writes decimal seconds with as few digits as preserve the value: "5400s", "1.5s",
/// "-0.000000001s".
/// @returns the number of bytes written.
ORDAIN_API size_t format_duration(int64_t seconds, int32_t nanos, char (&out)[kDurationTextSize]);
ORDAIN_API std::string format_duration(int64_t seconds, int32_t nanos);

/// A day of the proleptic Gregorian calendar.
struct CivilDay {
  int32_t year = 1970;
  uint32_t month = 1;  ///< 1 to 12
  uint32_t day = 1;    ///< 1 to 31
};

/// Converts a day to days since 1970-01-01, and back, for the years -32767 to 32767.
ORDAIN_API int64_t days_from_civil(CivilDay day);
ORDAIN_API CivilDay civil_from_days(int64_t days);

}  // namespace ordain
