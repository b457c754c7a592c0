// Measuring what decisions cost: latency and throughput of an engine, and means by capability and by rule.
//
// One decision is: begin the call, set its fields (strings are looked up, lists become bits), decide. The contexts of
// callers are made before. docs/performance.md describes the method.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/decide.h"
#include "ordain/latency.h"
#include "ordain/prepared_events.h"

namespace ordain {

/// How long to measure, and on how many threads.
struct MeasureOptions {
  DecideOptions decide;  ///< with `interpret_only` the interpreter is measured, else native code where there is some
  double seconds = 0.5;  ///< of each measurement
  uint32_t threads = 1;  ///< throughput is measured on 1 to this many threads
  std::function<void(double done)> progress;  ///< if set: called now and then with how much is done, 0 to 1
};

/// What deciding costs on one engine. Durations are nanoseconds of one decision.
struct DecisionCost {
  double p50 = 0, p90 = 0, p99 = 0, p999 = 0, max = 0;
  uint32_t batch = 1;              ///< how many successive decisions one reading of the clock covers
  std::vector<double> per_second;  ///< decisions per second on 1, 2, ... threads
  LatencyHistogram latency;        ///< in tenths of a nanosecond
};

/// Measures deciding all calls in turn, again and again. There must be a call.
DecisionCost measure_decisions(const PreparedEvents& events, const MeasureOptions& options);

/// Decisions that have their capability or their deciding rule in common.
struct DecisionGroup {
  std::string name;  ///< of the capability or of the rule; "(default)" and other codes where no rule decided
  uint64_t count = 0;
  double mean_nanos = 0;
};

/// Which decisions there are and what each kind costs.
struct GroupedCosts {
  std::vector<DecisionGroup> by_capability, by_rule;  ///< the most frequent first
  std::array<uint64_t, 3> effects{};                  ///< how many decisions, by Effect
};

/// Measures each call by itself, repeated with warm caches. There must be a call.
GroupedCosts measure_groups(const PreparedEvents& events, const MeasureOptions& options);

/// Compares what the interpreter decides about each event as it is read from JSON with what the best engine decides
/// about the prepared one. @param lines the events that were prepared; lines that are not events are left out
/// @returns the index of the first line about which the two differ, or nothing
std::optional<size_t> find_disagreement(const PreparedEvents& events, const std::vector<std::string>& lines,
                                        const EventReaderOptions& reading);

/// One bar of a histogram: the decisions that took longer than the bar before and at most `upto`.
struct LatencyBar {
  double upto = 0;   ///< nanoseconds
  double share = 0;  ///< per cent
};

/// Bars of equal width on a logarithmic scale from the fastest decision to p99, and a last one for the slower rest.
std::vector<LatencyBar> latency_bars(const DecisionCost& cost, int count);

}  // namespace ordain
