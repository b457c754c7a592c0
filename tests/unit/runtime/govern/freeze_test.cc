// These tests cover the stop switch: which calls a freeze stops, who obeys it and when, and what the record says.
#include "ordain/freeze.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <optional>
#include <thread>

#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

using namespace ordain::testing;  // NOLINT(google-build-using-namespace): the tests' own support

Freeze incident(const std::string& capability = "*", const std::string& agent = "") {
  Freeze out;
  out.capability = capability;
  out.agent = agent;
  out.because = "an incident";
  out.by = "ann";
  return out;
}

Thaw over(const std::string& capability = "*", const std::string& agent = "") {
  return {capability, agent, "over", "bob"};
}

std::string code_of(const Outcome<Document>& outcome) {
  if (outcome.has_value()) return "";
  return outcome.denied() != nullptr ? outcome.denied()->code : "another ending";
}

/// Calls until the runtime says what is expected, which must not take long.
::testing::AssertionResult comes_to(const Bench& bench, const Runtime& runtime, const std::string& code) {
  const auto start = std::chrono::steady_clock::now();
  std::string last;
  while (std::chrono::steady_clock::now() - start < std::chrono::seconds(20)) {
    last = code_of(bench.pay(runtime, 5));
    if (last == code) return ::testing::AssertionSuccess();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return ::testing::AssertionFailure() << "still \"" << last << "\" instead of \"" << code << "\"";
}

TEST(Freeze, StopsCallsAtOnceUntilItIsLifted) {
  for (const bool in_memory : {false, true}) {
    SCOPED_TRACE(in_memory);
    Bench bench;
    if (in_memory) bench.options.database.clear();
    const Runtime runtime = bench.open();
    EXPECT_TRUE(bench.pay(runtime, 5).has_value());
    ASSERT_TRUE(runtime.freeze(incident()).ok());
    const auto stopped = bench.pay(runtime, 5);
    ASSERT_NE(stopped.denied(), nullptr);
    EXPECT_EQ(stopped.denied()->code, "frozen");
    EXPECT_EQ(stopped.denied()->reason, "an incident");
    EXPECT_EQ(*bench.runs, 1);
    const auto frozen = runtime.frozen();
    ASSERT_EQ(frozen.size(), 1U);
    EXPECT_EQ(frozen[0].by, "ann");
    EXPECT_EQ(frozen[0].since_ns, kNoon);
    ASSERT_TRUE(runtime.thaw(over()).ok());
    EXPECT_TRUE(bench.pay(runtime, 5).has_value());
    EXPECT_TRUE(runtime.frozen().empty());
  }
}

TEST(Freeze, OtherRuntimesOfTheDirectoryObeySoon) {
  Bench bench;
  const Runtime runtime = bench.open();
  EXPECT_TRUE(bench.pay(runtime, 5).has_value());
  ASSERT_TRUE(freeze_calls(bench.options.database, incident()).ok());
  EXPECT_TRUE(comes_to(bench, runtime, "frozen"));
  const Runtime late = bench.open();
  EXPECT_EQ(code_of(bench.pay(late, 5)), "frozen") << "one that opens later does at once";
  ASSERT_TRUE(thaw_calls(bench.options.database, over()).ok());
  EXPECT_TRUE(comes_to(bench, runtime, ""));
  EXPECT_TRUE(comes_to(bench, late, ""));
}

TEST(Freeze, StopsWhatItSays) {
  struct Case {
    const char *capability, *agent;
    bool pays, looks;
  };
  for (const Case& one : std::vector<Case>{{"*", "", false, false},
                                           {"pay", "", false, true},
                                           {"p*", "", false, true},
                                           {"*", "teller", false, false},
                                           {"look", "teller", true, false},
                                           {"*", "another", true, true},
                                           {"pays", "", true, true},
                                           {"pay.*", "", true, true}}) {
    SCOPED_TRACE(std::string(one.capability) + " " + one.agent);
    Bench bench;
    const Runtime runtime = bench.open();
    ASSERT_TRUE(runtime.freeze(incident(one.capability, one.agent)).ok());
    EXPECT_EQ(bench.pay(runtime, 5).has_value(), one.pays);
    const auto looked = runtime.call("look", json(R"({"n": 1})"), bench.tool(R"({"text": "t"})"));
    EXPECT_EQ(looked.has_value(), one.looks);
  }
}

TEST(Freeze, EachIsLiftedByItself) {
  Bench bench;
  const Runtime runtime = bench.open();
  ASSERT_TRUE(runtime.freeze(incident("pay")).ok());
  ASSERT_TRUE(runtime.freeze(incident("*", "teller")).ok());
  Freeze again = incident("pay");
  again.because = "another reason";
  ASSERT_TRUE(runtime.freeze(again).ok()) << "replaces the one that has the same capability and agent";
  EXPECT_EQ(runtime.frozen().size(), 2U);
  EXPECT_EQ(runtime.thaw(over()).error().code, "not_frozen");
  ASSERT_TRUE(runtime.thaw(over("*", "teller")).ok());
  EXPECT_EQ(bench.pay(runtime, 5).denied()->reason, "another reason");
  ASSERT_TRUE(runtime.thaw(over("pay")).ok());
  EXPECT_TRUE(bench.pay(runtime, 5).has_value());
}

TEST(Freeze, HoldsUnderObserveAndForEvaluateAndAuthorize) {
  Bench bench;
  bench.options.mode = Mode::observe;
  const Runtime runtime = bench.open();
  ASSERT_TRUE(runtime.freeze(incident()).ok());
  EXPECT_EQ(code_of(bench.pay(runtime, 5)), "frozen");
  EXPECT_EQ(*bench.runs, 0);
  const auto input = json(R"({"to": "bob", "amount": 5.0})");
  const DetachedDecision decision = runtime.evaluate("pay", input);
  EXPECT_EQ(decision.effect, Effect::deny);
  EXPECT_EQ(decision.reason, "an incident");
  const Authorization authorization = runtime.authorize("pay", input);
  EXPECT_FALSE(authorization.authorized);
  ASSERT_NE(authorization.outcome.denied(), nullptr);
  EXPECT_EQ(authorization.outcome.denied()->code, "frozen");
}

TEST(Freeze, StopsACallThatWasBeingApproved) {
  Bench bench;
  std::optional<Runtime> runtime;
  bench.options.approvals = [&](const Approval&) {
    EXPECT_TRUE(runtime->freeze(incident()).ok());
    return ApprovalAnswer{Verdict::approve, "ann", ""};
  };
  runtime = bench.open();
  EXPECT_EQ(code_of(bench.pay(*runtime, 600)), "frozen");
  EXPECT_EQ(*bench.runs, 0);
  ASSERT_TRUE(runtime->thaw(over()).ok());
  EXPECT_TRUE(bench.pay(*runtime, 600).has_value()) << "the approval was not used, so it serves now";
}

TEST(Freeze, AStoppedCallTakesNothing) {
  Bench bench;
  bench.options.tenant = "acme";
  const Runtime runtime = bench.open(compile_text(R"(
capability grab { }
history grabs = begun grab by tenant within 1h;
policy p on before grab { deny many when grabs.count > 1; allow rest; }
)"));
  ASSERT_TRUE(runtime.freeze(incident()).ok());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(code_of(runtime.call("grab", json("{}"), bench.tool("{}"))), "frozen");
  ASSERT_TRUE(runtime.thaw(over()).ok());
  EXPECT_TRUE(runtime.call("grab", json("{}"), bench.tool("{}")).has_value());
  EXPECT_EQ(code_of(runtime.call("grab", json("{}"), bench.tool("{}"))), "rule");
}

TEST(Freeze, IsRecordedAndSoIsWhatItStops) {
  Bench bench;
  const Runtime runtime = bench.open();
  ASSERT_TRUE(runtime.freeze(incident("pay", "teller")).ok());
  const auto input = json(R"({"to": "bob", "amount": 5.0, "card": "4111"})");
  EXPECT_EQ(code_of(runtime.call("pay", input, bench.tool())), "frozen");
  ASSERT_TRUE(runtime.thaw(over("pay", "teller")).ok());
  const auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].kind, RecordKind::act);
  EXPECT_EQ(records[0].type, "freeze");
  EXPECT_EQ(records[0].principal, "ann");
  EXPECT_EQ(records[0].capability, "pay");
  EXPECT_EQ(records[0].agent, "teller");
  EXPECT_EQ(records[0].reason, "an incident");
  EXPECT_EQ(records[0].time_ns, kNoon);
  EXPECT_FALSE(records[0].decided);
  EXPECT_EQ(records[1].kind, RecordKind::denied);
  EXPECT_EQ(records[1].cause, "frozen");
  EXPECT_EQ(records[1].reason, "an incident");
  EXPECT_NE(records[1].input.json().find(R"("card":"***")"), std::string::npos) << "what rules redact stays hidden";
  EXPECT_EQ(records[2].type, "thaw");
  EXPECT_EQ(records[2].principal, "bob");
  EXPECT_EQ(records[2].reason, "over");
  EXPECT_TRUE(bench.verify().ok);
}

/// A sink that takes no record.
class RefusingSink final : public AuditSink {
 public:
  Result<void> write(const AuditRecord&) override { return Error{"refused", "it is full"}; }
};

TEST(Freeze, StandsWhereItsEndCannotBeRecorded) {
  Bench bench;
  bench.options.database.clear();
  bench.options.sinks = {std::make_shared<RefusingSink>()};
  const Runtime runtime = bench.open();
  EXPECT_EQ(runtime.freeze(incident()).error().code, "audit_unavailable");
  EXPECT_EQ(runtime.frozen().size(), 1U) << "the calls are stopped nevertheless";
  EXPECT_EQ(runtime.thaw(over()).error().code, "audit_unavailable");
  EXPECT_EQ(runtime.frozen().size(), 1U);
}

TEST(Freeze, AFileThatIsDeletedLiftsNothingAndOneThatCannotBeReadStopsAll) {
  Bench bench;
  const std::string file = bench.options.database + "/frozen.json";
  const Runtime runtime = bench.open();
  ASSERT_TRUE(freeze_calls(bench.options.database, incident()).ok());
  EXPECT_TRUE(comes_to(bench, runtime, "frozen"));
  ASSERT_TRUE(std::filesystem::remove(file));
  std::this_thread::sleep_for(std::chrono::milliseconds(1000));
  EXPECT_EQ(code_of(bench.pay(runtime, 5)), "frozen");
  for (const char* text : {"", "{", "[]", R"({"version": 2, "freezes": []})", R"({"version": 1, "freezes": [{}]})",
                           R"({"version": 1, "freezes": [{"capability": "x", "agent": "", "because": "", "by": "b",
                           "since_ns": 1}]})"}) {
    std::ofstream(file, std::ios::trunc) << text;
    const Runtime late = bench.open();
    EXPECT_EQ(code_of(bench.pay(late, 5)), "frozen") << text;
    EXPECT_EQ(list_freezes(bench.options.database).error().code, "database_damaged") << text;
    EXPECT_EQ(freeze_calls(bench.options.database, incident()).error().code, "database_damaged") << text;
  }
  std::ofstream(file, std::ios::trunc) << R"({"version": 1, "freezes": []})";
  EXPECT_TRUE(comes_to(bench, runtime, ""));
}

TEST(Freeze, RefusesWhatItCannotKeep) {
  Bench bench;
  EXPECT_EQ(freeze_calls(bench.options.database, incident()).error().code, "no_database");
  EXPECT_EQ(thaw_calls(bench.options.database, over()).error().code, "no_database");
  EXPECT_EQ(list_freezes(bench.options.database).error().code, "no_database");
  const Runtime runtime = bench.open();
  std::vector<Freeze> wrong(5, incident());
  wrong[0].because.clear();
  wrong[1].by.clear();
  wrong[2].capability.clear();
  wrong[3].agent = "\xff";
  wrong[4].because = std::string(5000, 'x');
  for (const Freeze& freeze : wrong) {
    EXPECT_EQ(runtime.freeze(freeze).error().code, "invalid_freeze");
    EXPECT_EQ(freeze_calls(bench.options.database, freeze).error().code, "invalid_freeze");
  }
  EXPECT_EQ(runtime.thaw({"", "", "", "bob"}).error().code, "invalid_freeze");
  EXPECT_EQ(thaw_calls(bench.options.database, over()).error().code, "not_frozen");
  EXPECT_TRUE(list_freezes(bench.options.database)->empty());
  EXPECT_FALSE(std::filesystem::exists(bench.options.database + "/frozen.json"));
}

TEST(Freeze, ManyProcessesChangeOneFile) {
  Bench bench;
  const Runtime runtime = bench.open();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 5; ++n) {
        const std::string name = "c" + std::to_string(i) + "." + std::to_string(n);
        EXPECT_TRUE(freeze_calls(bench.options.database, incident(name)).ok());
        if (n % 2 != 0) continue;
        EXPECT_TRUE(thaw_calls(bench.options.database, over(name)).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(list_freezes(bench.options.database)->size(), 8U);
  EXPECT_TRUE(bench.verify().ok);
}

}  // namespace
}  // namespace ordain
