// These tests replay records whose calls depend on each other: what policies remember is made anew from the records,
// by the policies of that time or by new ones.
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>
#include <string>

#include "ordain/replay.h"
#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

using testing::Bench;
using testing::compile_text;
using testing::edited;
using testing::json;
using testing::kSecond;

constexpr int64_t kHour = 3600 * kSecond;

struct StateBench : Bench {
  StateBench() {
    options.tenant = "acme";
    options.principal = "ann";
    options.session = "s1";
  }
  bool call(const Runtime& runtime, const std::string& capability, const std::string& input,
            const std::string& output = "{}") const {
    return runtime.call(capability, json(input), tool(output)).has_value();
  }
  bool refund(const Runtime& runtime, double amount, const std::string& customer = "c1") const {
    return call(runtime, "refund", R"({"customer": ")" + customer + R"(", "amount": )" + std::to_string(amount) + "}");
  }
  static void fail(const Runtime& runtime, const std::string& code) {
    EXPECT_FALSE(
        runtime.call("login", json("{}"), [&](const Value&) -> Result<Document> { return Error{code, "no"}; }));
  }
  ReplayReport again(const std::string& policies) const {
    auto log = AuditLog::open(options.database);
    EXPECT_TRUE(log.ok());
    auto report = replay(*log, compile_text(policies), nullptr);
    EXPECT_TRUE(report.ok()) << report.error().message;
    return *report;
  }
};

std::array<uint64_t, kReplayChanges> counts(uint64_t unchanged, uint64_t denied, uint64_t allowed,
                                            uint64_t indeterminate, uint64_t state = 0) {
  return {unchanged, denied, allowed, 0, 0, indeterminate, 0, state};
}

const char* const kFree = R"(
capability refund { input { customer: string, amount: double } }
policy refunds on before refund { allow rest; }
)";
const char* const kLimited = R"(
capability refund { input { customer: string, amount: double } }
history refunded = begun refund sum input.amount by tenant, input.customer within 24h;
policy refunds on before refund {
  deny many when refunded.count > 3;
  deny much when refunded.sum > 500.0;
  allow rest;
}
)";

TEST(ReplayState, TheSamePoliciesReadWhatTheyRead) {
  StateBench bench;
  {
    const Runtime runtime = bench.open(compile_text(kLimited));
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(bench.refund(runtime, 10));
    EXPECT_FALSE(bench.refund(runtime, 10)) << "the fourth";
    EXPECT_TRUE(bench.refund(runtime, 10, "c2"));
    *bench.now += 25 * kHour;
    EXPECT_TRUE(bench.refund(runtime, 10));
    ASSERT_TRUE(runtime.flush().ok());
  }
  const ReplayReport report = bench.again(kLimited);
  EXPECT_TRUE(report.folds_state);
  EXPECT_EQ(report.counts, counts(11, 0, 0, 0));
  EXPECT_EQ(report.state_reads, 6u) << "one for each call before it ran";
  EXPECT_EQ(report.knock_on + report.not_reached, 0u);
  EXPECT_EQ(bench.again(edited(kLimited, "> 3", "> 4")).counts, counts(10, 0, 1, 0)) << "the fourth would have run";
  EXPECT_EQ(bench.again(edited(kLimited, "> 3", "> 4")).state_reads, 0u) << "the records are of other policies";
}

TEST(ReplayState, AnotherStateThanTheRecordsMakeIsItsOwnChange) {
  StateBench bench;
  const auto refund_once = [&] {
    const Runtime runtime = bench.open(compile_text(kLimited));
    EXPECT_TRUE(bench.refund(runtime, 10));
    EXPECT_TRUE(runtime.flush().ok());
  };
  refund_once();
  for (const std::string name : {"state.db", "state.db-wal", "state.db-shm"}) {
    std::filesystem::remove(bench.options.database + "/" + name);
  }
  refund_once();
  const ReplayReport report = bench.again(kLimited);
  EXPECT_EQ(report.counts, counts(3, 0, 0, 0, 1)) << "the second refund was told to be the first";
  EXPECT_EQ(report.changed(), 1u);
  ASSERT_EQ(report.groups.size(), 1u);
  EXPECT_EQ(report.groups[0].change, ReplayChange::state);
  EXPECT_EQ(report.groups[0].old_rule, "refunded");
  EXPECT_NE(report.groups[0].examples.at(0).why.find("refunded for acme, c1: its "), std::string::npos)
      << report.groups[0].examples.at(0).why;
}

TEST(ReplayState, ANewLimitStopsWhatItWouldHaveStopped) {
  StateBench bench;
  {
    const Runtime runtime = bench.open(compile_text(kFree));
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(bench.refund(runtime, 10));
    EXPECT_TRUE(bench.refund(runtime, 10, "c2"));
    *bench.now += 24 * kHour;
    EXPECT_TRUE(bench.refund(runtime, 10)) << "the window is closed";
    *bench.now += 1;
    EXPECT_TRUE(bench.refund(runtime, 10));
    ASSERT_TRUE(runtime.flush().ok());
  }
  const ReplayReport report = bench.again(kLimited);
  EXPECT_EQ(report.counts, counts(10, 3, 0, 0)) << "the fourth, the fifth, and the one at the window's edge";
  EXPECT_EQ(report.not_reached, 3u) << "the outcomes of these";
  EXPECT_EQ(report.knock_on, 0u);
  ASSERT_EQ(report.groups.size(), 1u);
  EXPECT_EQ(report.groups[0].new_rule, "refunds.many");
  EXPECT_EQ(bench.again(kFree).folds_state, false);
}

// What is denied now takes nothing, so that what comes after it may be allowed.
TEST(ReplayState, CountsWhatFollowsFromADenial) {
  StateBench bench;
  {
    const Runtime runtime = bench.open(compile_text(kFree));
    for (double amount : {400.0, 200.0, 90.0}) EXPECT_TRUE(bench.refund(runtime, amount));
    ASSERT_TRUE(runtime.flush().ok());
  }
  const ReplayReport report = bench.again(kLimited);
  EXPECT_EQ(report.counts, counts(4, 1, 0, 0));
  EXPECT_EQ(report.knock_on, 1u) << "90 would be too much after 600, and is not after 400";
  EXPECT_EQ(report.not_reached, 1u);
}

const char* const kLogins = R"(
capability login {}
policy logins on before login { allow rest; }
)";
const char* const kLocked = R"(
capability login {}
history guesses = failed login by principal within 30m;
policy logins on before login { deny locked when guesses.count >= 3; allow rest; }
)";

TEST(ReplayState, WhatWasNotExecutedDidNotFail) {
  for (const auto& [code, denied] : {std::pair{"bad_password", 1u}, {"not_executed", 0u}}) {
    SCOPED_TRACE(code);
    StateBench bench;
    {
      const Runtime runtime = bench.open(compile_text(kLogins));
      for (int i = 0; i < 3; ++i) StateBench::fail(runtime, code);
      EXPECT_TRUE(bench.call(runtime, "login", "{}"));
      ASSERT_TRUE(runtime.flush().ok());
    }
    const ReplayReport report = bench.again(kLocked);
    EXPECT_EQ(report.counts, counts(5 - 2 * denied, denied, 0, 0));
    EXPECT_EQ(report.not_reached, denied);
    EXPECT_EQ(report.skipped, 3u) << "nothing was decided about the failures";
  }
}

const char* const kHidden = R"(
capability pay    { input { amount: double } }
capability report {}
policy hiding on before pay { redact hidden input.amount with 0.0; allow rest; }
policy reports on before report { allow rest; }
)";

TEST(ReplayState, WhatDependsOnARedactedAmountIsIndeterminate) {
  StateBench bench;
  {
    const Runtime runtime = bench.open(compile_text(kHidden));
    EXPECT_TRUE(bench.call(runtime, "report", "{}"));
    EXPECT_TRUE(bench.call(runtime, "pay", R"({"amount": 7.0})"));
    EXPECT_TRUE(bench.call(runtime, "report", "{}"));
    *bench.now += 25 * kHour;
    EXPECT_TRUE(bench.call(runtime, "report", "{}"));
    ASSERT_TRUE(runtime.flush().ok());
  }
  const std::string with_sum = std::string(kHidden) + R"(
history paid = begun pay sum input.amount by principal within 24h;
policy limits on before pay, report { deny much when paid.sum > 100.0; }
)";
  const ReplayReport report = bench.again(with_sum);
  EXPECT_EQ(report.counts, counts(6, 0, 0, 2)) << "the payment, and the report within a day of it";
  ASSERT_FALSE(report.groups.empty());
  EXPECT_EQ(report.groups.back().change, ReplayChange::indeterminate);
  EXPECT_EQ(report.groups.back().examples.at(0).why,
            "limits.much reads paid.sum, and what was remembered then is not known");
  const std::string with_count = std::string(kHidden) + R"(
history paid = begun pay by principal within 24h;
policy limits on before pay, report { deny much when paid.count > 1; }
)";
  EXPECT_EQ(bench.again(with_count).counts, counts(8, 0, 0, 0)) << "how many is known";
}

const char* const kMail = R"(
capability read_customer { input { id: string } output open { name: string } }
capability send_email    { input { to: string } }
policy all on before read_customer, send_email { allow rest; }
)";
const char* const kLabelledMail = R"(
label customer;
capability read_customer { input { id: string } output open { name: string } labels customer; }
capability send_email    { input { to: string } }
policy all on before read_customer { allow rest; }
policy mail on before send_email { deny leaks when "customer" in session.labels; allow rest; }
)";

TEST(ReplayState, LabelsAreRaisedByRecordedOutputs) {
  StateBench bench;
  {
    const Runtime runtime = bench.open(compile_text(kMail));
    EXPECT_TRUE(bench.call(runtime, "send_email", R"({"to": "eve"})"));
    EXPECT_TRUE(bench.call(runtime, "read_customer", R"({"id": "1"})", R"({"name": "Ann"})"));
    EXPECT_TRUE(bench.call(runtime, "send_email", R"({"to": "eve"})"));
    ASSERT_TRUE(runtime.flush().ok());
  }
  const ReplayReport report = bench.again(kLabelledMail);
  EXPECT_EQ(report.counts, counts(4, 1, 0, 0));
  EXPECT_EQ(report.not_reached, 1u);
}

const char* const kShell = R"(
capability shell {}
policy jobs on before shell { allow rest; }
)";
const char* const kTwoShells = R"(
capability shell {}
budget shells = 2 at once by tenant { take 1 on shell; }
policy jobs on before shell { deny busy when shells.left < 0; allow rest; }
)";

TEST(ReplayState, WhatHadNoOutcomeIsHeldUntilALeaseWouldEnd) {
  StateBench bench;
  {
    const Runtime runtime = bench.open(compile_text(kShell));
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(runtime.authorize("shell", json("{}")).authorized);
    *bench.now += 16 * 60 * kSecond;
    EXPECT_TRUE(runtime.authorize("shell", json("{}")).authorized);
    ASSERT_TRUE(runtime.flush().ok());
  }
  EXPECT_EQ(bench.again(kTwoShells).counts, counts(3, 1, 0, 0));
}

// The lease of a process that lives is renewed, so its call holds what it took until it ends.
TEST(ReplayState, ACallThatRunsForLongHoldsUntilItsOutcome) {
  StateBench bench;
  {
    const Runtime runtime = bench.open(compile_text(kShell));
    const Authorization first = runtime.authorize("shell", json("{}")), second = runtime.authorize("shell", json("{}"));
    *bench.now += 16 * 60 * kSecond;
    EXPECT_TRUE(runtime.authorize("shell", json("{}")).authorized) << "a third would be too many";
    EXPECT_TRUE(runtime.report(first, ActionEnd::done).ok());
    EXPECT_TRUE(runtime.report(second, ActionEnd::done).ok());
    EXPECT_TRUE(runtime.authorize("shell", json("{}")).authorized);
    ASSERT_TRUE(runtime.flush().ok());
  }
  EXPECT_EQ(bench.again(kTwoShells).counts, counts(3, 1, 0, 0));
}

const char* const kSpend = R"(
capability refund { input { customer: string, amount: double } }
budget spend = 100.0 by tenant each day { take input.amount on refund; }
policy refunds on before refund { deny over when spend.left < 0.0; allow rest; }
)";

// As with `ordain eval --stories`, whatever the time between them.
TEST(ReplayState, EventsHoldUntilTheirOutcomeIsTold) {
  const auto event = [](const char* time, bool after) {
    return std::string(R"({"capability": "refund", "tenant": "acme", "session": "s", "now": "2026-01-01T)") + time +
           R"(Z", "input": {"customer": "c1", "amount": 90})" + (after ? R"(, "stage": "after", "output": {}})" : "}") +
           "\n";
  };
  for (const bool ends : {true, false}) {
    std::istringstream in(event("12:00:00", false) + (ends ? event("12:30:00", true) : "") + event("12:40:00", false));
    auto report = replay(in, compile_text(kSpend), compile_text(edited(kSpend, "100.0", "500.0")));
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->counts, counts(ends ? 2 : 1, 1, 0, 0)) << ends;
  }
}

TEST(ReplayState, AReportEndsWhatWasAuthorized) {
  StateBench bench;
  {
    const Runtime runtime = bench.open(compile_text(kShell));
    for (const ActionEnd end : {ActionEnd::done, ActionEnd::failed, ActionEnd::not_executed, ActionEnd::done}) {
      EXPECT_TRUE(runtime.report(runtime.authorize("shell", json("{}")), end).ok());
    }
    ASSERT_TRUE(runtime.flush().ok());
  }
  const ReplayReport report = bench.again(kTwoShells);
  EXPECT_EQ(report.counts, counts(4, 0, 0, 0));
  EXPECT_EQ(report.skipped, 4u);
}

TEST(ReplayState, EventsAreToldInTheirOrder) {
  std::string lines;
  for (int i = 0; i < 5; ++i) {
    lines += R"({"capability": "refund", "tenant": "acme", "now": "2026-01-01T12:00:00Z", "input": )"
             R"({"customer": "c1", "amount": 10}})"
             "\n";
  }
  std::istringstream in(lines + "nonsense\n");
  auto report = replay(in, compile_text(kLimited), compile_text(kFree));
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->counts, counts(3, 2, 0, 0));
  EXPECT_EQ(report->malformed, 1u);
  ASSERT_EQ(report->groups.size(), 1u);
  EXPECT_EQ(report->groups[0].examples.at(0).number, 4u);
  std::istringstream same(lines);
  report = replay(same, compile_text(kLimited), compile_text(kLimited));
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->counts, counts(5, 0, 0, 0));
}

}  // namespace
}  // namespace ordain
