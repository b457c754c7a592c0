// clock.cc reads the clocks and joins the times of several boots to one.
#include "runtime/state/clock.h"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <limits>
#include <string>

namespace ordain::state {
namespace {

int64_t read_nanoseconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

/// Reads the digits of a UUID. Where the system has none, the id is zeros: time then stands still
/// after a reboot until as much of it has passed as before, and windows empty late, never early.
BootId read_boot_id() {
  BootId out{};
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string text;
  if (!std::getline(in, text)) return out;
  size_t digits = 0;
  for (char c : text) {
    const bool decimal = c >= '0' && c <= '9', letter = c >= 'a' && c <= 'f';
    if ((!decimal && !letter) || digits == 2 * out.size()) continue;
    const int digit = decimal ? c - '0' : c - 'a' + 10;
    out[digits / 2] = static_cast<uint8_t>(out[digits / 2] * 16 + digit);
    ++digits;
  }
  return out;
}

}  // namespace

int64_t add_times(int64_t a, int64_t b) {
  int64_t out = 0;
  if (!__builtin_add_overflow(a, b, &out)) return out;
  return b > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
}

int64_t subtract_times(int64_t a, int64_t b) {
  int64_t out = 0;
  if (!__builtin_sub_overflow(a, b, &out)) return out;
  return b < 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
}

ClockReading read_clock() {
  static const BootId boot = read_boot_id();
  return {boot, read_nanoseconds(CLOCK_BOOTTIME), read_nanoseconds(CLOCK_REALTIME)};
}

int64_t Timeline::offset_for(const ClockReading& reading) const {
  if (!started) return subtract_times(reading.wall_ns, reading.boot_ns);
  const int64_t passed = std::max<int64_t>(0, subtract_times(reading.wall_ns, last.wall));
  return subtract_times(add_times(last.time, passed), reading.boot_ns);
}

Moment Timeline::moment(const ClockReading& reading) const {
  return {std::max(last.time, add_times(reading.boot_ns, offset)), reading.wall_ns};
}

}  // namespace ordain::state
