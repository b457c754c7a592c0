// These tests run test blocks against real decisions: which expectations a decision meets, and the
// report on the others.
#include "ordain/run_tests.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ordain/stdlib.h"

namespace ordain {
namespace {

constexpr const char* kPolicies = R"(
context { agent { team: string } }
capability pay { input { amount: int, note: optional(string) } output open { id: string } }
capability other { }
policy p on before pay {
  deny             big    when input.amount > 100;
  deny             huge   when input.amount > 1000;
  require_approval large  when input.amount > 10 from "a";
  require_approval noted  when has(input.note) && input.note == "n" from "b";
  deny             team   when input.amount == 7 && agent.team != "x";
  warn             five   when input.amount == 5;
  allow            some   when input.amount < 6;
  allow            few    when input.amount < 5;
}
policy q on after pay { redact r output.id; deny bad when output.id == "bad"; }
)";

// @returns for each expectation of one test: "deny by p.big: +" or "deny by p.big: - DECISION |
// REASON"
std::vector<std::string> outcomes(const std::string& steps, const DecideOptions& options = {}) {
  const std::string text = std::string(kPolicies) + "test \"t\" { " + steps + " }";
  const Compilation compilation =
      compile({std::make_shared<Source>(Source{"p.policy", text})}, standard_library(), {.parts = true});
  if (compilation.program == nullptr) return {render(compilation.diagnostics)};
  const std::vector<TestReport> reports = run_tests(compilation, options);
  std::vector<std::string> out;
  bool all = true;
  for (const TestVerdict& verdict : reports.at(0).verdicts) {
    const TestExpectation& expected = *verdict.expectation;
    std::string line = expected.effect + (expected.rule.empty() ? "" : " by " + expected.rule);
    line += verdict.met ? ": +" : ": - " + verdict.decided + " | " + verdict.why;
    if (verdict.fault) line += " (fault)";
    all = all && verdict.met;
    out.push_back(line);
  }
  EXPECT_EQ(reports.at(0).passed(), all);
  return out;
}
using Lines = std::vector<std::string>;

TEST(RunTests, EffectAndRuleOfTheDecision) {
  EXPECT_EQ(
      outcomes("call pay { amount: 2000 }; expect deny; expect deny by p.big; expect deny by p.huge; expect allow;"),
      (Lines{"deny: +", "deny by p.big: +",
             "deny by p.huge: - deny by p.big | `p.huge` matches, but does not settle it",
             "allow: - deny by p.big | "}));
  EXPECT_EQ(outcomes("call pay { amount: 3 }; expect allow by p.some; expect allow by p.few; expect deny by p.big;"),
            (Lines{"allow by p.some: +", "allow by p.few: - allow by p.some | `p.few` matches, but does not settle it",
                   "deny by p.big: - allow by p.some | `p.big` does not match: `input.amount > 100` is false"}));
}

TEST(RunTests, EveryRuleThatAsksIsBehindAnApproval) {
  EXPECT_EQ(outcomes("call pay { amount: 20, note: \"n\" }; expect require_approval by p.large; "
                     "expect require_approval by p.noted; expect require_approval;"),
            (Lines{"require_approval by p.large: +", "require_approval by p.noted: +", "require_approval: +"}));
  EXPECT_EQ(outcomes("call pay { amount: 20 }; expect require_approval by p.noted;"),
            (Lines{"require_approval by p.noted: - require_approval by p.large | `p.noted` does not match: "
                   "`has(input.note)` is false"}));
}

TEST(RunTests, ObligationsAndTheDefault) {
  EXPECT_EQ(outcomes("call pay { amount: 5 }; expect warn; expect warn by p.five; expect allow; expect default;"),
            (Lines{"warn: +", "warn by p.five: +", "allow: +", "default: - allow by p.some; warn by p.five | "}));
  EXPECT_EQ(
      outcomes("call pay { amount: 2 } returns { id: \"i\" }; expect redact; expect redact by q.r; expect default; "
               "expect allow; expect warn;"),
      (Lines{"redact: +", "redact by q.r: +", "default: +", "allow: +",
             "warn: - allow (default): no rule matched; redact output.id by q.r | "}));
  // A withheld output has no obligations.
  EXPECT_EQ(outcomes("call pay { amount: 2 } returns { id: \"bad\" }; expect deny by q.bad; expect redact by q.r;"),
            (Lines{"deny by q.bad: +", "redact by q.r: - deny by q.bad | `q.r` matches, but does not settle it"}));
  EXPECT_EQ(outcomes("call other; expect deny by p.big;"),
            (Lines{"deny by p.big: - deny (default): no rule matched | `p.big` is not about this capability"}));
}

TEST(RunTests, EachCallStandsByItself) {
  EXPECT_EQ(
      outcomes("call pay { amount: 7 } with agent.team = \"x\"; expect default; call pay { amount: 7 }; expect deny "
               "by p.team; call pay { amount: 1 }; expect allow;"),
      (Lines{"default: +", "deny by p.team: + (fault)", "allow: +"}));
}

TEST(RunTests, TheDefaultIsTheHosts) {
  EXPECT_EQ(outcomes("call other; expect allow; expect default;", {.default_before = Effect::allow}),
            (Lines{"allow: +", "default: +"}));
}

TEST(RunTests, WhatDoesNotFitIsDenied) {
  // The type is known only at run time, so the checker accepts it.
  EXPECT_EQ(outcomes("call pay { amount: [1, \"x\"][1] }; expect deny; expect deny by p.big;"),
            (Lines{"deny: +", "deny by p.big: - deny (invalid_input): input.amount: expected int, got string | "}));
}

TEST(RunTests, AReportHasTheDecisionAsEvalPrintsIt) {
  const std::string text = std::string(kPolicies) + "test \"t\" { call other; call pay { amount: 3 }; expect allow; }";
  const Compilation compilation = compile({std::make_shared<Source>(Source{"p.policy", text})}, standard_library());
  ASSERT_NE(compilation.program, nullptr);
  const std::vector<TestReport> reports = run_tests(compilation);
  ASSERT_EQ(reports.at(0).verdicts.size(), 1u);
  EXPECT_EQ(reports[0].verdicts[0].decision.find(R"({"event": 2, "stage": "before", "capability": "pay", "effect": )"
                                                 R"("allow", "code": "rule", "rule": "p.some")"),
            0u)
      << reports[0].verdicts[0].decision;
}

TEST(RunTests, ATableRunsTheTestForEachRow) {
  EXPECT_EQ(outcomes("rows amount { 2000 expect deny by p.big; 20 expect allow; 3 expect allow by p.some; } "
                     "call other; expect default; call pay { amount: amount };"),
            (Lines{"default: +", "deny by p.big: +", "default: +", "allow: - require_approval by p.large | ",
                   "default: +", "allow by p.some: +"}));
}

TEST(SelectTests, ByPartsOfTheName) {
  std::string text = kPolicies;
  for (const char* name : {"small is allowed", "large is denied", "large and small", "a * b", "aa"}) {
    text += std::string("test \"") + name + "\" { call other; expect default; }\n";
  }
  const Compilation compilation = compile({std::make_shared<Source>(Source{"p.policy", text})}, standard_library());
  ASSERT_NE(compilation.program, nullptr) << render(compilation.diagnostics);
  const auto selected = [&](const char* pattern) {
    std::string out;
    for (const PolicyTest* test : select_tests(compilation, pattern)) out += test->name + "|";
    return out;
  };
  EXPECT_EQ(selected(""), "small is allowed|large is denied|large and small|a * b|aa|");
  EXPECT_EQ(selected("*"), selected(""));
  EXPECT_EQ(selected("large"), "large is denied|large and small|");
  EXPECT_EQ(selected("small*allowed"), "small is allowed|");
  EXPECT_EQ(selected("small*large"), "") << "the parts come in this order";
  EXPECT_EQ(selected("*is *d"), "small is allowed|large is denied|");
  EXPECT_EQ(selected("a*a*a"), "large and small|") << "each part after the one before";
  EXPECT_EQ(selected("Large"), "");
  const std::vector<TestReport> reports = run_tests(compilation, select_tests(compilation, "denied"));
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].test->name, "large is denied");
  EXPECT_TRUE(reports[0].passed());
  EXPECT_GE(reports[0].seconds, 0.0);
}

}  // namespace
}  // namespace ordain
