// These tests let each thread start and each allocation of the main paths fail in turn: the process survives, nothing
// hangs, and a call that was not decided and recorded does not run.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "ordain/async.h"
#include "ordain/c.h"
#include "ordain/ordain.h"
#include "ordain/plan.h"
#include "ordain/watch.h"
#include "tests/support/allocations.h"
#include "tests/unit/runtime/support.h"
#include "vm/value/start_thread.h"

namespace ordain {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kPolicy = R"(
capability pay { type "tool"; input { amount: double } }
policy p on before pay { deny big when input.amount > 100.0; allow; }
)";

// Large calls wait for an approval, and calls are remembered.
constexpr const char* kRemembering = R"(
capability pay { type "tool"; input { amount: double } }
history pays = begun pay by agent within 1h;
policy p on before pay {
  deny many when pays.count > 1000000;
  require_approval big when input.amount > 100.0 from "finance";
  allow;
}
)";

std::atomic<int> starts_until_failure{-1};
bool may_start() {
  const int left = starts_until_failure.load();
  return left < 0 || starts_until_failure.fetch_sub(1) != 0;
}

Document amount(double value) { return *Document::parse("{\"amount\": " + std::to_string(value) + "}"); }

// Whether the outcome is one that a lack of resources may have; a small amount may also be paid.
bool fails_closed(const Outcome<Document>& outcome, bool small, bool executed) {
  if (outcome.has_value()) return small && executed;
  if (outcome.pending() != nullptr) return !small && !executed;
  return outcome.denied() != nullptr ? !executed : outcome.withheld() != nullptr || outcome.failed() != nullptr;
}

struct Scarcity : ::testing::Test {
  testing::TemporaryDirectory directory;
  std::string policies = directory / "p.policy";
  void SetUp() override {
    std::ofstream(policies) << kPolicy;
    vm::g_may_start_thread = may_start;
  }
  void TearDown() override {
    vm::g_may_start_thread = nullptr;
    starts_until_failure = -1;
    test::allocations_until_failure = -1;
  }
  RuntimeOptions options() const {
    RuntimeOptions out;
    out.agent = "a";
    out.database = directory / "state";
    out.audit.retry = milliseconds(1);
    return out;
  }
};

void decide_many_at_once(const std::shared_ptr<const Program>& program) {
  const Context context(program);
  Call call(program);
  call.begin(program->resolve("pay"), Stage::before);
  call.bind_json(R"({"amount": 5})");
  const std::vector<CallInContext> calls(1000, CallInContext{&call, &context});
  std::atomic<size_t> allowed = 0;
  decide_many(calls, [&](size_t, const Decision& decision) { allowed += decision.effect == Effect::allow ? 1 : 0; },
              {.threads = 4});
  EXPECT_EQ(allowed, calls.size());
}

void call_in_the_background(const Runtime& runtime) {
  auto calls = AsyncCalls::open(runtime, {.threads = 2});
  if (!calls) {
    EXPECT_EQ(calls.error().code, "no_thread");
    return;
  }
  auto future = calls->start({.capability = "pay", .input = amount(5)},
                             [](const Value&, std::stop_token) { return Result<Document>(Document()); });
  ASSERT_EQ(future.wait_for(seconds(30)), std::future_status::ready);
  EXPECT_TRUE(future.get().has_value());
}

void execute_side_by_side(const Runtime& runtime) {
  auto executor = make_executor([](const Action&, const Value&) { return Result<Document>(Document()); });
  std::vector<Action> actions(5, Action{.capability = "pay", .input = amount(5)});
  PlanOptions parallel;
  parallel.parallel = true;
  for (const ActionResult& result : execute(runtime, *executor, make_plan(runtime, actions), parallel)) {
    EXPECT_TRUE(result.ok()) << result.message;
  }
}

void use_every_thread(const std::string& policies, const RuntimeOptions& options) {
  const Policies loaded = load_policies(policies);
  ASSERT_TRUE(loaded) << loaded.messages;
  decide_many_at_once(*loaded);
  auto runtime = Runtime::open(*loaded, options);
  if (!runtime) {
    EXPECT_EQ(runtime.error().code, "no_thread");
    return;
  }
  bool executed = false;
  auto tool = [&](const Value&) -> Result<Document> { return executed = true, Document(); };
  EXPECT_TRUE(runtime->call("pay", amount(5), tool).has_value());
  EXPECT_TRUE(executed);
  call_in_the_background(*runtime);
  execute_side_by_side(*runtime);
  const Policies again = load_policies(policies);
  ASSERT_TRUE(again) << again.messages;
  EXPECT_TRUE(runtime->reload(*again).ok());
  const PolicyWatcher watcher({policies}, *again, [](const PolicyChange&) {});
}

TEST_F(Scarcity, EveryThreadMayFailToStart) {
  int failed = 0;
  for (int n = 0; n < 200; ++n) {
    SCOPED_TRACE(n);
    starts_until_failure = n;
    use_every_thread(policies, options());
    const bool reached = starts_until_failure.exchange(-1) < 0;
    if (!reached) break;
    ++failed;
    if (HasFatalFailure()) return;
  }
  EXPECT_GE(failed, 8);  // the writer, three for the calls, three of decide_many, the watcher ...
  EXPECT_LT(failed, 200);
}

TEST_F(Scarcity, EveryThreadOfARuntimeThatRemembersMayFailToStart) {
  const auto program = testing::compile_text(kRemembering);
  int n = 0;
  for (bool reached = true; reached && n < 100; ++n) {
    SCOPED_TRACE(n);
    starts_until_failure = n;
    auto runtime = Runtime::open(program, options());
    if (runtime) {
      const Outcome<Document> paid =
          runtime->call("pay", amount(5), [](const Value&) { return Result<Document>(Document()); });
      EXPECT_TRUE(paid.has_value()) << paid.describe();
    } else {
      EXPECT_EQ(runtime.error().code, "no_thread");
    }
    reached = starts_until_failure.exchange(-1) < 0;
  }
  EXPECT_GE(n, 4);  // without the writer, the watch for freezes, and the one that renews leases
  EXPECT_LT(n, 100);
}

void call_short_of_memory(const char* policy, const RuntimeOptions& how) {
  auto runtime = Runtime::open(testing::compile_text(policy), how);
  ASSERT_TRUE(runtime.ok()) << runtime.error().message;
  for (const bool small : {true, false}) {
    const Document input = amount(small ? 5 : 500);
    const Document output;
    for (int n = 0; n < 2000; ++n) {
      SCOPED_TRACE(n);
      bool executed = false;
      auto tool = [&](const Value&) -> Result<Document> { return executed = true, output; };
      test::allocations_until_failure = n;
      const Outcome<Document> outcome = runtime->call("pay", input, tool);
      const bool reached = test::allocations_until_failure.exchange(-1) < 0;
      EXPECT_TRUE(fails_closed(outcome, small, executed)) << outcome.describe();
      // The log recovers by itself.
      const auto until = std::chrono::steady_clock::now() + seconds(30);
      while (!runtime->health().audit_available && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(milliseconds(1));
      }
      (void)runtime->flush();
      if (!reached) break;
    }
    bool executed = false;
    auto tool = [&](const Value&) -> Result<Document> { return executed = true, output; };
    EXPECT_EQ(runtime->call("pay", input, tool).has_value(), small);
    EXPECT_EQ(executed, small);
  }
}

TEST_F(Scarcity, EveryAllocationOfACallMayFail) {
  if (ORDAIN_COUNTS_ALLOCATIONS == 0) GTEST_SKIP() << "sanitizers have their own operator new";
  call_short_of_memory(kPolicy, options());
}

TEST_F(Scarcity, EveryAllocationOfACallThatWaitsAndIsRememberedMayFail) {
  if (ORDAIN_COUNTS_ALLOCATIONS == 0) GTEST_SKIP() << "sanitizers have their own operator new";
  call_short_of_memory(kRemembering, options());
}

TEST_F(Scarcity, AllocationsOfOpeningAndClosingMayFail) {
  if (ORDAIN_COUNTS_ALLOCATIONS == 0) GTEST_SKIP() << "sanitizers have their own operator new";
  const auto program = testing::compile_text(kPolicy);
  const Document input = amount(5), output;
  const RuntimeOptions how = options();
  // Every one of the first hundred, then ever larger steps: opening makes thousands.
  for (int64_t n = 0, reached = 1; reached != 0 && n < 1'000'000; n += 1 + n / 100 * (1 + n / 1000)) {
    SCOPED_TRACE(n);
    RuntimeOptions mine = how;
    bool executed = false;
    test::allocations_until_failure = n;
    try {
      auto runtime = Runtime::open(program, std::move(mine));
      if (runtime) {
        auto tool = [&](const Value&) -> Result<Document> { return executed = true, output; };
        const auto outcome = runtime->call("pay", input, tool);
        const bool closed = fails_closed(outcome, true, executed);
        auto calls = AsyncCalls::open(*runtime, {.threads = 1});
        if (calls) {
          auto future = calls->start({.capability = "pay", .input = input},
                                     [&](const Value&, std::stop_token) { return Result<Document>(output); });
          EXPECT_EQ(future.wait_for(seconds(30)), std::future_status::ready);
        }
        EXPECT_TRUE(closed);
      }
    } catch (const std::bad_alloc&) {  // an error, reported to the caller
    }
    reached = test::allocations_until_failure.exchange(-1) < 0 ? 1 : 0;
  }
}

// What a host without memory is told by the C interface: that there was none, whatever it was about to do.
void expect_no_memory(ordain_status status, bool made) {
  EXPECT_TRUE(status == ORDAIN_OK || status == ORDAIN_NO_MEMORY) << ordain_status_name(status);
  EXPECT_EQ(made, status == ORDAIN_OK);
}

TEST_F(Scarcity, IsNoMistakeOfPoliciesProgramsOrCalls) {
  if (ORDAIN_COUNTS_ALLOCATIONS == 0) GTEST_SKIP() << "sanitizers have their own operator new";
  const char* const paths[] = {policies.c_str()};
  ordain_options how = ORDAIN_OPTIONS_INIT;
  how.native = 0;
  ordain_engine* whole = nullptr;
  ASSERT_EQ(ordain_open(paths, 1, &how, &whole, nullptr), ORDAIN_OK);
  ordain_bytes program = ORDAIN_BYTES_INIT;
  ASSERT_EQ(ordain_serialise(whole, &program, nullptr), ORDAIN_OK);
  const ordain_facts facts = {sizeof facts, ORDAIN_ABI_VERSION, "{\"agent\": \"a\"}", ORDAIN_NUL_TERMINATED};
  const std::string input = "{\"amount\": 5" + std::string(100'000, ' ') + "}";
  ordain_call call = ORDAIN_CALL_INIT;
  call.capability = "pay";
  call.input = input.c_str();
  for (int64_t n = 0, reached = 1; reached != 0 && n < 1'000'000; n += 1 + n / 100 * (1 + n / 1000)) {
    SCOPED_TRACE(n);
    reached = 0;
    const auto failing = [&](auto&& body) {
      test::allocations_until_failure = n;
      const ordain_status status = body();
      reached |= test::allocations_until_failure.exchange(-1) < 0 ? 1 : 0;
      return status;
    };
    ordain_engine* opened = nullptr;
    const ordain_status made = failing([&] { return ordain_open(paths, 1, &how, &opened, nullptr); });
    expect_no_memory(made, opened != nullptr);
    ordain_engine* loaded = nullptr;
    const ordain_status taken =
        failing([&] { return ordain_open_program(program.data, program.length, &how, &loaded, nullptr); });
    expect_no_memory(taken, loaded != nullptr);
    // The engine that was just loaded decides for the first time.
    ordain_engine* const engine = loaded != nullptr ? loaded : whole;
    ordain_decision decision = ORDAIN_DECISION_INIT;
    const ordain_status decided = failing([&] { return ordain_decide(engine, &facts, &call, &decision, nullptr); });
    expect_no_memory(decided, decision.effect == ORDAIN_ALLOW);
    EXPECT_STREQ(decision.code, decided == ORDAIN_OK ? "rule" : "no_memory");
    ordain_decision_free(&decision);
    ordain_close(loaded);
    ordain_close(opened);
  }
  ordain_bytes_free(&program);
  ordain_close(whole);
}

}  // namespace
}  // namespace ordain
