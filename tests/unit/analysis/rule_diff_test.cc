// These tests compare rules of two sets of policies without events.
#include "ordain/rule_diff.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "ordain/compile.h"
#include "ordain/stdlib.h"

namespace ordain {
namespace {

constexpr const char* kDeclared = "capability pay { input { amount: int, to: string } }\n";

std::shared_ptr<const Program> program_of(const std::string& rules) {
  const Compilation compilation =
      compile({std::make_shared<Source>(Source{"p.policy", kDeclared + rules})}, standard_library());
  EXPECT_NE(compilation.program, nullptr) << render(compilation.diagnostics);
  return compilation.program;
}

// @returns "weaker p.a -> p.a" for each difference, "package x" for each package
std::vector<std::string> differences(const std::string& before, const std::string& after) {
  const auto older = program_of(before), newer = program_of(after);
  if (older == nullptr || newer == nullptr) return {"does not compile"};
  const RuleDiff diff = compare_rules(*older, *newer);
  std::vector<std::string> out;
  const auto name = [](const Program& program, RuleId rule) {
    return rule == kNone ? std::string("-") : program.rules()[rule].name;
  };
  for (const RuleDifference& each : diff.rules) {
    out.push_back(std::string(to_string(each.change)) + " " + name(*older, each.old_rule) + " -> " +
                  name(*newer, each.new_rule));
  }
  for (const std::string& package : diff.packages) out.push_back("package \"" + package + "\"");
  return out;
}
using Lines = std::vector<std::string>;

std::string policy(const std::string& rules) { return "policy p on before pay { " + rules + " }"; }

TEST(CompareRules, TheSame) {
  EXPECT_EQ(differences(policy("deny a when input.amount > 5; allow;"),
                        "// a comment\n" + policy("deny a   when input.amount>5;\n allow;")),
            Lines{});
}

TEST(CompareRules, AddedRemovedChanged) {
  EXPECT_EQ(differences(policy("deny a when input.amount > 5; deny gone when input.to == \"x\"; allow rest;"),
                        policy("deny a when input.amount > 6; deny fresh when input.to == \"y\"; allow rest;")),
            (Lines{"changed p.a -> p.a", "added - -> p.fresh", "removed p.gone -> -"}));
  EXPECT_EQ(differences("let most = 5;\n" + policy("deny a when input.amount > most; allow rest;"),
                        "let most = 6;\n" + policy("deny a when input.amount > most; allow rest;")),
            Lines{"changed p.a -> p.a"})
      << "a rule includes the lets that it uses";
}

TEST(CompareRules, Strength) {
  EXPECT_EQ(differences(policy("deny a when input.amount > 5; allow b when input.amount > 3;"),
                        policy("require_approval a when input.amount > 5; deny b when input.amount > 3;")),
            (Lines{"weaker p.a -> p.a", "stronger p.b -> p.b"}));
  EXPECT_EQ(differences(policy("deny a when input.amount > 5;"), policy("warn a when input.amount > 5;")),
            Lines{"changed p.a -> p.a"});
}

TEST(CompareRules, NumbersOfUnnamedRulesAndOtherPolicies) {
  EXPECT_EQ(differences(policy("deny when input.amount > 5; deny when input.amount > 9;"),
                        policy("deny when input.amount > 1; deny when input.amount > 5; deny when input.amount > 9;")),
            Lines{"added - -> p.deny#1"});
  EXPECT_EQ(
      differences(policy("deny a when input.amount > 5;"), "policy q on before pay { deny a when input.amount > 5; }"),
      Lines{"renamed p.a -> q.a"});
}

TEST(CompareRules, OrderMattersWhereTheFirstMatchAnswers) {
  const std::string one = "deny a when input.amount > 5;", two = "allow b when input.to == \"x\";";
  const std::string first = "option order = first_match;\n";
  EXPECT_EQ(differences(first + policy(one + two), first + policy(two + one)), Lines{"package \"\""});
  EXPECT_EQ(differences(policy(one + two), first + policy(one + two)), Lines{"package \"\""});
}

}  // namespace
}  // namespace ordain
