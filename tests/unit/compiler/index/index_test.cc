// These tests cover how the indexer treats conditions: the tests that it derives, the rules that
// they leave, and its report on conditions that it cannot index.
#include "ordain/index_text.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "ordain/compile.h"
#include "ordain/decide.h"
#include "ordain/stdlib.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

constexpr const char* kHead =
    "context { agent { team: string, level: int } }\n"
    "capability act { input { kind: string, size: int, price: double, urgent: bool, note: optional(string), "
    "command: string } }\n"
    "policy p on before act {\n";

std::shared_ptr<const Program> program_of(const std::string& rules) {
  auto compiled = compile({std::make_shared<Source>(Source{"plan.policy", kHead + rules + "}\n"})}, standard_library());
  EXPECT_NE(compiled.program, nullptr) << render(compiled.diagnostics);
  return compiled.program;
}

// Makes twenty rules whose conditions contain different numbers.
std::string twenty(const std::string& effect, const std::string& condition) {
  std::string out;
  for (int i = 0; i < 20; ++i)
    out += fmt::format("{} r{} when {};\n", effect, i, fmt::format(fmt::runtime(condition), i));
  return out;
}

const IndexNode& root_of(const Program& program) {
  EXPECT_FALSE(data_of(program).index_nodes.empty());
  return data_of(program).index_nodes.front();
}

struct Case {
  const char* condition;
  IndexTest test;
};

class PlansATest : public testing::TestWithParam<Case> {};

TEST_P(PlansATest, ForEveryRule) {
  auto program = program_of(twenty("allow", GetParam().condition));
  EXPECT_EQ(root_of(*program).test, GetParam().test) << describe_index(*program, 5);
  EXPECT_TRUE(summarise_index(*program)[0].unindexed.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Conditions, PlansATest,
    testing::Values(Case{"input.kind == \"k{}\"", IndexTest::symbol}, Case{"\"k{}\" == input.kind", IndexTest::symbol},
                    Case{"input.kind in [\"k{}\", \"other\"]", IndexTest::symbol},
                    Case{"!(input.kind != \"k{}\")", IndexTest::symbol},
                    Case{"input.kind == \"k{0}\" || input.kind == \"j{0}\"", IndexTest::symbol},
                    Case{"\"r{}\" in agent.roles", IndexTest::member},
                    Case{"agent.roles.exists(r, r == \"r{}\")", IndexTest::member},
                    Case{"input.size == {}", IndexTest::number}, Case{"input.size in [{}, 77]", IndexTest::number},
                    Case{"input.price == {}.5", IndexTest::number}, Case{"input.size > {}", IndexTest::threshold},
                    Case{"{} >= input.size", IndexTest::threshold}, Case{"!(input.size < {})", IndexTest::threshold},
                    Case{"input.price < {}.5", IndexTest::threshold},
                    Case{"now == timestamp(\"20{:02}-01-01T00:00:00Z\")", IndexTest::threshold},
                    Case{"input.command.contains(\"bad{}\")", IndexTest::text},
                    Case{"input.command.startsWith(\"bad{}\")", IndexTest::text},
                    Case{"input.command.endsWith(\"bad{}\")", IndexTest::text},
                    Case{"input.command.matches(\"bad{} +now\")", IndexTest::text}));

TEST(Plan, SharedTestsOfBooleansAndPresence) {
  auto program = program_of(twenty("allow", "input.urgent && has(input.note) && input.size * 2 > {}"));
  const std::string text = describe_index(*program, 5);
  EXPECT_NE(text.find("input.urgent?"), std::string::npos) << text;
  EXPECT_NE(text.find("has(input.note)?"), std::string::npos) << text;
}

TEST(Plan, FewRulesAreTriedOneAfterAnother) {
  auto program = program_of("allow a when input.kind == \"a\"; allow b when input.kind == \"b\";");
  EXPECT_TRUE(data_of(*program).index_nodes.empty());
}

TEST(Plan, SaysWhichRulesItCannotIndexAndWhy) {
  auto program = program_of(twenty("allow", "input.kind == \"k{}\"") + "allow odd when input.size % 2 == 1;\n");
  const std::vector<IndexSummary> plan = summarise_index(*program);
  ASSERT_EQ(plan.size(), 1u);
  ASSERT_EQ(plan[0].unindexed.size(), 1u);
  EXPECT_EQ(program->rules()[plan[0].unindexed[0].rule].name, "p.odd");
  EXPECT_NE(plan[0].unindexed[0].why.find("no test"), std::string::npos);
  EXPECT_NE(describe_index(*program, 5).find("not indexed: p.odd"), std::string::npos);
  EXPECT_EQ(index_graph(*program, 5).rfind("digraph plan {", 0), 0u);
}

// A fault of a deny rule denies: if a fact that it reads is absent, the rule must be tried.
TEST(Plan, AbsentFactsLeadToRulesWhoseFaultMatters) {
  for (const char* effect : {"deny", "allow"}) {
    auto program = program_of(twenty(effect, "agent.team == \"t{}\""));
    EXPECT_EQ(root_of(*program).absent, std::string_view(effect) == "deny");
    Context context(program);
    Call call(program);
    call.begin(program->resolve("act"), Stage::before);
    Scratch scratch;
    const Decision decision = decide(call, context, scratch);
    EXPECT_EQ(decision.effect, Effect::deny);
    EXPECT_EQ(decision.code,
              std::string_view(effect) == "deny" ? DecisionCode::missing_context : DecisionCode::default_effect);
  }
}

// Skipping a rule must not hide that testing a long text exhausts the budget.
TEST(Plan, TextsTooLongForTheBudgetAreNotSkipped) {
  auto program = program_of(twenty("deny", "input.command.matches(\"bad{} [a-z]+ [0-9]+\")"));
  ASSERT_EQ(root_of(*program).test, IndexTest::text);
  const std::string text(400'000, 'x');
  Context context(program);
  Call call(program);
  call.begin(program->resolve("act"), Stage::before);
  call.set(program->slot(program->schema().find_capability("act"), "input.command"), Value::string(text));
  Scratch scratch;
  EXPECT_EQ(decide(call, context, scratch).code, DecisionCode::budget_exceeded);
}

// With a budget smaller than the indexer assumed, no rule is skipped.
TEST(Plan, SmallerBudgetsTryEveryRule) {
  auto program = program_of(twenty("deny", "input.size in [{}, 500, 501, 502]"));
  Context context(program);
  Call call(program);
  call.begin(program->resolve("act"), Stage::before);
  call.set(program->slot(program->schema().find_capability("act"), "input.size"), Value::integer(77));
  Scratch scratch;
  EXPECT_EQ(decide(call, context, scratch).code, DecisionCode::default_effect);
  DecideOptions poor;
  poor.budget.cost = 2;
  EXPECT_EQ(decide(call, context, scratch, poor).code, DecisionCode::budget_exceeded);
}

}  // namespace
}  // namespace ordain
