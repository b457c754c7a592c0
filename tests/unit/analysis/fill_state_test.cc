// These tests give new states their past from the audit log.
#include "ordain/fill_state.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

using testing::Bench;
using testing::compile_text;
using testing::edited;
using testing::json;

const char* const kNoLimit = R"(
capability refund { input { customer: string, amount: double } }
policy refunds on before refund { allow rest; }
)";
const char* const kLimit = R"(
capability refund { input { customer: string, amount: double } }
history refunded = begun refund by tenant, input.customer within 24h;
budget spend = 500.0 by tenant each month { take input.amount on refund; }
policy refunds on before refund {
  deny many when refunded.count > 3;
  deny over when spend.left < 0.0;
  allow rest;
}
)";

/// The state of a directory has the system's time, also while it is filled.
struct FillBench : Bench {
  FillBench() {
    options.clock = nullptr;
    options.tenant = "acme";
    options.principal = "ann";
    options.session = "s1";
  }
  bool refund(const Runtime& runtime, double amount, const std::string& customer = "c1") const {
    const std::string input = R"({"customer": ")" + customer + R"(", "amount": )" + std::to_string(amount) + "}";
    return runtime.call("refund", json(input), tool("{}")).has_value();
  }
  std::vector<FilledState> fill(const std::string& policies) const {
    auto filled = fill_state(options.database, compile_text(policies));
    EXPECT_TRUE(filled.ok()) << filled.error().message;
    return filled.ok() ? *filled : std::vector<FilledState>();
  }
};

TEST(FillState, ANewLimitKnowsWhatWasRecorded) {
  FillBench bench;
  {
    const Runtime runtime = bench.open(compile_text(kNoLimit));
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(bench.refund(runtime, 100));
    ASSERT_TRUE(runtime.flush().ok());
  }
  const auto filled = bench.fill(kLimit);
  ASSERT_EQ(filled.size(), 2u);
  for (const FilledState& one : filled) {
    EXPECT_TRUE(one.added && !one.kept) << one.name;
    EXPECT_EQ(one.calls, 3u) << one.name;
    EXPECT_EQ(one.since_ns, 0) << one.name;
  }
  const Runtime runtime = bench.open(compile_text(kLimit));
  EXPECT_EQ(runtime.evaluate("refund", json(R"({"customer": "c1", "amount": 1.0})")).rule, "refunds.many");
  EXPECT_EQ(runtime.evaluate("refund", json(R"({"customer": "c2", "amount": 201.0})")).rule, "refunds.over");
  EXPECT_TRUE(bench.refund(runtime, 200, "c2")) << "what is left";
  EXPECT_FALSE(bench.refund(runtime, 1, "c2"));
}

TEST(FillState, LeavesWhatIsKeptAndFillsWhatAReloadAdds) {
  FillBench bench;
  const Runtime runtime = bench.open(compile_text(kLimit));
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(bench.refund(runtime, 10));
  ASSERT_TRUE(runtime.flush().ok());
  for (const FilledState& one : bench.fill(kLimit)) EXPECT_TRUE(one.kept && !one.added) << one.name;
  const std::string wider = edited(kLimit, "within 24h", "within 48h");
  const auto filled = bench.fill(wider);
  ASSERT_EQ(filled.size(), 2u);
  EXPECT_EQ(filled[0].added, filled[0].name == "refunded");
  EXPECT_EQ(filled[1].added, filled[1].name == "refunded");
  ASSERT_TRUE(runtime.reload(compile_text(wider)).ok());
  EXPECT_TRUE(bench.refund(runtime, 10)) << "the third";
  EXPECT_FALSE(bench.refund(runtime, 10));
}

TEST(FillState, CountsOnlyWhatFailedAsFailed) {
  FillBench bench;
  const char* const free = "capability login {} policy p on before login { allow rest; }";
  const char* const locked =
      "capability login {} history guesses = failed login by principal within 30m;"
      "policy p on before login { deny locked when guesses.count >= 2; allow rest; }";
  {
    const Runtime runtime = bench.open(compile_text(free));
    for (const std::string code : {"bad_password", "not_executed", "bad_password"})
      (void)runtime.call("login", json("{}"), [&](const Value&) -> Result<Document> { return Error{code, "no"}; });
    EXPECT_TRUE(runtime.call("login", json("{}"), bench.tool("{}")).has_value());
    ASSERT_TRUE(runtime.flush().ok());
  }
  const auto filled = bench.fill(locked);
  ASSERT_EQ(filled.size(), 1u);
  EXPECT_EQ(filled[0].calls, 2u);
  const Runtime runtime = bench.open(compile_text(locked));
  EXPECT_EQ(runtime.evaluate("login", json("{}")).rule, "p.locked");
}

TEST(FillState, WhatIsReadInOrderBeginsEmpty) {
  FillBench bench;
  const char* const ordered = R"(
capability check {}
capability edit {}
capability deploy {}
history checked = done check by session;
history edited = done edit by session;
policy work on before check, edit { allow rest; }
policy deploys on before deploy { deny stale when !checked.after(edited); allow rest; }
)";
  {
    const Runtime runtime = bench.open(compile_text("capability check {} policy p on before check { allow rest; }"));
    EXPECT_TRUE(runtime.call("check", json("{}"), bench.tool("{}")).has_value());
    ASSERT_TRUE(runtime.flush().ok());
  }
  for (const FilledState& one : bench.fill(ordered)) EXPECT_FALSE(one.added || one.kept) << one.name;
  EXPECT_TRUE(bench.fill("capability check {} policy p on before check { allow rest; }").empty());
  EXPECT_FALSE(fill_state(bench.state / "nowhere", compile_text(kLimit)).ok());
}

}  // namespace
}  // namespace ordain
