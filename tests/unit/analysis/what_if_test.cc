// These tests find small changes of events that change their decisions, and hold every answer
// against a decision.
#include "ordain/what_if.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "ordain/compile.h"
#include "ordain/stdlib.h"

namespace ordain {
namespace {

std::shared_ptr<const Program> program_of(const std::string& rules, bool parts = true) {
  const std::string text =
      "context { agent { team: string, level: optional(int) } }\n"
      "capability pay { input { amount: int, rate: double, to: string, urgent: bool, note: optional(string) } }\n"
      "policy p on before pay {\n" +
      rules + "\n}\n";
  const Compilation compilation =
      compile({std::make_shared<Source>(Source{"p.policy", text})}, standard_library(), {.parts = parts});
  EXPECT_NE(compilation.program, nullptr) << render(compilation.diagnostics);
  return compilation.program;
}

constexpr const char* kEvent =
    R"({"capability": "pay", "input": {"amount": 900, "rate": 2.5, "to": "bob", "urgent": true}, )"
    R"("agent": {"id": "a", "team": "ops", "roles": ["clerk", "cook"]}, "now": "2024-05-01T12:00:00Z"})";

std::vector<std::string> changes(const std::string& rules, const std::string& event = kEvent, bool parts = true) {
  const auto program = program_of(rules, parts);
  if (program == nullptr) return {"does not compile"};
  const auto found = find_changes(program, event);
  if (!found) return {found.error().code};
  std::vector<std::string> out;
  for (const DecisionChange& change : *found) out.push_back(to_string(change));
  return out;
}
using Lines = std::vector<std::string>;

TEST(FindChanges, Numbers) {
  EXPECT_EQ(changes("deny big when input.amount > 500; allow;"),
            Lines{"would be allowed if `input.amount` were at most 500"});
  EXPECT_EQ(changes("deny big when input.amount >= 500; allow;"),
            Lines{"would be allowed if `input.amount` were at most 499"});
  EXPECT_EQ(changes("deny small when input.amount < 1000; allow;"),
            Lines{"would be allowed if `input.amount` were at least 1000"});
  EXPECT_EQ(changes("deny same when input.amount == 900; allow;"),
            Lines{"would be allowed if `input.amount` were not 900"});
  EXPECT_EQ(changes("allow one when input.amount == 7;"), Lines{"would be allowed if `input.amount` were 7"});
  EXPECT_EQ(changes("deny high when input.rate >= 2.0; allow;"),
            Lines{"would be allowed if `input.rate` were less than 2.0"});
  EXPECT_EQ(changes("deny high when input.rate > 2.0; allow;"),
            Lines{"would be allowed if `input.rate` were at most 2.0"});
  EXPECT_EQ(changes("deny low when input.rate <= 3.0; allow;"),
            Lines{"would be allowed if `input.rate` were more than 3.0"});
}

// A bound is true of every number beyond it. Otherwise the nearest number that was found is named.
TEST(FindChanges, BoundsAreTrueOrNotClaimed) {
  EXPECT_EQ(changes("deny odd when input.amount % 7 == 4; deny k when input.amount * 2 == 100; allow;"),
            Lines{"would be allowed if `input.amount` were 899"})
      << "900 % 7 is 4; 899 and 901 are allowed, 893 and 907 are not";
  EXPECT_EQ(changes("deny big when input.amount > 500; deny low when input.amount < 10; allow;"),
            Lines{"would be allowed if `input.amount` were 500"});
  EXPECT_EQ(changes("deny band when input.amount >= 800 && input.amount <= 950; allow;"),
            Lines{"would be allowed if `input.amount` were at least 951"});
  EXPECT_EQ(changes("deny same when input.amount == 900; deny far when input.amount > 5000; allow;"),
            Lines{"would be allowed if `input.amount` were at most 899"});
  EXPECT_EQ(changes("deny huge when input.amount > 9223372036854775800; allow;"),
            Lines{"would be denied if `input.amount` were at least 9223372036854775801"});
}

TEST(FindChanges, BoundsLieWhereTheEffectChanges) {
  // The constants are 1 and 1000, and the effect changes at neither.
  const std::string event = R"({"capability": "pay", "input": {"amount": 1001, "rate": 1001.0, "to": "b", )"
                            R"("urgent": true}, "agent": "a"})";
  EXPECT_EQ(changes("require_approval r when double(input.amount) + 1.0 > 1000.0 from \"a\"; allow;", event),
            Lines{"would be allowed if `input.amount` were at most 999"});
  EXPECT_EQ(changes("require_approval r when input.rate + 1.0 > 1000.0 from \"a\"; allow;", event),
            Lines{"would be allowed if `input.rate` were at most 999.0"});
  EXPECT_EQ(changes("deny r when input.rate - 1.0 >= 100.0; allow;", event),
            Lines{"would be allowed if `input.rate` were less than 101.0"});
}

TEST(FindChanges, NumbersThatDifferInTheLastDigitAreOneSuggestion) {
  EXPECT_EQ(changes("allow both when input.to == \"ann\" && input.rate == 7.5;"),
            Lines{"would be allowed if `input.to` were \"ann\" and `input.rate` were 7.5"});
  EXPECT_EQ(changes("allow both when input.to == \"ann\" && input.amount <= 5;"),
            Lines{"would be allowed if `input.to` were \"ann\" and `input.amount` were 5"});
}

TEST(FindChanges, SecretsAreNamedWithoutTheirValues) {
  const std::string text =
      "capability log_in { input { token: secret string, keys: list(secret string), n: int, other: string } }\n"
      "policy p on before log_in {\n"
      "  deny a when input.token == \"hunter2\";\n"
      "  deny b when \"hunter3\" in input.keys;\n"
      "  deny c when size(input.token) > input.n + 41;\n"
      "  deny d when input.other == \"open\" && input.n < 1000;\n"
      "  allow;\n}\n";
  const Compilation compilation =
      compile({std::make_shared<Source>(Source{"p.policy", text})}, standard_library(), {.parts = true});
  ASSERT_NE(compilation.program, nullptr) << render(compilation.diagnostics);
  const auto changes_of = [&](const std::string& input) {
    Lines out;
    const auto found = find_changes(compilation.program, R"({"capability": "log_in", "input": )" + input + "}");
    EXPECT_TRUE(found);
    if (!found) return out;
    for (const DecisionChange& change : *found) {
      out.push_back(to_string(change));
      for (const FieldChange& field : change.fields) {
        if (field.relation == FieldRelation::changed) {
          EXPECT_EQ(field.value + field.set, "") << out.back();
        }
      }
    }
    return out;
  };
  EXPECT_EQ(changes_of(R"({"token": "hunter2", "keys": [], "n": 1, "other": "x"})"),
            Lines{"would be allowed if `input.token` were different"});
  EXPECT_EQ(changes_of(R"({"token": "t", "keys": ["hunter3"], "n": 1, "other": "x"})"),
            Lines{"would be allowed if `input.keys` were different"});
  // The number is compared with the secret's size, which a bound would show.
  EXPECT_EQ(changes_of(R"({"token": "t", "keys": [], "n": -41, "other": "x"})"),
            Lines{"would be allowed if `input.n` were different"});
  EXPECT_EQ(
      changes_of(R"({"token": "t", "keys": [], "n": 1, "other": "open"})"),
      (Lines{"would be allowed if `input.other` were not \"open\"", "would be allowed if `input.n` were different"}));
}

TEST(FindChanges, TextsTruthListsAndAbsence) {
  EXPECT_EQ(changes("deny who when input.to == \"bob\"; allow;"),
            Lines{"would be allowed if `input.to` were not \"bob\""});
  EXPECT_EQ(changes("allow who when input.to == \"ann\";"), Lines{"would be allowed if `input.to` were \"ann\""});
  EXPECT_EQ(changes("allow slow when !input.urgent;"), Lines{"would be allowed if `input.urgent` were false"});
  EXPECT_EQ(changes("allow lead when \"lead\" in agent.roles;"),
            Lines{"would be allowed if `agent.roles` held \"lead\""});
  EXPECT_EQ(changes("deny cook when \"cook\" in agent.roles; allow;"),
            Lines{"would be allowed if `agent.roles` did not hold \"cook\""});
  EXPECT_EQ(changes("deny noted when has(input.note); allow;",
                    R"({"capability": "pay", "input": {"amount": 1, "rate": 1.0, "to": "b", "urgent": true, )"
                    R"("note": "n"}})"),
            Lines{"would be allowed if `input.note` were absent"});
}

TEST(FindChanges, TwoFieldsWhereOneIsNotEnough) {
  EXPECT_EQ(changes("allow both when input.to == \"ann\" && agent.team == \"bank\";"),
            Lines{"would be allowed if `input.to` were \"ann\" and `agent.team` were \"bank\""});
  EXPECT_EQ(changes("allow three when input.to == \"ann\" && agent.team == \"bank\" && input.amount == 1;"), Lines{});
}

TEST(FindChanges, OtherEffects) {
  EXPECT_EQ(changes("deny big when input.amount > 1000; allow;"),
            Lines{"would be denied if `input.amount` were at least 1001"});
  EXPECT_EQ(changes("require_approval big when input.amount > 1000 from \"a\"; allow;"),
            Lines{"would need approval if `input.amount` were at least 1001"});
  // What allows comes first.
  EXPECT_EQ(changes("deny big when input.amount > 500; require_approval mid when input.amount > 100; allow;"),
            (Lines{"would be allowed if `input.amount` were at most 100",
                   "would need approval if `input.amount` were 500"}));  // not at most: 100 is allowed
}

TEST(FindChanges, NothingToFind) {
  EXPECT_EQ(changes("deny always; allow;"), Lines{});
  EXPECT_EQ(changes("deny never when input.amount > 10;", R"({"capability": "pay", "input": {}})"), Lines{})
      << "an invalid call";
  EXPECT_EQ(changes("allow;", "{"), Lines{"bad_json"});
  EXPECT_EQ(changes("allow;", "{}"), Lines{"bad_event"});
}

TEST(FindChanges, AFaultIsNoWayOut) {
  // Without the host's fact the rule denies by a fault; with it, the call is allowed.
  const std::string event =
      R"({"capability": "pay", "input": {"amount": 1, "rate": 1.0, "to": "b", "urgent": true}, "agent": "a"})";
  EXPECT_EQ(changes("deny team when agent.team != \"bank\"; allow;", event),
            Lines{"would be allowed if `agent.team` were \"bank\""});
  // An amount of 0 is tried, since it is next to 1. It would divide by zero, which denies.
  EXPECT_EQ(changes("deny odd when 1 / input.amount > 5; allow;", event), Lines{});
}

TEST(FindChanges, WithoutPartsAndWithinABound) {
  const std::string rules = "deny big when input.amount > 500 && agent.team == \"ops\"; allow;";
  EXPECT_EQ(changes(rules, kEvent, false), changes(rules));
  const auto found = find_changes(program_of(rules), kEvent, {.decisions = 0});
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->empty());
  const auto one = find_changes(program_of(rules), kEvent, {.most = 1});
  ASSERT_TRUE(one);
  EXPECT_EQ(one->size(), 1u);
}

TEST(FindChanges, AsData) {
  const auto found = find_changes(program_of("deny lead when !(\"lead\" in agent.roles); allow rest;"), kEvent);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1u);
  const DecisionChange& change = found->front();
  EXPECT_EQ(change.effect, Effect::allow);
  EXPECT_EQ(change.rule, "p.rest");
  ASSERT_EQ(change.fields.size(), 1u);
  EXPECT_EQ(change.fields[0].path, "agent.roles");
  EXPECT_EQ(to_string(change.fields[0].relation), "contains");
  EXPECT_EQ(change.fields[0].value, "\"lead\"");
  EXPECT_EQ(change.fields[0].set, R"(["clerk", "cook", "lead"])");
}

}  // namespace
}  // namespace ordain
