// What `ordain bench` measures, apart from how it is shown.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/latency.h"
#include "cli/prepared_events.h"
#include "ordain/compile.h"
#include "ordain/decide.h"

namespace ordain::cli {

/// Deciding on one engine. Nanoseconds per decision, decisions per second.
struct EngineFigures {
  std::string name;
  double p50 = 0, p90 = 0, p99 = 0, p999 = 0, max = 0;
  uint32_t batch = 1;              ///< decisions between two readings of the clock
  std::vector<double> per_second;  ///< on 1, 2, ... threads
  LatencyHistogram latency;        ///< tenths of a nanosecond
};

/// Decisions that have something in common: their capability, or the rule that named the reason.
struct Group {
  std::string name;
  uint64_t count = 0;
  double nanos = 0;  ///< mean of one decision
};

struct BenchReport {
  size_t rules = 0, capabilities = 0, events = 0, malformed = 0, contexts = 0;
  CompileTimes compile;           ///< milliseconds
  double first_decision_ms = 0;   ///< from policy text to the first decision, on the interpreter
  double load_serialised_ms = 0;  ///< from a serialised program to a linked one
  double native_ms = 0;           ///< until everything is native
  size_t serialised_bytes = 0, memory_bytes = 0, code_bytes = 0;
  std::vector<EngineFigures> engines;         ///< interpreter, and jit where it is built in
  std::string effects;                        ///< "60 % allow, 40 % deny"
  std::vector<Group> by_capability, by_rule;  ///< on the last engine, the most frequent first
};

/// How long to measure, and on how many threads.
struct BenchEffort {
  double seconds = 0.5;  ///< of each measurement
  uint32_t threads = 1;  ///< at most
};

/// Is told what is being done, and how far it is (0 to 1).
using Progress = std::function<void(const char* what, double done)>;

/// Measures one engine over all calls, in turn. `prepared` is not empty.
EngineFigures measure_engine(const PreparedEvents& prepared, bool interpret_only, const DecideOptions& options,
                             const BenchEffort& effort, const Progress& progress);

/// Decides each call by itself, again and again, and groups what that takes.
void measure_groups(const PreparedEvents& prepared, const DecideOptions& options, const BenchEffort& effort, BenchReport* report);

/// One bar of a histogram: decisions that took more than the bar before and up to this.
struct LatencyBar {
  double upto = 0;   ///< nanoseconds
  double share = 0;  ///< per cent
};
/// Bars of equal width on a logarithmic scale, from the fastest to p99, and a last one for what took longer.
std::vector<LatencyBar> latency_bars(const EngineFigures& engine, int count);

std::string bench_json(const BenchReport& report);
std::string bench_text(const BenchReport& report);
/// One page with plots, that needs nothing from elsewhere. `title`: what was measured.
std::string bench_html(const BenchReport& report, const std::string& title);

/// "1.25 µs", "98 ns", "3.4 ms".
std::string format_nanos(double nanos);
/// "1.2 M", "870 k".
std::string format_count(double count);
/// "1.2 MB", "340 kB".
std::string format_bytes(double bytes);

}  // namespace ordain::cli
