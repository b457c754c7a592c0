// These tests cover asynchronous calls: by callback and by future, waiting for approval without a
// thread, cancelled, and timed out.
#include "ordain/async.h"

#include <atomic>
#include <optional>
#include <stdexcept>
#include <thread>

#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

using namespace std::chrono_literals;
using testing::Bench;
using testing::json;

Action pay(double amount) {
  return {.capability = "pay", .input = json(R"({"to": "bob", "amount": )" + std::to_string(amount) + "}")};
}

struct AsyncBench : Bench {
  AsyncTool tool() {
    return [runs = runs](const Value&, std::stop_token) -> Result<Document> {
      ++*runs;
      return json(R"({"message": "paid"})");
    };
  }
  AsyncCalls calls(const Runtime& runtime, AsyncOptions given = {.threads = 2, .poll = 5ms}) {
    auto opened = AsyncCalls::open(runtime, given);
    if (!opened.ok()) std::abort();
    return *opened;
  }
};

bool eventually(const std::function<bool()>& holds) {
  for (int i = 0; i < 2000; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

TEST(Async, ByFutureAndByCallback) {
  AsyncBench bench;
  auto runtime = bench.open();
  auto calls = bench.calls(runtime);
  auto future = calls.start(pay(20), bench.tool());
  std::promise<std::string> said;
  calls.start(pay(-1), bench.tool(), [&](Outcome<Document> outcome) { said.set_value(outcome.describe()); });
  auto outcome = future.get();
  ASSERT_TRUE(outcome.has_value()) << outcome.describe();
  EXPECT_EQ(outcome->json(), R"({"message":"paid"})");
  EXPECT_NE(said.get_future().get().find("payments.negative"), std::string::npos);
  EXPECT_EQ(bench.records(runtime).size(), 3u);
}

TEST(Async, AHundredPendingApprovalsHoldNoThread) {
  AsyncBench bench;
  auto runtime = bench.open();
  auto calls = bench.calls(runtime);
  std::vector<std::future<Outcome<Document>>> waiting;
  for (int i = 0; i < 100; ++i) waiting.push_back(calls.start(pay(600 + i), bench.tool()));
  ASSERT_TRUE(eventually([&] { return calls.waiting() == 100; }));
  EXPECT_TRUE(calls.start(pay(20), bench.tool()).get().has_value()) << "two threads, and both are free";
  auto requests = runtime.approvals().list(ApprovalState::pending, *bench.now);
  ASSERT_EQ(requests->size(), 100u);
  for (size_t i = 0; i < requests->size(); ++i) {
    auto& store = runtime.approvals();
    const std::string& id = (*requests)[i].id;
    auto answered =
        i % 2 == 0 ? store.approve(id, "ann", "", "", *bench.now) : store.reject(id, "ann", "", "", *bench.now);
    ASSERT_TRUE(answered.ok());
  }
  calls.wake();
  int executed = 0, rejected = 0;
  for (auto& one : waiting) {
    auto outcome = one.get();
    executed += outcome.has_value() ? 1 : 0;
    rejected += outcome.denied() != nullptr && outcome.denied()->code == "approval_rejected" ? 1 : 0;
  }
  EXPECT_EQ(executed, 50);
  EXPECT_EQ(rejected, 50);
  EXPECT_EQ(calls.waiting(), 0u);
}

TEST(Async, AnotherProcessAnswers) {
  AsyncBench bench;
  std::atomic<int> told{0};
  bench.options.approvals = deferred_handler([&](const Approval&) { ++told; });
  auto runtime = bench.open();
  auto calls = bench.calls(runtime);
  auto future = calls.start(pay(600), bench.tool());
  ASSERT_TRUE(eventually([&] { return calls.waiting() == 1; }));
  auto other = ApprovalStore::open(bench.options.database);
  auto requests = other->list(ApprovalState::pending, *bench.now);
  ASSERT_TRUE(other->approve(requests->at(0).id, "ann", "", "", *bench.now).ok());
  EXPECT_TRUE(future.get().has_value());
  EXPECT_EQ(told, 1) << "looking does not ask again";
}

TEST(Async, AnExpiredRequestIsAskedForAgain) {
  AsyncBench bench;
  auto runtime = bench.open();
  auto calls = bench.calls(runtime);
  auto future = calls.start(pay(600), bench.tool());
  ASSERT_TRUE(eventually([&] { return calls.waiting() == 1; }));
  *bench.now += 1800 * testing::kSecond;
  ASSERT_TRUE(eventually([&] { return runtime.approvals().list(ApprovalState::pending, *bench.now)->size() == 1; }));
  auto request = runtime.approvals().list(ApprovalState::pending, *bench.now)->at(0);
  ASSERT_TRUE(runtime.approvals().approve(request.id, "ann", "", "", *bench.now).ok());
  EXPECT_TRUE(future.get().has_value());
}

TEST(Async, CancelledBeforeItExecutesItNeverDoes) {
  AsyncBench bench;
  auto runtime = bench.open();
  auto calls = bench.calls(runtime);
  std::promise<Outcome<Document>> promise;
  auto call =
      calls.start(pay(600), bench.tool(), [&](Outcome<Document> outcome) { promise.set_value(std::move(outcome)); });
  ASSERT_TRUE(eventually([&] { return calls.waiting() == 1; }));
  EXPECT_FALSE(call.done());
  call.cancel();
  call.cancel();
  auto outcome = promise.get_future().get();
  ASSERT_NE(outcome.denied(), nullptr);
  EXPECT_EQ(outcome.denied()->code, "cancelled");
  EXPECT_TRUE(call.done());
  auto request = runtime.approvals().list(ApprovalState::pending, *bench.now)->at(0);
  ASSERT_TRUE(runtime.approvals().approve(request.id, "ann", "", "", *bench.now).ok());
  calls.wake();
  EXPECT_TRUE(eventually([&] { return calls.waiting() == 0; }));
  EXPECT_EQ(*bench.runs, 0);
}

TEST(Async, ARunningToolIsToldToStop) {
  AsyncBench bench;
  auto runtime = bench.open();
  auto calls = bench.calls(runtime);
  std::promise<Outcome<Document>> promise;
  std::atomic<bool> entered{false};
  auto call = calls.start(
      pay(20),
      [&](const Value&, std::stop_token stop) -> Result<Document> {
        entered = true;
        while (!stop.stop_requested()) std::this_thread::sleep_for(1ms);
        return Error{"stopped", "as told"};
      },
      [&](Outcome<Document> outcome) { promise.set_value(std::move(outcome)); });
  ASSERT_TRUE(eventually([&] { return entered.load(); }));
  call.cancel();
  auto outcome = promise.get_future().get();
  ASSERT_NE(outcome.failed(), nullptr);
  EXPECT_EQ(outcome.failed()->code, "stopped");
}

TEST(Async, TimeoutsAnswerInTimeAndTheRecordTellsTheRest) {
  AsyncBench bench;
  auto runtime = bench.open();
  auto calls = bench.calls(runtime);
  auto waits = calls.start(pay(600), bench.tool(), 50ms).get();
  ASSERT_NE(waits.denied(), nullptr);
  EXPECT_EQ(waits.denied()->code, "timeout");
  auto release = std::make_shared<std::atomic<bool>>(false);
  auto deaf = [release](const Value&, std::stop_token) -> Result<Document> {
    while (!*release) std::this_thread::sleep_for(1ms);
    return json(R"({"message": "late"})");
  };
  auto outcome = calls.start(pay(20), deaf, 50ms).get();
  // If recording the intent takes long, the call has not begun to execute.
  for (auto timeout = 100ms; outcome.denied() != nullptr && timeout < 60s; timeout *= 2) {
    EXPECT_EQ(outcome.denied()->code, "timeout");
    outcome = calls.start(pay(20), deaf, timeout).get();
  }
  ASSERT_NE(outcome.failed(), nullptr);
  EXPECT_EQ(outcome.failed()->code, "timeout");
  EXPECT_TRUE(outcome.failed()->executed);
  *release = true;
  ASSERT_TRUE(eventually([&] {
    auto records = bench.records(runtime);
    return records.back().kind == RecordKind::outcome && records.back().status == OutcomeStatus::released;
  }));
}

TEST(Async, ExceptionsAreRecordedFailuresAndThoseOfACompletionAreDropped) {
  AsyncBench bench;
  auto runtime = bench.open();
  auto calls = bench.calls(runtime);
  auto outcome =
      calls.start(pay(20), [](const Value&, std::stop_token) -> Result<Document> { throw std::runtime_error("no"); })
          .get();
  ASSERT_NE(outcome.failed(), nullptr);
  EXPECT_EQ(outcome.failed()->code, "exception");
  EXPECT_EQ(bench.records(runtime).back().status, OutcomeStatus::failed);
  std::atomic<bool> completed{false};
  calls.start(pay(20), bench.tool(), [&](Outcome<Document>) {
    completed = true;
    throw std::logic_error("ignored");
  });
  EXPECT_TRUE(eventually([&] { return completed.load(); }));
  EXPECT_TRUE(calls.start(pay(20), bench.tool()).get().has_value());
}

TEST(Async, WhatWaitsWhenTheHandleGoesIsCancelledAndTooManyAreRefused) {
  AsyncBench bench;
  auto runtime = bench.open();
  std::vector<std::future<Outcome<Document>>> futures;
  {
    auto calls = bench.calls(runtime, {.threads = 1, .poll = 5ms, .queue = 3});
    for (int i = 0; i < 3; ++i) {
      futures.push_back(calls.start(pay(600 + i), bench.tool()));
      ASSERT_TRUE(eventually([&] { return calls.waiting() == static_cast<size_t>(i) + 1; }));
    }
    EXPECT_EQ(calls.start(pay(700), bench.tool()).get().denied()->code, "queue_full");
  }
  for (auto& future : futures) EXPECT_EQ(future.get().denied()->code, "cancelled");
  EXPECT_FALSE(AsyncCalls::open(runtime, {.threads = 0}).ok());
}

// The last handle of the calls is destroyed on one of their own threads. The runtime must be
// released nevertheless.
struct LastHandle : AsyncBench {
  std::optional<Runtime> runtime;
  std::shared_ptr<AsyncCalls> calls;
  std::weak_ptr<AuditSink> kept;  ///< alive as long as the runtime
  std::promise<void> alone, ended;
  std::shared_future<void> is_alone = alone.get_future().share();

  explicit LastHandle(AsyncOptions given = {.threads = 2, .poll = 5ms}) {
    options.sinks = {std::make_shared<MemorySink>()};
    kept = options.sinks.front();
    runtime = open();
    options.sinks.clear();
    calls = std::make_shared<AsyncCalls>(AsyncBench::calls(*runtime, given));
  }
  /// @returns a function that destroys the last handle on the thread that calls it
  auto drop() {
    return [last = calls, is_alone = is_alone, this]() mutable {
      is_alone.wait();
      last.reset();
      ended.set_value();
    };
  }
  /// Makes the handle in `drop` the last one.
  void leave() {
    calls.reset();
    runtime.reset();
    alone.set_value();
  }
  bool runtime_goes() {
    return eventually([&] { return kept.expired(); });
  }
};

TEST(Async, TheLastHandleMayGoInACompletion) {
  LastHandle bench;
  std::promise<std::string> waiting;
  bench.calls->start(pay(600), bench.tool(), [&](Outcome<Document> outcome) {
    waiting.set_value(outcome.denied() != nullptr ? outcome.denied()->code : outcome.describe());
  });
  ASSERT_TRUE(eventually([&] { return bench.calls->waiting() == 1; }));
  bench.calls->start(pay(20), bench.tool(), [drop = bench.drop()](Outcome<Document>) mutable { drop(); });
  bench.leave();
  bench.ended.get_future().get();
  EXPECT_EQ(waiting.get_future().get(), "cancelled");
  EXPECT_TRUE(bench.runtime_goes());
  EXPECT_EQ(*bench.runs, 1);
}

TEST(Async, TheLastHandleMayGoInTheCompletionOfATimeout) {
  LastHandle bench;
  auto stubborn = [](const Value&, std::stop_token stop) -> Result<Document> {
    while (!stop.stop_requested()) std::this_thread::sleep_for(1ms);
    return Error{"stopped", "told to stop"};
  };
  bench.calls->start(pay(20), stubborn, [drop = bench.drop()](Outcome<Document>) mutable { drop(); }, 5ms);
  bench.leave();
  bench.ended.get_future().get();
  EXPECT_TRUE(bench.runtime_goes());
}

TEST(Async, TheLastHandleMayGoWithTheToolOfItsOwnCall) {
  LastHandle bench({.threads = 1, .poll = 5ms});
  bench.calls->start(
      pay(20),
      [last = bench.calls, is_alone = bench.is_alone](const Value&, std::stop_token) -> Result<Document> {
        is_alone.wait();
        return json(R"({"message": "paid"})");
      },
      [&](Outcome<Document>) { bench.ended.set_value(); });
  bench.leave();
  bench.ended.get_future().get();
  EXPECT_TRUE(bench.runtime_goes());
}

}  // namespace
}  // namespace ordain
