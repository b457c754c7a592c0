// These tests begin calls in one place and finish them in another: the result and the record must be
// those of any governed call.
#include "ordain/begun_call.h"

#include <sys/wait.h>
#include <unistd.h>

#include <thread>
#include <utility>
#include <vector>

#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

using testing::Bench;
using testing::json;

Action payment(const std::string& input) { return {.capability = "pay", .input = json(input)}; }

const char* const kTwenty = R"({"to": "bob", "amount": 20})";

TEST(BegunCall, LeavesTheRecordsOfAnyGovernedCall) {
  Bench bench;
  auto runtime = bench.open();
  BegunCall call = runtime.begin(payment(kTwenty));
  ASSERT_TRUE(call.may_execute());
  EXPECT_EQ(to_json(call.input()), R"({"amount":20,"to":"bob"})");
  ASSERT_EQ(bench.records(runtime).size(), 1u);
  EXPECT_EQ(bench.records(runtime)[0].kind, RecordKind::intent);
  ASSERT_NE(call.outcome().failed(), nullptr);
  EXPECT_EQ(call.outcome().failed()->code, "not_finished");

  auto outcome = call.finish(json(R"({"message": "paid"})"));
  ASSERT_TRUE(outcome.has_value()) << outcome.describe();
  EXPECT_EQ(outcome->json(), R"({"message":"paid"})");
  EXPECT_FALSE(call.redacted());
  EXPECT_FALSE(call.may_execute());
  auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[1].kind, RecordKind::outcome);
  EXPECT_EQ(records[1].status, OutcomeStatus::released);
  EXPECT_EQ(records[1].output.json(), R"({"message":"paid"})");
  EXPECT_EQ(records[0].action, outcome.action().hex());
  EXPECT_EQ(records[1].action, outcome.action().hex());
  EXPECT_TRUE(bench.verify().ok);
}

TEST(BegunCall, EndsOnce) {
  Bench bench;
  auto runtime = bench.open();
  BegunCall call = runtime.begin(payment(kTwenty));
  ASSERT_TRUE(call.finish(json(R"({"message": "paid"})")).has_value());
  auto again = call.finish(Error{"late", "too late"});
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->json(), R"({"message":"paid"})");
  EXPECT_TRUE(call.finish_unexecuted("too late").has_value());
  EXPECT_EQ(bench.records(runtime).size(), 2u);
}

TEST(BegunCall, ThatIsDeniedMayNotExecute) {
  Bench bench;
  auto runtime = bench.open();
  BegunCall call = runtime.begin(payment(R"({"to": "bob", "amount": -1})"));
  EXPECT_FALSE(call.may_execute());
  EXPECT_TRUE(call.input().is(Kind::null));
  auto outcome = call.finish(json(R"({"message": "paid all the same"})"));
  ASSERT_NE(outcome.denied(), nullptr);
  EXPECT_EQ(outcome.denied()->rule, "payments.negative");
  auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].kind, RecordKind::denied);
}

TEST(BegunCall, WithFlawedFactsIsDeniedAndRecorded) {
  Bench bench;
  auto runtime = bench.open();
  BegunCall call = runtime.begin(payment(kTwenty), "input: not JSON");
  ASSERT_FALSE(call.may_execute());
  auto outcome = call.outcome();
  ASSERT_NE(outcome.denied(), nullptr);
  EXPECT_EQ(outcome.denied()->code, "invalid_input");
  EXPECT_NE(outcome.denied()->reason.find("input: not JSON"), std::string::npos) << outcome.denied()->reason;
  auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].rejected, "input: not JSON");
}

TEST(BegunCall, RedactsWhatTheHostExecutesAndWhatItReturns) {
  Bench bench;
  auto runtime = bench.open();
  BegunCall call = runtime.begin(payment(R"({"to": "bob", "amount": 20, "card": "4111"})"));
  ASSERT_TRUE(call.may_execute());
  EXPECT_EQ(to_json(call.input()), R"({"amount":20,"card":"***","to":"bob"})");
  auto outcome = call.finish(json(R"({"message": "paid", "iban": "DE00"})"));
  ASSERT_TRUE(outcome.has_value()) << outcome.describe();
  EXPECT_EQ(outcome->json(), R"({"iban":"***","message":"paid"})");
  EXPECT_TRUE(call.redacted());
  EXPECT_EQ(bench.records(runtime).at(1).status, OutcomeStatus::redacted);
}

TEST(BegunCall, SaysWhatIsKnownOfItMeanwhile) {
  Bench bench;
  auto runtime = bench.open();
  BegunCall call = runtime.begin(payment(R"({"to": "bob", "amount": 100})"));
  ASSERT_TRUE(call.may_execute());
  EXPECT_EQ(call.warnings(), std::vector<std::string>{"a round sum"});
  EXPECT_EQ(call.would(), "");
  const Id128 action = call.action();
  EXPECT_EQ(bench.records(runtime).at(0).action, action.hex());
  auto outcome = call.finish(json(R"({"message": "paid"})"));
  EXPECT_EQ(outcome.action(), action);
  EXPECT_EQ(call.action(), action);
  EXPECT_EQ(outcome.warnings(), std::vector<std::string>{"a round sum"});
}

TEST(BegunCall, UnderObserveExecutesAndSaysWhatWouldHaveHappened) {
  Bench bench;
  bench.options.mode = Mode::observe;
  auto runtime = bench.open();
  BegunCall call = runtime.begin(payment(R"({"to": "bob", "amount": -1})"));
  ASSERT_TRUE(call.may_execute());
  EXPECT_EQ(call.would(), "would_deny");
  auto outcome = call.finish(json(R"({"message": "paid"})"));
  EXPECT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome.would(), "would_deny");
}

TEST(BegunCall, WithholdsAnOutputThatIsDenied) {
  Bench bench;
  auto runtime = bench.open();
  BegunCall call = runtime.begin(payment(kTwenty));
  auto outcome = call.finish(json(R"({"message": "AKIA"})"));
  ASSERT_NE(outcome.withheld(), nullptr);
  EXPECT_EQ(outcome.withheld()->rule, "leaks.key_leak");
  EXPECT_EQ(bench.records(runtime).at(1).status, OutcomeStatus::withheld);
}

TEST(BegunCall, RecordsFailuresByWhatTheyDid) {
  Bench bench;
  auto runtime = bench.open();
  auto failed = runtime.begin(payment(kTwenty)).finish(Error{"bank", "no answer"});
  ASSERT_NE(failed.failed(), nullptr);
  EXPECT_EQ(failed.failed()->code, "bank");
  EXPECT_TRUE(failed.failed()->executed);
  auto unexecuted = runtime.begin(payment(kTwenty)).finish_unexecuted("cancelled");
  ASSERT_NE(unexecuted.failed(), nullptr);
  EXPECT_EQ(unexecuted.failed()->code, "not_executed");
  EXPECT_FALSE(unexecuted.failed()->executed);
  {
    BegunCall forgotten = runtime.begin(payment(kTwenty));
  }
  BegunCall replaced = runtime.begin(payment(kTwenty));
  replaced = runtime.begin(payment(R"({"to": "bob", "amount": -1})"));

  std::vector<std::string> errors;
  for (const AuditRecord& record : bench.records(runtime)) {
    if (record.kind == RecordKind::outcome) errors.push_back(record.error);
  }
  EXPECT_EQ(errors, (std::vector<std::string>{"bank: no answer", "not_executed: cancelled",
                                              "abandoned: the host did not say how the call ended",
                                              "abandoned: the host did not say how the call ended"}));
}

TEST(BegunCall, HasTheRulesOwnDecisions) {
  Bench bench;
  auto runtime = bench.open();
  BegunCall call = runtime.begin(payment(R"({"to": "bob", "amount": 20, "card": "4111"})"));
  EXPECT_EQ(call.before().effect, Effect::allow);
  EXPECT_EQ(call.before().id, call.action().hex());
  ASSERT_EQ(call.before().obligations.size(), 1u);
  EXPECT_EQ(call.before().obligations[0].path, "input.card");
  ASSERT_NE(call.finish(json(R"({"message": "AKIA"})")).withheld(), nullptr);
  EXPECT_EQ(call.after().rule, "leaks.key_leak");

  BegunCall denied = runtime.begin(payment(R"({"to": "bob", "amount": -1})"));
  EXPECT_EQ(denied.before().effect, Effect::deny);
  EXPECT_EQ(denied.before().rule, "payments.negative");
  EXPECT_EQ(denied.after().rule, "");
}

TEST(BegunCall, ManyAreHeldAndFinishedInAnyOrder) {
  Bench bench;
  bench.options.database = "";
  auto runtime = bench.open();
  std::vector<BegunCall> calls;
  for (int i = 0; i < 200; ++i) {
    calls.push_back(runtime.begin(payment(kTwenty)));
    ASSERT_TRUE(calls.back().may_execute());
  }
  for (size_t at : {size_t{199}, size_t{0}, size_t{100}}) {
    EXPECT_EQ(to_json(calls[at].input()), R"({"amount":20,"to":"bob"})");
    EXPECT_TRUE(calls[at].finish(json(R"({"message": "paid"})")).has_value());
    EXPECT_TRUE(bench.pay(runtime, 20).has_value());
    EXPECT_TRUE(runtime.begin(payment(kTwenty)).may_execute());
  }
  while (!calls.empty()) {
    (void)calls.back().finish(Error{"bank", "no answer"});
    calls.pop_back();
  }
}

TEST(BegunCall, WaitsForApprovalThatServesOnce) {
  Bench bench;
  auto runtime = bench.open();
  const Action large = payment(R"({"to": "bob", "amount": 600})");
  auto waits = runtime.begin(large).outcome();
  ASSERT_NE(waits.pending(), nullptr);
  const std::string id = waits.pending()->approval_id;
  ASSERT_TRUE(runtime.approvals().approve(id, "alice", "finance", "", runtime.now_ns()).ok());
  BegunCall call = runtime.begin(large);
  ASSERT_TRUE(call.may_execute());
  EXPECT_EQ(runtime.approvals().show(id, runtime.now_ns())->state, ApprovalState::consumed);
  EXPECT_FALSE(runtime.begin(large).may_execute());
  EXPECT_TRUE(call.finish(json(R"({"message": "paid"})")).has_value());
  EXPECT_EQ(runtime.approvals().show(id, runtime.now_ns())->outcome, "released");
}

TEST(BegunCall, FinishesWithItsProgramOnAnotherThreadAfterTheRuntimeIsGone) {
  Bench bench;
  std::vector<BegunCall> calls;
  {
    auto runtime = bench.open();
    for (int i = 0; i < 100; ++i) calls.push_back(runtime.begin(payment(kTwenty)));
    ASSERT_TRUE(runtime.reload(testing::compile_text("policy none on after * { deny all; }")).ok());
  }
  std::thread([&] {
    for (BegunCall& call : calls) {
      EXPECT_TRUE(call.finish(json(R"({"message": "paid"})")).has_value());
    }
  }).join();
  calls.clear();
  EXPECT_EQ(bench.read_records().size(), 200u);
  EXPECT_TRUE(bench.verify().ok);
}

TEST(BegunCall, IsNotFinishedByAChildProcess) {
  Bench bench;
  auto runtime = bench.open();
  BegunCall call = runtime.begin(payment(kTwenty));
  ASSERT_TRUE(call.may_execute());
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto outcome = call.finish(json(R"({"message": "paid"})"));
    _exit(outcome.withheld() != nullptr ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_TRUE(call.finish(json(R"({"message": "paid"})")).has_value());
  EXPECT_EQ(bench.records(runtime).size(), 2u);
}

}  // namespace
}  // namespace ordain
