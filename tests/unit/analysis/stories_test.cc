// These tests tell stories: tests whose calls share state. They cover time, outcomes, answers, and who acts.
#include <gtest/gtest.h>

#include <string>

#include "ordain/coverage.h"
#include "ordain/run_tests.h"
#include "ordain/stdlib.h"

namespace ordain {
namespace {

Compilation compile_story(const std::string& policies, const std::string& steps) {
  const std::string text = policies + "test \"t\" {\n" + steps + "\n}";
  return compile({std::make_shared<Source>(Source{"p.policy", text})}, standard_library(), {.parts = true});
}

// @returns what each expectation's call came to: "deny by p.many", joined by "; "
std::string told(const std::string& policies, const std::string& steps) {
  const Compilation compilation = compile_story(policies, steps);
  if (compilation.program == nullptr) return render(compilation.diagnostics);
  std::string out;
  for (const TestReport& report : run_tests(compilation)) {
    for (const TestVerdict& verdict : report.verdicts) {
      EXPECT_TRUE(verdict.met) << verdict.decided << " | " << verdict.why;
      out += (out.empty() ? "" : "; ") + verdict.decided;
    }
  }
  return out;
}

std::string repeat(int times, const std::string& step) {
  std::string out;
  for (int i = 0; i < times; ++i) out += step + "\n";
  return out;
}

constexpr const char* kSends = R"(
capability send_email { input { to: string } }
history sends = begun send_email by principal within 1h;
policy mail on before send_email {
  deny too_many when sends.count > 50;
  allow rest;
}
)";

TEST(Stories, FiftyMailsAnHour) {
  const std::string call = "call send_email { to: \"a\" };";
  EXPECT_EQ(told(kSends, repeat(50, call) + "expect allow;" + call + "expect deny by mail.too_many;" + "wait 1h;" +
                             call + "expect deny;" + "wait 1ns;" + call + "expect allow;"),
            "allow by mail.rest; deny by mail.too_many; deny by mail.too_many; allow by mail.rest");
}

TEST(Stories, EachTestBeginsAnew) {
  const std::string call = "call send_email { to: \"a\" };";
  EXPECT_EQ(told(kSends, repeat(50, call) + "expect allow; } test \"u\" { " + call + "expect allow;"),
            "allow by mail.rest; allow by mail.rest");
}

TEST(Stories, NobodySharesTheHistoryOfTheAnonymous) {
  EXPECT_NE(
      told(kSends, "call send_email { to: \"a\" } with principal.id = \"\"; expect deny;").find("missing_context"),
      std::string::npos);
}

// The clock of a story begins where its first call says, and only goes forward.
TEST(Stories, TimesThatCallsNameMoveTheClockForward) {
  const char* policies = R"(
capability a { }
history runs = begun a by principal within 1h;
policy p on before a {
  deny again when runs.seen && now - runs.last < duration("10m");
  deny night when now.getHours() < 6;
  allow rest;
}
)";
  EXPECT_EQ(told(policies, R"(
    call a {} with now = timestamp("2020-03-01T12:00:00Z");  expect allow;
    call a {} with now = timestamp("2020-03-01T12:09:59Z");  expect deny by p.again;
    call a {} with now = timestamp("2020-03-01T11:00:00Z");  expect deny by p.again;
    wait 1s;
    call a {};                                               expect allow;
    call a {} with now = timestamp("2020-03-02T05:00:00Z");  expect deny by p.night;
    )"),
            "allow by p.rest; deny by p.again; deny by p.again; allow by p.rest; deny by p.night");
}

constexpr const char* kOutcomes = R"(
capability check { input { name: string } output { passed: bool } }
capability deploy { }
history passed = done   check when output.passed by session within 1h;
history ended  = done   check by session within 1h;
history broken = failed check by session within 1h;
policy checks on before check { deny unnamed when input.name == ""; allow rest; }
policy after_checks on after check { deny secret when !output.passed && broken.count > 0; }
policy deploys on before deploy {
  deny none_ended  when !ended.seen;
  deny none_passed when !passed.seen;
  allow rest;
}
)";

TEST(Stories, CallsRunAndEnd) {
  EXPECT_EQ(
      told(kOutcomes, R"(
    call deploy;                                            expect deny by deploys.none_ended;
    call check { name: "" } returns { passed: true };       expect deny by checks.unnamed;
    call deploy;                                            expect deny by deploys.none_ended;
    call check { name: "a" }; fails;
    call deploy;                                            expect deny by deploys.none_ended;
    call check { name: "a" } returns { passed: false };     expect deny by after_checks.secret;
    call deploy;                                            expect deny by deploys.none_ended;
    call check { name: "a" };                               expect allow by checks.rest;
    call deploy;                                            expect deny by deploys.none_passed;
    call check { name: "a" } returns { passed: true };      expect allow; expect default;
    call deploy;                                            expect allow;
    )"),
      "deny by deploys.none_ended; deny by checks.unnamed; deny by deploys.none_ended; deny by "
      "deploys.none_ended; deny by after_checks.secret; deny by deploys.none_ended; allow by checks.rest; deny by "
      "deploys.none_passed; allow (default): no rule matched; allow (default): no rule matched; allow by "
      "deploys.rest");
}

constexpr const char* kAsks = R"(
capability pay { input { amount: int } }
history paid    = begun  pay sum input.amount by principal within 1d;
history refused = denied pay by principal within 1d;
policy payments on before pay {
  deny refused_often     when refused.count > 1;
  deny much              when paid.sum > 100;
  require_approval large when input.amount > 10 from ["finance", "risk"];
  allow rest;
}
)";

// What waits takes nothing, and what is approved is decided again, with the state of then.
TEST(Stories, AnswersAreFollowedByAnotherDecision) {
  EXPECT_EQ(told(kAsks, R"(
    call pay { amount: 60 };                                                     expect require_approval;
    call pay { amount: 60 }; approve from "finance" as "ann";                    expect require_approval;
    call pay { amount: 60 }; approve from "finance" as "ann"; approve from "risk" as "ann";
                                                                                 expect require_approval;
    call pay { amount: 60 }; approve from "finance" as "ann"; approve from "risk" as "bob";
                                                                                 expect allow;
    call pay { amount: 41 }; approve;                                            expect deny by payments.much;
    call pay { amount: 40 }; approve;                                            expect allow;
    )"),
            "require_approval by payments.large; require_approval by payments.large; require_approval by "
            "payments.large; allow by payments.large; deny by payments.much; allow by payments.large");
}

TEST(Stories, ARejectedCallIsDenied) {
  EXPECT_EQ(told(kAsks, R"(
    call pay { amount: 60 }; reject;                                 expect deny by payments.large;
    call pay { amount: 60 }; approve from "finance" as "a"; reject;  expect deny by payments.large;
    call pay { amount: 1 };                                          expect deny by payments.refused_often;
    )"),
            "deny by payments.large; deny by payments.large; deny by payments.refused_often");
}

TEST(Stories, AnApprovalClearsTheLabelOfItsGroup) {
  const char* policies = R"(
label untrusted;
capability read { output open { text: string } labels untrusted; }
capability review { }
capability send { }
policy reads on before read { allow rest; }
policy reviews on before review { require_approval ask from "security"; }
policy sends on before send { deny seen when "untrusted" in session.labels; allow rest; }
policy clears on after review { clear untrusted from "security"; }
)";
  EXPECT_EQ(told(policies, R"(
    call read returns { text: "x" };
    call send;                           expect deny by sends.seen;
    call review;                         expect require_approval;
    call send;                           expect deny by sends.seen;
    call review; approve from "other";   expect require_approval;
    call send;                           expect deny by sends.seen;
    call review; approve;                expect allow;
    call send;                           expect allow;
    )"),
            "deny by sends.seen; require_approval by reviews.ask; deny by sends.seen; require_approval by reviews.ask; "
            "deny by sends.seen; allow by reviews.ask; allow by sends.rest");
}

TEST(Stories, BudgetsAreRefilledByLocalTime) {
  const char* policies = R"(
capability a { }
budget spend = 1 by principal each day in "Europe/Berlin" { take 1 on a; }
policy p on before a { deny over when spend.left < 0; allow rest; }
)";
  EXPECT_EQ(told(policies, R"(
    call a {} with now = timestamp("2024-07-01T20:59:59Z");  expect allow;
    call a {} with now = timestamp("2024-07-01T21:59:59Z");  expect deny by p.over;
    wait 1s;
    call a {};                                               expect allow;
    )"),
            "allow by p.rest; deny by p.over; allow by p.rest");
}

// A rule that only the third call reaches is covered.
TEST(Stories, CoverageFollowsTheStory) {
  const char* policies = R"(
capability a { }
history runs = begun a by principal within 1h;
policy p on before a { deny many when runs.count > 2; allow rest; }
)";
  const auto matched = [&](int calls) {
    const Compilation compilation = compile_story(policies, repeat(calls, "call a;") + "expect allow;");
    EXPECT_NE(compilation.program, nullptr) << render(compilation.diagnostics);
    std::vector<const PolicyTest*> tests = select_tests(compilation, "");
    return measure_coverage(compilation, tests, {}).rules.at(0).matched;
  };
  EXPECT_EQ(matched(2), 0u);
  EXPECT_EQ(matched(3), 1u);
}

}  // namespace
}  // namespace ordain
