// The report of `ordain bench`, and the three forms in which it is shown.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cli/machine.h"
#include "ordain/compare_costs.h"
#include "ordain/compile.h"
#include "ordain/measure.h"

namespace ordain::cli {

struct EngineReport {
  std::string name;
  DecisionCost cost;
  std::vector<double> rounds;  ///< the mean cost in each round, in nanoseconds
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
  std::vector<RuleCost> rule_costs;   ///< likewise
  Machine machine;                    ///< before the measurement
  std::string warning;                ///< why the figures may be wrong, or ""
  std::string digest, old_digest;     ///< of the programs, in hex
  std::optional<CostComparison> comparison;
};

std::string bench_json(const BenchReport& report);
std::string bench_text(const BenchReport& report);
/// One page with plots, which needs nothing from elsewhere. `title` says what was measured.
std::string bench_html(const BenchReport& report, const std::string& title);

/// "slower: 1.21 of the old cost (95 % between 1.18 and 1.24, 15 rounds)".
std::string comparison_text(const CostComparison& comparison);
/// "98 ns, between 96 ns and 105 ns".
std::string spread_text(const std::vector<double>& rounds);
/// "60 allow (60 %), 40 deny (40 %)".
std::string effects_text(const BenchReport& report);
/// "1.25 µs", "98 ns", "3.4 ms".
std::string format_nanos(double nanos);
/// "1.2 M", "870 k".
std::string format_count(double count);
/// "1.2 MB", "340 kB".
std::string format_bytes(double bytes);

}  // namespace ordain::cli
