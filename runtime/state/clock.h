// The clock of state. Ages are measured by the time since boot, which nobody can set, and by wall
// time only from one boot to the next. So a step of the wall clock neither empties a window nor
// fills one again.
#pragma once

#include <array>
#include <cstdint>

namespace ordain::state {

using BootId = std::array<uint8_t, 16>;

/// What the system's clocks say at one moment, in nanoseconds.
struct ClockReading {
  BootId boot{};        ///< identifies the boot; zeros if the system does not say
  int64_t boot_ns = 0;  ///< since that boot, sleep included
  int64_t wall_ns = 0;  ///< since 1970-01-01T00:00:00Z
};

/// Reads the clocks of this system. Thread-safe.
ClockReading read_clock();

/// A moment as a ledger counts it.
struct Moment {
  int64_t time = 0;  ///< never runs backward. Only differences mean something.
  int64_t wall = 0;  ///< since 1970-01-01T00:00:00Z, as the wall clock says, whatever it said before
};

/// Turns readings into moments. All processes of one boot must use the same timeline.
struct Timeline {
  BootId boot{};
  int64_t offset = 0;  ///< what is added to the time since that boot
  bool started = false;
  Moment last;

  bool knows(const ClockReading& reading) const { return started && boot == reading.boot; }
  /// @returns the offset with which time goes on in the boot of `reading`
  int64_t offset_for(const ClockReading& reading) const;
  /// @returns the moment of a reading within the boot that the timeline knows
  Moment moment(const ClockReading& reading) const;
};

/// Add and subtract within the range of an int64_t: out of it, they return its bounds.
int64_t add_times(int64_t a, int64_t b);
int64_t subtract_times(int64_t a, int64_t b);

}  // namespace ordain::state
