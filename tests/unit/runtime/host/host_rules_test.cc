// These tests cover host rules beside the policies' rules, metadata and risk as the host declares
// them, and authorize().
#include <limits>
#include <stdexcept>

#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

using testing::Bench;
using testing::json;
using testing::kSecond;

HostRule fixed(std::string name, HostVerdict verdict, std::string target = "*") {
  HostRule out;
  out.name = std::move(name);
  out.target = std::move(target);
  out.decide = [verdict](const HostCall&) { return verdict; };
  return out;
}

TEST(HostRules, CombineAsPoliciesDo) {
  struct Case {
    const char* what;
    double amount;
    HostVerdict verdict;
    Effect effect;
    const char* rule;
  };
  const Case cases[] = {
      {"a policy's deny wins over an allow", -1, HostVerdict::allow(), Effect::deny, "payments.negative"},
      {"a native deny wins over an allow", 20, HostVerdict::deny("no"), Effect::deny, "host"},
      {"a native deny wins over require_approval", 600, HostVerdict::deny("no"), Effect::deny, "host"},
      {"an allow does not lift require_approval", 600, HostVerdict::allow(), Effect::require_approval,
       "payments.large"},
      {"require_approval wins over allow", 20, HostVerdict::require_approval("ask"), Effect::require_approval, "host"},
      {"both allow: the policy names the reason", 20, HostVerdict::allow(), Effect::allow, "payments.allow#1"},
      {"no opinion", 20, HostVerdict::none(), Effect::allow, "payments.allow#1"},
  };
  for (const Case& one : cases) {
    Bench bench;
    bench.options.rules = {fixed("host", one.verdict)};
    auto runtime = bench.open();
    auto input = json(R"({"to": "bob", "amount": )" + std::to_string(one.amount) + "}");
    auto alone = runtime.evaluate("pay", input);
    EXPECT_EQ(alone.effect, one.effect) << one.what;
    EXPECT_EQ(alone.rule, one.rule) << one.what;
    auto outcome = bench.pay(runtime, one.amount);
    EXPECT_EQ(outcome.has_value(), one.effect == Effect::allow) << one.what;
    EXPECT_EQ(bench.records(runtime).at(0).rule, one.rule) << one.what;
    EXPECT_EQ(bench.records(runtime).at(0).effect, one.effect) << one.what;
  }
}

TEST(HostRules, WhereNoPolicySpeaksTheyDecideAndElseTheDefault) {
  Bench bench;
  auto runtime = bench.open();
  auto call = [&](const char* name) { return runtime.call(name, json("{}"), bench.tool("{}")); };
  EXPECT_EQ(call("tools.read").denied()->code, "default");
  ASSERT_TRUE(runtime
                  .before("tools.*", "reads",
                          [](const HostCall& seen) {
                            return seen.capability == "tools.read" ? HostVerdict::allow("reading is fine")
                                                                   : HostVerdict::none();
                          })
                  .ok());
  EXPECT_TRUE(call("tools.read").has_value());
  EXPECT_EQ(call("tools.write").denied()->code, "default");
  EXPECT_EQ(call("other").denied()->code, "default");
}

TEST(HostRules, AHostAllowKeepsTheRedactionsOfPolicies) {
  Bench bench;
  auto program = testing::compile_text(R"(
capability keep { input { card: string } }
policy hide on before keep { redact input.card with "***"; }
)");
  bench.options.rules = {fixed("host", HostVerdict::allow())};
  auto runtime = bench.open(program);
  std::string received;
  auto outcome = runtime.call("keep", json(R"({"card": "4111"})"), [&](const Value& input) -> Result<Document> {
    received = to_json(input);
    return json("{}");
  });
  ASSERT_TRUE(outcome.has_value()) << outcome.describe();
  EXPECT_EQ(received, R"({"card":"***"})");
}

TEST(HostRules, AnExceptionIsAFaultAndFailsClosed) {
  Bench bench;
  auto runtime = bench.open();
  ASSERT_TRUE(
      runtime.before("pay", "broken", [](const HostCall&) -> HostVerdict { throw std::runtime_error("no connection"); })
          .ok());
  ASSERT_TRUE(runtime.after("look", "broken_too", [](const HostCall&) -> HostVerdict { throw 7; }).ok());
  auto denied = bench.pay(runtime, 20);
  ASSERT_NE(denied.denied(), nullptr);
  EXPECT_EQ(denied.denied()->code, "evaluation_error");
  EXPECT_EQ(denied.denied()->rule, "broken");
  EXPECT_NE(denied.denied()->fault.find("no connection"), std::string::npos);
  auto withheld = runtime.call("look", json(R"({"n": 1})"), bench.tool(R"({"text": "x"})"));
  ASSERT_NE(withheld.withheld(), nullptr) << withheld.describe();
  EXPECT_EQ(withheld.withheld()->code, "evaluation_error");
  auto records = bench.records(runtime);
  EXPECT_NE(records.at(0).fault.find("no connection"), std::string::npos);
  EXPECT_EQ(records.back().status, OutcomeStatus::withheld);
}

TEST(HostRules, WarnAndRedactBeforeAndAfter) {
  Bench bench;
  auto runtime = bench.open();
  ASSERT_TRUE(runtime.add_rule(fixed("hide", HostVerdict::redact("input.to", json(R"("someone")")), "pay")).ok());
  ASSERT_TRUE(runtime.add_rule(fixed("note", HostVerdict::warn("noted"), "pay")).ok());
  ASSERT_TRUE(runtime
                  .after("pay", "blur",
                         [](const HostCall& seen) {
                           EXPECT_EQ(to_json(seen.output), R"({"message":"paid"})");
                           return HostVerdict::redact("output.message", Document::copy_of(Value::string("done")));
                         })
                  .ok());
  std::string received;
  auto outcome =
      runtime.call("pay", json(R"({"to": "bob", "amount": 5.0})"), [&](const Value& input) -> Result<Document> {
        received = to_json(input);
        return json(R"({"message": "paid"})");
      });
  ASSERT_TRUE(outcome.has_value()) << outcome.describe();
  EXPECT_EQ(received, R"({"amount":5.0,"to":"someone"})");
  EXPECT_EQ(outcome->json(), R"({"message":"done"})");
  EXPECT_EQ(outcome.warnings(), std::vector<std::string>{"noted"});
  auto records = bench.records(runtime);
  ASSERT_EQ(records.at(0).obligations.size(), 2u);
  EXPECT_EQ(records.at(0).obligations[0].rule, "hide");
  EXPECT_EQ(records.at(1).status, OutcomeStatus::redacted);
}

TEST(HostRules, ApprovalsAreBoundToTheirVersion) {
  Bench bench;
  auto rule = fixed("host", HostVerdict::require_approval("ask", {"ops"}));
  rule.version = "1";
  bench.options.rules = {rule};
  {
    auto runtime = bench.open();
    auto outcome = bench.pay(runtime, 600);
    ASSERT_NE(outcome.pending(), nullptr);
    EXPECT_EQ(outcome.pending()->groups, (std::vector<std::string>{"finance", "ops"})) << "of both that ask";
    auto& store = runtime.approvals();
    std::string id = outcome.pending()->approval_id;
    EXPECT_EQ(store.show(id, *bench.now)->rules, (std::vector<std::string>{"payments.large", "host"}));
    ASSERT_TRUE(store.approve(id, "ann", "finance", "", *bench.now).ok());
    ASSERT_TRUE(store.approve(id, "bob", "ops", "", *bench.now).ok());
  }
  bench.options.rules[0].version = "2";
  EXPECT_NE(bench.pay(bench.open(), 600).pending(), nullptr);
  bench.options.rules[0].version = "1";
  EXPECT_TRUE(bench.pay(bench.open(), 600).has_value());
}

TEST(HostRules, AreCheckedWhenTheyAreAdded) {
  Bench bench;
  auto runtime = bench.open();
  EXPECT_FALSE(runtime.add_rule({}).ok());
  EXPECT_FALSE(runtime.add_rule(fixed("", {})).ok());
  EXPECT_FALSE(runtime.add_rule(fixed("x", {}, "")).ok());
  EXPECT_TRUE(runtime.add_rule(fixed("x", {})).ok());
  EXPECT_FALSE(runtime.add_rule(fixed("x", {})).ok()) << "twice";
  bench.options.rules = {HostRule{}};
  bench.options.database = "";
  EXPECT_EQ(Runtime::open(testing::bank(), bench.options).error().code, "invalid_options");
}

TEST(Metadata, OnlyDeclaredKeysOfTheirTypes) {
  Bench bench;
  bench.options.metadata = {{"ticket", Kind::string, true}, {"score", Kind::floating}};
  auto runtime = bench.open();
  auto code = [&](const std::string& metadata) {
    CallOptions options;
    Document document = json(metadata);
    options.metadata = document.root();
    auto outcome = bench.pay(runtime, 20, options);
    return outcome.has_value() ? "" : outcome.denied()->code + ": " + outcome.denied()->reason;
  };
  EXPECT_EQ(code(R"({"ticket": "T-1"})"), "");
  EXPECT_EQ(code(R"({"ticket": "T-1", "score": 1})"), "");
  EXPECT_NE(code(R"({"ticket": "T-1", "tikcet": 1})").find("unknown key \"tikcet\""), std::string::npos);
  EXPECT_NE(code(R"({"ticket": 7})").find("metadata.ticket: expected string, got int"), std::string::npos);
  EXPECT_NE(code(R"({})").find("metadata.ticket: missing"), std::string::npos);
  EXPECT_NE(code(R"(null)").find("metadata.ticket: missing"), std::string::npos);
  EXPECT_NE(code(R"([1])").find("expected an object"), std::string::npos);
}

TEST(Risk, IsANameOrANumberAndNothingElse) {
  Bench bench;
  auto program = testing::compile_text(R"(
capability act { risk low; input {} }
policy p on before act { deny risky when action.risk >= "high" because "risky"; allow; }
)");
  auto runtime = bench.open(program);
  auto denied = [&](std::optional<ActionRisk> risk) -> std::string {
    CallOptions options;
    options.risk = risk;
    auto decision = runtime.evaluate("act", json("{}"), options);
    if (decision.effect == Effect::allow) return "";
    return decision.rule.empty() ? std::string(to_string(decision.code)) : decision.rule;
  };
  EXPECT_EQ(denied(std::nullopt), "");
  EXPECT_EQ(denied("medium"), "");
  EXPECT_EQ(denied("high"), "p.risky");
  EXPECT_EQ(denied(Risk::critical), "p.risky");
  EXPECT_EQ(denied(2.5), "");
  EXPECT_EQ(denied(3.5), "p.risky");
  EXPECT_EQ(denied("nan"), "invalid_input");
  EXPECT_EQ(denied("High"), "invalid_input");
  EXPECT_EQ(denied(-1.0), "invalid_input");
  EXPECT_EQ(denied(std::numeric_limits<double>::quiet_NaN()), "invalid_input");
  EXPECT_DOUBLE_EQ(ActionRisk("low").confidence(), 0.2);
  EXPECT_DOUBLE_EQ(ActionRisk("medium").confidence(), 0.5);
  EXPECT_DOUBLE_EQ(ActionRisk("high").confidence(), 0.8);
  EXPECT_DOUBLE_EQ(ActionRisk("critical").confidence(), 1.0);
  EXPECT_DOUBLE_EQ(ActionRisk(7).confidence(), 1.0);
  EXPECT_DOUBLE_EQ(ActionRisk("none").confidence(), 0.0);
}

TEST(Resource, AnEmptyNameIsRefused) {
  Bench bench;
  auto runtime = bench.open();
  CallOptions options;
  options.resource = Value::string("");
  EXPECT_EQ(bench.pay(runtime, 20, options).denied()->code, "invalid_input");
}

TEST(Evaluate, SaysAllThatADecisionIs) {
  Bench bench;
  auto runtime = bench.open();
  auto decision = runtime.evaluate("pay", json(R"({"to": "bob", "amount": 600.0})"));
  EXPECT_EQ(decision.effect, Effect::require_approval);
  EXPECT_EQ(decision.rule, "payments.large");
  EXPECT_EQ(decision.policy, "payments");
  EXPECT_NE(decision.version, Digest{});
  EXPECT_EQ(decision.id.size(), 32u);
  EXPECT_EQ(decision.time_ns, testing::kNoon);
  EXPECT_DOUBLE_EQ(decision.confidence, 0.8) << "of the capability's risk";
}

// @returns what the record of one call says about the policy behind it
std::string recorded_policy(const std::string& text, const std::vector<HostRule>& rules = {}) {
  Bench bench;
  bench.options.rules = rules;
  auto runtime = bench.open(testing::compile_text("capability pay { input open { } }\n" + text));
  auto decision = runtime.evaluate("pay", json("{}"));
  (void)runtime.call("pay", json("{}"), bench.tool());
  auto records = bench.records(runtime);
  EXPECT_FALSE(records.empty());
  EXPECT_EQ(records[0].rule, decision.rule);
  EXPECT_EQ(records[0].policy, decision.policy_version.empty() ? "" : decision.policy);
  EXPECT_EQ(records[0].policy_version, decision.policy_version);
  EXPECT_TRUE(bench.verify().ok);
  return records[0].rule + " " + records[0].policy + " " + records[0].policy_version;
}

TEST(PolicyVersion, IsToldWithTheRuleThatDecides) {
  const std::string one = "policy p on before pay { version \"1.2-rc\"; description \"d\"; allow a; }\n";
  EXPECT_EQ(recorded_policy(one), "p.a p 1.2-rc");
  EXPECT_EQ(recorded_policy(one + "policy q on before pay { version \"7\"; deny b; }"), "q.b q 7");
  EXPECT_EQ(recorded_policy(
                "policy z on before pay { version \"9\"; allow c; }\npolicy a on before pay { allow d; }\n" + one),
            "z.c z 9")
      << "in whatever order they are declared";
  EXPECT_EQ(recorded_policy(one + "policy q on before pay { deny b when 1 / int(agent.chain_depth) == 1; }"), "q.b  ")
      << "a fault of a policy without a version";
  EXPECT_EQ(recorded_policy("policy q on before pay { version \"8\"; deny b when 1 / size(agent.id) * 0 == 1; }"), "  ")
      << "the default is no policy's";
  EXPECT_EQ(recorded_policy(one, {fixed("p.a", {.effect = Effect::deny, .reason = "no"})}), "p.a  ")
      << "a host rule of the same name";
}

TEST(PolicyVersion, OfTheAfterStageIsThatOfTheOutcome) {
  Bench bench;
  auto runtime = bench.open(testing::compile_text(R"(
capability pay { input open { } output open { } }
policy p on before pay { version "1"; allow a; }
policy q on after pay { version "2"; deny b; })"));
  (void)runtime.call("pay", json("{}"), bench.tool("{}"));
  auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].policy_version, "1");
  EXPECT_EQ(records[1].policy_version, "2");
}

TEST(Authorize, DecidesAsksAndRecordsForAHostThatExecutesByItself) {
  Bench bench;
  auto runtime = bench.open();
  auto input = json(R"({"to": "bob", "amount": 600.0, "card": "4111"})");
  auto first = runtime.authorize("pay", input);
  EXPECT_FALSE(first.authorized);
  ASSERT_NE(first.outcome.pending(), nullptr);
  EXPECT_EQ(first.decision.effect, Effect::require_approval);
  ASSERT_TRUE(runtime.approvals().approve(first.approval_id, "ann", "", "", *bench.now).ok());
  auto second = runtime.authorize("pay", input);
  EXPECT_TRUE(second.authorized);
  EXPECT_EQ(second.approval_id, first.approval_id);
  EXPECT_EQ(second.input.json(), R"({"amount":600.0,"card":"***","to":"bob"})");
  EXPECT_FALSE(runtime.authorize("pay", input).authorized) << "once";
  auto denied = runtime.authorize("pay", json(R"({"to": "bob", "amount": -1.0})"));
  EXPECT_FALSE(denied.authorized);
  EXPECT_EQ(denied.outcome.denied()->rule, "payments.negative");
  auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[1].kind, RecordKind::decision);
  EXPECT_EQ(records[1].approval, first.approval_id);
  EXPECT_EQ(records[3].kind, RecordKind::denied);
}

TEST(Observe, TheOutcomeSaysWhatWouldHaveHappened) {
  Bench bench;
  bench.options.mode = Mode::observe;
  auto runtime = bench.open();
  EXPECT_EQ(bench.pay(runtime, 20).would(), "");
  EXPECT_EQ(bench.pay(runtime, -1).would(), "would_deny");
  EXPECT_EQ(bench.pay(runtime, 600).would(), "would_require_approval");
  auto leak = runtime.call("pay", json(R"({"to": "bob", "amount": 5.0})"), bench.tool(R"({"message": "AKIA"})"));
  EXPECT_TRUE(leak.has_value());
  EXPECT_EQ(leak.would(), "would_withhold");
  auto authorized = runtime.authorize("pay", json(R"({"to": "bob", "amount": -1.0})"));
  EXPECT_TRUE(authorized.authorized);
  EXPECT_EQ(authorized.decision.effect, Effect::deny);
}

TEST(HostRules, WhatIsNoTextIsAFaultAndLeavesARecordThatCanBeRead) {
  Bench bench;
  auto runtime = bench.open();
  ASSERT_TRUE(runtime.before("pay", "host.odd", [](const HostCall&) { return HostVerdict::allow("\xff"); }).ok());
  auto outcome = bench.pay(runtime, 20);
  ASSERT_NE(outcome.denied(), nullptr) << outcome.describe();
  EXPECT_EQ(outcome.denied()->code, "evaluation_error");
  EXPECT_EQ(outcome.denied()->fault, "host rule host.odd: its verdict is not valid UTF-8");
  ASSERT_TRUE(
      runtime.before("look", "host.throws", [](const HostCall&) -> HostVerdict { throw std::runtime_error("a\xff"); })
          .ok());
  EXPECT_NE(runtime.call("look", json(R"({"n": 1})"), bench.tool()).denied(), nullptr);
  EXPECT_EQ(bench.records(runtime).size(), 2u);
}

}  // namespace
}  // namespace ordain
