// These tests compare latency histograms, prepared events and measurements with known answers.
#include "ordain/measure.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

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

}  // namespace
}  // namespace ordain
