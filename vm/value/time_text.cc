// Reads and writes timestamps and durations.
#include "ordain/time_text.h"

#include <chrono>

#include <charconv>
#include <chrono>
#include <cstring>

namespace ordain {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr int64_t kSecondsPerDay = 86'400;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes text from the front. Every function returns false if the expected text is not next.
struct Reader {
  std::string_view rest;

  bool take(char c) {
    if (rest.empty() || rest.front() != c) return false;
    rest.remove_prefix(1);
    return true;
  }
  bool take_letter(char upper) { return take(upper) || take(static_cast<char>(upper + ('a' - 'A'))); }
  bool take_text(std::string_view text) {
    if (!rest.starts_with(text)) return false;
    rest.remove_prefix(text.size());
    return true;
  }
  // Takes exactly `count` digits.
  bool take_number(int count, int* out) {
    if (rest.size() < static_cast<size_t>(count)) return false;
    int number = 0;
    for (int n = 0; n < count; ++n) {
      if (!is_digit(rest[static_cast<size_t>(n)])) return false;
      number = number * 10 + (rest[static_cast<size_t>(n)] - '0');
    }
    rest.remove_prefix(static_cast<size_t>(count));
    *out = number;
    return true;
  }
};

// Takes one or more digits after the point, as nanoseconds; digits beyond those are dropped.
bool take_fraction(Reader& in, int32_t* nanos) {
  int digits = 0;
  int32_t value = 0;
  for (; !in.rest.empty() && is_digit(in.rest.front()); in.rest.remove_prefix(1)) {
    if (digits++ < 9) value = value * 10 + (in.rest.front() - '0');
  }
  for (int n = digits; n < 9; ++n) value *= 10;
  *nanos = value;
  return digits > 0;
}

// Takes 'Z', or an offset, as seconds east of Greenwich.
bool take_zone(Reader& in, int* offset) {
  *offset = 0;
  if (in.take_letter('Z')) return true;
  bool negative = !in.rest.empty() && in.rest.front() == '-';
  int hours, minutes;
  if (!in.take('+') && !in.take('-')) return false;
  if (!in.take_number(2, &hours) || !in.take(':') || !in.take_number(2, &minutes)) return false;
  if (hours > 23 || minutes > 59) return false;
  *offset = (hours * 3600 + minutes * 60) * (negative ? -1 : 1);
  return true;
}

bool days_of(int year, int month, int day, int64_t* days) {
  std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                   std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return false;
  *days = std::chrono::sys_days(date).time_since_epoch().count();
  return true;
}

// Takes a unit and returns its nanoseconds, or 0 if there is none.
uint64_t take_unit(Reader& in) {
  if (in.take_text("ns")) return 1;
  // These are the micro sign and the Greek letter that looks like it.
  if (in.take_text("us") || in.take_text("\xC2\xB5s") || in.take_text("\xCE\xBCs")) return 1'000;
  if (in.take_text("ms")) return 1'000'000;
  if (in.take_text("s")) return 1'000'000'000;
  if (in.take_text("m")) return 60'000'000'000;
  if (in.take_text("h")) return 3'600'000'000'000;
  return 0;
}

constexpr Wide kWideLimit = static_cast<Wide>(1) << 63;  // the most nanoseconds of a negative duration

// Adds one term, such as "1.5h", to `*nanos`.
bool take_term(Reader& in, Wide* nanos) {
  constexpr uint64_t kFractionLimit = 1'000'000'000'000'000;  // further digits are below a nanosecond even of hours
  Wide whole = 0;
  uint64_t fraction = 0, scale = 1;
  bool any = false;
  for (; !in.rest.empty() && is_digit(in.rest.front()); in.rest.remove_prefix(1), any = true) {
    whole = whole * 10 + static_cast<unsigned>(in.rest.front() - '0');
    if (whole > kWideLimit) return false;
  }
  if (in.take('.')) {
    for (; !in.rest.empty() && is_digit(in.rest.front()); in.rest.remove_prefix(1), any = true) {
      if (scale >= kFractionLimit) continue;
      fraction = fraction * 10 + static_cast<unsigned>(in.rest.front() - '0');
      scale *= 10;
    }
  }
  uint64_t unit = any ? take_unit(in) : 0;
  if (unit == 0) return false;
  *nanos += whole * unit + static_cast<Wide>(fraction) * unit / scale;
  return *nanos <= kWideLimit;
}

char* put_number(char* out, int value, int digits) {
  for (int n = digits; n-- > 0; value /= 10) out[n] = static_cast<char>('0' + value % 10);
  return out + digits;
}

}  // namespace

bool duration_in_range(int64_t seconds, int32_t nanos) {
  constexpr int64_t kSeconds = INT64_MAX / kNanosPerSecond;
  constexpr int32_t kNanos = INT64_MAX % kNanosPerSecond;
  if (seconds == kSeconds) return nanos <= kNanos;
  if (seconds == -kSeconds) return nanos >= -kNanos - 1;
  return seconds < kSeconds && seconds > -kSeconds;
}

int64_t duration_nanos(int64_t seconds, int32_t nanos) {
  // For the smallest duration, its whole seconds and its nanos are each in range, and so is their
  // sum.
  return seconds * kNanosPerSecond + nanos;
}

bool parse_timestamp(std::string_view text, TimeParts* out) {
  Reader in{text};
  int year, month, day, hour, minute, second, offset;
  int32_t nanos = 0;
  int64_t days;
  if (!in.take_number(4, &year) || !in.take('-') || !in.take_number(2, &month) || !in.take('-') ||
      !in.take_number(2, &day) || !in.take_letter('T') || !in.take_number(2, &hour) || !in.take(':') ||
      !in.take_number(2, &minute) || !in.take(':') || !in.take_number(2, &second)) {
    return false;
  }
  if (in.take('.') && !take_fraction(in, &nanos)) return false;
  if (!take_zone(in, &offset) || !in.rest.empty()) return false;
  if (hour > 23 || minute > 59 || second > 59 || !days_of(year, month, day, &days)) return false;
  int64_t seconds = days * kSecondsPerDay + hour * 3600 + minute * 60 + second - offset;
  if (!timestamp_in_range(seconds)) return false;
  *out = {seconds, nanos};
  return true;
}

bool parse_duration(std::string_view text, TimeParts* out) {
  Reader in{text};
  bool negative = in.take('-');
  if (!negative) in.take('+');
  Wide nanos = 0;
  if (in.rest != "0") {
    do {
      if (!take_term(in, &nanos)) return false;
    } while (!in.rest.empty());
  }
  if (nanos > kWideLimit - (negative ? 0 : 1)) return false;
  auto magnitude = static_cast<uint64_t>(nanos);
  *out = duration_of_nanos(static_cast<int64_t>(negative ? 0 - magnitude : magnitude));
  return true;
}

size_t format_timestamp(int64_t seconds, int32_t nanos, char (&out)[kTimestampTextSize]) {
  int64_t days = seconds / kSecondsPerDay;
  auto rest = static_cast<int>(seconds % kSecondsPerDay);
  if (rest < 0) {
    rest += kSecondsPerDay;
    --days;
  }
  CivilDay date = civil_from_days(days);
  char* at = put_number(out, date.year, 4);
  *at++ = '-';
  at = put_number(at, static_cast<int>(date.month), 2);
  *at++ = '-';
  at = put_number(at, static_cast<int>(date.day), 2);
  *at++ = 'T';
  at = put_number(at, rest / 3600, 2);
  *at++ = ':';
  at = put_number(at, rest / 60 % 60, 2);
  *at++ = ':';
  at = put_number(at, rest % 60, 2);
  if (nanos != 0) {
    *at++ = '.';
    if (nanos % 1'000'000 == 0) {
      at = put_number(at, nanos / 1'000'000, 3);
    } else {
      at = nanos % 1'000 == 0 ? put_number(at, nanos / 1'000, 6) : put_number(at, nanos, 9);
    }
  }
  *at++ = 'Z';
  return static_cast<size_t>(at - out);
}

std::string format_timestamp(int64_t seconds, int32_t nanos) {
  char text[kTimestampTextSize];
  return std::string(text, format_timestamp(seconds, nanos, text));
}

size_t format_duration(int64_t seconds, int32_t nanos, char (&out)[kDurationTextSize]) {
  char* at = out;
  if (seconds < 0 || nanos < 0) *at++ = '-';
  uint64_t whole = seconds < 0 ? 0 - static_cast<uint64_t>(seconds) : static_cast<uint64_t>(seconds);
  at = std::to_chars(at, out + kDurationTextSize, whole).ptr;
  if (nanos != 0) {
    *at++ = '.';
    at = put_number(at, nanos < 0 ? -nanos : nanos, 9);
    while (at[-1] == '0') --at;
  }
  *at++ = 's';
  return static_cast<size_t>(at - out);
}

std::string format_duration(int64_t seconds, int32_t nanos) {
  char text[kDurationTextSize];
  return std::string(text, format_duration(seconds, nanos, text));
}

int64_t days_from_civil(CivilDay day) {
  return std::chrono::sys_days(std::chrono::year(day.year) / std::chrono::month(day.month) / std::chrono::day(day.day))
      .time_since_epoch()
      .count();
}

CivilDay civil_from_days(int64_t days) {
  std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  return {static_cast<int>(date.year()), static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day())};
}

int64_t system_time_ns() {
  auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

std::string format_time(int64_t time_ns) {
  auto [seconds, nanos] = timestamp_of_nanos(time_ns);
  return format_timestamp(seconds, nanos);
}

}  // namespace ordain
