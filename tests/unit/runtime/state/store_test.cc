// These tests cover the store within one process: what calls read of each other, bounds of memory,
// leases, reloads, and threads.
#include "runtime/state/store.h"

#include <atomic>
#include <thread>

#include "tests/unit/runtime/state/state_support.h"

namespace ordain::state {
namespace {

/// A store with some states, and its clock.
struct Bank {
  SetClock clock;
  std::unique_ptr<Store> store;

  explicit Bank(const std::vector<StateDecl>& states, Limits limits = {}) {
    StoreOptions options;
    options.limits = limits;
    options.clock = clock.reader();
    store = local_store(std::move(options));
    auto numbers = store->define(states);
    EXPECT_TRUE(numbers.ok()) << numbers.error().message;
  }
};

std::string code_of(const Result<Started>& result) { return result.ok() ? "" : result.error().code; }

Result<Started> try_begin(Store& store, uint32_t state, const std::string& key, Amount amount = 0) {
  return store.begin(CallStart{Id128::random(), true, {{state, key, amount}}, {}, {}}, always_proceed);
}

TEST(StateStore, TheEdgeOfAWindowIsClosed) {
  Bank bank({count_within("sends", 10, 5)});
  (void)begin_one(*bank.store, 0, key_of("ann"));
  bank.clock.pass(10 * kSecondNs);
  EXPECT_EQ(read_one(*bank.store, 0, key_of("ann")).count, 1u);
  bank.clock.pass(1);
  EXPECT_EQ(read_one(*bank.store, 0, key_of("ann")).count, 0u);
}

TEST(StateStore, StepsOfTheWallClockChangeNoAge) {
  Bank bank({count_within("sends", 10, 5)});
  (void)begin_one(*bank.store, 0, key_of("ann"));
  const int64_t year = 365 * int64_t{86'400} * kSecondNs;
  for (int64_t step : {year, -2 * year, year}) {
    bank.clock.set_wall(step);
    bank.clock.pass(kSecondNs);
    EXPECT_EQ(read_one(*bank.store, 0, key_of("ann")).count, 1u) << step;
  }
  bank.clock.pass(8 * kSecondNs);
  EXPECT_EQ(read_one(*bank.store, 0, key_of("ann")).count, 0u);
}

TEST(StateStore, WallTimeMeasuresFromBootToBoot) {
  Bank bank({count_within("sends", 60, 5)});
  (void)begin_one(*bank.store, 0, key_of("ann"));
  bank.clock.reboot(50 * kSecondNs);
  EXPECT_EQ(read_one(*bank.store, 0, key_of("ann")).count, 1u);
  bank.clock.reboot(-100 * kSecondNs);
  EXPECT_EQ(read_one(*bank.store, 0, key_of("ann")).count, 1u) << "a clock that went back adds no age";
  bank.clock.reboot(11 * kSecondNs);
  EXPECT_EQ(read_one(*bank.store, 0, key_of("ann")).count, 0u);
}

TEST(StateStore, LastIsShownByTheWallClockOfNow) {
  Bank bank({count_within("sends", 60, 5)});
  (void)begin_one(*bank.store, 0, key_of("ann"));
  bank.clock.set_wall(1000 * kSecondNs);
  bank.clock.pass(5 * kSecondNs);
  const Question question{0, key_of("ann"), {}};
  auto begun = bank.store->begin(CallStart{Id128::random(), true, {}, {question}, {}},
                                 [&](std::span<const Reading> readings, const Moment& now) {
                                   EXPECT_EQ(wall_time(readings[0].last, now), bank.clock.now->wall_ns - 5 * kSecondNs);
                                   return Verdict::leave;
                                 });
  ASSERT_TRUE(begun.ok());
  EXPECT_EQ(begun->sequence, 0u);
}

TEST(StateStore, OrderIsThatOfTheOps) {
  StateDecl tested = declare("tested", StateKind::history), edited = declare("edited", StateKind::history);
  tested.window_seconds = 60;
  Bank bank({tested, edited});
  const std::string key = key_of("ann");
  const auto after = [&] { return is_after(read_one(*bank.store, 0, key), read_one(*bank.store, 1, key)); };
  EXPECT_FALSE(after()) << "nothing was tested";
  (void)begin_one(*bank.store, 0, key);
  EXPECT_TRUE(after()) << "nothing was edited";
  (void)begin_one(*bank.store, 1, key);
  EXPECT_FALSE(after());
  (void)begin_one(*bank.store, 0, key);
  EXPECT_TRUE(after()) << "time stands still, and the order holds";
  CallStart both{Id128::random(), true, {{0, key}, {1, key}}, {}, {}};
  ASSERT_TRUE(bank.store->begin(both, always_proceed).ok());
  EXPECT_FALSE(after()) << "neither is later than the other";
}

TEST(StateStore, ADeniedCallTakesNothing) {
  Bank bank({budget_of("spend", BudgetPeriod::day), count_within("denials", 60, 5)});
  const std::string key = key_of("ann");
  for (Verdict verdict : {Verdict::deny, Verdict::leave}) {
    CallStart start{Id128::random(), true, {{0, key, 10}}, {}, {{1, key, 0}}};
    ASSERT_TRUE(bank.store->begin(start, [&](auto, const Moment&) { return verdict; }).ok());
  }
  EXPECT_TRUE(read_one(*bank.store, 0, key).used == 0);
  EXPECT_EQ(read_one(*bank.store, 1, key).count, 1u);
}

TEST(StateStore, HoldsAreSettledAsTheOutcomeSays) {
  struct Row {
    Ending ending;
    bool irreversible;
    std::optional<Amount> actual;
    Amount used;
  };
  const Row rows[] = {{Ending::executed, false, {}, 10},        {Ending::executed, false, Amount{4}, 4},
                      {Ending::executed, true, Amount{25}, 25}, {Ending::failed, false, {}, 0},
                      {Ending::failed, true, {}, 10},           {Ending::failed, false, Amount{3}, 3},
                      {Ending::not_executed, true, {}, 0},      {Ending::not_executed, false, Amount{3}, 0}};
  for (const Row& row : rows) {
    Bank bank({budget_of("spend", BudgetPeriod::day)});
    const Id128 call = begin_one(*bank.store, 0, key_of("ann"), 10);
    EXPECT_TRUE(read_one(*bank.store, 0, key_of("ann")).used == 10);
    ASSERT_TRUE(bank.store->finish(call, {settle(0, row.ending, row.irreversible, row.actual)}, {}).ok());
    EXPECT_TRUE(read_one(*bank.store, 0, key_of("ann")).used == row.used) << (&row - rows);
    auto again = bank.store->finish(call, {settle(0, row.ending, row.irreversible, row.actual)}, {});
    ASSERT_FALSE(again.ok());
    EXPECT_EQ(again.error().code, "unknown_call");
  }
}

TEST(StateStore, ABudgetIsFilledAgainAtMidnight) {
  Bank bank({budget_of("spend", BudgetPeriod::day)});
  const Id128 late = begin_one(*bank.store, 0, key_of("ann"), 10, false);
  bank.clock.pass(86'400 * kSecondNs);
  EXPECT_TRUE(read_one(*bank.store, 0, key_of("ann")).used == 0);
  (void)begin_one(*bank.store, 0, key_of("ann"), 3);
  ASSERT_TRUE(bank.store->finish(late, {{0, Settlement::actual, 50}}, {}).ok());
  EXPECT_TRUE(read_one(*bank.store, 0, key_of("ann")).used == 3) << "yesterday's call is paid by yesterday's budget";
  bank.clock.set_wall(-86'400 * kSecondNs);
  EXPECT_TRUE(read_one(*bank.store, 0, key_of("ann")).used == 3) << "a day does not come again";
}

TEST(StateStore, AnUnknownZoneIsAnError) {
  StateDecl spend = budget_of("spend", BudgetPeriod::day);
  spend.zone = "Europe/Berlin";
  Bank bank({spend});
  EXPECT_EQ(code_of(try_begin(*bank.store, 0, key_of("ann"), 1)), "unknown_zone");
}

TEST(StateStore, ALiveKeyIsNeverEvictedAndIdleOnesMakeRoom) {
  Limits limits;
  limits.keys = 3;
  Bank bank({count_within("sends", 10, 5), rate_of("rate", 1, 10, 1), budget_of("spend", BudgetPeriod::day)}, limits);
  for (uint32_t state : {0u, 1u, 2u}) {
    for (const char* name : {"a", "b", "c"}) {
      auto begun = try_begin(*bank.store, state, key_of(name), 1);
      ASSERT_TRUE(begun.ok()) << begun.error().message;
    }
    EXPECT_EQ(code_of(try_begin(*bank.store, state, key_of("d"), 1)), "state_full");
    EXPECT_EQ(code_of(try_begin(*bank.store, state, key_of("a"), 1)), "") << "a key that is held goes on";
  }
}

TEST(StateStore, KeysThatNoLongerMatterMakeRoom) {
  Limits limits;
  limits.keys = 2;
  Bank bank({count_within("sends", 10, 5), rate_of("rate", 1, 10, 1), budget_of("spend", BudgetPeriod::day)}, limits);
  for (uint32_t state : {0u, 1u, 2u}) {
    for (const char* name : {"a", "b"}) {
      const Id128 call = begin_one(*bank.store, state, key_of(name), 1);
      if (state != 1) {
        ASSERT_TRUE(bank.store->finish(call, {}, {}).ok());
      }
    }
    EXPECT_EQ(code_of(try_begin(*bank.store, state, key_of("d"), 1)), "state_full");
  }
  bank.clock.pass(86'400 * kSecondNs);
  for (uint32_t state : {0u, 1u, 2u}) EXPECT_EQ(code_of(try_begin(*bank.store, state, key_of("d"), 1)), "");
}

TEST(StateStore, WhatHasNoWindowIsForgottenAfterRetention) {
  Limits limits;
  limits.retention_ns = 10 * kSecondNs;
  Bank bank({declare("ever", StateKind::history)}, limits);
  const std::string key = key_of("ann");
  const Id128 running = begin_one(*bank.store, 0, key);
  bank.clock.pass(11 * kSecondNs);
  EXPECT_EQ(read_one(*bank.store, 0, key).count, 1u) << "a call of it still runs";
  ASSERT_TRUE(bank.store->finish(running, {}, {}).ok());
  EXPECT_FALSE(read_one(*bank.store, 0, key).seen);
  (void)begin_one(*bank.store, 0, key);
  EXPECT_EQ(read_one(*bank.store, 0, key).count, 1u) << "it begins anew";
}

TEST(StateStore, AnOutcomeWithoutRoomMakesUnheldKeysUnreadable) {
  Limits limits;
  limits.keys = 1;
  StateDecl failed = count_within("failed", 10, 5);
  failed.verb = StateVerb::failed;
  Bank bank({failed}, limits);
  ASSERT_TRUE(bank.store->note({{0, key_of("a"), 0}}).ok());
  ASSERT_TRUE(bank.store->note({{0, key_of("b"), 0}}).ok());
  EXPECT_EQ(read_one(*bank.store, 0, key_of("a")).count, 1u);
  const Question lost{0, key_of("b"), {}};
  auto read = bank.store->read({&lost, 1});
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, "state_full");
  bank.clock.pass(11 * kSecondNs);
  EXPECT_EQ(read_one(*bank.store, 0, key_of("b")).count, 0u) << "the window has passed";
}

TEST(StateStore, ASumRefusesWhatItCannotKeep) {
  Limits limits;
  limits.stamps = 3;
  Bank bank({sum_within("sums", 10), count_within("counts", 10, 100)}, limits);
  for (int i = 0; i < 3; ++i) (void)begin_one(*bank.store, 0, key_of("ann"), 2);
  EXPECT_EQ(code_of(try_begin(*bank.store, 0, key_of("ann"), 2)), "state_full");
  ASSERT_TRUE(bank.store->note({{0, key_of("ann"), 2}}).ok());
  const Question question{0, key_of("ann"), {}};
  auto lost = bank.store->read({&question, 1});
  ASSERT_FALSE(lost.ok()) << "an outcome that found no room makes the sum incomplete";
  EXPECT_EQ(lost.error().code, "state_full");
  EXPECT_EQ(read_one(*bank.store, 0, key_of("bob")).count, 0u) << "of this key alone";
  for (int i = 0; i < 5; ++i) (void)begin_one(*bank.store, 1, key_of("ann"));
  EXPECT_EQ(read_one(*bank.store, 1, key_of("ann")).count, 5u) << "dropped stamps of a count still count";
}

TEST(StateStore, OpenCallsAreBounded) {
  Limits limits;
  limits.calls = 2;
  Bank bank({declare("ever", StateKind::history)}, limits);
  const Id128 first = begin_one(*bank.store, 0, key_of("a"));
  (void)begin_one(*bank.store, 0, key_of("a"));
  EXPECT_EQ(code_of(try_begin(*bank.store, 0, key_of("a"))), "state_full");
  ASSERT_TRUE(bank.store->finish(first, {}, {}).ok());
  EXPECT_EQ(code_of(try_begin(*bank.store, 0, key_of("a"))), "");
}

TEST(StateStore, SessionsAreBounded) {
  Limits limits;
  limits.sessions = 2;
  Bank bank({}, limits);
  ASSERT_TRUE(bank.store->raise("a", 1, {}).ok());
  ASSERT_TRUE(bank.store->raise("b", 1, {}).ok());
  auto refused = bank.store->raise("c", 1, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, "state_full");
  ASSERT_TRUE(bank.store->raise("a", 2, {}).ok());
  EXPECT_EQ(*bank.store->labels("a"), 3);
  ASSERT_TRUE(bank.store->end_session("b").ok());
  EXPECT_TRUE(bank.store->raise("c", 1, {}).ok());
  EXPECT_EQ(*bank.store->labels("b"), 0);
}

TEST(StateStore, AnEndedSessionIsForgottenButForCallsThatRun) {
  StateDecl reads = declare("reads", StateKind::history);
  reads.keys = {KeySource::agent, KeySource::session};
  Bank bank({reads});
  const std::string gone = key_of("bot") + key_of("s1"), other = key_of("bot") + key_of("s2");
  ASSERT_TRUE(bank.store->finish(begin_one(*bank.store, 0, gone), {}, {}).ok());
  const Id128 running = begin_one(*bank.store, 0, other);
  ASSERT_TRUE(bank.store->end_session("s1").ok());
  ASSERT_TRUE(bank.store->end_session("s2").ok());
  EXPECT_FALSE(read_one(*bank.store, 0, gone).seen);
  EXPECT_TRUE(read_one(*bank.store, 0, other).seen);
  EXPECT_TRUE(bank.store->finish(running, {}, {}).ok());
}

TEST(StateStore, ALeaseEndsReversibleCallsOfADeadProcess) {
  Bank bank({budget_of("shells", BudgetPeriod::at_once), declare("ever", StateKind::history)});
  const std::string key = key_of("ann");
  for (bool leased : {true, false}) {
    CallStart start{Id128::random(), leased, {{0, key, 1}, {1, key, 0}}, {}, {}};
    ASSERT_TRUE(bank.store->begin(start, always_proceed).ok());
  }
  const int64_t lease = Limits{}.lease_ns;
  bank.clock.pass(lease);
  ASSERT_TRUE(bank.store->renew().ok());
  bank.clock.pass(lease);
  EXPECT_TRUE(read_one(*bank.store, 0, key).used == 2) << "a process that renews keeps what it holds";
  bank.clock.pass(1);
  const Reading after = read_one(*bank.store, 0, key);
  EXPECT_TRUE(after.used == 1) << "the irreversible call stays open";
  const Reading runs = read_one(*bank.store, 1, key);
  EXPECT_EQ(runs.running, 1u);
  EXPECT_EQ(runs.count, 2u) << "what has begun has begun";
}

TEST(StateStore, AReloadKeepsHistoryWithLargerBounds) {
  Bank bank({count_within("sends", 100, 2)});
  for (int i = 0; i < 10; ++i) (void)begin_one(*bank.store, 0, key_of("ann"));
  EXPECT_EQ(read_one(*bank.store, 0, key_of("ann")).count, 3u);
  const StateDecl larger = count_within("sends", 100, 60);
  auto numbers = bank.store->define({&larger, 1});
  ASSERT_TRUE(numbers.ok());
  EXPECT_EQ(*numbers, std::vector<uint32_t>{0});
  EXPECT_EQ(read_one(*bank.store, 0, key_of("ann")).count, 10u) << "what was dropped still counts";
  StateDecl changed = larger;
  changed.digest[1] = 1;
  auto another = bank.store->define({&changed, 1});
  ASSERT_TRUE(another.ok());
  EXPECT_EQ(*another, std::vector<uint32_t>{1}) << "another definition is another state";
  EXPECT_EQ(read_one(*bank.store, 1, key_of("ann")).known_since, bank.clock.now->wall_ns);
}

TEST(StateStore, AResetForgetsAllButWhatIsOpen) {
  Bank bank({budget_of("spend", BudgetPeriod::day), count_within("sends", 100, 5)});
  const std::string key = key_of("ann");
  ASSERT_TRUE(bank.store->finish(begin_one(*bank.store, 0, key, 5), {}, {}).ok());
  (void)begin_one(*bank.store, 0, key, 7);
  (void)begin_one(*bank.store, 1, key);
  ASSERT_TRUE(bank.store->reset(0, key).ok());
  ASSERT_TRUE(bank.store->reset(1, key).ok());
  EXPECT_TRUE(read_one(*bank.store, 0, key).used == 7);
  EXPECT_EQ(read_one(*bank.store, 1, key).count, 0u);
  EXPECT_EQ(read_one(*bank.store, 1, key).running, 1u);
}

/// Runs `work` in four threads, a thousand times in each.
template <typename Work>
void run_in_threads(Work work) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) work();
    });
  }
  for (std::thread& thread : threads) thread.join();
}

/// Threads that check before they take would overrun the limit; threads that take before they check
/// would be denied below it.
TEST(StateStore, ThreadsReserveExactly) {
  constexpr Amount kLimit = 3000;
  Bank bank({budget_of("spend", BudgetPeriod::day)});
  const std::string key = key_of("ann");
  std::atomic<int> passed{0}, failed{0};
  run_in_threads([&] {
    CallStart start{Id128::random(), true, {{0, key, 1}}, {}, {}};
    start.questions.push_back({0, key, {false, false, 1}});
    auto begun = bank.store->begin(start, [&](std::span<const Reading> readings, const Moment&) {
      return readings[0].used <= kLimit ? Verdict::proceed : Verdict::deny;
    });
    if (!begun.ok()) {
      ++failed;
    } else if (begun->verdict == Verdict::proceed) {
      ++passed;
      if (!bank.store->finish(start.call, {}, {}).ok()) ++failed;
    }
  });
  EXPECT_EQ(failed.load(), 0);
  EXPECT_EQ(passed.load(), 3000);
  EXPECT_TRUE(read_one(*bank.store, 0, key).used == kLimit);
}

TEST(StateStore, NoMoreThreadsRunAtOnceThanABudgetAllows) {
  Bank bank({budget_of("shells", BudgetPeriod::at_once)});
  const std::string key = key_of("ann");
  std::atomic<int> passed{0}, failed{0}, inside{0}, most{0};
  run_in_threads([&] {
    CallStart start{Id128::random(), true, {{0, key, 1}}, {}, {}};
    start.questions.push_back({0, key, {false, false, 1}});
    auto begun = bank.store->begin(start, [](std::span<const Reading> readings, const Moment&) {
      return readings[0].used <= 2 ? Verdict::proceed : Verdict::deny;
    });
    if (!begun.ok()) ++failed;
    if (!begun.ok() || begun->verdict != Verdict::proceed) return;
    const int now = ++inside;
    for (int before = most; before < now && !most.compare_exchange_weak(before, now);) {
    }
    ++passed;
    --inside;
    if (!bank.store->finish(start.call, {}, {}).ok()) ++failed;
  });
  EXPECT_EQ(failed.load(), 0);
  EXPECT_GT(passed.load(), 0);
  EXPECT_LE(most.load(), 2);
  EXPECT_TRUE(read_one(*bank.store, 0, key).used == 0);
}

}  // namespace
}  // namespace ordain::state
