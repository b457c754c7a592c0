// These tests make random conditions and events, and show that lint never takes a condition for one
// that cannot be true, or cannot be false, if it can. The oracle evaluates them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "compiler/lint/truth.h"
#include "ordain/event.h"
#include "tests/support/evaluators.h"

namespace ordain {
namespace {

constexpr const char* kCapability =
    "capability c { input { a: int, b: int, d: double, e: double, s: string, t: string, f: bool, x: dyn, o: "
    "optional(int), tags: list(string) } }\n";

/// Writes conditions that compare few values with few constants, so that many contradict themselves.
class Conditions {
 public:
  explicit Conditions(uint32_t seed) : random_(seed) {}

  std::string next() {
    names_ = 0;
    return condition(3);
  }

  std::string event() {
    std::string tags;
    for (size_t i = pick(3); i > 0; --i) tags += fmt::format("{}{}", tags.empty() ? "" : ", ", text());
    const std::string o = pick(2) == 0 ? fmt::format(", \"o\": {}", whole()) : "";
    return fmt::format(
        R"({{"capability": "c", "agent": {{"id": {}}}, "now": "2024-05-0{}T{}:30:00Z", "input": {{"a": {}, "b": {}, "d": {}, "e": {}, "s": {}, "t": {}, "f": {}, "x": {}, "tags": [{}]{}}}}})",
        text(), pick(9) + 1, of({"00", "08", "18", "23"}), whole(), whole(), fraction(), fraction(), text(), text(),
        of({"true", "false"}), of({"1", "2", "1.5", "\"a\"", "\"ab\"", "true", "null"}), tags, o);
  }

 private:
  size_t pick(size_t count) { return random_() % count; }
  std::string of(const std::vector<std::string>& choices) { return choices[pick(choices.size())]; }
  std::string whole() { return of({"-1", "0", "1", "2", "3", "9007199254740993", "9223372036854775807"}); }
  std::string fraction() { return of({"-1.0", "0.0", "1.0", "1.5", "2.0"}); }
  std::string text() { return of({"\"\"", "\"a\"", "\"ab\"", "\"b\"", "\"B\"", "\"aB\"", "\"ba\""}); }
  std::string order() { return of({"<", "<=", ">", ">=", "==", "!="}); }

  std::string list(const std::vector<std::string>& elements) {
    std::string out;
    for (const std::string& element : elements) out += (out.empty() ? "" : ", ") + element;
    return "[" + out + "]";
  }

  std::string about_text(const std::string& subject) {
    switch (pick(6)) {
      case 0:
        return fmt::format("{} in {}", subject, list({text(), text()}));
      case 1:
        return fmt::format("{}.startsWith({})", subject, text());
      case 2:
        return fmt::format("{}.endsWith({})", subject, text());
      case 3:
        return fmt::format("{}.contains({})", subject, text());
      default:
        return fmt::format("{} {} {}", subject, order(), text());
    }
  }

  std::string about_number(const std::string& subject, const std::string& first, const std::string& second) {
    if (pick(5) == 0) return fmt::format("{} in {}", subject, list({first, second}));
    if (pick(4) == 0) return fmt::format("{} {} {}", first, order(), subject);
    return fmt::format("{} {} {}", subject, order(), first);
  }

  std::string atom() {
    switch (pick(9)) {
      case 0:
      case 1:
        return about_number(of({"input.a", "input.b", "input.s.size()", "input.s.indexOf(\"b\")"}), whole(), whole());
      case 2:
        return about_number(of({"now.getHours()", "now.getDayOfWeek()"}), of({"-1", "0", "8", "18", "24"}), "23");
      case 3:
        return about_number(of({"input.d", "(input.d / input.e)"}), fraction(), fraction());
      case 4:
      case 5:
        return about_text(of({"input.s", "input.t", "agent.id", "input.s.lowerAscii()", "input.s.upperAscii()"}));
      case 6:
        return of({"input.f", "input.f == true", "input.f != true", "has(input.o)", "input.s == input.t",
                   "input.t != input.s", "input.a < input.b", "\"a\" in input.tags", "\"ab\" in input.tags"});
      case 7:
        return "(has(input.o) && " + about_number("input.o", whole(), whole()) + ")";
      default:
        return fmt::format("input.x {} {}", order(), of({"1", "2", "1.5", "\"a\"", "\"ab\""}));
    }
  }

  std::string condition(int depth) {
    if (depth == 0) return "(" + atom() + ")";
    const auto part = [&] { return condition(depth - 1); };
    const std::string v = "v" + std::to_string(names_++);
    switch (pick(10)) {
      case 0:
      case 1:
      case 2:
        return "(" + part() + " && " + part() + (pick(2) == 0 ? " && " + part() : "") + ")";
      case 3:
      case 4:
        return "(" + part() + " || " + part() + (pick(2) == 0 ? " || " + part() : "") + ")";
      case 5:
        return "(" + part() + " ? " + part() + " : " + part() + ")";
      case 6:
        return "!" + part();
      case 7: {
        const std::string same = part();
        return pick(2) == 0 ? "(" + same + " && !" + same + ")" : "(" + same + " || !" + same + ")";
      }
      case 8:
        return fmt::format("input.tags.{}({}, ({}) && ({}))", of({"exists", "all", "exists_one"}), v, about_text(v),
                           about_text(v));
      default:
        return fmt::format("cel.bind({0}, input.a, ({1}) && ({2}))", v, about_number(v, whole(), whole()),
                           about_number(v, whole(), whole()));
    }
  }

  std::mt19937 random_;
  int names_ = 0;
};

class Truth : public testing::TestWithParam<uint32_t> {};

TEST_P(Truth, WhatIsTakenForImpossibleNeverHappens) {
  Conditions conditions(GetParam());
  constexpr int kConditions = 300, kEvents = 200;
  std::string text = kCapability + std::string("policy p on before c {\n");
  for (int i = 0; i < kConditions; ++i) text += "warn when " + conditions.next() + ";\n";
  auto compiled = compile_everywhere({std::make_shared<Source>(Source{"p.policy", text + "}\n"})});
  ASSERT_NE(compiled->interpreted, nullptr) << render(compiled->diagnostics);
  const auto& rules = compiled->set.lists[0][0].rules;
  ASSERT_EQ(rules.size(), static_cast<size_t>(kConditions));
  std::vector<bool> may_be_true, may_be_false;
  size_t never = 0, always = 0;
  for (const typed::RuleBody* rule : rules) {
    may_be_true.push_back(lint::can_be(*rule->when.root, true));
    may_be_false.push_back(lint::can_be(*rule->when.root, false));
    never += may_be_true.back() ? 0 : 1;
    always += may_be_false.back() ? 0 : 1;
  }
  EXPECT_GT(never, 5u);
  EXPECT_GT(always, 2u);
  EventReader reader(compiled->interpreted, {.now = TimeParts{1714564800, 0}});
  for (int i = 0; i < kEvents; ++i) {
    const std::string event = conditions.event();
    ASSERT_TRUE(reader.read(event)) << event;
    ASSERT_FALSE(reader.call().error().failed) << event << "\n" << reader.call().error().message;
    for (size_t rule = 0; rule < rules.size(); ++rule) {
      if (may_be_true[rule] && may_be_false[rule]) continue;
      const oracle::Outcome outcome =
          oracle::evaluate(compiled->arena, rules[rule]->when, compiled->set.schema, reader.call(), reader.context());
      if (!outcome.ok || !outcome.value.is(Kind::boolean)) continue;
      const bool value = outcome.value.as_bool();
      EXPECT_TRUE(value ? may_be_true[rule] : may_be_false[rule])
          << "line " << rule + 3 << " is " << value << ": " << event << "\n"
          << text;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Truth, testing::Range(uint32_t{1}, uint32_t{3}));

}  // namespace
}  // namespace ordain
