// compare_costs says whether one set of policies decides the same events faster or slower than another.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/decide.h"
#include "ordain/export.h"
#include "ordain/prepared_events.h"

namespace ordain {

struct CompareCostsOptions {
  DecideOptions decide;
  double seconds = 0.5;     ///< for each of the two, over all rounds
  uint32_t rounds = 15;     ///< at least 1
  double tolerance = 0.02;  ///< a difference up to this share of the old cost does not matter
  std::function<void(double done)> progress;
};

enum class CostVerdict : uint8_t { no_difference, faster, slower };
ORDAIN_API std::string_view to_string(CostVerdict verdict);

/// Costs are nanoseconds per decision.
struct CostComparison {
  std::vector<double> old_nanos, new_nanos;  ///< the mean of each round
  double ratio = 1;                          ///< of the medians: below 1, the new one is faster
  double low = 1, high = 1;                  ///< the interval that holds the ratio with 95 % confidence
  CostVerdict verdict = CostVerdict::no_difference;
};

/// Judges rounds that were measured in turn; the two lists have the same length, at least 1. The interval is that of
/// the percentile bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13), which draws
/// rounds in pairs, from a fixed seed. The verdict is a difference only if the whole interval lies beyond the
/// tolerance, and never after fewer than five rounds.
ORDAIN_API CostComparison compare_rounds(std::vector<double> old_nanos, std::vector<double> new_nanos,
                                         double tolerance);

/// Measures both in turn, each round in the other order than the one before, so that what slows the machine down for a
/// while slows both. There must be at least one call in each.
ORDAIN_API CostComparison compare_costs(const PreparedEvents& before, const PreparedEvents& after,
                                        const CompareCostsOptions& options);

/// The mean cost of a decision in each of so many rounds, which take `seconds` together.
ORDAIN_API std::vector<double> measure_rounds(const PreparedEvents& events, const DecideOptions& options,
                                              double seconds, uint32_t rounds);

/// The value in the middle of the sorted list, or the mean of the two there; 0 if it is empty.
ORDAIN_API double median_of(std::vector<double> values);

/// What trying a rule costs.
struct RuleCost {
  std::string name;
  uint64_t tried = 0;     ///< how many of the sampled events try its condition
  double mean_nanos = 0;  ///< of one evaluation of the condition
};

/// Evaluates by themselves the conditions that decisions of the events try, on the interpreter or native code as
/// `options` says; those that the index skips are left out. Takes about `seconds`, and samples the events evenly if
/// they are too many for that. @returns the rules with the largest sums first
ORDAIN_API std::vector<RuleCost> measure_rules(const PreparedEvents& events, const DecideOptions& options,
                                               double seconds);

}  // namespace ordain
