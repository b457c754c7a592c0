// These tests cover native code that replaces calls: it must give the same values, costs and faults
// as the calls, at the limits of each of its ways.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "ordain/jit.h"
#include "tests/unit/vm/jit/expressions.h"

namespace ordain {
namespace {

using test::Bindings;
using test::expression;
using test::outcome;

std::vector<Budget> budgets() {
  std::vector<Budget> out = {{}};
  for (uint64_t cost : {0, 1, 2, 3, 4, 5, 7, 8, 10, 13, 16, 20, 32, 99, 100, 250}) {
    out.push_back({.cost = cost, .memory = 1 << 20});
  }
  return out;
}

/// Compares the interpreter with native code of each level on all bindings and budgets. @returns
/// the results under the full budget.
std::vector<std::string> agreed(const std::string& text, const std::vector<Bindings>& sets) {
  auto program = expression(text);
  if (program == nullptr) return {};
  std::vector<std::string> expected, out;
  for (const Bindings& bindings : sets) {
    for (const Budget& budget : budgets()) expected.push_back(outcome(program, bindings, true, budget));
    out.push_back(outcome(program, bindings, true, {}));
  }
  for (const NativeOptions& how : std::initializer_list<NativeOptions>{
           {.optimisation = 0}, {.optimisation = 1}, {.optimisation = 2}, {.standalone = true}}) {
    const auto report = compile_native(*program, how);
    EXPECT_TRUE(report) << report.error().message;
    size_t at = 0;
    for (const Bindings& bindings : sets) {
      for (const Budget& budget : budgets()) {
        EXPECT_EQ(outcome(program, bindings, false, budget), expected[at++])
            << text << " at level " << how.optimisation << (how.standalone ? ", standalone," : "")
            << " with a budget of " << budget.cost;
      }
    }
  }
  return out;
}

std::string show_bool(bool value) { return value ? "bool true" : "bool false"; }

// --- strings

std::vector<std::string> texts() {
  const std::string filler(70, 'x');
  return {"",
          "a",
          "é",
          "日本語",
          "ab",
          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
          "/srv/data",
          "/srv/data/",
          "/srv/data/file.json",
          "the secret",
          "secre secret",
          "sec" + filler + "secret",
          "secret" + filler,
          filler,
          filler + "日本" + filler,
          filler + "0123456789012345678901234567890123456789" + filler,
          std::string(16, 's') + "ecret",
          std::string(300, 'y') + std::string(70, 'n') + "!"};
}

std::vector<std::string> needles() {
  return {"",
          "a",
          "é",
          "本",
          "日本語",
          "ab",
          "/srv/data/",
          ".json",
          "secret",
          "0123456789012345678901234567890123456789",
          std::string(33, 'x'),
          std::string(70, 'n') + "!",
          std::string(64, 'n')};
}

std::vector<Bindings> bound_to(const std::vector<std::string>& values) {
  std::vector<Bindings> out;
  for (const std::string& value : values) out.push_back({{"s", Value::string(value)}});
  out.push_back({});  // absent
  return out;
}

TEST(FastPaths, AffixesAndSearchForLiterals) {
  const auto all = texts();
  const auto sets = bound_to(all);
  for (const std::string& needle : needles()) {
    const auto starts = agreed("s.startsWith('" + needle + "')", sets);
    const auto ends = agreed("s.endsWith('" + needle + "')", sets);
    const auto within = agreed("s.contains('" + needle + "')", sets);
    ASSERT_EQ(starts.size(), sets.size());
    for (size_t i = 0; i < all.size(); ++i) {
      EXPECT_EQ(starts[i], show_bool(all[i].starts_with(needle))) << all[i] << ", " << needle;
      EXPECT_EQ(ends[i], show_bool(all[i].ends_with(needle))) << all[i] << ", " << needle;
      EXPECT_EQ(within[i], show_bool(all[i].find(needle) != std::string::npos)) << all[i] << ", " << needle;
    }
    EXPECT_NE(within.back(), show_bool(false)) << "an absent string is a fault";
  }
}

TEST(FastPaths, AffixesAndSearchForTextsThatAreNotKnown) {
  const auto all = texts();
  std::vector<Bindings> sets;
  std::vector<std::string> starts, ends, within;
  const auto wanted = needles();
  for (const std::string& needle : wanted) {
    for (const std::string& text : all) {
      sets.push_back({{"s", Value::string(text)}, {"t", Value::string(needle)}});
      starts.push_back(show_bool(text.starts_with(needle)));
      ends.push_back(show_bool(text.ends_with(needle)));
      within.push_back(show_bool(text.find(needle) != std::string::npos));
    }
  }
  EXPECT_EQ(agreed("s.startsWith(t)", sets), starts);
  EXPECT_EQ(agreed("s.endsWith(t)", sets), ends);
  EXPECT_EQ(agreed("s.contains(t)", sets), within);
}

TEST(FastPaths, DynReceiversAreLeftToTheCall) {
  const std::vector<Bindings> sets = {
      {{"x", Value::string("abc")}}, {{"x", Value::integer(1)}}, {{"x", Value::bytes("abc")}}};
  for (const char* text : {"x.startsWith('ab')", "x.endsWith('bc')", "x.contains('b')"}) {
    const auto out = agreed(text, sets);
    ASSERT_EQ(out.size(), 3u);
    EXPECT_EQ(out[0], show_bool(true));
    EXPECT_NE(out[1].find("no_such_overload"), std::string::npos) << out[1];
  }
}

// --- membership

std::string list_of(const std::vector<int64_t>& members) {
  std::string out = "[";
  for (int64_t member : members) out += (out.size() > 1 ? ", " : "") + std::to_string(member);
  return out + "]";
}

// @returns sets for each kind of test: one number, a chain, a range, a mask, a table of bits, a
// tree, a search
std::vector<std::vector<int64_t>> sets_of_ints() {
  std::vector<std::vector<int64_t>> out = {{3},
                                           {1, 5, 9},
                                           {7, 7, 7},
                                           {-5, -4, -3, -2, -1},
                                           {4, 2, 3, 2, 1, 0, -1},
                                           {-30, -7, 0, 1, 2, 30},
                                           {100, 130, 131, 150, 163, 163},
                                           {INT64_MIN + 1, INT64_MAX, 0, 1, 2, 3},
                                           {INT64_MAX, INT64_MAX - 1, INT64_MAX - 2, INT64_MAX - 63, INT64_MAX - 62}};
  std::vector<int64_t> table, tree, search;
  for (int64_t i = 0; i < 100; ++i) table.push_back(i * 7 - 350);
  for (int64_t i = 0; i < 20; ++i) tree.push_back((i - 10) * 1'000'003 * i);
  for (int64_t i = 0; i < 101; ++i)
    search.push_back(static_cast<int64_t>(static_cast<uint64_t>(i) * 0x9E3779B97F4A7C15u));
  out.insert(out.end(), {table, tree, search});
  return out;
}

std::vector<int64_t> probes(const std::vector<int64_t>& members) {
  std::vector<int64_t> out = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, 63, 64, INT64_MAX - 1, INT64_MAX};
  for (size_t i = 0; i < members.size(); i += members.size() / 7 + 1) {
    out.push_back(members[i]);
    if (members[i] > INT64_MIN) out.push_back(members[i] - 1);
    if (members[i] < INT64_MAX) out.push_back(members[i] + 1);
  }
  out.push_back(members.back());
  return out;
}

TEST(FastPaths, AnIntInAConstantList) {
  for (const auto& members : sets_of_ints()) {
    std::vector<Bindings> bindings;
    std::vector<std::string> expected;
    for (int64_t probe : probes(members)) {
      bindings.push_back({{"i", Value::integer(probe)}});
      expected.push_back(show_bool(std::ranges::find(members, probe) != members.end()));
    }
    EXPECT_EQ(agreed("i in " + list_of(members), bindings), expected) << list_of(members);
  }
}

TEST(FastPaths, OtherNumbersInAConstantList) {
  static const Value one[] = {Value::integer(1)};
  const std::vector<Bindings> sets = {{{"x", Value::integer(5)}},
                                      {{"x", Value::integer(6)}},
                                      {{"x", Value::unsigned_integer(5)}},
                                      {{"x", Value::unsigned_integer(UINT64_MAX)}},
                                      {{"x", Value::floating(5)}},
                                      {{"x", Value::floating(5.5)}},
                                      {{"x", Value::string("5")}},
                                      {{"x", Value::null()}},
                                      {{"x", Value::boolean(true)}},
                                      {{"x", Value::list(one)}},
                                      {}};
  const auto some = agreed("x in [1, 5, 9]", sets);
  ASSERT_EQ(some.size(), sets.size());
  for (size_t i = 0; i + 1 < sets.size(); ++i) EXPECT_EQ(some[i], show_bool(i == 0 || i == 2 || i == 4)) << i;
  const std::vector<std::string> lists = {list_of(sets_of_ints()[9]),
                                          list_of(sets_of_ints()[11]),
                                          "[1, 5u, 9]",
                                          "[5.0, 6.5]",
                                          "[5, 'five', '5']",
                                          "['5', '6']",
                                          "[[1], [2]]",
                                          "[-1]"};
  for (const std::string& list : lists) agreed("x in dyn(" + list + ")", sets);
  for (const std::string& list : lists) agreed("x in " + list, sets);
  const std::vector<Bindings> typed = {
      {{"i", Value::integer(5)}, {"u", Value::unsigned_integer(5)}, {"d", Value::floating(5)}},
      {{"i", Value::integer(-1)}, {"u", Value::unsigned_integer(0)}, {"d", Value::floating(-0.0)}}};
  for (const char* text : {"u in [5u, 6u]", "d in [5.0, 0.0]", "i in dyn([5u, 'x'])", "i in dyn([5.0, -1.0])"}) {
    EXPECT_EQ(agreed(text, typed)[0], show_bool(true)) << text;
  }
}

TEST(FastPaths, AStringInAConstantList) {
  const std::vector<Bindings> sets = {{{"s", Value::string("")}, {"t", Value::string("")}},
                                      {{"s", Value::string("é")}, {"t", Value::string("")}},
                                      {{"s", Value::string("a string of many")}, {"t", Value::string(" bytes")}},
                                      {{"s", Value::string("none")}, {"t", Value::string("")}}};
  const std::vector<std::string> expected = {show_bool(true), show_bool(true), show_bool(true), show_bool(false)};
  EXPECT_EQ(agreed("(s + t) in ['', 'é', 'é', 'a string of many bytes', 'x']", sets), expected);
}

// --- conversions

TEST(FastPaths, ConversionsToDouble) {
  std::vector<Bindings> sets;
  std::vector<std::string> ints, uints;
  const int64_t values[] = {
      0, 1, -1, INT64_MAX, INT64_MIN, (int64_t{1} << 53) + 1, -((int64_t{1} << 53) + 1), INT64_MAX - 512};
  for (int64_t value : values) {
    sets.push_back({{"i", Value::integer(value)}, {"u", Value::unsigned_integer(static_cast<uint64_t>(value))}});
    ints.push_back("double " + to_json(Value::floating(static_cast<double>(value))));
    uints.push_back("double " + to_json(Value::floating(static_cast<double>(static_cast<uint64_t>(value)))));
  }
  EXPECT_EQ(agreed("double(i)", sets), ints);
  EXPECT_EQ(agreed("double(u)", sets), uints);
  EXPECT_EQ(agreed("dyn(double(i))", sets), ints);
  EXPECT_EQ(agreed("double(double(i))", sets), ints);
  agreed("int(i) + int(int(i))", sets);
}

// --- maps and loops

std::vector<Bindings> containers() {
  static const Value ints[] = {Value::integer(1), Value::integer(0), Value::integer(3), Value::integer(-4),
                               Value::integer(3)};
  static const Value strings[] = {Value::string("the first text"), Value::string(""),
                                  Value::string("a secret in a text"), Value::string("four")};
  static const Value mixed[] = {Value::integer(2), Value::string("x"), Value::unsigned_integer(3), Value::null()};
  static const MapEntry few[] = {{Value::string("one"), Value::integer(1)},
                                 {Value::string("a key of more than ten bytes"), Value::integer(3)},
                                 {Value::string(""), Value::integer(7)}};
  static std::vector<std::string> names;
  static std::vector<MapEntry> many;
  static Arena arena;
  if (many.empty()) {
    for (int i = 0; i < 40; ++i) names.push_back("k" + std::to_string(i));
    for (int i = 0; i < 40; ++i) many.push_back({Value::string(names[static_cast<size_t>(i)]), Value::integer(i)});
  }
  static const MapRep* few_rep = make_map(arena, few);
  static const MapRep* many_rep = make_map(arena, many);
  static const MapRep* none_rep = make_map(arena, {});
  const auto set = [&](const Value& list, const Value& texts, const MapRep* map, const Value& any) {
    return Bindings{{"i", Value::integer(3)},
                    {"j", Value::integer(0)},
                    {"a", Value::boolean(true)},
                    {"l", list},
                    {"ls", texts},
                    {"m", Value::map_of(map)},
                    {"x", any},
                    {"t", Value::string("a text")}};
  };
  return {set(Value::list(ints), Value::list(strings), few_rep, Value::list(mixed)),
          set(Value::list({}), Value::list({}), many_rep, Value::map_of(many_rep)),
          set(Value::list({ints, 1}), Value::list({strings, 3}), none_rep, Value::integer(5)),
          {}};
}

class Containers : public testing::TestWithParam<const char*> {};

TEST_P(Containers, AgreeWhateverTheBudget) {
  const auto out = agreed(GetParam(), containers());
  EXPECT_EQ(out.size(), containers().size());
}

INSTANTIATE_TEST_SUITE_P(Maps, Containers,
                         testing::Values("m['one']", "m['k7'] == 7", "m['']", "m.one == 1", "m.k39 + 1", "has(m.one)",
                                         "has(m.k3) && m.k3 == 3", "m['a key of more than ten bytes'] > 2",
                                         "m['none'] == 1 || a", "l.exists(q, m['k1'] == q)", "l.all(q, m.one >= q)",
                                         "'one' in m && m['one'] == 1"));
INSTANTIATE_TEST_SUITE_P(
    Loops, Containers,
    testing::Values("l.exists(q, q > 2)", "l.all(q, q < 3)", "l.exists(q, q in [3, 4, 5])",
                    "l.exists(q, q in [1, 5, 9])", "l.all(q, q in [0, 1, 3, -4, 1000000007, -1000000007])",
                    "ls.exists(q, q.contains('secret'))", "ls.exists(q, q.startsWith('a secret in'))",
                    "ls.all(q, q.endsWith('text'))", "ls.exists(q, t.contains(q))", "l.exists(q, 10 / q < 0)",
                    "l.exists(q, 10 / q > 100) || a", "l.exists(q, q > 100) || l.exists(q, q == 3)",
                    "l.all(q, l.exists(r, r == q))", "l.exists(q, l.exists(r, q / r == 3) && q > 2)",
                    "l.map(q, q * 2).exists(q, q == 6)", "l.filter(q, q in [3]).size() == 2", "l.exists_one(q, q == 3)",
                    "x.exists(q, q in [2, 3])", "x.all(q, q in [2, 3])", "x.exists(q, q == 3)",
                    "ls.exists(q, q in ['four', 'five'])", "ls.map(q, q + t).exists(q, q.endsWith('a text'))",
                    "ls.exists(q, q.matches('^f'))", "l.exists(q, double(q) > 2.5)",
                    "(l.exists(q, q == 100) || i / j > 0) && l.all(q, q < 9)",
                    "l.all(q, q > -9) && ls.all(q, size(q) < 99) && l.exists(q, q == 0)"));

}  // namespace
}  // namespace ordain
