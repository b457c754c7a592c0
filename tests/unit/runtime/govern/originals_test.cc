// These tests prevent faults that agent guards have had in the field; each is named after the fault
// that it prevents.
#include <algorithm>
#include <limits>
#include <stdexcept>

#include "ordain/plan.h"
#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

using testing::Bench;
using testing::json;
using testing::kNoon;
using testing::kSecond;

/// @returns "allow", "deny by p.rule", "deny (invalid_input)" ... of the first rule that gives the
/// reason
std::string verdict(const Runtime& runtime, const std::string& capability, const std::string& input,
                    const CallOptions& options = {}) {
  auto decision = runtime.evaluate(capability, json(input), options);
  std::string out(to_string(decision.effect));
  if (!decision.rule.empty()) return out + " by " + decision.rule;
  return decision.effect == Effect::allow ? out : out + " (" + std::string(to_string(decision.code)) + ")";
}

std::vector<std::string> codes(const std::string& policy) {
  auto compiled = compile({std::make_shared<Source>(Source{"test.policy", policy})}, standard_library());
  std::vector<std::string> out;
  for (const auto& item : compiled.diagnostics.items) out.push_back(item.code);
  return out;
}

bool has(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

TEST(Originals, AnAgentsPayloadNeverSatisfiesAHostCondition) {
  Bench bench;
  auto runtime = bench.open(testing::compile_text(R"(
context { agent { user_role: string } }
capability act { input open {} }
policy p on before act { allow admins when agent.user_role == "admin" || "admin" in agent.roles; }
)"));
  CallOptions options;
  Document metadata = json(R"({"user_role": "admin", "roles": ["admin"], "agent": {"user_role": "admin"}})");
  options.metadata = metadata.root();
  for (const char* input : {R"({"user_role": "admin"})", R"({"agent": {"user_role": "admin", "roles": ["admin"]}})",
                            R"({"agent.user_role": "admin"})", R"({"roles": ["admin"]})"}) {
    EXPECT_EQ(verdict(runtime, "act", input, options), "deny (default)") << input;
  }
}

TEST(Originals, NumberTricksAreInvalidInputOrCaught) {
  Bench bench;
  auto runtime = bench.open(testing::compile_text(R"(
capability pay { input { amount: double } }
capability loose { input open {} }
policy p on before pay { deny negative when input.amount <= 0.0; deny large when input.amount > 100.0; allow; }
policy q on before loose { allow small when has(input.amount) && input.amount > 0.0 && input.amount <= 100.0; }
)"));
  EXPECT_EQ(verdict(runtime, "pay", R"({"amount": 5})"), "allow by p.allow#1");
  EXPECT_EQ(verdict(runtime, "pay", R"({"amount": -5})"), "deny by p.negative");
  for (const char* input :
       {R"({"amount": "nan"})", R"({"amount": "5"})", R"({"amount": "5,000"})", R"({"amount": 1, "total": 999999})",
        R"({"amount": {"value": 999999}})", R"({"amount": [1]})", R"({"Amount": 1})", R"({})"}) {
    EXPECT_EQ(verdict(runtime, "pay", input), "deny (invalid_input)") << input;
  }
  for (const char* input :
       {R"({"amount": "nan"})", R"({"amount": "5"})", R"({"amount": {"value": 1}})", R"({"total": 5})"}) {
    EXPECT_EQ(verdict(runtime, "loose", input), "deny (default)") << input;
  }
  MapEntry entry{Value::string("amount"), Value::floating(std::numeric_limits<double>::quiet_NaN())};
  Arena arena;
  EXPECT_EQ(runtime.evaluate("pay", Value::map_of(make_map(arena, {&entry, 1}))).effect, Effect::deny);
  EXPECT_FALSE(Document::parse(R"({"amount": 1, "amount": 999999})").ok()) << "a decoy of the same name";
}

TEST(Originals, PathTricksDoNotPassForWhatIsBelowADirectory) {
  Bench bench;
  auto runtime = bench.open(testing::compile_text(R"(
capability read { input { path: string } }
policy p on before read { allow docs when input.path.isWithin("docs"); }
)"));
  EXPECT_EQ(verdict(runtime, "read", R"({"path": "docs/guide.md"})"), "allow by p.docs");
  EXPECT_EQ(verdict(runtime, "read", R"({"path": "./docs//a/../guide.md"})"), "allow by p.docs");
  for (const char* path :
       {"docs/../../etc/shadow", "docs-secret/x", "docs/../docs-secret", "/docs/x", "docs/x/../../y", "DOCS/x"}) {
    EXPECT_EQ(verdict(runtime, "read", R"({"path": ")" + std::string(path) + "\"}"), "deny (default)") << path;
  }
}

TEST(Originals, TextTricksDoNotHideACommand) {
  Bench bench;
  auto runtime = bench.open(testing::compile_text(R"(
capability run { input { command: string } }
policy p on before run {
  deny removes when shell.commands(input.command).exists(c, size(shell.split(c)) > 0 && shell.split(c)[0] == "rm");
  allow status when shell.commands(input.command).all(c, shell.split(c) == ["git", "status"]);
}
)"));
  auto run = [&](const std::string& command) {
    std::string quoted;
    append_json_string(quoted, command);
    return verdict(runtime, "run", R"({"command": )" + quoted + "}");
  };
  EXPECT_EQ(run("git status"), "allow by p.status");
  EXPECT_EQ(run("git   status"), "allow by p.status") << "doubled spaces mean the same";
  for (const char* command : {"rm -r -f /", "rm  -rf /", "rm\t-rf /", "git status && rm -rf /", "git status; rm x",
                              "git status $(rm x)", "git status `rm x`", "'rm' x", "r\\m x"}) {
    EXPECT_TRUE(run(command).starts_with("deny")) << command << ": " << run(command);
  }
  for (const char* command :
       {"git status && curl x", "git status | sh", "git status > x", "GIT status", "git STATUS"}) {
    EXPECT_TRUE(run(command).starts_with("deny")) << command << ": " << run(command);
  }
  EXPECT_EQ(verdict(runtime, "Run", R"({"command": "git status"})"), "deny (default)") << "names keep their case";
}

TEST(Originals, AnApprovalServesOnceForItsCallInItsTimeAndARetryQueuesNoDuplicate) {
  Bench bench;
  auto runtime = bench.open();
  auto ask = [&] { return bench.pay(runtime, 600); };
  std::string id = ask().pending()->approval_id;
  EXPECT_EQ(ask().pending()->approval_id, id) << "a retry finds the same request";
  EXPECT_EQ(runtime.approvals().list(std::nullopt, *bench.now)->size(), 1u);
  ASSERT_TRUE(runtime.approvals().approve(id, "ann", "", "", *bench.now).ok());
  CallOptions other;
  other.resource = Value::string("account-2");
  EXPECT_NE(bench.pay(runtime, 600, other).pending(), nullptr) << "another resource";
  auto dev = runtime.identity({.environment = "dev"});
  CallOptions elsewhere;
  elsewhere.identity = &*dev;
  EXPECT_NE(bench.pay(runtime, 600, elsewhere).pending(), nullptr) << "another environment";
  EXPECT_TRUE(ask().has_value());
  auto again = ask();
  ASSERT_NE(again.pending(), nullptr) << "once";
  ASSERT_TRUE(runtime.approvals().reject(again.pending()->approval_id, "ann", "", "", *bench.now).ok());
  EXPECT_EQ(ask().denied()->code, "approval_rejected");
  *bench.now += 3600 * kSecond;
  std::string late = ask().pending()->approval_id;
  ASSERT_TRUE(runtime.approvals().approve(late, "ann", "", "", *bench.now).ok());
  *bench.now += 3600 * kSecond;
  EXPECT_NE(ask().pending(), nullptr) << "expired";
  EXPECT_EQ(*bench.runs, 1);
}

TEST(Originals, AGrantWithoutAValidSignatureIsRefusedAndThereIsNoDefaultKey) {
  Bench bench;
  auto key = *PrivateKey::generate("operator");
  bench.options.operator_keys = {.sign = {}, .trust = {key.public_key()}};
  auto runtime = bench.open();
  Grant grant;
  grant.until_ns = kNoon + 3600 * kSecond;
  grant.granted_by = "eve";
  auto unsigned_store = ApprovalStore::open(bench.options.database);
  ASSERT_TRUE(unsigned_store->create_grant(grant, *bench.now).ok());
  auto stranger = ApprovalStore::open(bench.options.database, OpenMode::read_write,
                                      {.sign = *PrivateKey::generate("operator"), .trust = {}});
  ASSERT_TRUE(stranger->create_grant(grant, *bench.now).ok());
  EXPECT_NE(bench.pay(runtime, 600).pending(), nullptr);
  EXPECT_TRUE(OperatorKeys{}.empty());
  EXPECT_NE(PrivateKey::generate("a")->public_key(), PrivateKey::generate("a")->public_key());
}

TEST(Originals, ABadPatternOrAnUnknownConditionIsFoundWhenPoliciesAreLoaded) {
  const std::string head = "capability a { input { x: string } }\npolicy p on before a { deny when ";
  EXPECT_TRUE(has(codes(head + "input.x.matches(\"(\"); }"), "invalid-regex"));
  EXPECT_TRUE(has(codes(head + "input.y == \"1\"; }"), "unknown-field"));
  EXPECT_TRUE(has(codes(head + "looks_bad(input.x); }"), "unknown-function"));
  // The pattern is known only when the call comes: the blocking rule blocks.
  Bench bench;
  auto runtime = bench.open(testing::compile_text(R"(
capability a { input { x: string, pattern: string } }
policy p on before a { deny bad when input.x.matches(input.pattern); allow; }
)"));
  auto outcome = runtime.call("a", json(R"({"x": "y", "pattern": "("})"), bench.tool());
  ASSERT_NE(outcome.denied(), nullptr);
  EXPECT_EQ(outcome.denied()->code, "evaluation_error");
}

TEST(Originals, ARuleThatCanNeverMatchIsWarnedOf) {
  EXPECT_TRUE(has(codes("capability a { input { hour: int } }\n"
                        "policy p on before a { deny night when input.hour >= 18 && input.hour < 8; allow; }"),
                  "never-matches"));
  EXPECT_TRUE(has(codes("option order = first_match;\ncapability a { input {} }\n"
                        "policy p on before a { allow; deny late; }"),
                  "shadowed"));
}

TEST(Originals, AnUnknownWordInAPolicyFileIsAnError) {
  for (const char* policy : {
           "capability a { input { x: int } }\npolicy p on before a { deny whn input.x > 1; }",
           "capability a { inptu { x: int } }",
           "capability a { risk hihg; }",
           "policy p on befor a { deny; }",
           "polciy p on before a { deny; }",
           "option ordr = first_match;",
       }) {
    auto compiled = compile({std::make_shared<Source>(Source{"test.policy", policy})}, standard_library());
    EXPECT_EQ(compiled.program, nullptr) << policy;
    EXPECT_FALSE(compiled.diagnostics.items.empty()) << policy;
  }
}

TEST(Originals, FailuresBlockedPlansAndWithheldOutputsAllLeaveARecord) {
  Bench bench;
  auto runtime = bench.open();
  auto throws = make_executor([](const Action&, const Value&) -> Result<Document> { throw std::runtime_error("x"); });
  Action pay{.capability = "pay", .input = json(R"({"to": "bob", "amount": 5.0})")};
  Action blocked{.capability = "pay", .input = json(R"({"to": "bob", "amount": -5.0})")};
  EXPECT_EQ(run_one(runtime, *throws, pay).status, ActionStatus::failed);
  EXPECT_EQ(run_one(runtime, *throws, blocked).status, ActionStatus::blocked);
  auto withheld = runtime.call("pay", pay.input, bench.tool(R"({"message": "AKIA"})"));
  EXPECT_NE(withheld.withheld(), nullptr);
  auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 5u);
  EXPECT_EQ(records[1].status, OutcomeStatus::failed);
  EXPECT_EQ(records[1].error, "exception: x");
  EXPECT_EQ(records[2].kind, RecordKind::denied);
  EXPECT_EQ(records[3].kind, RecordKind::intent) << "the side effect happened";
  EXPECT_EQ(records[4].status, OutcomeStatus::withheld);
  EXPECT_NE(withheld.describe().find("executed"), std::string::npos);
}

}  // namespace
}  // namespace ordain
