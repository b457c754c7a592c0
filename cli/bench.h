// The report of `ordain bench`, and the three forms in which it is shown.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "ordain/compile.h"
#include "ordain/measure.h"

namespace ordain::cli {

struct EngineReport {
  std::string name;
  DecisionCost cost;
};

struct BenchReport {
  size_t rules = 0, capabilities = 0, events = 0, malformed = 0, contexts = 0;
  CompileTimes compile;           ///< milliseconds
  double first_decision_ms = 0;   ///< from policy text to the first decision, on the interpreter
  double load_serialised_ms = 0;  ///< from a serialised program to a linked one
  bool native = false;            ///< whether there is native code
  double native_ms = 0;           ///< until everything is native
  size_t serialised_bytes = 0, memory_bytes = 0, code_bytes = 0;
  std::vector<EngineReport> engines;  ///< interpreter, and jit where there is native code
  GroupedCosts groups;                ///< on the last engine
};

std::string bench_json(const BenchReport& report);
std::string bench_text(const BenchReport& report);
/// One page with plots, which needs nothing from elsewhere. `title` says what was measured.
std::string bench_html(const BenchReport& report, const std::string& title);

/// "60 allow (60 %), 40 deny (40 %)".
std::string effects_text(const BenchReport& report);
/// "1.25 µs", "98 ns", "3.4 ms".
std::string format_nanos(double nanos);
/// "1.2 M", "870 k".
std::string format_count(double count);
/// "1.2 MB", "340 kB".
std::string format_bytes(double bytes);

}  // namespace ordain::cli
