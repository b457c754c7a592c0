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
                   "would need approval if `input.amount` were at most 500"}));
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
