// These tests cover plans: decided ahead, executed in sequence or in parallel, retried, undone; and
// rules about the whole plan.
#include "ordain/plan.h"

#include <algorithm>
#include <mutex>
#include <stdexcept>

#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

using testing::Bench;
using testing::json;

Action pay(double amount) {
  return {.capability = "pay", .input = json(R"({"to": "bob", "amount": )" + std::to_string(amount) + "}")};
}
Action look() { return {.capability = "look", .input = json(R"({"n": 1})")}; }

/// Counts executions, fails on demand, and undoes a payment by a payment of 1.
struct Tool final : Executor {
  std::vector<std::string> done;
  int setups = 0, teardowns = 0, failures = 0;
  bool verifies = true, throws = false, ready = true;
  double undo_amount = 1;
  std::mutex mutex;

  Result<Document> execute(const Action& action, const Value& input) override {
    std::lock_guard lock(mutex);
    done.push_back(action.capability + to_json(input));
    if (throws) throw std::runtime_error("broken");
    if (failures-- > 0) return Error{"busy", "try again"};
    return action.capability == "pay" ? json(R"({"message": "paid"})") : json(R"({"text": "seen"})");
  }
  Result<void> verify(const Action&, const Value&) override {
    if (verifies) return {};
    return Error{"x", "it is not there"};
  }
  Result<void> setup() override {
    ++setups;
    if (ready) return {};
    return Error{"setup", "no browser"};
  }
  void teardown() noexcept override { ++teardowns; }
  std::optional<Action> undo(const Action& action, const Value&) override {
    if (action.capability != "pay") return std::nullopt;
    return pay(undo_amount);
  }
};

std::vector<std::string> statuses(const std::vector<ActionResult>& results) {
  std::vector<std::string> out;
  for (const auto& result : results) out.emplace_back(to_string(result.status));
  return out;
}
using Texts = std::vector<std::string>;

TEST(Plan, IsDecidedWithoutExecutingAskingOrRecording) {
  Bench bench;
  auto runtime = bench.open();
  auto plan = make_plan(runtime, {look(), pay(600), pay(-1)});
  EXPECT_EQ(plan.size(), 3u);
  EXPECT_TRUE(plan.has_blocked());
  EXPECT_TRUE(plan.requires_approval());
  EXPECT_FALSE(make_plan(runtime, {look()}).has_blocked());
  EXPECT_FALSE(make_plan(runtime, {look()}).requires_approval());
  std::string summary = plan.summary();
  EXPECT_NE(summary.find("3 actions: 1 allow, 1 require_approval, 1 deny"), std::string::npos) << summary;
  EXPECT_NE(summary.find("payments.negative"), std::string::npos);
  EXPECT_TRUE(bench.records(runtime).empty());
  EXPECT_TRUE(runtime.approvals().list(std::nullopt, *bench.now)->empty());
}

TEST(Plan, FailedOrDeniedSkipsTheRestAndBlockedDoesNot) {
  Bench bench;
  auto runtime = bench.open();
  Tool tool;
  auto results = execute(runtime, tool, make_plan(runtime, {pay(-1), look(), pay(600), look()}));
  EXPECT_EQ(statuses(results), (Texts{"blocked", "success", "denied", "skipped"}));
  EXPECT_NE(results[2].outcome->pending(), nullptr);
  EXPECT_EQ(tool.done.size(), 1u);
  EXPECT_EQ(tool.setups, 1);
  EXPECT_EQ(tool.teardowns, 1);
  tool.failures = 1;
  results = execute(runtime, tool, make_plan(runtime, {look(), look()}));
  EXPECT_EQ(statuses(results), (Texts{"failed", "skipped"}));
  EXPECT_NE(results[0].message.find("try again"), std::string::npos);
  tool.failures = 1;
  results = execute(runtime, tool, make_plan(runtime, {look(), look()}), {.fail_fast = false});
  EXPECT_EQ(statuses(results), (Texts{"failed", "success"}));
}

TEST(Plan, AnApprovedActionRunsWhenThePlanIsExecutedAgain) {
  Bench bench;
  bench.options.approvals = auto_handler(true);
  auto runtime = bench.open();
  Tool tool;
  auto results = execute(runtime, tool, make_plan(runtime, {pay(600), look()}));
  EXPECT_EQ(statuses(results), (Texts{"success", "success"}));
  EXPECT_TRUE(results[0].ok());
}

TEST(Plan, WhatAnExecutorThrowsOrDoesNotVerifyIsARecordedFailure) {
  Bench bench;
  auto runtime = bench.open();
  Tool tool;
  tool.throws = true;
  EXPECT_EQ(run_one(runtime, tool, look()).status, ActionStatus::failed);
  tool.throws = false;
  tool.verifies = false;
  auto result = run_one(runtime, tool, look());
  EXPECT_EQ(result.status, ActionStatus::failed);
  EXPECT_EQ(result.outcome->failed()->code, "not_verified");
  tool.ready = false;
  result = run_one(runtime, tool, look());
  EXPECT_NE(result.message.find("no browser"), std::string::npos) << result.message;
  EXPECT_EQ(tool.done.size(), 2u);
  EXPECT_EQ(tool.teardowns, 3);
  auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 6u);
  for (size_t i : {1u, 3u, 5u}) EXPECT_EQ(records[i].status, OutcomeStatus::failed);
}

TEST(Plan, WithheldOutputIsAFailureThatIsNotRetried) {
  Bench bench;
  auto runtime = bench.open();
  int runs = 0;
  auto leaky = make_executor([&](const Action&, const Value&) -> Result<Document> {
    ++runs;
    return json(R"({"message": "AKIA"})");
  });
  auto result = run_one(runtime, *leaky, pay(20), {.retry = {.attempts = 3, .delay = std::chrono::milliseconds(0)}});
  EXPECT_EQ(result.status, ActionStatus::failed);
  EXPECT_NE(result.outcome->withheld(), nullptr);
  EXPECT_EQ(runs, 1);
}

TEST(Plan, RetriesAreGovernedCallsOfTheirOwn) {
  Bench bench;
  auto runtime = bench.open();
  Tool tool;
  tool.failures = 2;
  std::vector<int> retried;
  PlanOptions options;
  options.retry = {.attempts = 3, .delay = std::chrono::milliseconds(1)};
  options.hooks.on_retry = [&](const Action&, const Failed& failed, int attempt) {
    EXPECT_EQ(failed.code, "busy");
    retried.push_back(attempt);
  };
  auto result = run_one(runtime, tool, look(), options);
  EXPECT_EQ(result.status, ActionStatus::success);
  EXPECT_EQ(result.attempts, 3);
  EXPECT_EQ(retried, (std::vector<int>{1, 2}));
  EXPECT_EQ(bench.records(runtime).size(), 6u);
  tool.failures = 2;
  options.retry.retry = [](const Failed& failed) { return failed.code != "busy"; };
  EXPECT_EQ(run_one(runtime, tool, look(), options).attempts, 1);
}

TEST(Plan, RollbackUndoesWhatSucceededThroughThePolicies) {
  Bench bench;
  auto runtime = bench.open();
  Tool tool;
  auto plan = make_plan(runtime, {pay(20), look(), pay(600)});
  auto results = execute(runtime, tool, plan, {.rollback = true});
  EXPECT_EQ(statuses(results), (Texts{"success", "success", "denied"}));
  EXPECT_TRUE(results[0].rolled_back) << results[0].rollback;
  EXPECT_FALSE(results[1].rolled_back);
  EXPECT_EQ(results[1].rollback, "");
  EXPECT_EQ(tool.done.size(), 3u);
  auto records = bench.records(runtime);
  EXPECT_EQ(records.back().kind, RecordKind::outcome);
  EXPECT_EQ(records[records.size() - 2].parent, results[0].outcome->action().hex());
  tool.undo_amount = -1;  // which the policies deny
  results = execute(runtime, tool, plan, {.rollback = true});
  EXPECT_FALSE(results[0].rolled_back);
  EXPECT_NE(results[0].rollback.find("payments.negative"), std::string::npos) << results[0].rollback;
}

TEST(Plan, SideBySideNothingIsSkipped) {
  Bench bench;
  auto runtime = bench.open();
  Tool tool;
  std::vector<Action> actions(20, look());
  actions[3] = pay(-1);
  actions[5] = pay(600);
  auto results = execute(runtime, tool, make_plan(runtime, actions), {.parallel = true});
  ASSERT_EQ(results.size(), 20u);
  EXPECT_EQ(results[3].status, ActionStatus::blocked);
  EXPECT_EQ(results[5].status, ActionStatus::denied);
  EXPECT_EQ(std::count_if(results.begin(), results.end(), [](const auto& r) { return r.ok(); }), 18);
  EXPECT_EQ(tool.done.size(), 18u);
}

TEST(Plan, ADryRunExecutesNothing) {
  Bench bench;
  auto runtime = bench.open();
  Tool tool;
  auto results = execute(runtime, tool, make_plan(runtime, {look(), pay(-1), pay(600)}), {.dry_run = true});
  EXPECT_EQ(statuses(results), (Texts{"skipped", "blocked", "skipped"}));
  EXPECT_NE(results[2].message.find("require_approval"), std::string::npos);
  EXPECT_TRUE(tool.done.empty());
  EXPECT_EQ(tool.setups, 0);
  EXPECT_TRUE(bench.records(runtime).empty());
}

TEST(Plan, HooksSeeEveryActionAndOneThatThrowsBeforeFailsIt) {
  Bench bench;
  auto runtime = bench.open();
  Tool tool;
  Texts seen;
  PlanOptions options;
  options.hooks.before_action = [&](const Action& action) { seen.push_back("before " + action.capability); };
  options.hooks.after_action = [&](const ActionResult& result) {
    seen.push_back("after " + std::string(to_string(result.status)));
    throw std::runtime_error("the hook's own affair");
  };
  auto results = execute(runtime, tool, make_plan(runtime, {look(), pay(-1)}), options);
  EXPECT_EQ(seen, (Texts{"before look", "after success", "after blocked"}));
  EXPECT_EQ(results[0].hook_error, "the hook's own affair");
  EXPECT_TRUE(results[0].ok());
  options.hooks.before_action = [](const Action&) { throw std::runtime_error("not now"); };
  auto result = run_one(runtime, tool, look(), options);
  EXPECT_EQ(result.status, ActionStatus::failed);
  EXPECT_EQ(tool.done.size(), 1u);
}

TEST(PlanRules, OrderedSequencesBlockTheirLastAction) {
  Bench bench;
  auto runtime = bench.open();
  PlanRules rules;
  rules.sequences = {{.name = "exfiltrate", .capabilities = {"look", "pa*"}, .effect = Effect::deny, .reason = ""}};
  EXPECT_FALSE(make_plan(runtime, {pay(20), look()}, rules).has_blocked()) << "the other way round";
  auto plan = make_plan(runtime, {look(), look(), pay(20)}, rules);
  EXPECT_TRUE(plan.has_blocked());
  EXPECT_EQ(plan.actions[2].decision.rule, "plan.exfiltrate");
  Tool tool;
  auto results = execute(runtime, tool, plan);
  EXPECT_EQ(statuses(results), (Texts{"success", "success", "blocked"}));
  auto records = bench.records(runtime);
  EXPECT_EQ(records.back().kind, RecordKind::denied) << "a blocked plan leaves a record";
  EXPECT_EQ(records.back().rule, "plan.exfiltrate");
}

TEST(PlanRules, CumulativeRiskAsksForApproval) {
  Bench bench;
  auto runtime = bench.open();
  PlanRules rules;
  rules.risks = {{.limit = 6.5}};  // pay is high: 3 each
  auto plan = make_plan(runtime, {pay(20), pay(20), pay(20)}, rules);
  EXPECT_EQ(plan.count(Effect::allow), 2u);
  EXPECT_EQ(plan.actions[2].decision.effect, Effect::require_approval);
  EXPECT_EQ(plan.actions[2].decision.rule, "plan.cumulative_risk");
  Tool tool;
  auto results = execute(runtime, tool, plan);
  EXPECT_EQ(statuses(results), (Texts{"success", "success", "denied"}));
  std::string id = results[2].outcome->pending()->approval_id;
  ASSERT_TRUE(runtime.approvals().approve(id, "ann", "", "", *bench.now).ok());
  results = execute(runtime, tool, plan);
  EXPECT_EQ(statuses(results), (Texts{"success", "success", "success"}));
  Action unknown = look();
  unknown.risk = ActionRisk("enormous");
  EXPECT_TRUE(make_plan(runtime, {unknown}, rules).has_blocked()) << "an unknown risk is invalid input";
}

}  // namespace
}  // namespace ordain
