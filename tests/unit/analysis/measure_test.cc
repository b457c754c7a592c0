// These tests compare latency histograms, prepared events and measurements with known answers.
#include "ordain/measure.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ordain/compare_costs.h"
#include "ordain/compile.h"
#include "ordain/stdlib.h"
#include "vm/value/start_thread.h"

namespace ordain {
namespace {

constexpr const char* kPolicies = R"(
context { agent { team: string } }
capability pay { input { amount: int } }
policy p on before pay {
  deny  big  when input.amount > 100;
  allow mine when agent.team == "x";
}
)";

std::shared_ptr<const Program> compiled() {
  return compile({std::make_shared<Source>(Source{"p.policy", kPolicies})}, standard_library()).program;
}

const std::vector<std::string> kLines = {
    R"({"capability": "pay", "input": {"amount": 200}, "agent": {"team": "x"}})",
    R"({"capability": "pay", "input": {"amount": 1}, "agent": {"team": "x"}})",
    "{",
    R"({"capability": "pay", "input": {"amount": 1}, "agent": {"team": "y"}})",
    R"({"capability": "pay", "input": {"amount": "x"}, "agent": {"team": "y"}})",
    R"({"capability": "other"})",
};

TEST(Latency, QuantilesAreWithinThreePercent) {
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.quantile(0.5), 0u);
  for (uint64_t nanos = 1; nanos <= 100000; ++nanos) histogram.add(nanos);
  LatencyHistogram twice = histogram;
  twice.add(histogram);
  for (const LatencyHistogram* each : {&histogram, &twice}) {
    for (const double quantile : {0.01, 0.5, 0.9, 0.999}) {
      EXPECT_NEAR(static_cast<double>(each->quantile(quantile)), quantile * 100000, quantile * 100000 * 0.035);
    }
  }
  EXPECT_EQ(twice.count(), 200000u);
  EXPECT_NEAR(histogram.share_upto(25000), 0.25, 0.01);
}

TEST(PreparedEvents, DecideAsTheEventsTheyAreFrom) {
  PreparedEvents events(compiled());
  for (const std::string& line : kLines) {
    const Result<void> added = events.add(line);
    EXPECT_EQ(added.ok(), line != "{") << line;
    if (!added) {
      EXPECT_EQ(added.error().code, "bad_json");
    }
  }
  ASSERT_EQ(events.calls().size(), 5u);
  EXPECT_EQ(events.contexts(), 3u);
  Call call(events.program());
  Scratch scratch;
  std::vector<std::string> got;
  for (int round = 0; round < 2; ++round) {
    for (const PreparedCall& each : events.calls()) {
      each.fill(call);
      const Decision decision = decide(call, *each.context, scratch);
      got.push_back(std::string(to_string(decision.effect)) + " " + std::string(to_string(decision.code)));
    }
  }
  const std::vector<std::string> once = {"deny rule", "allow rule", "deny default", "deny invalid_input",
                                         "deny default"};
  std::vector<std::string> wanted = once;
  wanted.insert(wanted.end(), once.begin(), once.end());
  EXPECT_EQ(got, wanted);
  EXPECT_EQ(find_disagreement(events, kLines, {}), std::nullopt);
}

TEST(PreparedEvents, ADisagreementIsFound) {
  PreparedEvents events(compiled());
  for (const std::string& line : {kLines[0], kLines[1]}) ASSERT_TRUE(events.add(line));
  EXPECT_EQ(find_disagreement(events, {kLines[0], "{", kLines[3]}, {}), 2u);
}

TEST(Measure, CountsEveryDecisionAndKeepsTheOrderOfQuantiles) {
  PreparedEvents events(compiled());
  for (const std::string& line : kLines) (void)events.add(line);
  double last = 0;
  MeasureOptions options{.seconds = 0.01, .threads = 2};
  options.progress = [&](double done) {
    EXPECT_GE(done, last);
    EXPECT_LE(done, 1);
    last = done;
  };
  const MeasureOptions silent{.seconds = 0.01, .threads = 2};
  const DecisionCost cost = measure_decisions(events, options);
  EXPECT_GT(cost.p50, 0);
  EXPECT_LE(cost.p50, cost.p99);
  EXPECT_EQ(cost.per_second.size(), 2u);
  EXPECT_GT(cost.latency.count(), 0u);
  EXPECT_GT(last, 0);
  double share = 0;
  for (const LatencyBar& bar : latency_bars(cost, 10)) share += bar.share;
  EXPECT_NEAR(share, 100, 1e-6);

  vm::g_may_start_thread = [] { return false; };
  EXPECT_EQ(measure_decisions(events, silent).per_second.size(), 1u) << "the calling thread's";
  vm::g_may_start_thread = nullptr;

  const GroupedCosts groups = measure_groups(events, options);
  EXPECT_EQ(groups.effects, (std::array<uint64_t, 3>{1, 0, 4}));
  ASSERT_EQ(groups.by_capability.size(), 2u);
  EXPECT_EQ(groups.by_capability[0].name, "pay");
  EXPECT_EQ(groups.by_capability[0].count, 4u);
  EXPECT_GT(groups.by_capability[0].mean_nanos, 0);
  std::vector<std::string> rules;
  for (const DecisionGroup& group : groups.by_rule) rules.push_back(group.name + " " + std::to_string(group.count));
  EXPECT_EQ(rules, (std::vector<std::string>{"(default) 2", "(invalid_input) 1", "p.big 1", "p.mine 1"}));
}

TEST(CompareCosts, MediansAreInTheMiddle) {
  EXPECT_EQ(median_of({}), 0);
  EXPECT_EQ(median_of({3, 1, 2}), 2);
  EXPECT_EQ(median_of({4, 1, 2, 3}), 2.5);
}

TEST(CompareCosts, EqualRoundsDoNotDiffer) {
  const std::vector<double> rounds = {100, 102, 98, 101, 99, 100, 103};
  const CostComparison got = compare_rounds(rounds, rounds, 0.0);
  EXPECT_EQ(got.verdict, CostVerdict::no_difference);
  EXPECT_EQ(got.ratio, 1);
  EXPECT_EQ(got.low, 1);
  EXPECT_EQ(got.high, 1);
}

TEST(CompareCosts, AnIntervalBeyondTheToleranceIsADifference) {
  const std::vector<double> before = {100, 102, 98, 101, 99, 100, 103};
  std::vector<double> after;
  for (const double nanos : before) after.push_back(nanos * 1.2);
  const CostComparison slower = compare_rounds(before, after, 0.02);
  EXPECT_EQ(slower.verdict, CostVerdict::slower);
  EXPECT_NEAR(slower.ratio, 1.2, 1e-9);
  EXPECT_LE(slower.low, slower.ratio);
  EXPECT_GE(slower.high, slower.ratio);
  EXPECT_EQ(compare_rounds(after, before, 0.02).verdict, CostVerdict::faster);
  EXPECT_EQ(compare_rounds(before, after, 0.3).verdict, CostVerdict::no_difference);
}

TEST(CompareCosts, NoiseIsNoDifference) {
  // The medians differ by a fifth, but so do rounds of the same policies.
  const std::vector<double> before = {100, 150, 60, 130, 80, 100, 120}, after = {120, 70, 140, 60, 125, 130, 90};
  const CostComparison got = compare_rounds(before, after, 0.02);
  EXPECT_LT(got.low, 1);
  EXPECT_GT(got.high, 1);
  EXPECT_EQ(got.verdict, CostVerdict::no_difference);
}

TEST(CompareCosts, AFewRoundsAreNoVerdict) {
  EXPECT_EQ(compare_rounds({100, 100}, {300, 300}, 0.02).verdict, CostVerdict::no_difference);
}

TEST(CompareCosts, RoundsAndConditionsAreMeasured) {
  PreparedEvents events(compiled());
  for (const std::string& line : kLines) (void)events.add(line);
  ASSERT_FALSE(events.calls().empty());
  const std::vector<double> rounds = measure_rounds(events, {}, 0.01, 3);
  ASSERT_EQ(rounds.size(), 3U);
  for (const double nanos : rounds) EXPECT_GT(nanos, 0);
  const CostComparison got = compare_costs(events, events, {.seconds = 0.01, .rounds = 3});
  EXPECT_EQ(got.old_nanos.size(), 3U);
  EXPECT_EQ(got.new_nanos.size(), 3U);
  for (const RuleCost& rule : measure_rules(events, {}, 1)) {
    EXPECT_TRUE(rule.name == "p.big" || rule.name == "p.mine") << rule.name;
    EXPECT_GT(rule.tried, 0U);
    EXPECT_LE(rule.tried, events.calls().size());
    EXPECT_GT(rule.mean_nanos, 0);
  }
}

}  // namespace
}  // namespace ordain
