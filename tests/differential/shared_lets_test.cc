// These tests make random lets, which loop, call and fault, and random rules of two packages that use
// them again and again. All evaluators must agree, though only the oracle computes a let each time.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/support/evaluators.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

/// Writes policies, and events for them.
class SharedLetTexts {
 public:
  explicit SharedLetTexts(uint32_t seed) : random_(seed) {}

  std::string package(const std::string& name, bool first_match) {
    std::string text = "package " + name + ";\n";
    if (first_match) text += "option order = first_match;\n";
    if (name == "one") text += "capability act { input { line: string, n: int, m: int } output { code: int } }\n";
    for (int i = 0; i < kLets; ++i) text += fmt::format("let b{} = {};\n", i, truth(i));
    for (int i = 0; i < kLets; ++i) text += fmt::format("let l{} = {};\n", i, list());
    for (const char* stage : {"before", "after"}) {
      text += fmt::format("policy {0}_{1} on {1} act {{\n", name, stage);
      for (int i = 0; i < 12; ++i) text += rule(stage == std::string("before")) + "\n";
      text += "}\n";
    }
    return text;
  }

  std::string event() {
    static constexpr const char* kLines[] = {"a,b", "", "1,2,3", "x", "7,a,7,b", "12,12"};
    const bool after = pick(2) == 0;
    const std::string output = pick(2) == 0 ? R"(, "output": {"code": 3})" : "";
    return fmt::format(R"({{"capability": "act"{}, "input": {{"line": "{}", "n": {}, "m": {}}}{}}})",
                       after ? R"(, "stage": "after")" : "", kLines[pick(std::size(kLines))], pick(5),
                       static_cast<int>(pick(4)) - 1, after ? output : "");
  }

 private:
  static constexpr int kLets = 4;

  uint32_t pick(size_t count) { return static_cast<uint32_t>(random_() % count); }

  // Lists of ints; some fault for some events.
  std::string list() {
    switch (pick(5)) {
      case 0:
        return "input.line.split(\",\").map(s, int(s))";
      case 1:
        return "lists.range(input.n).map(i, i / input.m)";
      case 2:
        return "input.line.split(\",\").map(s, size(s))";
      case 3:
        return "lists.range(input.n + input.m).filter(i, i % 2 == 0)";
      default:
        return "[input.n, 10 / input.m, size(input.line.split(\",\"))]";
    }
  }

  // A bool that may use the lists and the bools before it.
  std::string truth(int before) {
    const std::string l = "l" + std::to_string(pick(kLets));
    switch (pick(before == 0 ? 4 : 6)) {
      case 0:
        return l + ".exists(x, x == input.n)";
      case 1:
        return l + ".all(x, 12 / x > input.m)";
      case 2:
        return fmt::format("({}[0] > {} || input.line.matches(\"^[a-x]\"))", l, pick(3));
      case 3:
        return fmt::format("({0}.size() > {1} && {0}[{1}] < 9)", l, pick(3));
      case 4:
        return fmt::format("({} && {}.size() < 3)", bool_let(before), l);
      default:
        return fmt::format("({} ? {}.size() == input.n : !{})", bool_let(before), l, bool_let(before));
    }
  }
  std::string bool_let(int before) { return "b" + std::to_string(pick(static_cast<size_t>(before))); }

  std::string condition(int depth) {
    switch (pick(depth == 0 ? 3 : 6)) {
      case 0:
        return bool_let(kLets);
      case 1:
        return fmt::format("l{}.size() > {}", pick(kLets), pick(4));
      case 2:
        return fmt::format("[1, 2].exists(y, y in l{})", pick(kLets));
      case 3:
        return fmt::format("({} && {})", condition(depth - 1), condition(depth - 1));
      case 4:
        return fmt::format("({} || {})", condition(depth - 1), condition(depth - 1));
      default:
        return "!" + bool_let(kLets);
    }
  }

  std::string rule(bool before) {
    static constexpr const char* kKinds[] = {"deny", "allow", "warn", "allow", "require_approval"};
    const std::string kind = kKinds[pick(before ? 5 : 4)];
    const std::string because = pick(3) == 0 ? fmt::format(" because string(l{}.size())", pick(kLets)) : "";
    return fmt::format("  {} when {}{};", kind, condition(2), because);
  }

  std::mt19937 random_;
};

class SharedLetPolicies : public testing::TestWithParam<uint32_t> {};

TEST_P(SharedLetPolicies, EvaluatorsAgree) {
  SharedLetTexts texts(GetParam());
  const auto source = [](const std::string& path, const std::string& text) {
    return std::make_shared<Source>(Source{path, text});
  };
  const std::string one = texts.package("one", false), two = texts.package("two", GetParam() % 2 == 0);
  auto compiled = compile_everywhere({source("one.policy", one), source("two.policy", two)});
  ASSERT_NE(compiled->interpreted, nullptr) << render(compiled->diagnostics) << one << two;
  EXPECT_GE(data_of(*compiled->interpreted).shared_lets.size(), 6u) << one << two;
  for (int i = 0; i < 60 && !HasFailure(); ++i) decide_everywhere(*compiled, texts.event());
  if (HasFailure()) FAIL() << one << two;
}

INSTANTIATE_TEST_SUITE_P(Seeds, SharedLetPolicies, testing::Range(uint32_t{1}, uint32_t{13}));

}  // namespace
}  // namespace ordain
