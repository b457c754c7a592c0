// These tests cover what governed calls remember: limits that hold under parallel calls, approvals that are decided
// again, outcomes that the host reports, labels that are raised before an output is released, and faults of the state.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "ordain/plan.h"
#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

using namespace ordain::testing;  // NOLINT(google-build-using-namespace): the tests' own support

/// @returns "allow", or how and by which code or rule the call ended
std::string text_of(const Outcome<Document>& outcome) {
  if (outcome.has_value()) return "allow";
  const auto by = [](const auto& ending) { return ending.code == "rule" ? ending.rule : ending.code; };
  if (outcome.denied() != nullptr) return "deny " + by(*outcome.denied());
  if (outcome.withheld() != nullptr) return "withhold " + by(*outcome.withheld());
  if (outcome.pending() != nullptr) return "wait " + outcome.pending()->rule;
  return "failed " + outcome.failed()->code;
}

struct HistoryBench : Bench {
  HistoryBench() {
    options.tenant = "acme";
    options.principal = "ann";
    options.session = "s1";
  }
  std::string call(const Runtime& runtime, const std::string& capability, const std::string& input,
                   const std::string& output = "{}", const CallOptions& how = {}) const {
    return text_of(runtime.call(capability, json(input), tool(output), how));
  }
  static std::string fail(const Runtime& runtime, const std::string& capability, const std::string& input,
                          const std::string& code) {
    return text_of(runtime.call(capability, json(input),
                                [&](const Value&) -> Result<Document> { return Error{code, "it failed"}; }));
  }
};

const char* const kRefunds = R"(
capability refund { input { customer: string, amount: double } }
history refunded = begun refund sum input.amount by tenant, input.customer within 24h;
policy refunds on before refund {
  deny many when refunded.count > 3;
  deny much when refunded.sum > 500.0;
  allow rest;
}
)";
const char* const kSmall = R"({"customer": "c1", "amount": 10.0})";

TEST(GovernedHistory, CountsCallsAndForgetsThemAfterTheWindow) {
  HistoryBench bench;
  const Runtime runtime = bench.open(compile_text(kRefunds));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bench.call(runtime, "refund", kSmall), "allow") << i;
  EXPECT_EQ(bench.call(runtime, "refund", kSmall), "deny refunds.many");
  EXPECT_EQ(bench.call(runtime, "refund", R"({"customer": "c2", "amount": 501.0})"), "deny refunds.much");
  EXPECT_EQ(bench.call(runtime, "refund", R"({"customer": "c2", "amount": 500.0})"), "allow");
  EXPECT_EQ(*bench.runs, 4);
  *bench.now += 24 * 3600 * kSecond + 1;
  EXPECT_EQ(bench.call(runtime, "refund", kSmall), "allow");
}

TEST(GovernedHistory, OutlivesARestartAndIsSharedByRuntimes) {
  HistoryBench bench;
  const auto program = compile_text(kRefunds);
  {
    const Runtime first = bench.open(program);
    EXPECT_EQ(bench.call(first, "refund", kSmall), "allow");
  }
  const Runtime second = bench.open(program), third = bench.open(program);
  EXPECT_EQ(bench.call(second, "refund", kSmall), "allow");
  EXPECT_EQ(bench.call(third, "refund", kSmall), "allow");
  EXPECT_EQ(bench.call(second, "refund", kSmall), "deny refunds.many");
}

TEST(GovernedHistory, KeepsWhatAReloadDoesNotChange) {
  HistoryBench bench;
  const Runtime runtime = bench.open(compile_text(kRefunds));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bench.call(runtime, "refund", kSmall), "allow");
  ASSERT_TRUE(runtime.reload(compile_text(edited(kRefunds, "count > 3", "count > 4"))).ok());
  EXPECT_EQ(bench.call(runtime, "refund", kSmall), "allow");
  EXPECT_EQ(bench.call(runtime, "refund", kSmall), "deny refunds.many");
}

TEST(GovernedHistory, EvaluateAndPlansOnlyRead) {
  HistoryBench bench;
  const Runtime runtime = bench.open(compile_text(kRefunds));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(runtime.evaluate("refund", json(kSmall)).effect, Effect::allow);
  std::vector<Action> twice;
  for (int i = 0; i < 2; ++i) twice.push_back({"refund", json(kSmall)});
  EXPECT_FALSE(make_plan(runtime, twice).has_blocked());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bench.call(runtime, "refund", kSmall), "allow");
  EXPECT_EQ(runtime.evaluate("refund", json(kSmall)).rule, "refunds.many");
}

TEST(GovernedHistory, NeedsNoStoreWithoutState) {
  HistoryBench bench;
  const Runtime runtime = bench.open();
  EXPECT_TRUE(bench.pay(runtime, 5).has_value());
  EXPECT_FALSE(std::filesystem::exists(bench.options.database + "/state.db"));
}

TEST(GovernedHistory, WorksWithoutADatabase) {
  HistoryBench bench;
  bench.options.database.clear();
  const Runtime runtime = bench.open(compile_text(kRefunds));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bench.call(runtime, "refund", kSmall), "allow");
  EXPECT_EQ(bench.call(runtime, "refund", kSmall), "deny refunds.many");
}

TEST(GovernedHistory, ALimitHoldsUnderParallelCalls) {
  HistoryBench bench;
  const Runtime runtime = bench.open(compile_text(R"(
capability grab { }
budget slots = 7 by tenant each day { take 1 on grab; }
policy p on before grab { deny over when slots.left < 0; allow rest; }
)"));
  std::atomic<int> allowed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 5; ++n) allowed += bench.call(runtime, "grab", "{}") == "allow" ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(allowed, 7);
  EXPECT_EQ(*bench.runs, 7);
}

const char* const kShells = R"(
capability shell { input { command: string } }
budget shells = 1 at once by tenant { take 1 on shell; }
policy jobs on before shell { deny busy when shells.left < 0; allow rest; }
)";

TEST(GovernedHistory, ACallHoldsWhileItRuns) {
  HistoryBench bench;
  const Runtime runtime = bench.open(compile_text(kShells));
  const std::string input = R"({"command": "ls"})";
  std::string inner;
  const auto outcome = runtime.call("shell", json(input), [&](const Value&) -> Result<Document> {
    inner = bench.call(runtime, "shell", input);
    return json("{}");
  });
  EXPECT_TRUE(outcome.has_value());
  EXPECT_EQ(inner, "deny jobs.busy");
  EXPECT_EQ(bench.call(runtime, "shell", input), "allow");
  EXPECT_EQ(bench.fail(runtime, "shell", input, "broken"), "failed broken");
  EXPECT_EQ(bench.fail(runtime, "shell", input, "not_executed"), "failed not_executed");
  EXPECT_EQ(bench.call(runtime, "shell", input), "allow");
}

TEST(GovernedHistory, TheHostsRulesTakeNothingAndAreAskedOnce) {
  HistoryBench bench;
  const Runtime runtime = bench.open(compile_text(edited(kRefunds, "count > 3", "count > 1")));
  int asked = 0;
  bool denies = true;
  ASSERT_TRUE(runtime
                  .before("refund", "host",
                          [&](const HostCall&) {
                            ++asked;
                            HostVerdict out;
                            if (denies) out.effect = Effect::deny;
                            out.reason = "the host says so";
                            return out;
                          })
                  .ok());
  EXPECT_EQ(bench.call(runtime, "refund", kSmall), "deny host");
  EXPECT_EQ(asked, 1);
  denies = false;
  EXPECT_EQ(bench.call(runtime, "refund", kSmall), "allow");
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(bench.call(runtime, "refund", kSmall), "deny refunds.many");
  EXPECT_EQ(asked, 2);  // the policies had denied
}

TEST(GovernedHistory, AnApprovalIsDecidedAgainWithTheStateOfThen) {
  HistoryBench bench;
  const Runtime runtime = bench.open(compile_text(R"(
capability pay { input { to: string, amount: double } }
budget spend = 100.0 by tenant each day { take input.amount on pay; }
policy p on before pay {
  deny over when spend.left < 0.0;
  require_approval large when input.amount > 50.0 from "finance";
  allow rest;
}
)"));
  const std::string first = R"({"to": "a", "amount": 60.0})", second = R"({"to": "b", "amount": 60.0})";
  EXPECT_EQ(bench.call(runtime, "pay", first), "wait p.large");
  EXPECT_EQ(bench.call(runtime, "pay", second), "wait p.large");  // what waits holds nothing
  auto waiting = runtime.approvals().list(ApprovalState::pending, *bench.now);
  ASSERT_TRUE(waiting.ok()) << waiting.error().message;
  ASSERT_EQ(waiting->size(), 2u);
  for (const Approval& one : *waiting)
    ASSERT_TRUE(runtime.approvals().approve(one.id, "fay", "finance", "", *bench.now).ok());
  EXPECT_EQ(bench.call(runtime, "pay", first), "allow");
  EXPECT_EQ(bench.call(runtime, "pay", second), "deny p.over");
  EXPECT_EQ(bench.call(runtime, "pay", R"({"to": "c", "amount": 40.0})"), "allow");
  EXPECT_EQ(*bench.runs, 2);
}

TEST(GovernedHistory, AHandlersApprovalCountsOnce) {
  HistoryBench bench;
  bench.options.approvals = auto_handler(true);
  const Runtime runtime = bench.open(compile_text(R"(
capability pay { input { amount: double } }
budget spend = 100.0 by tenant each day { take input.amount on pay; }
policy p on before pay { deny over when spend.left < 0.0; require_approval all; }
)"));
  EXPECT_EQ(bench.call(runtime, "pay", R"({"amount": 50.0})"), "allow");
  EXPECT_EQ(bench.call(runtime, "pay", R"({"amount": 50.0})"), "allow");
  EXPECT_EQ(bench.call(runtime, "pay", R"({"amount": 1.0})"), "deny p.over");
}

const char* const kOutcomes = R"(
label untrusted;
capability read   { output open { text: string } labels untrusted; }
capability check  { output { passed: bool } }
capability deploy { }
capability send   { input { to: string } }
history checked  = done check when output.passed by session within 1h;
history failures = failed check by session within 1h;
policy free on before read { allow; }
policy checks on before check { deny locked when failures.count >= 2; allow rest; }
policy deploys on before deploy { deny unchecked when !checked.seen; allow rest; }
policy sends on before send { deny leaks when "untrusted" in session.labels; allow rest; }
policy reads on after read { deny secret when output.text == "secret"; }
)";

TEST(GovernedHistory, OutcomesCountAsTheyWere) {
  HistoryBench bench;
  const Runtime runtime = bench.open(compile_text(kOutcomes));
  EXPECT_EQ(bench.call(runtime, "check", "{}", R"({"passed": false})"), "allow");
  EXPECT_EQ(bench.call(runtime, "deploy", "{}"), "deny deploys.unchecked");
  EXPECT_EQ(bench.call(runtime, "check", "{}", R"({"passed": "yes"})"), "withhold invalid_input");
  EXPECT_EQ(bench.call(runtime, "deploy", "{}"), "deny deploys.unchecked");
  EXPECT_EQ(bench.call(runtime, "check", "{}", R"({"passed": true})"), "allow");
  EXPECT_EQ(bench.call(runtime, "deploy", "{}"), "allow");
  EXPECT_EQ(bench.fail(runtime, "check", "{}", "broken"), "failed broken");
  EXPECT_EQ(bench.fail(runtime, "check", "{}", "not_executed"), "failed not_executed");
  EXPECT_EQ(bench.fail(runtime, "check", "{}", "broken"), "failed broken");
  EXPECT_EQ(bench.call(runtime, "check", "{}", R"({"passed": true})"), "deny checks.locked");
}

TEST(GovernedHistory, LabelsAreRaisedByWhatIsReleased) {
  HistoryBench bench;
  const Runtime runtime = bench.open(compile_text(kOutcomes));
  const std::string to = R"({"to": "bob"})";
  EXPECT_EQ(bench.call(runtime, "read", "{}", R"({"text": "secret"})"), "withhold reads.secret");
  EXPECT_EQ(bench.call(runtime, "send", to), "allow");
  EXPECT_EQ(bench.call(runtime, "read", "{}", R"({"text": "hello"})"), "allow");
  EXPECT_EQ(bench.call(runtime, "send", to), "deny sends.leaks");

  const auto child = runtime.identity(Who{.session = "child"}), other = runtime.identity(Who{.session = "other"});
  ASSERT_TRUE(child.ok() && other.ok());
  CallOptions as_child, as_other;
  as_child.identity = &*child;
  as_other.identity = &*other;
  ASSERT_TRUE(runtime.start_session("child", "s1").ok());
  EXPECT_EQ(bench.call(runtime, "send", to, "{}", as_child), "deny sends.leaks");
  EXPECT_EQ(bench.call(runtime, "send", to, "{}", as_other), "allow");
  EXPECT_EQ(runtime.start_session("", "s1").error().code, "invalid_identity");
}

TEST(GovernedHistory, AnAuthorizedActionEndsAsTheHostReports) {
  HistoryBench bench;
  const Runtime runtime = bench.open(compile_text(kOutcomes));
  const Document passed = json(R"({"passed": true})");
  const Authorization first = runtime.authorize("check", json("{}"));
  ASSERT_TRUE(first.authorized);
  EXPECT_EQ(bench.call(runtime, "deploy", "{}"), "deny not_yet");
  EXPECT_TRUE(runtime.report(first, ActionEnd::done, &passed.root()).ok());
  EXPECT_EQ(bench.call(runtime, "deploy", "{}"), "allow");
  EXPECT_EQ(runtime.report(first, ActionEnd::done, &passed.root()).error().code, "already_reported");
  for (int i = 0; i < 2; ++i)
    EXPECT_TRUE(runtime.report(runtime.authorize("check", json("{}")), ActionEnd::failed).ok());
  const Authorization locked = runtime.authorize("check", json("{}"));
  EXPECT_FALSE(locked.authorized);
  EXPECT_EQ(locked.decision.rule, "checks.locked");
  EXPECT_EQ(runtime.report(locked, ActionEnd::done).error().code, "not_authorized");
}

TEST(GovernedHistory, AReportIsRecordedAsTheOutcomeOfTheAction) {
  HistoryBench bench;
  const Runtime runtime = bench.open(compile_text(kOutcomes));
  const Document passed = json(R"({"passed": true})");
  const Authorization first = runtime.authorize("check", json("{}")), second = runtime.authorize("check", json("{}")),
                      third = runtime.authorize("check", json("{}"));
  EXPECT_TRUE(runtime.report(first, ActionEnd::done, &passed.root()).ok());
  EXPECT_TRUE(runtime.report(second, ActionEnd::failed).ok());
  EXPECT_TRUE(runtime.report(third, ActionEnd::not_executed).ok());
  const auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 6u);
  const std::vector<std::string> errors = {"", "failed: reported by the host", "not_executed: reported by the host"};
  for (size_t i = 0; i < 3; ++i) {
    SCOPED_TRACE(i);
    const AuditRecord &decision = records[i], &outcome = records[3 + i];
    EXPECT_EQ(decision.kind, RecordKind::decision);
    EXPECT_EQ(outcome.kind, RecordKind::outcome);
    EXPECT_EQ(outcome.action, decision.action);
    EXPECT_EQ(outcome.session, "s1");
    EXPECT_EQ(outcome.capability, "check");
    EXPECT_EQ(outcome.status, i == 0 ? OutcomeStatus::released : OutcomeStatus::failed);
    EXPECT_EQ(outcome.error, errors[i]);
    EXPECT_FALSE(outcome.decided);
    EXPECT_FALSE(outcome.has_output) << "no rule said what of it may be shown";
    EXPECT_FALSE(outcome.state.root().is(Kind::null));
  }
  EXPECT_TRUE(bench.verify().ok);
}

TEST(GovernedHistory, AReportIsRecordedWithoutStateToo) {
  HistoryBench bench;
  const Runtime runtime = bench.open();
  const Authorization look = runtime.authorize("look", json(R"({"n": 1})"));
  ASSERT_TRUE(look.authorized);
  EXPECT_TRUE(runtime.report(look, ActionEnd::done).ok());
  EXPECT_EQ(runtime.report(look, ActionEnd::done).error().code, "already_reported");
  const auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[1].kind, RecordKind::outcome);
  EXPECT_EQ(records[1].action, records[0].action);
  EXPECT_EQ(records[1].status, OutcomeStatus::released);
}

TEST(GovernedHistory, ADenialThatARunningCallWouldLiftSaysSo) {
  HistoryBench bench;
  const Runtime runtime = bench.open(compile_text(R"(
capability check { }
capability edit { }
capability deploy { input { to: string } }
history checked = done check by session within 1h;
history edited = done edit by session within 1h;
policy works on before check, edit { allow; }
policy deploys on before deploy {
  deny unchecked when !checked.seen because "nothing was checked";
  deny stale when checked.seen && !checked.after(edited) because "edited since";
  deny nowhere when input.to == "" because "nowhere";
  allow rest;
}
)"));
  const std::string there = R"({"to": "there"})";
  EXPECT_EQ(bench.call(runtime, "deploy", there), "deny deploys.unchecked") << "nothing runs";
  Authorization check = runtime.authorize("check", json("{}"));
  const auto outcome = runtime.call("deploy", json(there), bench.tool("{}"));
  ASSERT_NE(outcome.denied(), nullptr);
  EXPECT_EQ(outcome.denied()->code, "not_yet");
  EXPECT_EQ(outcome.denied()->rule, "deploys.unchecked");
  EXPECT_EQ(outcome.denied()->reason, "nothing was checked (not yet: a call that checked counts is still running)");
  EXPECT_EQ(bench.records(runtime).back().cause, "not_yet");
  const auto elsewhere = runtime.call("deploy", json(R"({"to": ""})"), bench.tool("{}"));
  ASSERT_NE(elsewhere.denied(), nullptr);
  EXPECT_EQ(elsewhere.denied()->code, "rule") << "another rule would deny it anyway";
  ASSERT_TRUE(runtime.report(check, ActionEnd::failed).ok());
  EXPECT_EQ(bench.call(runtime, "deploy", there), "deny deploys.unchecked") << "it failed, and nothing runs any more";
  EXPECT_EQ(bench.call(runtime, "check", "{}"), "allow");
  EXPECT_EQ(bench.call(runtime, "edit", "{}"), "allow");
  EXPECT_EQ(bench.call(runtime, "deploy", there), "deny deploys.stale");
  check = runtime.authorize("check", json("{}"));
  EXPECT_EQ(bench.call(runtime, "deploy", there), "deny not_yet") << "a check that runs would come after the edit";
  ASSERT_TRUE(runtime.report(check, ActionEnd::done).ok());
  EXPECT_EQ(bench.call(runtime, "deploy", there), "allow");
}

TEST(GovernedHistory, ObservedCallsCount) {
  HistoryBench bench;
  bench.options.mode = Mode::observe;
  const Runtime runtime = bench.open(compile_text(kRefunds));
  for (int i = 0; i < 5; ++i) {
    const auto outcome = runtime.call("refund", json(kSmall), bench.tool("{}"));
    EXPECT_TRUE(outcome.has_value());
    EXPECT_EQ(outcome.would(), i < 3 ? "" : "would_deny") << i;
  }
}

TEST(GovernedHistory, FaultsDenyAndAreRecorded) {
  HistoryBench bench;
  bench.options.tenant.clear();
  const Runtime runtime = bench.open(compile_text(kRefunds));
  EXPECT_EQ(bench.call(runtime, "refund", kSmall), "deny missing_context");
  EXPECT_EQ(runtime.evaluate("refund", json(kSmall)).code, DecisionCode::missing_context);
  const auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].kind, RecordKind::denied);
  EXPECT_EQ(records[0].code, DecisionCode::missing_context);
  EXPECT_EQ(records[0].reason, "refunded is kept by tenant, which is missing or empty");
}

TEST(GovernedHistory, RecordsSayWhatWasReadAndChanged) {
  HistoryBench bench;
  const Runtime runtime = bench.open(compile_text(kOutcomes));
  EXPECT_EQ(bench.call(runtime, "check", "{}", R"({"passed": true})"), "allow");
  EXPECT_EQ(bench.call(runtime, "read", "{}", R"({"text": "hello"})"), "allow");
  EXPECT_EQ(bench.call(runtime, "send", R"({"to": "bob"})"), "deny sends.leaks");
  const auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 5u);
  const auto part = [&](size_t record, const char* name) {
    const Value& state = records[record].state.root();
    const Value* found = state.is(Kind::map) ? map_find(*state.map, name) : nullptr;
    return found != nullptr ? to_json(*found) : std::string();
  };
  EXPECT_EQ(part(0, "reads"), R"([{"count":0,"key":"s1","running":1,"seen":false,"state":"failures"}])");
  EXPECT_NE(part(0, "sequence"), "");
  EXPECT_NE(part(1, "sequence"), part(0, "sequence"));
  EXPECT_EQ(part(2, "raised"), "");
  EXPECT_EQ(part(3, "raised"), R"(["untrusted"])");
  EXPECT_EQ(part(4, "labels"), R"(["untrusted"])");
  EXPECT_EQ(part(4, "sequence"), "");
  EXPECT_NE(to_json(records[4]).find(R"("state":{"labels":["untrusted"]})"), std::string::npos) << to_json(records[4]);
}

TEST(GovernedHistory, RecordsHideKeysWhereTheInputIsRedacted) {
  for (const std::string redaction : {"", "redact card input.card with \"***\";"}) {
    HistoryBench bench;
    const Runtime runtime = bench.open(compile_text(R"(
capability pay { input { card: string } }
history paid = begun pay by input.card within 1h;
policy p on before pay { deny many when paid.count > 3; )" +
                                                    redaction + " allow rest; }"));
    EXPECT_EQ(bench.call(runtime, "pay", R"({"card": "4111"})"), "allow");
    const auto records = bench.records(runtime);
    ASSERT_EQ(records.size(), 2u);
    const auto shows = [&](size_t i) { return to_json(records[i]).find("4111") != std::string::npos; };
    EXPECT_EQ(shows(0), redaction.empty()) << to_json(records[0]);
    EXPECT_FALSE(shows(1)) << to_json(records[1]);
    EXPECT_NE(to_json(records[0]).find(redaction.empty() ? R"("key":"4111")" : R"("key":"secret:)"), std::string::npos);
  }
}

TEST(GovernedHistory, AStoreThatCannotBeReadDenies) {
  HistoryBench bench;
  const Runtime runtime = bench.open(compile_text("capability refund { } policy p on before refund { allow; }"));
  std::ofstream(bench.options.database + "/state.db") << "this is not a database, and it is longer than its header";
  ASSERT_TRUE(runtime.reload(compile_text(kRefunds)).ok());
  EXPECT_EQ(bench.call(runtime, "refund", kSmall), "deny state_unavailable");
  EXPECT_EQ(runtime.evaluate("refund", json(kSmall)).effect, Effect::deny);
  EXPECT_FALSE(Runtime::open(compile_text(kRefunds), bench.options).ok());
  const auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].cause, "state_unavailable");
}

TEST(GovernedHistory, AForkedChildIsDenied) {
  HistoryBench bench;
  const Runtime runtime = bench.open(compile_text(kRefunds));
  EXPECT_EQ(bench.call(runtime, "refund", kSmall), "allow");
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(60);
    _exit(bench.call(runtime, "refund", kSmall) == "deny state_unavailable" ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(bench.call(runtime, "refund", kSmall), "allow");
}

TEST(GovernedHistory, ABudgetIsFilledByLocalTime) {
  HistoryBench bench;
  const Runtime runtime = bench.open(compile_text(R"(
capability grab { }
budget slots = 1 by tenant each day in "Europe/Berlin" { take 1 on grab; }
policy p on before grab { deny over when slots.left < 0; allow rest; }
)"));
  EXPECT_EQ(bench.call(runtime, "grab", "{}"), "allow");
  *bench.now = kNoon + 11 * 3600 * kSecond - kSecond;  // 23:59:59 in Berlin
  EXPECT_EQ(bench.call(runtime, "grab", "{}"), "deny p.over");
  *bench.now += kSecond;
  EXPECT_EQ(bench.call(runtime, "grab", "{}"), "allow");
}

}  // namespace
}  // namespace ordain
