// These tests measure what test blocks cover: rules, both sides of their conditions, and both sides
// of the parts of conditions.
#include "ordain/coverage.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "ordain/run_tests.h"
#include "ordain/stdlib.h"

namespace ordain {
namespace {

constexpr const char* kRules = R"(
context { agent { team: string } }
capability pay { input { amount: int, note: optional(string) } }
capability get { input { amount: int } }
let abroad = agent.team == "x" &&
  agent.id != "";
policy p on before pay {
  deny big   when input.amount > 100;
  deny noted when has(input.note) && input.note == "n";
  deny far   when abroad;
  allow rest;
}
policy q on before pay, get { deny odd when input.amount == 7 && action.type != "t"; }
)";

Compilation compile_with(const std::string& tests) {
  return compile({std::make_shared<Source>(Source{"p.policy", kRules + tests})}, standard_library(), {.parts = true});
}

// @returns "p.big 1/2: never matches | ..." for each rule
std::vector<std::string> lines(const std::string& steps) {
  const Compilation compilation = compile_with("test \"t\" { " + steps + " }");
  if (compilation.program == nullptr) return {render(compilation.diagnostics)};
  const Coverage coverage = measure_coverage(compilation, select_tests(compilation, ""));
  std::vector<std::string> out;
  for (const CoveredRule& rule : coverage.rules) {
    std::string line = compilation.program->rules()[rule.rule].name + " " + std::to_string(rule.covered()) + "/" +
                       std::to_string(rule.points());
    for (const std::string& gap : rule.gaps()) line += " | " + gap;
    out.push_back(line);
  }
  return out;
}
using Lines = std::vector<std::string>;

TEST(Coverage, NothingWithoutCalls) {
  EXPECT_EQ(lines(""), (Lines{"p.big 0/2 | no test calls its capability", "p.noted 0/6 | no test calls its capability",
                              "p.far 0/6 | no test calls its capability", "p.rest 0/1 | no test calls its capability",
                              "q.odd 0/6 | no test calls its capability"}));
}

TEST(Coverage, SidesOfConditionsAndOfParts) {
  EXPECT_EQ(
      lines("call pay { amount: 5, note: \"m\" } with agent = { id: \"a\", team: \"y\" }; expect allow;"),
      (Lines{"p.big 1/2 | never matches",
             "p.noted 3/6 | never matches | `has(input.note)` is never false | `input.note == \"n\"` is never true",
             "p.far 3/6 | never matches | `agent.team == \"x\"` is never true | `agent.id != \"\"` is never false",
             "p.rest 1/1",
             "q.odd 3/6 | never matches | `input.amount == 7` is never true | `action.type != \"t\"` is never "
             "false"}));
}

TEST(Coverage, EverythingAndFaults) {
  const std::string all =
      "call pay { amount: 101, note: \"n\" } with agent = { id: \"a\", team: \"x\" };"
      "call pay { amount: 5, note: \"m\" } with agent = { id: \"\", team: \"y\" };"
      "call pay { amount: 5 } with agent = { id: \"a\", team: \"y\" };"
      "call pay { amount: 7 } with agent = { id: \"a\", team: \"y\" };"
      "call get { amount: 7 } with action.type = \"t\";"
      "expect default;";
  EXPECT_EQ(lines(all), (Lines{"p.big 2/2", "p.noted 6/6", "p.far 6/6", "p.rest 1/1", "q.odd 6/6"}));
  // Without a team, `far` faults: that is neither side.
  EXPECT_EQ(lines("call pay { amount: 5 } with agent.id = \"a\"; expect deny;")[2],
            "p.far 1/6 | never matches | is never without a fault | `agent.team == \"x\"` is never true | "
            "`agent.team == \"x\"` is never false | `agent.id != \"\"` is never false");
}

TEST(Coverage, OneRuleOfSeveralCapabilitiesIsCountedOnce) {
  const Compilation compilation = compile_with("test \"t\" { call get { amount: 7 }; call pay { amount: 8 }; }");
  ASSERT_NE(compilation.program, nullptr) << render(compilation.diagnostics);
  const Coverage coverage = measure_coverage(compilation, select_tests(compilation, ""));
  ASSERT_EQ(coverage.rules.size(), 5u);
  const CoveredRule& odd = coverage.rules[4];
  EXPECT_EQ(odd.evaluated, 2u);
  EXPECT_EQ(odd.matched, 1u);
  EXPECT_EQ(odd.line, 13u);
  EXPECT_EQ(odd.column, 31u);
  ASSERT_EQ(odd.parts.size(), 2u);
  EXPECT_EQ(odd.parts[0].is_true, 1u);
  EXPECT_EQ(odd.parts[0].is_false, 1u);
  EXPECT_EQ(odd.parts[1].is_true, 2u);
  const CoveredRule& far = coverage.rules[2];
  ASSERT_EQ(far.parts.size(), 2u);
  EXPECT_EQ(far.parts[0].line, 5u) << "where the `let` says it";
  EXPECT_EQ(far.parts[1].line, 6u);
  EXPECT_EQ(coverage.points(), 21u);
  EXPECT_DOUBLE_EQ(coverage.percent(), 100.0 * static_cast<double>(coverage.covered()) / 21.0);
}

TEST(Coverage, NoRulesIsAll) {
  const Compilation compilation =
      compile({std::make_shared<Source>(Source{"p.policy", "capability a {}"})}, standard_library(), {.parts = true});
  ASSERT_NE(compilation.program, nullptr);
  EXPECT_EQ(measure_coverage(compilation, {}).percent(), 100.0);
}

}  // namespace
}  // namespace ordain
