// Compares the costs of two sets of policies, and finds what each condition costs.
#include "ordain/compare_costs.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <random>
#include <utility>

#include "analysis/explain.h"
#include "analysis/explain_index.h"
#include "vm/decide/decide_run.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

using CostClock = std::chrono::steady_clock;

constexpr uint32_t kLeastRounds = 5;
constexpr int kResamples = 2000;
constexpr size_t kMostSampled = 200;  // events of which the conditions are measured
constexpr int kEvaluations = 16;      // of a condition, per event

double nanos_since(CostClock::time_point from) {
  return std::chrono::duration<double, std::nano>(CostClock::now() - from).count();
}

std::atomic<uint32_t> decided_effects = 0;  // keeps the compiler from removing decisions

// Decides the events in turn, for rounds of a given time.
class RoundRunner {
 public:
  RoundRunner(const PreparedEvents& events, const DecideOptions& options)
      : events_(events), options_(options), call_(events.program()) {}

  // The mean of one decision, over all events at least once.
  double run(double seconds) {
    const std::vector<PreparedCall>& calls = events_.calls();
    const auto from = CostClock::now();
    uint64_t count = 0;
    double taken = 0;
    uint32_t sum = 0;
    do {
      for (const PreparedCall& call : calls) {
        call.fill(call_);
        sum += static_cast<uint32_t>(decide(call_, *call.context, scratch_, options_).effect);
      }
      count += calls.size();
      taken = nanos_since(from);
    } while (taken < seconds * 1e9);
    decided_effects += sum;
    return taken / static_cast<double>(count);
  }

 private:
  const PreparedEvents& events_;
  const DecideOptions options_;
  Call call_;
  Scratch scratch_;
};

// The value below which a share of the sorted values lies.
double quantile_of(const std::vector<double>& sorted, double share) {
  const auto at = static_cast<size_t>(share * static_cast<double>(sorted.size()));
  return sorted[std::min(at, sorted.size() - 1)];
}

double ratio_of(double after, double before) { return before > 0 ? after / before : 1; }

}  // namespace

std::string_view to_string(CostVerdict verdict) {
  switch (verdict) {
    case CostVerdict::no_difference:
      return "no difference";
    case CostVerdict::faster:
      return "faster";
    case CostVerdict::slower:
      return "slower";
  }
  return "?";
}

double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

CostComparison compare_rounds(std::vector<double> old_nanos, std::vector<double> new_nanos, double tolerance) {
  CostComparison out{.old_nanos = std::move(old_nanos), .new_nanos = std::move(new_nanos)};
  const size_t rounds = out.old_nanos.size();
  out.ratio = ratio_of(median_of(out.new_nanos), median_of(out.old_nanos));
  std::mt19937_64 random(1);
  std::uniform_int_distribution<size_t> round(0, rounds - 1);
  std::vector<double> ratios, before(rounds), after(rounds);
  for (int resample = 0; resample < kResamples; ++resample) {
    for (size_t i = 0; i < rounds; ++i) {
      const size_t drawn = round(random);
      before[i] = out.old_nanos[drawn];
      after[i] = out.new_nanos[drawn];
    }
    ratios.push_back(ratio_of(median_of(after), median_of(before)));
  }
  std::sort(ratios.begin(), ratios.end());
  out.low = quantile_of(ratios, 0.025);
  out.high = quantile_of(ratios, 0.975);
  if (rounds < kLeastRounds) return out;
  if (out.low > 1 + tolerance) out.verdict = CostVerdict::slower;
  if (out.high < 1 - tolerance) out.verdict = CostVerdict::faster;
  return out;
}

CostComparison compare_costs(const PreparedEvents& before, const PreparedEvents& after,
                             const CompareCostsOptions& options) {
  RoundRunner old_runner(before, options.decide), new_runner(after, options.decide);
  const double seconds = options.seconds / options.rounds;
  (void)old_runner.run(seconds);  // warms up
  (void)new_runner.run(seconds);
  std::vector<double> old_nanos, new_nanos;
  for (uint32_t round = 0; round < options.rounds; ++round) {
    if (options.progress) options.progress(static_cast<double>(round) / options.rounds);
    if (round % 2 == 0) old_nanos.push_back(old_runner.run(seconds));
    new_nanos.push_back(new_runner.run(seconds));
    if (round % 2 == 1) old_nanos.push_back(old_runner.run(seconds));
  }
  return compare_rounds(std::move(old_nanos), std::move(new_nanos), options.tolerance);
}

std::vector<double> measure_rounds(const PreparedEvents& events, const DecideOptions& options, double seconds,
                                   uint32_t rounds) {
  RoundRunner runner(events, options);
  (void)runner.run(seconds / rounds);  // warms up
  std::vector<double> out;
  for (uint32_t round = 0; round < rounds; ++round) out.push_back(runner.run(seconds / rounds));
  return out;
}

std::vector<RuleCost> measure_rules(const PreparedEvents& events, const DecideOptions& options, double seconds) {
  const Program& program = *events.program();
  const vm::ProgramData& data = vm::data_of(program);
  Call call(events.program());
  Scratch scratch;
  std::map<RuleId, RuleCost> costs;
  const size_t count = events.calls().size();
  const size_t step = std::max<size_t>(1, count / kMostSampled);
  const auto start = CostClock::now();
  for (size_t i = 0; i < count && nanos_since(start) < seconds * 1e9; i += step) {
    const PreparedCall& prepared = events.calls()[i];
    prepared.fill(call);
    const auto outcomes = detail::explain(call, *prepared.context, scratch, options);
    const auto skipped = detail::skipped_rules(call, *prepared.context, scratch);
    for (const detail::RuleOutcome& outcome : outcomes) {
      const uint32_t condition = data.rule_codes[outcome.code].condition;
      if (condition == kNone || skipped.count(outcome.rule) != 0) continue;
      if (outcome.kind == detail::RuleOutcome::Kind::other_target) continue;
      const EvaluateOptions how = options_of_rule(program, outcome.rule, options);
      Value value;
      Fault fault;
      const auto from = CostClock::now();
      for (int time = 0; time < kEvaluations; ++time) {
        (void)evaluate(program, condition, call, *prepared.context, scratch, how, &value, &fault);
      }
      RuleCost& cost = costs[outcome.rule];
      cost.mean_nanos += nanos_since(from) / kEvaluations;
      ++cost.tried;
    }
  }
  std::vector<RuleCost> out;
  for (auto& [rule, cost] : costs) {
    out.push_back({program.rules()[rule].name, cost.tried, cost.mean_nanos / static_cast<double>(cost.tried)});
  }
  std::stable_sort(out.begin(), out.end(), [](const RuleCost& a, const RuleCost& b) {
    return a.mean_nanos * static_cast<double>(a.tried) > b.mean_nanos * static_cast<double>(b.tried);
  });
  return out;
}

}  // namespace ordain
