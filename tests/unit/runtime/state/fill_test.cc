// These tests cover states that a store gets with their past: what calls counted before the store kept them.
#include "runtime/state/store.h"

#include <gtest/gtest.h>

#include "tests/unit/runtime/state/state_support.h"

namespace ordain::state {
namespace {

struct FillStore {
  SetClock clock;
  std::unique_ptr<Store> store;

  explicit FillStore(Limits limits = {}) {
    StoreOptions options;
    options.clock = clock.reader();
    options.limits = limits;
    store = local_store(std::move(options));
  }
  int64_t ago(int64_t seconds) const { return clock.now->wall_ns - seconds * kSecondNs; }
  /// Three calls of ann, given in another order than they came in.
  StatePast past_of(const StateDecl& declared, int64_t since_ns = 0) const {
    return {
        &declared, since_ns, {{key_of("ann"), ago(10), 4}, {key_of("ann"), ago(100), 1}, {key_of("ann"), ago(50), 2}}};
  }
};

TEST(StateFill, EachKindCountsItsPast) {
  FillStore bench;
  const StateDecl declared[] = {count_within("counts", 60, 5),
                                sum_within("sums", 60),
                                rate_of("rate", 1, 60, 1),
                                budget_of("daily", BudgetPeriod::day),
                                budget_of("once", BudgetPeriod::at_once),
                                declare("ever", StateKind::history)};
  std::vector<StatePast> pasts;
  for (const StateDecl& one : declared) pasts.push_back(bench.past_of(one));
  auto added = bench.store->fill(pasts);
  ASSERT_TRUE(added.ok()) << added.error().message;
  EXPECT_EQ(*added, std::vector<bool>(6, true));
  const std::string ann = key_of("ann");
  EXPECT_EQ(read_one(*bench.store, 0, ann).count, 2u) << "one is older than the window";
  EXPECT_TRUE(read_one(*bench.store, 1, ann).sum == 6);
  EXPECT_FALSE(read_one(*bench.store, 2, ann).ok);
  EXPECT_TRUE(read_one(*bench.store, 3, ann).used == 7);
  EXPECT_TRUE(read_one(*bench.store, 4, ann).used == 0) << "no call of the past holds anything";
  EXPECT_EQ(read_one(*bench.store, 5, ann).count, 3u);
  EXPECT_EQ(read_one(*bench.store, 0, key_of("bob")).count, 0u);
  bench.clock.pass(15 * kSecondNs);
  EXPECT_EQ(read_one(*bench.store, 0, ann).count, 1u);
  EXPECT_TRUE(read_one(*bench.store, 1, ann).sum == 4);
  (void)begin_one(*bench.store, 0, ann);
  EXPECT_EQ(read_one(*bench.store, 0, ann).count, 2u);
}

TEST(StateFill, LeavesWhatTheStoreHas) {
  FillStore bench;
  const StateDecl declared = count_within("counts", 60, 5);
  ASSERT_TRUE(bench.store->define({&declared, 1}).ok());
  (void)begin_one(*bench.store, 0, key_of("ann"));
  const StatePast past = bench.past_of(declared);
  EXPECT_EQ(*bench.store->fill({&past, 1}), std::vector<bool>{false});
  EXPECT_EQ(read_one(*bench.store, 0, key_of("ann")).count, 1u);
}

TEST(StateFill, SaysSinceWhenItKnows) {
  FillStore bench;
  const StateDecl whole = count_within("whole", 60, 5), part = count_within("part", 60, 5);
  const StatePast pasts[] = {bench.past_of(whole), bench.past_of(part, bench.ago(20))};
  ASSERT_TRUE(bench.store->fill(pasts).ok());
  EXPECT_EQ(read_one(*bench.store, 0, key_of("ann")).known_since, bench.ago(60));
  EXPECT_EQ(read_one(*bench.store, 1, key_of("ann")).known_since, bench.ago(20));
}

TEST(StateFill, KeysThatFindNoRoomAreAnError) {
  Limits limits;
  limits.keys = 1;
  FillStore bench(limits);
  const StateDecl declared = count_within("counts", 60, 5);
  StatePast past = bench.past_of(declared);
  past.calls.push_back({key_of("bob"), bench.ago(5), 0});
  EXPECT_EQ(bench.store->fill({&past, 1}).error().code, "state_full");
}

TEST(StateFill, AnOpThatCannotBeIsRefused) {
  Ledger ledger;
  Op boot;
  boot.kind = OpKind::boot;
  boot.sequence = 1;
  boot.at = {1000, 1000};
  ASSERT_TRUE(apply_op(ledger, boot).ok());
  Op define;
  define.kind = OpKind::define;
  define.sequence = 2;
  define.at = boot.at;
  define.definition = define_state(count_within("counts", 60, 5));
  ASSERT_TRUE(apply_op(ledger, define).ok());
  Op fill;
  fill.kind = OpKind::fill;
  fill.sequence = 3;
  fill.at = boot.at;
  fill.since = 900;
  fill.past = {{key_of("ann"), 950, 0}, {key_of("ann"), 960, 0}};
  EXPECT_TRUE(check_op(ledger, fill).ok());
  const auto refuses = [&](auto change) {
    Op changed = fill;
    change(changed);
    return !check_op(ledger, changed).ok();
  };
  EXPECT_TRUE(refuses([](Op& op) { op.state = 1; }));
  EXPECT_TRUE(refuses([](Op& op) { op.since = 1001; }));
  EXPECT_TRUE(refuses([](Op& op) { op.past[1].time = 1001; }));
  EXPECT_TRUE(refuses([](Op& op) { op.past[1].time = 949; }));
  EXPECT_TRUE(refuses([](Op& op) { op.past[0].key = ""; })) << "a part of the key is missing";
  EXPECT_TRUE(refuses([](Op& op) { op.past[0].amount = -1; }));
  ASSERT_TRUE(apply_op(ledger, fill).ok());
  fill.sequence = 4;
  EXPECT_FALSE(check_op(ledger, fill).ok()) << "it has counted already";
}

}  // namespace
}  // namespace ordain::state
