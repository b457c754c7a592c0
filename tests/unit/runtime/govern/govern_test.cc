// These tests follow governed calls step by step: the caller's result, what was executed, and what
// is recorded.
#include <chrono>
#include <stdexcept>

#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

using testing::Bench;
using testing::json;

TEST(Govern, AllowedCallExecutesOnceAndLeavesIntentAndOutcome) {
  Bench bench;
  auto runtime = bench.open();
  auto result = bench.pay(runtime, 20);
  ASSERT_TRUE(result.has_value()) << result.describe();
  EXPECT_EQ(result->json(), R"({"message":"paid"})");
  EXPECT_EQ(*bench.runs, 1);
  auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].kind, RecordKind::intent);
  EXPECT_EQ(records[0].input.json(), R"({"amount":20.0,"to":"bob"})");
  EXPECT_EQ(records[0].rule, "payments.allow#1");
  EXPECT_EQ(records[0].agent, "teller");
  EXPECT_EQ(records[0].environment, "prod");
  EXPECT_EQ(records[0].session.size(), 32u);
  EXPECT_EQ(records[0].time_ns, testing::kNoon);
  EXPECT_EQ(records[0].program, to_hex(testing::bank()->digest()));
  EXPECT_EQ(records[1].kind, RecordKind::outcome);
  EXPECT_EQ(records[1].status, OutcomeStatus::released);
  EXPECT_EQ(records[1].stage, Stage::after);
  EXPECT_EQ(records[1].output.json(), R"({"message":"paid"})");
  EXPECT_EQ(records[0].action, result.action().hex());
  EXPECT_EQ(records[1].action, result.action().hex());
}

TEST(Govern, DeniedCallNamesRuleAndReasonAndNeverRuns) {
  Bench bench;
  auto runtime = bench.open();
  auto result = bench.pay(runtime, -1);
  ASSERT_NE(result.denied(), nullptr);
  EXPECT_EQ(result.denied()->rule, "payments.negative");
  EXPECT_EQ(result.denied()->reason, "the amount must be positive");
  EXPECT_EQ(result.denied()->code, "rule");
  EXPECT_EQ(*bench.runs, 0);
  auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].kind, RecordKind::denied);
  EXPECT_EQ(records[0].effect, Effect::deny);
  EXPECT_EQ(records[0].rule, "payments.negative");
}

TEST(Govern, UnknownCapabilityIsDeniedByDefault) {
  Bench bench;
  auto runtime = bench.open();
  auto result = runtime.call("delete_everything", json("{}"), bench.tool());
  ASSERT_NE(result.denied(), nullptr);
  EXPECT_EQ(result.denied()->code, "default");
  EXPECT_EQ(result.denied()->rule, "");
  EXPECT_EQ(*bench.runs, 0);
}

TEST(Govern, InputThatDoesNotFitIsDeniedAndRecorded) {
  Bench bench;
  auto runtime = bench.open();
  auto result = runtime.call("pay", json(R"({"to": "bob", "amount": "20"})"), bench.tool());
  ASSERT_NE(result.denied(), nullptr);
  EXPECT_EQ(result.denied()->code, "invalid_input");
  EXPECT_NE(result.denied()->reason.find("input.amount"), std::string::npos) << result.denied()->reason;
  EXPECT_EQ(*bench.runs, 0);
  auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].input.json(), R"({"amount":"20","to":"bob"})");
}

TEST(Govern, FaultInADenyRuleDeniesWithItsPlace) {
  Bench bench;
  auto runtime = bench.open();
  auto result = bench.pay(runtime, 13);
  ASSERT_NE(result.denied(), nullptr);
  EXPECT_EQ(result.denied()->code, "evaluation_error");
  EXPECT_EQ(result.denied()->rule, "payments.odd");
  EXPECT_NE(result.denied()->fault.find("test.policy:"), std::string::npos) << result.denied()->fault;
  EXPECT_EQ(bench.records(runtime).at(0).fault, result.denied()->fault);
}

TEST(Govern, BadNamesAreInvalidInputAndTheRecordStaysReadable) {
  Bench bench;
  auto runtime = bench.open();
  CallOptions options;
  options.trace = "trace-\xff";
  auto result = bench.pay(runtime, 20, options);
  ASSERT_NE(result.denied(), nullptr);
  EXPECT_EQ(result.denied()->code, "invalid_input");
  EXPECT_NE(runtime.call("\xc3(", json("{}"), bench.tool()).denied(), nullptr);
  EXPECT_NE(runtime.call("", json("{}"), bench.tool()).denied(), nullptr);
  EXPECT_EQ(*bench.runs, 0);
  EXPECT_EQ(bench.records(runtime).size(), 3u);
  EXPECT_TRUE(bench.verify().ok) << bench.verify().problem;
}

TEST(Govern, InvalidUtf8InInputIsDeniedAndRecordedAsBytes) {
  Bench bench;
  auto runtime = bench.open();
  MapEntry entries[] = {{Value::string("bad\xff"), Value::string("\xfe")}, {Value::string("n"), Value::integer(1)}};
  Arena arena;
  auto result = runtime.call("look", Value::map_of(make_map(arena, entries)), bench.tool());
  ASSERT_NE(result.denied(), nullptr);
  EXPECT_EQ(result.denied()->code, "invalid_input");
  auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_NE(records[0].input.json().find("bytes:626164ff"), std::string::npos) << records[0].input.json();
  EXPECT_TRUE(bench.verify().ok);
}

TEST(Govern, WarningsReachCallerAndRecord) {
  Bench bench;
  int64_t tick = 0;
  bench.options.stopwatch = [&] { return tick += 6 * testing::kSecond; };
  auto runtime = bench.open();
  auto result = bench.pay(runtime, 100);
  ASSERT_TRUE(result.has_value()) << result.describe();
  EXPECT_EQ(result.warnings(), (std::vector<std::string>{"a round sum", "slow"}));
  auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 2u);
  ASSERT_EQ(records[0].obligations.size(), 1u);
  EXPECT_EQ(records[0].obligations[0].rule, "payments.round");
  EXPECT_EQ(records[1].obligations.at(0).reason, "slow");
  EXPECT_EQ(records[1].elapsed_ns, 6 * testing::kSecond);
}

TEST(Govern, BeforeRedactionChangesWhatTheToolReceivesAndWhatIsRecorded) {
  Bench bench;
  auto runtime = bench.open();
  std::string received;
  auto input = json(R"({"to": "bob", "amount": 5.0, "card": "4111"})");
  auto result = runtime.call("pay", input, [&](const Value& in) -> Result<Document> {
    received = to_json(in);
    return json(R"({"message": "ok"})");
  });
  ASSERT_TRUE(result.has_value()) << result.describe();
  EXPECT_EQ(received, R"({"amount":5.0,"card":"***","to":"bob"})");
  EXPECT_EQ(input.json(), R"({"amount":5.0,"card":"4111","to":"bob"})");
  EXPECT_EQ(bench.records(runtime).at(0).input.json(), received);
}

TEST(Govern, RedactionReachesEveryElementBeforeAndAfter) {
  Bench bench;
  auto runtime = bench.open();
  std::string received;
  auto result =
      runtime.call("rows", json(R"({"items": [{"secret": "a", "x": 1}, {"x": 2}, null, {"secret": {"deep": 1}}]})"),
                   [&](const Value& in) -> Result<Document> {
                     received = to_json(in);
                     return json(R"([{"iban": "GB29", "n": 1}, {"n": 2}])");
                   });
  ASSERT_TRUE(result.has_value()) << result.describe();
  EXPECT_EQ(received, R"({"items":[{"secret":"-","x":1},{"x":2},null,{"secret":"-"}]})");
  EXPECT_EQ(result->json(), R"([{"iban":"***","n":1},{"n":2}])");
  EXPECT_EQ(bench.records(runtime).at(1).output.json(), result->json());
}

TEST(Govern, ARedactionThroughAValueOfAnotherShapeDenies) {
  Bench bench;
  auto runtime = bench.open();
  auto result = runtime.call("rows", json(R"({"items": [{"secret": "a"}, "may be a secret"]})"), bench.tool("[]"));
  ASSERT_NE(result.denied(), nullptr) << result.describe();
  EXPECT_EQ(result.denied()->code, "evaluation_error");
  EXPECT_EQ(*bench.runs, 0);

  result = runtime.call("rows", json(R"({"items": []})"), bench.tool(R"(["GB29"])"));
  ASSERT_NE(result.withheld(), nullptr) << result.describe();
  EXPECT_EQ(*bench.runs, 1);
}

TEST(Govern, AfterRedactionChangesWhatTheCallerReceivesAndWhatIsRecorded) {
  Bench bench;
  auto runtime = bench.open();
  auto result =
      runtime.call("pay", json(R"({"to": "bob", "amount": 5.0})"), bench.tool(R"({"message": "ok", "iban": "GB29"})"));
  ASSERT_TRUE(result.has_value()) << result.describe();
  EXPECT_EQ(result->json(), R"({"iban":"***","message":"ok"})");
  auto records = bench.records(runtime);
  EXPECT_EQ(records.at(1).status, OutcomeStatus::redacted);
  EXPECT_EQ(records.at(1).output.json(), R"({"iban":"***","message":"ok"})");
}

TEST(Govern, WithheldOutputSaysThatTheSideEffectHappened) {
  Bench bench;
  auto runtime = bench.open();
  auto result = runtime.call("pay", json(R"({"to": "bob", "amount": 5.0})"), bench.tool(R"({"message": "AKIA123"})"));
  ASSERT_NE(result.withheld(), nullptr) << result.describe();
  EXPECT_EQ(result.withheld()->rule, "leaks.key_leak");
  EXPECT_EQ(result.withheld()->reason, "a key in the output");
  EXPECT_NE(result.describe().find("executed"), std::string::npos);
  EXPECT_EQ(*bench.runs, 1);
  auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[1].status, OutcomeStatus::withheld);
  EXPECT_EQ(records[1].effect, Effect::deny);
  EXPECT_FALSE(records[1].has_output);
  EXPECT_EQ(to_json(records[1]).find("AKIA"), std::string::npos);
}

TEST(Govern, AfterFaultWithholds) {
  Bench bench;
  auto runtime = bench.open();
  auto result =
      runtime.call("pay", json(R"({"to": "bob", "amount": 5.0})"), bench.tool(R"({"message": "thirteen char"})"));
  ASSERT_NE(result.withheld(), nullptr) << result.describe();
  EXPECT_EQ(result.withheld()->code, "evaluation_error");
  EXPECT_NE(result.withheld()->fault, "");
}

TEST(Govern, OutputThatDoesNotFitItsDeclarationIsWithheld) {
  Bench bench;
  auto runtime = bench.open();
  auto result = runtime.call("pay", json(R"({"to": "bob", "amount": 5.0})"), bench.tool(R"({"message": 7})"));
  ASSERT_NE(result.withheld(), nullptr) << result.describe();
  EXPECT_EQ(result.withheld()->code, "invalid_input");
  EXPECT_EQ(*bench.runs, 1);
}

TEST(Govern, ExceptionsAndErrorsOfAToolAreRecordedFailures) {
  Bench bench;
  auto runtime = bench.open();
  auto input = json(R"({"to": "bob", "amount": 5.0})");
  auto thrown =
      runtime.call("pay", input, [](const Value&) -> Result<Document> { throw std::runtime_error("no route"); });
  ASSERT_NE(thrown.failed(), nullptr);
  EXPECT_EQ(thrown.failed()->code, "exception");
  EXPECT_EQ(thrown.failed()->message, "no route");
  EXPECT_TRUE(thrown.failed()->executed);
  auto odd = runtime.call("pay", input, [](const Value&) -> Result<Document> { throw 7; });
  ASSERT_NE(odd.failed(), nullptr);
  auto error =
      runtime.call("pay", input, [](const Value&) -> Result<Document> { return Error{"timeout", "too slow"}; });
  ASSERT_NE(error.failed(), nullptr);
  EXPECT_EQ(error.failed()->code, "timeout");
  auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 6u);
  for (size_t i : {1u, 3u, 5u}) {
    EXPECT_EQ(records[i].kind, RecordKind::outcome);
    EXPECT_EQ(records[i].status, OutcomeStatus::failed);
    EXPECT_FALSE(records[i].decided);
  }
  EXPECT_EQ(records[1].error, "exception: no route");
}

TEST(Govern, AToolMayCallTheRuntimeAgain) {
  Bench bench;
  auto runtime = bench.open();
  std::string inner_action;
  auto result = runtime.call("look", json(R"({"n": 1})"), [&](const Value& in) -> Result<Document> {
    auto inner = bench.pay(runtime, 20);
    EXPECT_TRUE(inner.has_value()) << inner.describe();
    inner_action = inner.action().hex();
    EXPECT_EQ(to_json(in), R"({"n":1})");  // still there
    return json(R"({"text": "done"})");
  });
  ASSERT_TRUE(result.has_value()) << result.describe();
  EXPECT_NE(inner_action, result.action().hex());
  EXPECT_EQ(bench.records(runtime).size(), 4u);
}

TEST(Govern, EvaluateDecidesWithoutRunningAskingOrRecording) {
  Bench bench;
  auto runtime = bench.open();
  auto allowed = runtime.evaluate("pay", json(R"({"to": "bob", "amount": 100.0, "card": "4111"})"));
  EXPECT_EQ(allowed.effect, Effect::allow);
  ASSERT_EQ(allowed.obligations.size(), 2u);
  EXPECT_EQ(allowed.obligations[0].path, "input.card");
  EXPECT_EQ(allowed.obligations[0].with.json(), R"("***")");
  auto asks = runtime.evaluate("pay", json(R"({"to": "bob", "amount": 6000.0})"));
  EXPECT_EQ(asks.effect, Effect::require_approval);
  EXPECT_EQ(asks.from, (std::vector<std::string>{"finance", "risk"}));
  auto denied = runtime.evaluate("pay", json(R"({"to": "bob", "amount": -6000.0})"));
  EXPECT_EQ(denied.effect, Effect::deny);
  EXPECT_EQ(denied.rule, "payments.negative");
  const Document input = json(R"({"to": "bob", "amount": 1.0})"), output = json(R"({"message": "AKIA"})");
  auto after = runtime.evaluate_after("pay", input.root(), output.root(), std::chrono::seconds(1));
  EXPECT_EQ(after.rule, "leaks.key_leak");
  EXPECT_TRUE(bench.records(runtime).empty());
  EXPECT_TRUE(runtime.approvals().list(std::nullopt, testing::kNoon)->empty());
}

TEST(Observe, BlocksNothingRedactsNothingAsksNoOneAndRecordsWhatWouldHappen) {
  Bench bench;
  bench.options.mode = Mode::observe;
  bench.options.approvals = callback_handler([](const Approval&) -> bool { throw std::logic_error("asked"); });
  auto runtime = bench.open();
  EXPECT_TRUE(bench.pay(runtime, -1).has_value());
  EXPECT_TRUE(bench.pay(runtime, 600).has_value());
  EXPECT_TRUE(runtime.call("pay", json(R"({"to": 7})"), bench.tool()).has_value());
  std::string received;
  auto card = runtime.call("pay", json(R"({"to": "bob", "amount": 5.0, "card": "4111"})"),
                           [&](const Value& in) -> Result<Document> {
                             received = to_json(in);
                             return json(R"({"message": "AKIA", "iban": "GB29"})");
                           });
  ASSERT_TRUE(card.has_value()) << card.describe();
  EXPECT_EQ(card->json(), R"({"iban":"GB29","message":"AKIA"})");
  EXPECT_NE(received.find("4111"), std::string::npos);
  EXPECT_EQ(*bench.runs, 3);
  auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 8u);
  EXPECT_NE(to_json(records[0]).find(R"("effect":"would_deny")"), std::string::npos) << to_json(records[0]);
  EXPECT_EQ(records[0].rule, "payments.negative");
  EXPECT_NE(to_json(records[2]).find(R"("effect":"would_require_approval")"), std::string::npos);
  EXPECT_EQ(records[4].code, DecisionCode::invalid_input);
  EXPECT_EQ(records[6].effect, Effect::allow);
  EXPECT_EQ(records[6].input.json().find("4111"), std::string::npos) << "the record is as under enforce";
  EXPECT_NE(to_json(records[7]).find(R"("effect":"would_deny")"), std::string::npos);
  EXPECT_EQ(records[7].status, OutcomeStatus::released);
  EXPECT_TRUE(runtime.approvals().list(std::nullopt, testing::kNoon)->empty());
}

TEST(Runtime, ReloadSwapsTheProgramForTheNextCall) {
  Bench bench;
  auto runtime = bench.open();
  EXPECT_TRUE(bench.pay(runtime, 20).has_value());
  auto stricter = testing::compile_text(testing::edited(testing::kBank, "input.amount <= 0.0", "input.amount <= 30.0"));
  ASSERT_TRUE(runtime.reload(stricter).ok());
  auto denied = bench.pay(runtime, 20);
  ASSERT_NE(denied.denied(), nullptr);
  auto records = bench.records(runtime);
  EXPECT_EQ(records.back().program, to_hex(stricter->digest()));
  EXPECT_EQ(runtime.program(), stricter);
  EXPECT_FALSE(runtime.reload(nullptr).ok());
}

TEST(Runtime, OpenRefusesBadOptions) {
  Bench bench;
  auto code = [&](auto change) {
    RuntimeOptions options = bench.options;
    change(options);
    auto runtime = Runtime::open(testing::bank(), options);
    return runtime.ok() ? std::string("ok") : runtime.error().code;
  };
  EXPECT_EQ(Runtime::open(nullptr, bench.options).error().code, "invalid_options");
  EXPECT_EQ(code([](auto& o) { o.agent = "a\xff"; }), "invalid_identity");
  EXPECT_EQ(code([](auto& o) { o.tenant = std::string("a\0b", 3); }), "invalid_identity");
  EXPECT_EQ(code([](auto& o) { o.session = std::string(5000, 'x'); }), "invalid_identity");
  EXPECT_EQ(code([](auto& o) { o.approvals = nullptr; }), "invalid_options");
  EXPECT_EQ(code([](auto& o) { o.approval_expires = std::chrono::seconds(0); }), "invalid_options");
  EXPECT_EQ(code([](auto& o) { o.attributes = json(R"({"agent": {"clearance": "high"}})"); }), "invalid_identity");
  EXPECT_EQ(code([](auto& o) { o.attributes = json(R"({"agent": {"id": "other"}})"); }), "invalid_identity");
  EXPECT_EQ(code([](auto& o) { o.database = "/proc/none/such"; }), "database_error");
  EXPECT_EQ(code([](auto&) {}), "ok");
}

TEST(Runtime, DatabaseIsPrivate) {
  Bench bench;
  bench.options.database = bench.state / "a/b";
  auto runtime = bench.open();
  EXPECT_TRUE(bench.pay(runtime, 20).has_value());
  using std::filesystem::perms;
  auto mode = [](const std::string& path) { return std::filesystem::status(path).permissions(); };
  EXPECT_EQ(mode(bench.options.database), perms::owner_all);
  for (const char* file : {"/audit.db", "/approvals.db", "/audit.db-wal"}) {
    EXPECT_EQ(mode(bench.options.database + file), perms::owner_read | perms::owner_write) << file;
  }
}

TEST(Runtime, WithoutADatabaseApprovalsLiveInMemory) {
  Bench bench;
  bench.options.database = "";
  auto runtime = bench.open();
  auto pending = bench.pay(runtime, 600);
  ASSERT_NE(pending.pending(), nullptr);
  ASSERT_TRUE(runtime.approvals().approve(pending.pending()->approval_id, "ann", "finance", "", *bench.now).ok());
  EXPECT_TRUE(bench.pay(runtime, 600).has_value());
  EXPECT_TRUE(runtime.flush().ok());
}

TEST(Identity, CallsActAsTheIdentityTheyName) {
  Bench bench;
  auto program = testing::compile_text(R"(
context { agent { clearance: int } }
capability look { type "tool"; input { n: int } }
policy p on before look {
  allow chief   when agent.id == "chief" && agent.clearance >= 3 && "boss" in agent.roles;
  allow tenant  when tenant.id == "acme" && environment == "prod" && session.id == "s1";
})");
  auto runtime = bench.open(program);
  auto look = [&](const Identity* who) {
    CallOptions options;
    options.identity = who;
    return runtime.call("look", json(R"({"n": 1})"), bench.tool("1"), options).has_value();
  };
  EXPECT_FALSE(look(nullptr));
  auto chief =
      runtime.identity({.agent = "chief", .attributes = json(R"({"agent": {"clearance": 3, "roles": ["boss"]}})")});
  ASSERT_TRUE(chief.ok()) << chief.error().message;
  EXPECT_TRUE(look(&*chief));
  auto acme = runtime.identity({.tenant = "acme", .session = "s1"});
  ASSERT_TRUE(acme.ok());
  EXPECT_TRUE(look(&*acme));
  EXPECT_EQ(acme->who().agent, "teller");
  EXPECT_FALSE(look(nullptr));
  auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 6u);
  EXPECT_EQ(records[1].agent, "chief");
  EXPECT_EQ(records[3].tenant, "acme");
  EXPECT_EQ(records[3].session, "s1");
  // The same identity goes on after a reload.
  ASSERT_TRUE(runtime
                  .reload(testing::compile_text(R"(
capability look { type "tool"; input { n: int } }
policy q on before look { allow when tenant.id == "acme"; })"))
                  .ok());
  EXPECT_TRUE(look(&*acme));
  EXPECT_FALSE(look(&*chief));
}

TEST(Identity, AnotherAgentNeverInheritsRoles) {
  Bench bench;
  bench.options.attributes = json(R"({"agent": {"roles": ["boss"]}, "tenant": {"id": "acme"}})");
  auto runtime = bench.open(testing::compile_text(R"(
capability look { type "tool"; input { n: int } }
policy p on before look { allow when "boss" in agent.roles && tenant.id == "acme"; })"));
  auto allowed = [&](const Result<Identity>& who) {
    CallOptions options;
    options.identity = who.ok() ? &*who : nullptr;
    EXPECT_TRUE(who.ok());
    return runtime.evaluate("look", json(R"({"n": 1})"), options).effect == Effect::allow;
  };
  EXPECT_TRUE(allowed(runtime.identity({})));
  EXPECT_TRUE(allowed(runtime.identity({.principal = "p"})));
  EXPECT_FALSE(allowed(runtime.identity({.agent = "other"})));
  EXPECT_FALSE(allowed(runtime.identity({.tenant = "other"})));
}

TEST(Identity, UnknownAttributesAreNamed) {
  auto who = Identity::make({.agent = "a", .attributes = json(R"({"agent": {"roles": [], "shoe_size": 44}})")},
                            testing::bank());
  ASSERT_TRUE(who.ok()) << who.error().message;
  EXPECT_EQ(who->ignored(), (std::vector<std::string>{"agent.shoe_size"}));
}

TEST(Govern, FactsOfTheCallReachTheRules) {
  Bench bench;
  auto runtime = bench.open(testing::compile_text(R"(
capability look { type "tool"; risk low; input { n: int } }
policy p on before look {
  deny  type    when action.type != "query" || action.target != "db" || action.parent_id != "up" || action.trace_id != "t";
  deny  risk    when action.risk > 2.0;
  deny  time    when now != timestamp("2026-01-01T12:00:00Z");
  deny  where   when resource.id != "r1" || resource.type != "table";
  deny  id      when size(action.id) != 32;
  allow;
})"));
  CallOptions options;
  options.type = "query";
  options.target = "db";
  options.parent = "up";
  options.trace = "t";
  options.risk = 1.5;
  auto resource = json(R"({"id": "r1", "type": "table"})");
  options.resource = resource.root();
  auto result = runtime.call("look", json(R"({"n": 1})"), bench.tool("1"), options);
  EXPECT_TRUE(result.has_value()) << result.describe();
  EXPECT_EQ(bench.records(runtime).at(0).resource.json(), R"({"id":"r1","type":"table"})");
  EXPECT_EQ(bench.records(runtime).at(0).trace, "t");
  options.risk = 3.0;
  EXPECT_EQ(runtime.evaluate("look", json(R"({"n": 1})"), options).rule, "p.risk");
  options.risk = -1.0;
  EXPECT_EQ(runtime.evaluate("look", json(R"({"n": 1})"), options).code, DecisionCode::invalid_input);
}

TEST(Govern, HandsOutTheRulesOwnDecisions) {
  Bench bench;
  auto runtime = bench.open();
  DetachedDecision before, after, seen_by_tool;
  CallOptions options;
  options.before = &before;
  options.after = &after;
  const auto tool = [&](const Value&) -> Result<Document> {
    seen_by_tool = before;
    return json(R"({"message": "key AKIA"})");
  };
  const auto outcome = runtime.call("pay", json(R"({"to": "bob", "amount": 20.0})"), tool, options);
  ASSERT_NE(outcome.withheld(), nullptr) << outcome.describe();
  EXPECT_EQ(seen_by_tool.rule, "payments.allow#1");
  EXPECT_EQ(before.id, outcome.action().hex());
  EXPECT_EQ(before.effect, Effect::allow);
  EXPECT_EQ(after.rule, "leaks.key_leak");
  EXPECT_EQ(after.effect, Effect::deny);

  after = {};
  EXPECT_NE(bench.pay(runtime, 501, options).pending(), nullptr);
  EXPECT_EQ(before.effect, Effect::require_approval);
  EXPECT_EQ(after.rule, "");  // no output was decided
}

TEST(Govern, AFlawThatTheCallerKnowsIsADenialOnRecord) {
  Bench bench;
  auto runtime = bench.open();
  CallOptions options;
  options.flaw = "duplicate key \"amount\"";
  const auto outcome = bench.pay(runtime, 20, options);
  ASSERT_NE(outcome.denied(), nullptr) << outcome.describe();
  EXPECT_EQ(outcome.denied()->code, "invalid_input");
  EXPECT_NE(outcome.denied()->reason.find("duplicate key"), std::string::npos) << outcome.denied()->reason;
  EXPECT_EQ(*bench.runs, 0);
  const auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].capability, "pay");
  EXPECT_EQ(runtime.evaluate("pay", json(R"({"to": "bob", "amount": 20.0})"), options).code,
            DecisionCode::invalid_input);
}

TEST(Govern, AToolThatFailsWithNoTextLeavesARecordThatCanBeRead) {
  Bench bench;
  auto runtime = bench.open();
  auto outcome = runtime.call("bare", json("{}"), [](const Value&) -> Result<Document> {
    return Error{"broken",
                 "a\xff"
                 "b"};
  });
  ASSERT_NE(outcome.failed(), nullptr) << outcome.describe();
  auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[1].error,
            "broken: a\xEF\xBF\xBD"
            "b");
}

}  // namespace
}  // namespace ordain
