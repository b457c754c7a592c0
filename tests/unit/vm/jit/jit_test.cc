// These tests check that native code gives the same values, faults and places as the interpreter,
// on every kind of instruction.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "ordain/compile.h"
#include "ordain/decide.h"
#include "ordain/jit.h"
#include "ordain/json.h"
#include "ordain/stdlib.h"
#include "tests/unit/vm/jit/expressions.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

using test::Bindings;
using test::expression;
using test::outcome;

const std::vector<Bindings>& binding_sets() {
  static const Value ints[] = {Value::integer(1), Value::integer(0), Value::integer(3), Value::integer(-4)};
  static const Value doubles[] = {Value::floating(1.5), Value::floating(-2)};
  static const Value strings[] = {Value::string("one"), Value::string("two"), Value::string("three")};
  static const Value mixed[] = {Value::string("one"), Value::integer(2), Value::floating(2),
                                Value::boolean(true), Value::null(),     Value::list(ints)};
  static const MapEntry entries[] = {{Value::string("one"), Value::integer(1)},
                                     {Value::string("k"), Value::integer(0)}};
  static Arena arena;
  static const MapRep* map = make_map(arena, entries);
  static const MapRep* empty = make_map(arena, {});
  const int64_t least = INT64_MIN, most = INT64_MAX;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  static const std::vector<Bindings> sets = {
      {{"a", Value::boolean(true)},
       {"b", Value::boolean(false)},
       {"i", Value::integer(7)},
       {"j", Value::integer(-2)},
       {"u", Value::unsigned_integer(5)},
       {"v", Value::unsigned_integer(9)},
       {"d", Value::floating(1.5)},
       {"e", Value::floating(-0.0)},
       {"s", Value::string("one")},
       {"t", Value::string("the quick brown fox jumps over it")},
       {"l", Value::list(ints)},
       {"ld", Value::list(doubles)},
       {"ls", Value::list(strings)},
       {"m", Value::map_of(map)},
       {"x", Value::list(mixed)},
       {"y", Value::string("one")},
       {"moment", Value::timestamp(1'000'000, 5)}},
      {{"a", Value::boolean(false)},
       {"b", Value::boolean(true)},
       {"i", Value::integer(least)},
       {"j", Value::integer(-1)},
       {"u", Value::unsigned_integer(0)},
       {"v", Value::unsigned_integer(UINT64_MAX)},
       {"d", Value::floating(nan)},
       {"e", Value::floating(0)},
       {"s", Value::string("")},
       {"t", Value::string("one")},
       {"l", Value::list({})},
       {"ld", Value::list({})},
       {"ls", Value::list({})},
       {"m", Value::map_of(empty)},
       {"x", Value::map_of(map)},
       {"y", Value::integer(0)},
       {"moment", Value::timestamp(0, 0)}},
      {{"a", Value::boolean(true)},
       {"b", Value::boolean(true)},
       {"i", Value::integer(most)},
       {"j", Value::integer(0)},
       {"u", Value::unsigned_integer(UINT64_MAX)},
       {"v", Value::unsigned_integer(0)},
       {"d", Value::floating(2)},
       {"e", Value::floating(2)},
       {"s", Value::string("onf")},
       {"t", Value::string("onf")},
       {"l", Value::list({ints, 1})},
       {"ld", Value::list(doubles)},
       {"ls", Value::list({strings, 2})},
       {"m", Value::map_of(map)},
       {"x", Value::boolean(true)},
       {"y", Value::optional(&ints[2])}},
      {{"x", Value::string("two")}, {"y", Value::floating(2)}},  // nearly everything is absent
  };
  return sets;
}

class Agreement : public testing::TestWithParam<const char*> {};

TEST_P(Agreement, NativeSaysWhatTheInterpreterSays) {
  auto program = expression(GetParam());
  ASSERT_NE(program, nullptr);
  std::vector<Budget> budgets = {{}, {.cost = 9, .memory = 1 << 20}, {.cost = 1'000'000, .memory = 40}};
  std::vector<std::string> expected;
  for (const Bindings& bindings : binding_sets()) {
    for (const Budget& budget : budgets) expected.push_back(outcome(program, bindings, true, budget));
  }
  for (const NativeOptions& options : std::vector<NativeOptions>{{.optimisation = 0},
                                                                 {.optimisation = 1},
                                                                 {.optimisation = 2},
                                                                 {.optimisation = 0, .standalone = true},
                                                                 {.standalone = true}}) {
    auto report = compile_native(*program, options);
    ASSERT_TRUE(report) << report.error().message;
    ASSERT_TRUE(program->fully_native());
    size_t at = 0;
    for (const Bindings& bindings : binding_sets()) {
      for (const Budget& budget : budgets) {
        EXPECT_EQ(outcome(program, bindings, false, budget), expected[at])
            << GetParam() << " at -O" << options.optimisation << (options.standalone ? ", standalone" : "")
            << ", binding " << at / 3 << ", budget " << at % 3;
        ++at;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Arithmetic, Agreement,
                         testing::Values("i + j", "i - j", "i * j", "i / j", "i % j", "-i", "u + v", "u - v", "u * v",
                                         "u / v", "u % v", "d + e", "d - e", "d * e", "d / e", "-d", "i + i * j - 3"));
INSTANTIATE_TEST_SUITE_P(Comparison, Agreement,
                         testing::Values("i < j", "i <= j", "i > j", "i >= j", "i == j", "u < v", "u <= v", "u == v",
                                         "d < e", "d <= e", "d > e", "d >= e", "d == e", "d != e", "a == b", "a != b",
                                         "s == t", "s != t", "s < t", "s <= t", "s > t", "s >= t", "i == 7", "!a",
                                         "x == y", "x != y", "x == 2", "2u == y", "y == 2.0", "x == 'one'",
                                         "'one' == y", "x == true", "null == x", "x == [1, 0, 3, -4]", "y == s",
                                         "x == d", "l == [1]"));
INSTANTIATE_TEST_SUITE_P(Text, Agreement,
                         testing::Values("s == 'one'", "s == ''", "'onf' != s", "s in ['one', 'four']", "s in ['onf']",
                                         "s in ['', 'q', 'r', 't', 'v', 'w', 'x', 'y', 'z', 'one']", "s in []",
                                         "t == 'the quick brown fox jumps over it'", "'one' in ls",
                                         "'two' in ls && 'one' in ls", "!('none' in ls)", "ls.exists(q, q == 'three')",
                                         "ls.exists(q, q == t)", "ls.all(q, q != 'the quick brown fox jumps over it')",
                                         "y == 'ones'", "s + t", "size(s) + size(t)", "s.startsWith('on')",
                                         "s.matches('^on.$')", "t.matches(s)", "[s].exists(q, q == 'o')",
                                         "ls.exists(q, q == 'twelve bytes')"));
INSTANTIATE_TEST_SUITE_P(Logic, Agreement,
                         testing::Values("a && b", "a || b", "a && i / j > 0", "i / j > 0 && a", "i / j > 0 || a",
                                         "i / j > 0 || b || u / v > 0u", "u % v == 1u && i % j == 0 && b", "x && y",
                                         "x || y", "!x", "x ? 1 : 2", "a ? i / j : j / i", "(a ? b : x) && (b ? x : a)",
                                         "(i / j > 0 && x) || (u / v > 0u && (b || d / e > 1.0))",
                                         "!(!(i / j > 0) || !a) && !(u / v > 1u)",
                                         "(a || i / 0 > 1) && (i % 0 > 1 || b)", "cel.bind(q, i / j, a || q > 1)",
                                         "cel.bind(q, i / j, b && (q > 1 || q < 5) ? q : 0)",
                                         "cel.bind(q, x, cel.bind(r, q.one, a || r == q))", "a == (i / j > 1 || b)"));
INSTANTIATE_TEST_SUITE_P(Loops, Agreement,
                         testing::Values("l.all(q, q > 0)", "l.exists(q, q == 3)", "l.exists(q, 10 / q < 0)",
                                         "l.all(q, 10 / q > -100)", "l.exists_one(q, q > 0)",
                                         "l.exists_one(q, 10 / q == 10)", "l.map(q, q * 2)", "l.map(q, q > 0, q + i)",
                                         "l.filter(q, q < i)", "m.map(k, k)", "m.all(k, m[k] >= 0)",
                                         "m.exists(k, v, v == 0 && k == 'k')", "l.all(n, q, n < q)", "x.map(q, q)",
                                         "x.exists(q, q == 2)", "x.all(q, q.size() > 0)", "y.map(q, q)",
                                         "l.transformList(n, q, q != 0, q * n)", "m.transformMap(k, v, v + 1)",
                                         "m.transformMapEntry(k, v, {v: k})", "x.transformMap(k, v, k > 1, v)",
                                         "l.map(q, l.filter(r, r < q)).map(p, size(p))", "ld.all(q, q * d < 100.0)",
                                         "l.exists(q, l.all(r, r <= q && (q / r > 0 || r == 0)))",
                                         "ld.map(q, q / 0.0)"));
INSTANTIATE_TEST_SUITE_P(Containers, Agreement,
                         testing::Values("[i, j, 3]", "{'a': i, s: j}", "{s: 1, t: 2, 'onf': 3}", "x.one", "x[0]",
                                         "x[i]", "x['k']", "l[2]", "l[i]", "m.one", "m[s]", "has(x.one)", "has(m.k)",
                                         "x.?one.orValue(5)", "l[?9]", "x[?'one']", "[?l[?0], ?x[?1], 3]",
                                         "{?'a': m[?'one'], 'b': 2}", "y + 1", "x + y", "size(x)", "type(x)", "i in l",
                                         "s in m", "y in x", "{x: 1}", "string(y)", "y.hasValue()",
                                         "timestamp(0) < moment", "moment + duration('1h')", "x.one.two",
                                         "[x, y, [s]].map(q, [q])", "dyn(l)[1.0]", "math.greatest(i, j)",
                                         "{'a': [1, {'b': x}]}.a[1].b"));

// --- policies

// The last part of each condition is beyond what the index tests, so each rule keeps a predicate.
std::shared_ptr<const Program> policies(int rules) {
  std::string text =
      "context { agent { level: int, team: string } }\n"
      "capability pay { input { to: string, amount: double, n: int } }\npolicy p on before pay {\n";
  for (int i = 0; i < rules; ++i) {
    text += "  deny r" + std::to_string(i) + " when input.to == \"user" + std::to_string(i) + "\" && agent.level < " +
            std::to_string(i % 7) + " && input.amount > " + std::to_string(i % 100) + ".5 && input.n * input.n + " +
            std::to_string(i) + " > 3 because \"no \" + input.to;\n";
  }
  text += "  allow;\n}\n";
  auto compilation = compile({std::make_shared<Source>(Source{"p.policy", text})}, standard_library());
  EXPECT_NE(compilation.program, nullptr) << render(compilation.diagnostics);
  return compilation.program;
}

struct Facts {
  explicit Facts(const std::shared_ptr<const Program>& program) : program(program), context(program), call(program) {
    context.set("agent.level", Value::integer(2));
  }
  Decision decide_for(int user, bool interpret) {
    to = "user" + std::to_string(user);
    call.begin(program->resolve("pay"), Stage::before);
    const MapEntry entries[] = {{Value::string("to"), Value::string(to)},
                                {Value::string("amount"), Value::floating(60)},
                                {Value::string("n"), Value::integer(user % 5 == 0 ? INT64_MAX : 1)}};
    call.bind_input(Value::map_of(make_map(call.arena(), entries)));
    DecideOptions options;
    options.interpret_only = interpret;
    return decide_all(call, context, scratch, options);
  }
  std::string describe(int user, bool interpret) {
    const Decision decision = decide_for(user, interpret);
    return std::string(to_string(decision.effect)) + " " + std::string(to_string(decision.code)) + " " +
           std::string(decision.reason) + " " + std::to_string(decision.rule) + " " +
           std::to_string(decision.fault.location);
  }

  std::shared_ptr<const Program> program;
  Context context;
  Call call;
  Scratch scratch;
  std::string to;
};

TEST(CompileNative, DecidesAsTheInterpreterDoes) {
  auto program = policies(200);
  ASSERT_NE(program, nullptr);
  EXPECT_FALSE(program->fully_native());
  auto report = compile_native(*program);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(program->fully_native());
  EXPECT_EQ(report->predicates, data_of(*program).predicates.size());
  EXPECT_GT(report->code_bytes, 200u * 32);
  Facts facts(program);
  std::set<std::string> seen;
  for (const bool standalone : {false, true}) {
    ASSERT_TRUE(compile_native(*program, {.standalone = standalone}));
    for (int user = 0; user < 200; ++user) {
      const std::string expected = facts.describe(user, true);
      EXPECT_EQ(facts.describe(user, false), expected) << user;
      seen.insert(expected.substr(0, expected.find(' ', 8)));
    }
  }
  EXPECT_GE(seen.size(), 3u) << "allowed, denied and faulting calls";
}

TEST(CompileNative, SmallModulesAndASecondTierWorkToo) {
  auto program = policies(10);
  ASSERT_NE(program, nullptr);
  ASSERT_TRUE(compile_native(*program, {.optimisation = 0, .predicates_per_module = 1}));
  const NativePredicate first = native_code_of(*program).predicate(0);
  ASSERT_TRUE(compile_native(*program, {.optimisation = 2, .predicates_per_module = 0}));
  EXPECT_NE(native_code_of(*program).predicate(0), first);
  Facts facts(program);
  EXPECT_EQ(facts.describe(3, false), facts.describe(3, true));
}

TEST(CompileNative, SeveralThreadsShareTheWork) {
  auto program = policies(50);
  ASSERT_NE(program, nullptr);
  auto report = compile_native(*program, {.predicates_per_module = 4, .threads = 3});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_GT(report->code_bytes, 0u);
  EXPECT_TRUE(program->fully_native());
  Facts facts(program);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(facts.describe(i, false), facts.describe(i, true));

  std::atomic<bool> stop = true;
  auto cancelled = compile_native(*policies(50), {.threads = 2, .cancel = &stop});
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, "cancelled");
}

TEST(CompileNative, AProgramWithoutPredicatesIsNativeAtOnce) {
  auto compilation =
      compile({std::make_shared<Source>(Source{"p.policy", "policy p on before x { allow; }"})}, standard_library());
  ASSERT_NE(compilation.program, nullptr) << render(compilation.diagnostics);
  auto report = compile_native(*compilation.program);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->predicates, 0u);
  EXPECT_TRUE(compilation.program->fully_native());
}

TEST(CompileNative, DecisionsGoOnWhileCodeIsMade) {
  auto program = policies(300);
  ASSERT_NE(program, nullptr);
  std::vector<std::string> expected;
  {
    Facts facts(program);
    for (int user = 0; user < 300; ++user) expected.push_back(facts.describe(user, true));
  }
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0, decided = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      Facts facts(program);
      for (int n = t; !done || n < 600; ++n) {
        if (facts.describe(n % 300, false) != expected[static_cast<size_t>(n % 300)]) ++wrong;
        ++decided;
      }
    });
  }
  for (int optimisation : {0, 1}) EXPECT_TRUE(compile_native(*program, {.optimisation = optimisation}));
  done = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GE(decided, 1000);
}

TEST(CompileNative, InTheBackgroundALargeProgramGetsSimpleCodeFirst) {
  auto program = policies(300);
  ASSERT_NE(program, nullptr);
  compile_native_in_background(*program);
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  NativePredicate first = nullptr;
  while (std::chrono::steady_clock::now() < give_up) {
    const NativePredicate now = native_code_of(*program).predicate(0);
    if (first == nullptr) first = now;
    if (first != nullptr && now != first) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ASSERT_NE(first, nullptr);
  EXPECT_NE(native_code_of(*program).predicate(0), first) << "no second code came";
  EXPECT_TRUE(program->fully_native()) << "the second code only comes once all have the first";
  Facts facts(program);
  for (int user = 0; user < 5; ++user) EXPECT_EQ(facts.describe(user, false), facts.describe(user, true));
}

TEST(CompileNative, LongPredicatesCompileInReasonableTime) {
  std::string text = "i > 0";
  for (int n = 1; n < 3'000; ++n)
    text += " && (i / j > " + std::to_string(n) + " || s == 'k" + std::to_string(n) + "')";
  auto program = expression(text);
  ASSERT_NE(program, nullptr);
  auto report = compile_native(*program);
  ASSERT_TRUE(report) << report.error().message;
  for (const Bindings& bindings : binding_sets()) {
    EXPECT_EQ(outcome(program, bindings, false, {}), outcome(program, bindings, true, {}));
  }
  EXPECT_LT(report->milliseconds, 60'000);
}

}  // namespace
}  // namespace ordain
