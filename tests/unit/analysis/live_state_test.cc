// These tests explain calls with what a database directory remembers at present.
#include "analysis/live_state.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/unit/runtime/support.h"

namespace ordain::detail {
namespace {

using testing::Bench;
using testing::compile_text;
using testing::edited;
using testing::json;

const char* const kLimits = R"(
capability refund { input { customer: string, amount: double } }
capability shell {}
history refunded = begun refund sum input.amount by tenant, input.customer within 24h;
budget spend = 500.0 by tenant each day in "Europe/Berlin" { take input.amount on refund; }
budget shells = 2 at once by tenant { take 1 on shell; }
rate fast = 1 in 1m on refund by principal;
policy refunds on before refund {
  deny many when refunded.count > 3 || refunded.sum > 500.0;
  deny over when spend.left < 0.0;
  deny fast when !fast.ok;
  allow rest;
}
policy jobs on before shell { deny busy when shells.left < 0; allow rest; }
)";
const char* const kRefund =
    R"({"capability": "refund", "tenant": "acme", "principal": "ann", "input": {"customer": "c1", "amount": 10}})";
const char* const kShell = R"({"capability": "shell", "tenant": "acme"})";

/// A directory whose runtime has the system's clock, as the state that is read from outside must.
struct LiveBench : Bench {
  std::shared_ptr<const Program> program = compile_text(kLimits);
  LiveBench() {
    options.clock = nullptr;
    options.tenant = "acme";
    options.principal = "ann";
  }
  std::vector<std::string> read(const std::shared_ptr<const Program>& by, const std::string& event) const {
    auto live = LiveState::make(by, {}, options.database);
    EXPECT_TRUE(live.ok()) << live.error().message;
    EventReader reader(by);
    EXPECT_TRUE(reader.read(event).ok());
    auto done = (*live)->read(reader);
    EXPECT_TRUE(done.ok()) << done.error().message;
    return (*live)->last_read();
  }
  std::string file(const std::string& name) const {
    std::ifstream in(options.database + "/" + name, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }
};

bool has(const std::vector<std::string>& texts, const std::string& begin, const std::string& within) {
  return std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
    return text.starts_with(begin) && text.find(within) != std::string::npos;
  });
}

TEST(LiveState, SaysValueKeyWindowAndWhenItFrees) {
  LiveBench bench;
  const Runtime runtime = bench.open(bench.program);
  ASSERT_TRUE(runtime.call("refund", json(R"({"customer": "c1", "amount": 10.0})"), bench.tool("{}")).has_value());
  ASSERT_TRUE(runtime.authorize("shell", json("{}")).authorized);
  const auto refund = bench.read(bench.program, kRefund);
  ASSERT_EQ(refund.size(), 3u) << "a history, a budget and a rate";
  EXPECT_TRUE(has(refund, "refunded: 2 for tenant acme, c1 within 86400s, sum 20", "; the oldest leaves after 20"))
      << refund[0];
  EXPECT_TRUE(has(refund, "refunded: ", "; known since 20")) << "a day has not passed since it began";
  EXPECT_TRUE(has(refund, "spend: 20", " used for tenant acme; filled again each day in Europe/Berlin"));
  EXPECT_TRUE(has(refund, "fast: not ok for principal ann, in ", "s"));
  const auto shell = bench.read(bench.program, kShell);
  ASSERT_EQ(shell.size(), 1u);
  EXPECT_EQ(shell[0], "shells: 2 used for tenant acme; 1 call holds some of it");
}

TEST(LiveState, ChangesNothingAndReadsNewStatesAsEmpty) {
  LiveBench bench;
  {
    const Runtime runtime = bench.open(bench.program);
    ASSERT_TRUE(runtime.authorize("shell", json("{}")).authorized);
  }
  const std::string before = bench.file("state.db");
  const auto other = compile_text(edited(kLimits, "within 24h", "within 12h"));
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(has(bench.read(other, kRefund), "refunded: 1 for tenant acme, c1 within 43200s",
                    "; the directory does not remember it yet"));
  }
  EXPECT_EQ(bench.file("state.db"), before);
  EXPECT_EQ(LiveState::make(other, {}, bench.state.path()).error().code, "no_database");
}

TEST(LiveState, WhatCannotBeReadIsAnError) {
  LiveBench bench;
  const Runtime runtime = bench.open(bench.program);
  ASSERT_TRUE(runtime.authorize("shell", json("{}")).authorized);
  auto live = LiveState::make(bench.program, {}, bench.options.database);
  ASSERT_TRUE(live.ok());
  EventReader reader(bench.program);
  ASSERT_TRUE(reader.read(R"({"capability": "shell"})").ok());
  EXPECT_EQ((*live)->read(reader).error().code, "missing_context");
  EXPECT_TRUE((*live)->last_read().empty());
}

}  // namespace
}  // namespace ordain::detail
