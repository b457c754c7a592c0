// These tests cover approvals: bound to the exact call and to the asking rules, answered once by
// each group, used once.
#include <future>
#include <sstream>
#include <thread>

#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

using testing::Bench;
using testing::edited;
using testing::json;
using testing::kSecond;

/// Requests a payment of 600 and approves it.
std::string approve_600(Bench& bench, const Runtime& runtime) {
  auto outcome = bench.pay(runtime, 600);
  EXPECT_NE(outcome.pending(), nullptr) << outcome.describe();
  if (outcome.pending() == nullptr) return "";
  std::string id = outcome.pending()->approval_id;
  auto voted = runtime.approvals().approve(id, "ann", "", "fine", *bench.now);
  EXPECT_TRUE(voted.ok()) << voted.error().message;
  EXPECT_EQ(voted->state, ApprovalState::approved);
  return id;
}

TEST(Approvals, QueuedCallWaitsAndARetryFindsTheSameRequest) {
  Bench bench;
  auto runtime = bench.open();
  auto first = bench.pay(runtime, 600);
  ASSERT_NE(first.pending(), nullptr) << first.describe();
  EXPECT_EQ(first.pending()->rule, "payments.large");
  EXPECT_EQ(first.pending()->reason, "a payment above 500");
  EXPECT_EQ(first.pending()->groups, (std::vector<std::string>{"finance"}));
  EXPECT_EQ(first.pending()->expires_ns, testing::kNoon + 1800 * kSecond);
  *bench.now += kSecond;
  auto second = bench.pay(runtime, 600);
  ASSERT_NE(second.pending(), nullptr);
  EXPECT_EQ(second.pending()->approval_id, first.pending()->approval_id);
  EXPECT_EQ(runtime.approvals().list(std::nullopt, *bench.now)->size(), 1u);
  EXPECT_EQ(*bench.runs, 0);
  auto shown = runtime.approvals().show(first.pending()->approval_id.substr(0, 8), *bench.now);
  ASSERT_TRUE(shown.ok()) << shown.error().message;
  EXPECT_EQ(shown->input, R"({"amount":600.0,"to":"bob"})");
  EXPECT_EQ(shown->agent, "teller");
  EXPECT_EQ(shown->environment, "prod");
  EXPECT_EQ(shown->rules, (std::vector<std::string>{"payments.large"}));
  EXPECT_EQ(shown->action, first.action().hex());
  auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].kind, RecordKind::pending);
  EXPECT_EQ(records[0].approval, first.pending()->approval_id);
}

TEST(Approvals, ServesOnceAndOnlyOnce) {
  Bench bench;
  auto runtime = bench.open();
  std::string id = approve_600(bench, runtime);
  auto run = bench.pay(runtime, 600);
  ASSERT_TRUE(run.has_value()) << run.describe();
  EXPECT_EQ(*bench.runs, 1);
  auto used = runtime.approvals().show(id, *bench.now);
  EXPECT_EQ(used->state, ApprovalState::consumed);
  EXPECT_EQ(used->consumed_by, run.action().hex());
  EXPECT_EQ(used->outcome, "released");
  EXPECT_TRUE(runtime.approvals().unfinished()->empty());
  auto again = bench.pay(runtime, 600);
  ASSERT_NE(again.pending(), nullptr);
  EXPECT_NE(again.pending()->approval_id, id);
  EXPECT_EQ(*bench.runs, 1);
  auto late = runtime.approvals().approve(id, "ann", "", "", *bench.now);
  EXPECT_EQ(late.error().code, "not_pending");
  auto records = bench.records(runtime);
  EXPECT_EQ(records.at(1).kind, RecordKind::intent);
  EXPECT_EQ(records.at(1).approval, id);
  EXPECT_EQ(records.at(1).effect, Effect::require_approval);
}

TEST(Approvals, AnyOtherCallNeedsItsOwn) {
  Bench bench;
  auto runtime = bench.open();
  approve_600(bench, runtime);
  auto waits = [&](const std::string& input, const CallOptions& options) {
    auto outcome = runtime.call("pay", json(input), bench.tool(), options);
    return outcome.pending() != nullptr;
  };
  const std::string same = R"({"to": "bob", "amount": 600.0})";
  EXPECT_TRUE(waits(R"({"to": "bob", "amount": 601.0})", {})) << "another amount";
  EXPECT_TRUE(waits(R"({"to": "bob", "amount": 600.0, "note": ""})", {})) << "another field";
  CallOptions options;
  options.resource = Value::string("account-2");
  EXPECT_TRUE(waits(same, options)) << "another resource";
  for (Who who : {Who{.agent = "other"}, Who{.principal = "p"}, Who{.tenant = "t"}, Who{.environment = "dev"}}) {
    auto identity = runtime.identity(who);
    CallOptions other;
    other.identity = &*identity;
    EXPECT_TRUE(waits(same, other)) << "another identity";
  }
  EXPECT_EQ(*bench.runs, 0);
  auto session = runtime.identity({.session = "another session"});
  CallOptions later;
  later.identity = &*session;
  EXPECT_FALSE(waits(same, later)) << "an approval outlives the session";
  EXPECT_EQ(*bench.runs, 1);
}

TEST(Approvals, ExpireWhileWaitingAndAfterApproval) {
  Bench bench;
  auto runtime = bench.open();
  std::string id = approve_600(bench, runtime);
  *bench.now += 1800 * kSecond;
  EXPECT_EQ(runtime.approvals().show(id, *bench.now)->state, ApprovalState::expired);
  auto outcome = bench.pay(runtime, 600);
  ASSERT_NE(outcome.pending(), nullptr);
  std::string next = outcome.pending()->approval_id;
  EXPECT_NE(next, id);
  *bench.now += 1800 * kSecond;
  EXPECT_EQ(runtime.approvals().approve(next, "ann", "finance", "", *bench.now).error().code, "not_pending");
  EXPECT_EQ(runtime.approvals().list(ApprovalState::expired, *bench.now)->size(), 2u);
  EXPECT_EQ(*bench.runs, 0);
  // A clock that is set back must not revive them.
  *bench.now = testing::kNoon;
  EXPECT_EQ(runtime.approvals().show(id, *bench.now)->state, ApprovalState::expired);
}

TEST(Approvals, RejectionHoldsUntilTheRequestWouldHaveExpired) {
  Bench bench;
  auto runtime = bench.open();
  std::string id = bench.pay(runtime, 600).pending()->approval_id;
  auto rejected = runtime.approvals().reject(id, "ann", "", "unknown payee", *bench.now);
  ASSERT_TRUE(rejected.ok()) << rejected.error().message;
  EXPECT_EQ(rejected->state, ApprovalState::rejected);
  auto outcome = bench.pay(runtime, 600);
  ASSERT_NE(outcome.denied(), nullptr) << outcome.describe();
  EXPECT_EQ(outcome.denied()->code, "approval_rejected");
  EXPECT_EQ(outcome.denied()->rule, "payments.large");
  EXPECT_NE(outcome.denied()->reason.find("unknown payee"), std::string::npos);
  EXPECT_EQ(runtime.approvals().approve(id, "bob", "finance", "", *bench.now).error().code, "not_pending");
  auto record = bench.records(runtime).back();
  EXPECT_EQ(record.kind, RecordKind::denied);
  EXPECT_EQ(record.cause, "approval_rejected");
  *bench.now += 1800 * kSecond;
  EXPECT_NE(bench.pay(runtime, 600).pending(), nullptr);
  EXPECT_EQ(*bench.runs, 0);
}

TEST(Approvals, CanBeTakenBackUntilConsumed) {
  Bench bench;
  auto runtime = bench.open();
  std::string id = approve_600(bench, runtime);
  ASSERT_TRUE(runtime.approvals().reject(id, "cid", "", "", *bench.now).ok());
  EXPECT_NE(bench.pay(runtime, 600).denied(), nullptr);
  EXPECT_EQ(*bench.runs, 0);
}

TEST(Approvals, EveryGroupMustApprove) {
  Bench bench;
  auto runtime = bench.open();
  auto outcome = bench.pay(runtime, 6000);
  ASSERT_NE(outcome.pending(), nullptr);
  EXPECT_EQ(outcome.pending()->groups, (std::vector<std::string>{"finance", "risk"}));
  std::string id = outcome.pending()->approval_id;
  auto& store = runtime.approvals();
  EXPECT_EQ(store.approve(id, "ann", "", "", *bench.now).error().code, "unknown_group");
  EXPECT_EQ(store.approve(id, "ann", "legal", "", *bench.now).error().code, "unknown_group");
  EXPECT_EQ(store.approve(id, "", "risk", "", *bench.now).error().code, "invalid_approver");
  auto half = store.approve(id, "ann", "finance", "ok", *bench.now);
  ASSERT_TRUE(half.ok()) << half.error().message;
  EXPECT_EQ(half->state, ApprovalState::pending);
  EXPECT_EQ(half->missing(), (std::vector<std::string>{"risk"}));
  EXPECT_EQ(store.approve(id, "eve", "finance", "", *bench.now).error().code, "already_approved");
  EXPECT_NE(bench.pay(runtime, 6000).pending(), nullptr);
  EXPECT_EQ(*bench.runs, 0);
  auto whole = store.approve(id, "rob", "risk", "", *bench.now);
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(whole->state, ApprovalState::approved);
  EXPECT_EQ(whole->votes.size(), 2u);
  EXPECT_TRUE(bench.pay(runtime, 6000).has_value());
}

TEST(Approvals, AnUnrelatedEditKeepsThemAndAnEditOfTheAskingRuleDoesNot) {
  Bench bench;
  auto runtime = bench.open();
  approve_600(bench, runtime);
  auto unrelated = testing::compile_text(edited(testing::kBank, "input.amount == 100.0", "input.amount == 200.0"));
  auto relevant = testing::compile_text(edited(testing::kBank, "input.amount > 500.0", "input.amount > 550.0"));
  ASSERT_TRUE(runtime.reload(relevant).ok());
  EXPECT_NE(bench.pay(runtime, 600).pending(), nullptr);
  EXPECT_EQ(*bench.runs, 0);
  ASSERT_TRUE(runtime.reload(unrelated).ok());
  auto outcome = bench.pay(runtime, 600);
  EXPECT_TRUE(outcome.has_value()) << outcome.describe();
}

TEST(Approvals, ADenyAlwaysWins) {
  Bench bench;
  auto runtime = bench.open();
  std::string id = approve_600(bench, runtime);
  ASSERT_TRUE(
      runtime.reload(testing::compile_text(edited(testing::kBank, "input.amount <= 0.0", "input.amount == 600.0")))
          .ok());
  auto outcome = bench.pay(runtime, 600);
  ASSERT_NE(outcome.denied(), nullptr);
  EXPECT_EQ(outcome.denied()->rule, "payments.negative");
  EXPECT_EQ(runtime.approvals().show(id, *bench.now)->state, ApprovalState::approved) << "not used up by a denial";
}

TEST(Approvals, CallbackDecidesOnTheSpotAndEachCallAsksAgain) {
  Bench bench;
  int asked = 0;
  Approval seen;
  bench.options.approvals = callback_handler([&](const Approval& request) {
    ++asked;
    seen = request;
    return true;
  });
  auto runtime = bench.open();
  EXPECT_TRUE(bench.pay(runtime, 600).has_value());
  EXPECT_TRUE(bench.pay(runtime, 600).has_value());
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(*bench.runs, 2);
  EXPECT_EQ(seen.capability, "pay");
  EXPECT_EQ(seen.input, R"({"amount":600.0,"to":"bob"})");
  auto consumed = runtime.approvals().list(ApprovalState::consumed, *bench.now);
  ASSERT_EQ(consumed->size(), 2u);
  ASSERT_EQ(consumed->front().votes.size(), 1u);
  EXPECT_EQ(consumed->front().votes[0].group, "finance");
  EXPECT_EQ(consumed->front().votes[0].approver, "callback");
}

TEST(Approvals, HandlersThatSayNoThrowOrExpire) {
  Bench bench;
  bench.options.approvals = auto_handler(false, "robot");
  auto no = bench.pay(bench.open(), 600);
  ASSERT_NE(no.denied(), nullptr);
  EXPECT_EQ(no.denied()->code, "approval_rejected");
  EXPECT_NE(no.denied()->reason.find("robot"), std::string::npos);
  bench.options.database = bench.state / "second";
  bench.options.approvals = callback_handler([](const Approval&) -> bool { throw std::runtime_error("down"); });
  auto runtime = bench.open();
  auto thrown = bench.pay(runtime, 600);
  ASSERT_NE(thrown.denied(), nullptr);
  EXPECT_EQ(thrown.denied()->code, "approval_unavailable");
  EXPECT_EQ(runtime.approvals().list(ApprovalState::pending, *bench.now)->size(), 1u);
  bench.options.database = bench.state / "third";
  bench.options.approvals = callback_handler([now = bench.now](const Approval&) {
    *now += 1800 * kSecond;  // it took too long
    return true;
  });
  auto slow = bench.pay(bench.open(), 600);
  EXPECT_FALSE(slow.has_value());
  EXPECT_EQ(*bench.runs, 0);
}

TEST(Approvals, TheProgramThatIsCurrentWhenTheAnswerComesDecides) {
  Bench bench;
  auto stricter = testing::compile_text(edited(testing::kBank, "input.amount <= 0.0", "input.amount == 600.0"));
  const Runtime* handle = nullptr;
  bench.options.approvals = callback_handler([&](const Approval&) { return handle->reload(stricter).ok(); });
  auto runtime = bench.open();
  handle = &runtime;
  auto outcome = bench.pay(runtime, 600);
  ASSERT_NE(outcome.denied(), nullptr) << outcome.describe();
  EXPECT_EQ(outcome.denied()->rule, "payments.negative");
  EXPECT_EQ(*bench.runs, 0);
}

TEST(Approvals, TerminalAsksAndEndOfInputDenies) {
  Bench bench;
  std::istringstream in("yes\nno\n");
  std::ostringstream out;
  bench.options.approvals = terminal_handler(in, out);
  auto runtime = bench.open(testing::compile_text(edited(testing::kBank, " from \"finance\"", "")));
  auto call = [&](double amount) { return bench.pay(runtime, amount); };
  EXPECT_TRUE(call(601).has_value());
  EXPECT_NE(call(602).denied(), nullptr);
  EXPECT_NE(call(603).denied(), nullptr);
  EXPECT_EQ(*bench.runs, 1);
  EXPECT_NE(out.str().find(R"({"amount":601.0,"to":"bob"})"), std::string::npos) << out.str();
  EXPECT_NE(out.str().find("payments.large"), std::string::npos);
  auto rejected = runtime.approvals().list(ApprovalState::rejected, *bench.now);
  ASSERT_EQ(rejected->size(), 2u);
  EXPECT_EQ(rejected->back().votes.at(0).note, "end of input");
}

TEST(Approvals, RedactedInputIsWhatIsAskedForAndBound) {
  Bench bench;
  auto runtime = bench.open();
  auto pay = [&](const char* card) {
    return runtime.call("pay", json(std::string(R"({"to": "bob", "amount": 600.0, "card": ")") + card + "\"}"),
                        bench.tool());
  };
  auto outcome = pay("4111");
  ASSERT_NE(outcome.pending(), nullptr);
  auto shown = runtime.approvals().show(outcome.pending()->approval_id, *bench.now);
  EXPECT_EQ(shown->input, R"({"amount":600.0,"card":"***","to":"bob"})");
  ASSERT_TRUE(runtime.approvals().approve(shown->id, "ann", "", "", *bench.now).ok());
  EXPECT_TRUE(pay("4222").has_value()) << "the same call, as far as the tool can see";
}

TEST(Approvals, EightThreadsUseOneApprovalOnce) {
  Bench bench;
  auto runtime = bench.open();
  approve_600(bench, runtime);
  std::vector<std::future<bool>> calls;
  for (int i = 0; i < 8; ++i) {
    calls.push_back(std::async(std::launch::async, [&] { return bench.pay(runtime, 600).has_value(); }));
  }
  int executed = 0;
  for (auto& call : calls) executed += call.get() ? 1 : 0;
  EXPECT_EQ(executed, 1);
  EXPECT_EQ(*bench.runs, 1);
  EXPECT_EQ(runtime.approvals().list(ApprovalState::pending, *bench.now)->size(), 1u)
      << "the others share one new request";
}

TEST(Approvals, StoresOfTwoProcessesShareTheFile) {
  Bench bench;
  auto runtime = bench.open();
  std::string id = bench.pay(runtime, 600).pending()->approval_id;
  {
    auto reader = ApprovalStore::open(bench.options.database, OpenMode::read_only);
    ASSERT_TRUE(reader.ok()) << reader.error().message;
    EXPECT_EQ(reader->list(ApprovalState::pending, *bench.now)->size(), 1u);
    EXPECT_FALSE(reader->approve(id, "ann", "", "", *bench.now).ok());
    auto writer = ApprovalStore::open(bench.options.database);
    ASSERT_TRUE(writer->approve(id, "ann", "", "", *bench.now).ok());
  }
  EXPECT_TRUE(bench.pay(runtime, 600).has_value());
}

TEST(Approvals, LookUpsThatFindNothing) {
  Bench bench;
  EXPECT_EQ(ApprovalStore::open(bench.state / "none", OpenMode::read_only).error().code, "no_database");
  auto store = ApprovalStore::open(bench.options.database);
  ASSERT_TRUE(store.ok());
  for (const char* id :
       {"", "abc", "xyzxyz", "' OR 1=1 --", "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef0"}) {
    EXPECT_EQ(store->show(id, 0).error().code, "unknown_approval") << id;
    EXPECT_EQ(store->approve(id, "a", "", "", 0).error().code, "unknown_approval") << id;
  }
}

TEST(Approvals, JsonHasEveryFact) {
  Bench bench;
  auto runtime = bench.open();
  std::string id = approve_600(bench, runtime);
  auto parsed = Document::parse(to_json(*runtime.approvals().show(id, *bench.now)));
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  auto text = [&](const char* key) {
    const Value* value = map_find(*parsed->root().map, key);
    return value != nullptr ? to_json(*value) : "missing";
  };
  EXPECT_EQ(text("state"), R"("approved")");
  EXPECT_EQ(text("input"), R"({"amount":600.0,"to":"bob"})");
  EXPECT_EQ(text("created"), R"("2026-01-01T12:00:00Z")");
  EXPECT_EQ(text("expires"), R"("2026-01-01T12:30:00Z")");
  EXPECT_EQ(text("consumed"), "null");
  EXPECT_EQ(text("missing"), "[]");
  EXPECT_EQ(text("groups"), R"(["finance"])");
  EXPECT_EQ(text("approvals"), R"([{"expires_seconds":1800,"from":["finance"],"need":1,"rule":"payments.large"}])");
  EXPECT_NE(text("votes").find(R"("approver":"ann")"), std::string::npos);
}

TEST(TerminalText, ShowsWhatWouldHide) {
  EXPECT_EQ(terminal_text("plain \xc3\xa9\n"), "plain \xc3\xa9\\n");
  EXPECT_EQ(terminal_text("\x1b[2J"), "\\u{1b}[2J");
  EXPECT_EQ(terminal_text("a\xe2\x80\xae"
                          "b"),
            "a\\u{202e}b");
  EXPECT_EQ(terminal_text("a\xe2\x80\x8b"
                          "b"),
            "a\\u{200b}b");
  EXPECT_EQ(terminal_text("a\xff"), "a\\xff");
  Approval approval;
  approval.reason = "first\nagent   forged";
  approval.resource = "null";
  EXPECT_EQ(describe(approval).find("\nagent"), std::string::npos);
}

}  // namespace
}  // namespace ordain
