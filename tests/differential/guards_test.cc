// These tests make random conditions over optional fields, and show that the ones that the checker
// accepts never fault because a field is absent, whatever the event. The oracle evaluates them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "compiler/check/policy/check.h"
#include "compiler/parse/parse.h"
#include "ordain/event.h"
#include "ordain/stdlib.h"
#include "tests/support/evaluators.h"

namespace ordain {
namespace {

constexpr const char* kCapability =
    "capability c { input { a: optional(int), b: optional(int), r: optional({ x: optional(int), s: optional({ y: "
    "optional(int) }) }), lines: list({ x: optional(int), t: optional({ z: optional(int) }) }), m: map(string, { x: "
    "optional(int) }) } }\n";

/// Writes conditions that mix tests and reads of the same few paths, so that many are guarded.
class Conditions {
 public:
  explicit Conditions(uint32_t seed) : random_(seed) {}

  std::string next() {
    names_ = 0;
    return condition(family(), 3);
  }

  std::string event() {
    auto maybe = [&](const std::string& field) { return pick(2) == 0 ? field + ", " : std::string(); };
    auto number = [&] { return std::to_string(pick(4)); };
    std::string lines, m;
    for (uint32_t i = pick(3); i > 0; --i) {
      const std::string t = maybe("\"t\": {" + trim(maybe("\"z\": " + number())) + "}");
      lines += "{" + trim(maybe("\"x\": " + number()) + t) + "}, ";
    }
    for (const char* key : {"k", "j"})
      m += maybe(fmt::format("\"{}\": {{{}}}", key, trim(maybe("\"x\": " + number()))));
    const std::string s = maybe("\"s\": {" + trim(maybe("\"y\": " + number())) + "}");
    const std::string r = maybe("\"r\": {" + trim(maybe("\"x\": " + number()) + s) + "}");
    return fmt::format(R"({{"capability": "c", "input": {{{}{}{}"lines": [{}], "m": {{{}}}}}}})",
                       maybe("\"a\": " + number()), maybe("\"b\": " + number()), r, trim(lines), trim(m));
  }

 private:
  /// Paths that guard each other: all but the last may only be tested.
  using Family = std::vector<std::string>;

  uint32_t pick(size_t count) { return static_cast<uint32_t>(random_() % count); }
  static std::string trim(std::string text) { return text.empty() ? text : text.substr(0, text.size() - 2); }

  Family family() {
    static const std::array<Family, 8> kFamilies{{{"input.a"},
                                                  {"input.a", "input.b"},
                                                  {"input.r", "input.r.x"},
                                                  {"input.r", "input.r.s", "input.r.s.y"},
                                                  {"input.lines[0].x"},
                                                  {"input.lines[0].t", "input.lines[0].t.z"},
                                                  {"input.m['k'].x"},
                                                  {"input.m.k.x", "input.m['j'].x"}}};
    return kFamilies[pick(kFamilies.size())];
  }

  std::string literal(const Family& family) {
    const std::string& path = family[pick(family.size())];
    const size_t dot = path.rfind('.');
    switch (pick(6)) {
      case 0:
      case 1:
        return "has(" + path + ")";
      case 2:
        return "!has(" + path + ")";
      case 3:
        return path.substr(0, dot) + ".?" + path.substr(dot + 1) + ".hasValue()";
      default:
        return path.ends_with(".r") || path.ends_with(".s") || path.ends_with(".t") ? "(" + path + ".size() > 1)"
                                                                                    : "(" + path + " > 1)";
    }
  }

  std::string condition(const Family& family, int depth) {
    if (depth == 0) return literal(family);
    auto part = [&] { return condition(family, depth - 1); };
    switch (pick(9)) {
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
      case 7:
        return loop(depth - 1);
      default:
        return literal(family);
    }
  }

  Family of_element(const std::string& element) {
    return pick(2) == 0 ? Family{element + ".x"} : Family{element + ".t", element + ".t.z"};
  }

  std::string loop(int depth) {
    const std::string v = "v" + std::to_string(names_++), w = "w" + std::to_string(names_++);
    const char* quantifier = pick(2) == 0 ? "all" : "exists";
    const Family inner = of_element(v);
    Family other = inner;  // the same fields, of the element w
    for (std::string& path : other) path = w + path.substr(v.size());
    Family first = inner;  // and of the list's first element
    for (std::string& path : first) path = "input.lines[0]" + path.substr(v.size());
    const std::string p = condition(inner, depth), q = condition(other, depth);
    switch (pick(6)) {
      case 0:
        return fmt::format("input.lines.{}({}, {})", quantifier, v, p);
      case 1:
        return fmt::format("input.lines.filter({}, {}).{}({}, {})", v, p, quantifier, w, q);
      case 2:
        return fmt::format("({}input.lines.{}({}, {}) && input.lines.{}({}, {}))", pick(3) == 0 ? "!" : "", quantifier,
                           v, p, pick(2) == 0 ? "all" : "exists", w, q);
      case 3:
        return fmt::format("(input.lines.all({}, {}) && {})", v, p, condition(first, depth));
      case 4:
        return fmt::format("input.m.{}({}, {})", quantifier, v, condition({"input.m[" + v + "].x"}, depth));
      default:
        return fmt::format("cel.bind({0}, input.lines.filter({1}, {2}), {0}.all({1}, {3}))", w, v, p,
                           condition(inner, depth));
    }
  }

  std::mt19937 random_;
  int names_ = 0;
};

std::shared_ptr<const Source> policy_of(const std::vector<std::string>& conditions) {
  std::string text = kCapability + std::string("policy p on before c {\n");
  for (const std::string& condition : conditions) text += "warn when " + condition + ";\n";
  return std::make_shared<Source>(Source{"p.policy", text + "}\n"});
}

std::vector<std::string> accepted_of(const std::vector<std::string>& conditions) {
  Arena arena(1 << 16);
  Diagnostics diagnostics;
  diagnostics.sources.push_back(policy_of(conditions));
  std::vector<syntax::File> files{parse(arena, diagnostics, 0)};
  EXPECT_FALSE(diagnostics.has_errors()) << render(diagnostics);
  check(arena, diagnostics, files, standard_library());
  std::set<size_t> refused;
  for (const Diagnostic& item : diagnostics.items) {
    EXPECT_EQ(item.code, "unguarded-optional") << render(diagnostics);
    refused.insert(line_column(*diagnostics.sources[0], item.span.begin).line - 3);
  }
  std::vector<std::string> out;
  for (size_t i = 0; i < conditions.size(); ++i) {
    if (!refused.contains(i)) out.push_back(conditions[i]);
  }
  return out;
}

bool is_absent_field(const Fault& fault) {
  static const std::set<std::string_view> kFields{"a", "b", "r", "x", "s", "y", "t", "z"};
  if (fault.code == FaultCode::no_such_field) return true;
  return fault.code == FaultCode::no_such_key && fault.detail.is(Kind::string) &&
         kFields.contains(fault.detail.as_text());
}

class Guards : public testing::TestWithParam<uint32_t> {};

TEST_P(Guards, WhatIsAcceptedNeverReadsAnAbsentField) {
  Conditions conditions(GetParam());
  std::vector<std::string> tried;
  for (int i = 0; i < 400; ++i) tried.push_back(conditions.next());
  const std::vector<std::string> accepted = accepted_of(tried);
  EXPECT_GT(accepted.size(), 60u);
  EXPECT_LT(accepted.size(), 390u) << "hardly any condition needs a guard";
  auto compiled = compile_everywhere({policy_of(accepted)});
  ASSERT_NE(compiled->interpreted, nullptr) << render(compiled->diagnostics);
  const auto& rules = compiled->set.lists[0][0].rules;
  ASSERT_EQ(rules.size(), accepted.size());
  EventReader reader(compiled->interpreted, {.now = TimeParts{1714564800, 0}});
  for (int i = 0; i < 60; ++i) {
    const std::string event = conditions.event();
    ASSERT_TRUE(reader.read(event)) << event;
    ASSERT_FALSE(reader.call().error().failed) << event << "\n" << reader.call().error().message;
    for (size_t rule = 0; rule < rules.size(); ++rule) {
      const oracle::Outcome outcome =
          oracle::evaluate(compiled->arena, rules[rule]->when, compiled->set.schema, reader.call(), reader.context());
      EXPECT_FALSE(!outcome.ok && is_absent_field(outcome.fault)) << accepted[rule] << "\n"
                                                                  << event << "\n"
                                                                  << fault_message(outcome.fault);
    }
    if (i < 10) decide_everywhere(*compiled, event);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Guards, testing::Range(uint32_t{1}, uint32_t{9}));

}  // namespace
}  // namespace ordain
