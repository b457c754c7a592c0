// These tests cover how the indexer treats conditions: the tests that it derives, the rules that
// they leave, and its report on conditions that it cannot index.
#include "ordain/index_text.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

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

std::shared_ptr<const Program> program_of(const std::string& rules, const std::string& options = "") {
  auto compiled =
      compile({std::make_shared<Source>(Source{"plan.policy", options + kHead + rules + "}\n"})}, standard_library());
  EXPECT_NE(compiled.program, nullptr) << render(compiled.diagnostics);
  return compiled.program;
}

// Makes twenty rules whose conditions contain different numbers.
std::string twenty(const std::string& effect, const std::string& condition) {
  std::string out;
  for (int i = 0; i < 20; ++i)
    out += fmt::format("{0} {0}_{1} when {2};\n", effect, i, fmt::format(fmt::runtime(condition), i));
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
                    Case{"now == timestamp(\"20{:02}-01-01T00:00:00Z\")", IndexTest::interval},
                    Case{"input.size >= 1{0:02}0 && input.size <= 1{0:02}9", IndexTest::interval},
                    Case{"input.price > 1{0:02}.0 && 1{0:02}.75 > input.price", IndexTest::interval},
                    Case{"cidr(\"10.{}.0.0/16\").containsIP(input.command)", IndexTest::network},
                    Case{"input.command.contains(\"bad{}\")", IndexTest::text},
                    Case{"input.command.startsWith(\"bad{}\")", IndexTest::text},
                    Case{"input.command.endsWith(\"bad{}\")", IndexTest::text},
                    Case{"input.command.lowerAscii().contains(\"bad{}\")", IndexTest::text},
                    Case{"input.command.upperAscii().startsWith(\"BAD{}\")", IndexTest::text},
                    Case{"input.command.lowerAscii().matches(\"bad{} +now\")", IndexTest::text},
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

struct Limit {
  std::string text;  ///< in policy text
  Value value;
};

// What a rule's condition gives, by C++'s own comparison.
bool compares(const Value& a, std::string_view op, const Value& b) {
  const auto with = [op](const auto& x, const auto& y) {
    return op == "==" ? x == y : op == "<" ? x < y : op == "<=" ? x <= y : op == ">" ? x > y : x >= y;
  };
  switch (a.kind) {
    case Kind::integer:
      return with(a.i, b.i);
    case Kind::unsigned_integer:
      return with(a.u, b.u);
    case Kind::floating:
      return with(a.d, b.d);
    default:
      return with(std::pair(a.i, a.nanos()), std::pair(b.i, b.nanos()));
  }
}

// The constants at the ends of each kind, and their neighbours, are keys and bounds of an index as
// all others are. Each program has a rule for every constant and comparison, which is decided with
// the index, and without it (with less than the default budget).
TEST(Plan, LimitsOfNumbersAndTimesAreIndexedAsAllOthers) {
  const double inf = std::numeric_limits<double>::infinity();
  const double most = std::numeric_limits<double>::max(), least = std::numeric_limits<double>::denorm_min();
  const std::vector<std::pair<const char*, std::vector<Limit>>> kinds = {
      {"int",
       {{"-9223372036854775808", Value::integer(INT64_MIN)},
        {"-9223372036854775807", Value::integer(INT64_MIN + 1)},
        {"-1", Value::integer(-1)},
        {"0", Value::integer(0)},
        {"1", Value::integer(1)},
        {"9223372036854775806", Value::integer(INT64_MAX - 1)},
        {"9223372036854775807", Value::integer(INT64_MAX)}}},
      {"uint",
       {{"0u", Value::unsigned_integer(0)},
        {"1u", Value::unsigned_integer(1)},
        {"9223372036854775807u", Value::unsigned_integer(INT64_MAX)},
        {"9223372036854775808u", Value::unsigned_integer(uint64_t{1} << 63)},
        {"18446744073709551614u", Value::unsigned_integer(UINT64_MAX - 1)},
        {"18446744073709551615u", Value::unsigned_integer(UINT64_MAX)}}},
      {"double",
       {{"double(\"-Infinity\")", Value::floating(-inf)},
        {"-1.7976931348623157e308", Value::floating(-most)},
        {"-5e-324", Value::floating(-least)},
        {"-0.0", Value::floating(-0.0)},
        {"0.0", Value::floating(0.0)},
        {"5e-324", Value::floating(least)},
        {"1.7976931348623157e308", Value::floating(most)},
        {"double(\"Infinity\")", Value::floating(inf)},
        {"double(\"NaN\")", Value::floating(std::nan(""))}}},
      {"timestamp",
       {{"timestamp(\"0001-01-01T00:00:00Z\")", Value::timestamp(-62135596800, 0)},
        {"timestamp(\"0001-01-01T00:00:00.000000001Z\")", Value::timestamp(-62135596800, 1)},
        {"timestamp(\"1969-12-31T23:59:59.5Z\")", Value::timestamp(-1, 500'000'000)},
        {"timestamp(\"1970-01-01T00:00:00Z\")", Value::timestamp(0, 0)},
        {"timestamp(\"9999-12-31T23:59:59Z\")", Value::timestamp(253402300799, 0)},
        {"timestamp(\"9999-12-31T23:59:59.999999999Z\")", Value::timestamp(253402300799, 999'999'999)}}},
      {"duration",
       {{"duration(\"-9223372036s\")", Value::duration(-9223372036, 0)},
        {"duration(\"-1ns\")", Value::duration(0, -1)},
        {"duration(\"0s\")", Value::duration(0, 0)},
        {"duration(\"1ns\")", Value::duration(0, 1)},
        {"duration(\"9223372036s\")", Value::duration(9223372036, 0)}}},
  };
  for (const auto& [kind, limits] : kinds) {
    for (const std::string_view op : {"==", "<", "<=", ">", ">="}) {
      SCOPED_TRACE(fmt::format("{} {}", kind, op));
      std::string text = fmt::format("capability act {{ input {{ n: {} }} }}\npolicy p on before act {{\n", kind);
      for (size_t i = 0; i < 2 * limits.size(); ++i) {
        text += fmt::format("allow r{} when input.n {} {};\n", i, op, limits[i % limits.size()].text);
      }
      text += "}\n";
      auto compiled = compile({std::make_shared<Source>(Source{"limits.policy", text})}, standard_library());
      ASSERT_NE(compiled.program, nullptr) << render(compiled.diagnostics);
      const std::shared_ptr<const Program>& program = compiled.program;
      EXPECT_FALSE(op == "==" && data_of(*program).index_nodes.empty());
      for (const Limit& given : limits) {
        if (given.value.is(Kind::floating) && !std::isfinite(given.value.d)) continue;  // no event has it
        SCOPED_TRACE(given.text);
        std::vector<RuleId> expected;
        for (RuleId rule = 0; rule < program->rules().size(); ++rule) {
          if (compares(given.value, op, limits[rule % limits.size()].value)) expected.push_back(rule);
        }
        const Context context(program);
        Call call(program);
        call.begin(program->resolve("act"), Stage::before);
        call.set(program->slot(program->schema().find_capability("act"), "input.n"), given.value);
        for (const uint64_t less : {0, 1}) {
          Scratch scratch;
          DecideOptions options;
          options.budget.cost -= less;
          const Decision all = decide_all(call, context, scratch, options);
          EXPECT_EQ(std::vector<RuleId>(all.matched.begin(), all.matched.end()), expected) << all.reason;
          const Decision one = decide(call, context, scratch, options);
          EXPECT_EQ(one.rule, expected.empty() ? kNone : expected.front()) << one.reason;
        }
      }
    }
  }
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

struct Facts {
  std::string team, note, command;
  int64_t size = 0, level = 0;
};

// Decides a call with the facts that are not empty or zero.
Decision decide_twice(const std::shared_ptr<const Program>& program, const Facts& facts) {
  Context context(program);
  if (!facts.team.empty()) context.set("agent.team", Value::string(facts.team));
  if (facts.level != 0) context.set("agent.level", Value::integer(facts.level));
  Call call(program);
  call.begin(program->resolve("act"), Stage::before);
  const Capability* act = program->schema().find_capability("act");
  call.set(program->slot(act, "input.size"), Value::integer(facts.size));
  call.set(program->slot(act, "input.command"), Value::string(facts.command));
  if (!facts.note.empty()) call.set(program->slot(act, "input.note"), Value::string(facts.note));
  Scratch scratch;
  Decision out = decide(call, context, scratch);
  // Less than the default budget: without the index.
  DecideOptions options;
  options.budget.cost -= 1;
  const Decision tried = decide(call, context, scratch, options);
  EXPECT_EQ(out.code, tried.code);
  EXPECT_EQ(out.rule, tried.rule);
  return out;
}

// Rules overlap, touch, repeat one another and lie within one another; some can never match.
TEST(Plan, IntervalsLeadToTheRulesAroundANumber) {
  std::string rules;
  for (int i = 0; i < 60; ++i) {
    const int low = i * 7 % 50 * 10, high = low + (i % 5 == 0 ? 0 : i * 3 % 35) - (i % 13 == 0 ? 40 : 0);
    rules +=
        fmt::format("{} r{} when input.size >= {} && input.size <= {};\n", i % 3 == 0 ? "deny" : "allow", i, low, high);
  }
  auto program = program_of(rules);
  EXPECT_EQ(root_of(*program).test, IndexTest::interval) << describe_index(*program, 5);
  for (int64_t size = -3; size < 560; ++size) {
    SCOPED_TRACE(size);
    (void)decide_twice(program, {.size = size});
  }
  for (const int64_t size : {INT64_MIN, INT64_MAX}) (void)decide_twice(program, {.size = size});
}

TEST(Plan, IntervalsProveThatAFactIsPresent) {
  auto program = program_of(twenty("deny", "has(agent.level) && agent.level >= 1{0:02}0 && agent.level <= 1{0:02}9"));
  EXPECT_EQ(root_of(*program).test, IndexTest::interval);
  EXPECT_FALSE(root_of(*program).absent);
  for (const IndexLeaf& leaf : data_of(*program).index_leaves) EXPECT_TRUE(leaf.sure);
  EXPECT_EQ(decide_twice(program, {.level = 1055}).rule, 5u);
  EXPECT_EQ(decide_twice(program, {}).code, DecisionCode::default_effect);
}

// An absent built-in text equals "", but is not there.
TEST(Plan, AnEmptyTextDoesNotProveThatAFactIsPresent) {
  auto program = program_of(twenty("deny", "has(agent.id) && agent.id in [\"\", \"agent-{}\"]"));
  EXPECT_EQ(decide_twice(program, {}).code, DecisionCode::default_effect);
}

// A condition that no number fulfils still faults where there is no number.
TEST(Plan, IntervalsKeepTheFaultOfAnAbsentFact) {
  const std::string guarded = "has(agent.level) && agent.level >= 1{0:02}0 && agent.level <= 1{0:02}9";
  for (const char* never : {"agent.level > 10 && agent.level < 5", "agent.level > 1055 && agent.level < 1005"}) {
    auto program = program_of(twenty("deny", guarded) + fmt::format("deny never when {};\n", never));
    EXPECT_EQ(decide_twice(program, {}).code, DecisionCode::missing_context) << never;
    EXPECT_EQ(decide_twice(program, {.level = 1055}).rule, 5u) << never;
    EXPECT_EQ(decide_twice(program, {.level = 7}).code, DecisionCode::default_effect) << never;
  }
}

// Every rule is decided with the index and without it, for numbers around its own and where the
// arithmetic overflows: there, deny rules fault.
TEST(Plan, ArithmeticOfOneNumberIsATestOfThatNumber) {
  struct Arithmetic {
    const char* condition;
    bool always_indexed = false;
  };
  const Arithmetic conditions[] = {
      {"input.size * 3 > {}", true},
      {"input.size + 7 == {}", true},
      {"{} <= 5 - input.size", true},
      {"-input.size < {}", true},
      {"!(input.size - 9 > {})", true},
      {"10 - input.size * 2 > {}", true},
      {"input.size * 1000 >= {}"},
      {"input.size * -2 == {}"},
      {"3 * (input.size + 1) == {}"},
      {"input.size + 9223372036854775800 > {}"},
      {"input.size * 4611686018427387904 == {}"},
      {"input.size * -1 + 5 <= {}"},
      {"-(input.size - 9223372036854775807) == {}"},
      {"input.size * 2 != {}"},
      {"input.size * 0 == {}"},
  };
  std::vector<int64_t> sizes;
  for (int64_t n = -30; n <= 30; ++n) sizes.push_back(n);
  for (const int64_t edge : {INT64_MIN, INT64_MAX, INT64_MIN / 2, INT64_MAX / 2, INT64_MIN / 3, INT64_MAX / 3,
                             INT64_MIN / 1000, INT64_MAX / 1000}) {
    for (const int64_t n : {-2, -1, 0, 1, 2}) {
      int64_t sum = 0;
      if (!__builtin_add_overflow(edge, n, &sum)) sizes.push_back(sum);
    }
  }
  for (const auto& [condition, always_indexed] : conditions) {
    for (const char* effect : {"deny", "allow"}) {
      auto program = program_of(twenty(effect, condition));
      if (always_indexed) {
        EXPECT_TRUE(summarise_index(*program)[0].unindexed.empty()) << condition;
      }
      for (const int64_t size : sizes) {
        SCOPED_TRACE(fmt::format("{} {} for {}", effect, condition, size));
        (void)decide_twice(program, {.size = size});
      }
    }
  }
}

// A text that is not an address is a fault of every rule that tests it.
TEST(Plan, NetworksKeepTheFaultOfATextThatIsNoAddress) {
  const std::string test = "cidr(\"10.{}.0.0/16\").containsIP(input.command)";
  auto denied = program_of(twenty("deny", test)), allowed = program_of(twenty("allow", test));
  for (const char* bad : {"", "10.1", "10.1.2.3.4", "fe80::1%eth0", "::ffff:10.1.2.3", "nobody"}) {
    EXPECT_EQ(decide_twice(denied, {.command = bad}).code, DecisionCode::evaluation_error) << bad;
    EXPECT_EQ(decide_twice(allowed, {.command = bad}).code, DecisionCode::default_effect) << bad;
  }
  for (const char* good : {"10.7.2.3", "::ffff:a07:203"})
    EXPECT_EQ(decide_twice(denied, {.command = good}).rule, 7u) << good;
  for (const char* other : {"10.77.2.3", "::1", "9.255.255.255", "11.0.0.0"}) {
    EXPECT_EQ(decide_twice(denied, {.command = other}).code, DecisionCode::default_effect) << other;
  }
}

// A host's fact that is absent is a fault, a built-in one is "", which is not an address.
TEST(Plan, NetworksKeepTheFaultOfAnAbsentFact) {
  const std::string text = "cidr(\"10.{}.0.0/16\").containsIP";
  EXPECT_EQ(decide_twice(program_of(twenty("deny", text + "(agent.team)")), {}).code, DecisionCode::missing_context);
  EXPECT_EQ(decide_twice(program_of(twenty("deny", text + "(agent.id)")), {}).code, DecisionCode::evaluation_error);
  EXPECT_EQ(decide_twice(program_of(twenty("allow", text + "(agent.id)")), {}).code, DecisionCode::default_effect);
  auto guarded = program_of(twenty("deny", "has(input.note) && " + text + "(input.note)"));
  EXPECT_EQ(root_of(*guarded).test, IndexTest::network) << describe_index(*guarded, 5);
  EXPECT_EQ(decide_twice(guarded, {}).code, DecisionCode::default_effect);
  EXPECT_EQ(decide_twice(guarded, {.note = "10.3.0.0"}).rule, 3u);
  EXPECT_EQ(decide_twice(guarded, {.note = "?"}).code, DecisionCode::evaluation_error);
}

TEST(Plan, FoldedTextsAreFoundInEitherCase) {
  auto program = program_of(twenty("deny", "input.command.lowerAscii().contains(\"bad{}x\")") +
                            twenty("allow", "input.command.upperAscii().endsWith(\"BAD{}Y\")"));
  for (const char* text : {"a bad7x", "a BaD7X!", "BAD7Xbad3Y"})
    EXPECT_EQ(decide_twice(program, {.command = text}).rule, 7u);
  EXPECT_EQ(decide_twice(program, {.command = "a bad3y"}).effect, Effect::allow);
  EXPECT_EQ(decide_twice(program, {.command = "a bad7 x"}).code, DecisionCode::default_effect);
}

// Folding a text takes memory, too.
TEST(Plan, FoldedTextsTooLongForTheMemoryAreNotSkipped) {
  auto program = program_of(twenty("deny", "input.command.lowerAscii().contains(\"bad{}\")"));
  EXPECT_EQ(decide_twice(program, {.command = std::string(1 << 20, 'X')}).code, DecisionCode::default_effect);
  EXPECT_EQ(decide_twice(program, {.command = std::string((1 << 20) + 1, 'X')}).code, DecisionCode::budget_exceeded);
}

// Skipping a rule must not hide that testing a long text exhausts the budget.
TEST(Plan, TextsTooLongForTheBudgetAreNotSkipped) {
  auto program = program_of(twenty("deny", "input.command.matches(\"bad{} [a-z]+ [0-9]+\")"));
  ASSERT_EQ(root_of(*program).test, IndexTest::text);
  const std::string text(45'000'000, 'x');
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

// The index is made for the budget of the package: it neither skips a rule whose condition would exhaust that, nor
// takes one for certain.
TEST(Plan, APackagesBudgetBoundsItsIndex) {
  const auto decided = [](const std::shared_ptr<const Program>& program, int64_t size, std::string_view command) {
    Context context(program);
    Call call(program);
    call.begin(program->resolve("act"), Stage::before);
    const Capability* act = program->schema().find_capability("act");
    call.set(program->slot(act, "input.size"), Value::integer(size));
    call.set(program->slot(act, "input.command"), Value::string(command));
    Scratch scratch;
    return decide(call, context, scratch).code;
  };
  const std::string lists = "input.size in [{}, 500, 501, 502]";
  EXPECT_EQ(decided(program_of(twenty("deny", lists), "option budget = 2;\n"), 77, ""), DecisionCode::budget_exceeded);
  EXPECT_EQ(decided(program_of(twenty("allow", lists), "option budget = 2;\n"), 7, ""), DecisionCode::default_effect);
  EXPECT_EQ(decided(program_of(twenty("allow", lists), "option budget = 100;\n"), 7, ""), DecisionCode::rule);

  const std::string patterns = twenty("deny", "input.command.matches(\"bad{} [a-z]+ [0-9]+\")");
  const std::string text(100'000, 'x');
  EXPECT_EQ(decided(program_of(patterns), 0, text), DecisionCode::default_effect);
  EXPECT_EQ(decided(program_of(patterns, "option budget = 100;\n"), 0, text), DecisionCode::budget_exceeded);
  auto ample = program_of(patterns, "option budget = 1000000000;\n");
  EXPECT_GT(root_of(*ample).bound, root_of(*program_of(patterns)).bound);
}

}  // namespace
}  // namespace ordain
