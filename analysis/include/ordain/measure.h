// Measures what decisions cost: latency and throughput of an engine, and means by capability and
// by rule.
//
// One decision consists of beginning the call, setting its fields (strings are looked up, lists
// become bits), and deciding. The callers' contexts are made beforehand. docs/performance.md
// describes the method.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/decide.h"
#include "ordain/export.h"
#include "ordain/latency.h"
#include "ordain/prepared_events.h"

namespace ordain {

/// How long to measure, and on how many threads.
struct MeasureOptions {
  DecideOptions decide;  ///< with `interpret_only` measures the interpreter, otherwise native code if there is any
  double seconds = 0.5;  ///< for each measurement
  uint32_t threads = 1;  ///< throughput is measured on 1 to this many threads
  std::function<void(double done)> progress;  ///< if set: called periodically with progress, 0 to 1
};

/// The cost of deciding with one engine. Durations are nanoseconds per decision.
struct DecisionCost {
  double p50 = 0, p90 = 0, p99 = 0, p999 = 0, max = 0;
  uint32_t batch = 1;              ///< decisions per reading of the clock
  std::vector<double> per_second;  ///< decisions per second on 1, 2, ... threads, as far as they can be started
  LatencyHistogram latency;        ///< in tenths of a nanosecond
};

/// Measures deciding all calls in turn, repeatedly. There must be at least one call.
ORDAIN_API DecisionCost measure_decisions(const PreparedEvents& events, const MeasureOptions& options);

/// Decisions with the same capability or the same deciding rule.
struct DecisionGroup {
  std::string name;  ///< the capability or the rule; "(default)" or another code if no rule decided
  uint64_t count = 0;
  double mean_nanos = 0;
};

/// Which decisions occur, and what each kind costs.
struct GroupedCosts {
  std::vector<DecisionGroup> by_capability, by_rule;  ///< the most frequent first
  std::array<uint64_t, 3> effects{};                  ///< how many decisions, by Effect
};

/// Measures each call by itself, repeated with warm caches. There must be at least one call.
ORDAIN_API GroupedCosts measure_groups(const PreparedEvents& events, const MeasureOptions& options);

/// Compares the interpreter's decision on each event, as read from JSON, with the decision of the
/// best engine on the prepared event.
/// @param lines the events that were prepared; lines that are not events are skipped.
/// @returns the index of the first line on which the two differ, or nothing.
ORDAIN_API std::optional<size_t> find_disagreement(const PreparedEvents& events, const std::vector<std::string>& lines,
                                                   const EventReaderOptions& reading);

/// One bar of a histogram: the decisions that took longer than the bar before and at most `upto`.
struct LatencyBar {
  double upto = 0;   ///< nanoseconds
  double share = 0;  ///< per cent
};

/// Returns bars of equal width on a logarithmic scale from the fastest decision to p99, and a last
/// bar for the slower rest.
ORDAIN_API std::vector<LatencyBar> latency_bars(const DecisionCost& cost, int count);

}  // namespace ordain
