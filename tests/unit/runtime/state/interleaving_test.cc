// These tests take calls that overlap through the store in every order of their steps. Whatever the order, no limit is
// exceeded, a call is denied only if the calls before it leave no room, and in the end the state is what the same
// outcomes give one after the other. A step is one turn of the store, so one thread can take them in any order.
//
// The short form explores up to four calls; scripts/torture explores more shapes, with all outcomes.
#include <algorithm>
#include <array>
#include <set>

#include "tests/support/torture.h"
#include "tests/unit/runtime/state/state_support.h"
#include "tests/unit/runtime/support.h"

namespace ordain::state {
namespace {

using ordain::testing::TemporaryDirectory;

enum : uint32_t { kSends, kPaid, kTested, kGuesses, kFetches, kShells, kSpend, kStateCount };

constexpr int64_t kWindow = 600 * kSecondNs;  // of counts and sums, and between two calls of the rate
constexpr int64_t kPass = 540 * kSecondNs;    // two of them are longer than the window, and than a lease

std::vector<StateDecl> explored_states() {
  std::vector<StateDecl> out(kStateCount);
  out[kSends] = count_within("a sends", 600, 9);
  out[kPaid] = sum_within("b paid", 600);
  for (uint32_t state : {kTested, kGuesses}) {
    out[state] = declare(state == kTested ? "c tested" : "d guesses", StateKind::history);
    out[state].verb = state == kTested ? StateVerb::done : StateVerb::failed;
    out[state].amount = Kind::integer;
    out[state].members = member_bit(StateMember::count) | member_bit(StateMember::sum);
  }
  out[kFetches] = rate_of("e fetches", 2, 1200, 2);
  out[kShells] = budget_of("f shells", BudgetPeriod::at_once);
  out[kSpend] = budget_of("g spend", BudgetPeriod::none);
  return out;
}

/// What the rules of a round allow. Each limit is reached by some of the calls below.
enum class Limit { count, sum, rate, slots, spend, running };
constexpr Limit kLimits[] = {Limit::count, Limit::sum, Limit::rate, Limit::slots, Limit::spend, Limit::running};
constexpr size_t kMostCalls = 2;
constexpr Amount kMostAmount = 10;

/// How a call ends: its output is released and says what was spent, or not; or it fails.
enum class How { actual, kept, failed, not_executed };
constexpr How kHows[] = {How::actual, How::kept, How::failed, How::not_executed};

struct Planned {
  Amount take = 0, actual = 0;
  bool irreversible = false;
};
constexpr Planned kPlanned[] = {{6, 2, false}, {4, 4, true}, {3, 1, false}, {7, 3, false}};

/// Steps that are not those of a call.
constexpr int kTimePasses = 100, kRenews = 101;
using Order = std::vector<int>;  // each call's number stands in it twice: where it begins and where it ends

std::string describe(const Order& order) {
  std::string out;
  for (int step : order) out += step == kTimePasses ? 't' : step == kRenews ? 'r' : static_cast<char>('0' + step);
  return out;
}

/// What the test itself knows of a call.
struct Made {
  bool begun = false, allowed = false, ended = false, expired = false;
  int64_t at = 0;
  bool open() const { return allowed && !ended && !expired; }
};

Settlement settle_spend(uint32_t hold, How how, const Planned& plan) {
  const Ending ending = how == How::failed         ? Ending::failed
                        : how == How::not_executed ? Ending::not_executed
                                                   : Ending::executed;
  return settle(hold, ending, plan.irreversible,
                how == How::actual ? std::optional<Amount>(plan.actual) : std::nullopt);
}

/// What became of the amount that a call took, by the words of docs/history.md.
Amount spent_by(const Made& made, How how, const Planned& plan) {
  if (!made.allowed || made.expired) return 0;
  if (!made.ended || how == How::kept) return plan.take;
  if (how == How::actual) return plan.actual;
  return how == How::failed && plan.irreversible ? plan.take : 0;
}

/// One limit and one way for each call to end, over any number of orders. Every order has a key of its own.
class Exploration {
 public:
  /// @param directory of a store that two processes share; "" for one store in memory
  Exploration(Limit limit, std::vector<How> hows, const std::string& directory = "")
      : limit_(limit), hows_(std::move(hows)) {
    StoreOptions options;
    options.clock = clock_.reader();
    options.full_sync = false;
    if (directory.empty()) stores_.push_back(local_store(options));
    for (int i = 0; i < 2 && !directory.empty(); ++i) {
      auto opened = Store::open(directory, options);
      EXPECT_TRUE(opened.ok()) << opened.error().message;
      stores_.push_back(std::move(*opened));
    }
    StoreOptions replayed;
    replayed.clock = replay_clock_.reader();
    replay_ = local_store(replayed);
    for (Store* store : {stores_.front().get(), stores_.back().get(), replay_.get()}) {
      EXPECT_TRUE(store->define(explored_states()).ok());
    }
  }

  void run(const Order& order) {
    SCOPED_TRACE("limit " + std::to_string(static_cast<int>(limit_)) + ", order " + describe(order));
    key_ = key_of("order " + std::to_string(++runs_));
    made_.assign(hows_.size(), {});
    ids_.assign(hows_.size(), {});
    begun_.clear();
    for (int step : order) {
      if (step == kTimePasses) {
        clock_.pass(kPass);
      } else if (step == kRenews) {
        end_expired();
        ASSERT_TRUE(stores_.front()->renew().ok());
        renewed_.front() = now();
      } else {
        const auto call = static_cast<size_t>(step);
        made_[call].begun ? finish(call) : begin(call);
      }
      if (::testing::Test::HasFailure()) return;
      check_limit();
    }
    std::vector<bool> allowed;
    for (const Made& made : made_) allowed.push_back(made.allowed);
    verdicts_.insert(std::move(allowed));
    compare_with_replay();
  }

  /// What the calls came to, over all orders so far.
  const std::set<std::vector<bool>>& verdicts() const { return verdicts_; }

  /// What they come to when each ends before the next one begins. Only for limits that give nothing back.
  std::set<std::vector<bool>> sequential_verdicts() {
    std::set<std::vector<bool>> out;
    std::vector<size_t> order(hows_.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    do {
      made_.assign(hows_.size(), {});
      begun_.clear();
      std::vector<bool> allowed(order.size());
      for (size_t call : order) {
        allowed[call] = leaves_room_for(call);
        if (allowed[call]) begun_.push_back(call);
        made_[call] = {true, allowed[call], true, false, now()};
      }
      out.insert(std::move(allowed));
    } while (std::next_permutation(order.begin(), order.end()));
    return out;
  }

 private:
  int64_t now() const { return clock_.now->boot_ns; }
  Store& store_of(size_t call) { return *stores_[call % stores_.size()]; }
  bool counts(size_t call) const { return made_[call].allowed && now() - made_[call].at <= kWindow; }

  std::vector<Use> uses_of(size_t call, const std::string& key) const {
    const Amount take = kPlanned[call].take;
    return {{kSends, key, 0},   {kPaid, key, take}, {kTested, key, 0, false}, {kGuesses, key, 0, false},
            {kFetches, key, 0}, {kShells, key, 1},  {kSpend, key, take}};
  }

  /// A rule's view of the limit.
  bool permits(std::span<const Reading> readings) const {
    switch (limit_) {
      case Limit::count:
        return readings[kSends].count <= kMostCalls;
      case Limit::sum:
        return readings[kPaid].sum <= kMostAmount;
      case Limit::rate:
        return readings[kFetches].ok;
      case Limit::slots:
        return readings[kShells].used <= static_cast<Amount>(kMostCalls);
      case Limit::spend:
        return readings[kSpend].used <= kMostAmount;
      case Limit::running:
        return readings[kSends].running <= kMostCalls;
    }
    return false;
  }

  size_t calls_counted() const {
    return static_cast<size_t>(std::count_if(begun_.begin(), begun_.end(), [&](size_t call) { return counts(call); }));
  }
  size_t calls_open() const {
    return static_cast<size_t>(
        std::count_if(begun_.begin(), begun_.end(), [&](size_t call) { return made_[call].open(); }));
  }
  Amount amount_counted() const {
    Amount out = 0;
    for (size_t call : begun_) out += counts(call) ? kPlanned[call].take : 0;
    return out;
  }
  Amount amount_spent() const {
    Amount out = 0;
    for (size_t call : begun_) out += spent_by(made_[call], hows_[call], kPlanned[call]);
    return out;
  }
  /// Whether another call keeps to the rate: every call takes a window, and one may be owed.
  bool rate_allows() const {
    int64_t paid = now();
    for (size_t call : begun_)
      paid = (call == begun_.front() ? made_[call].at : std::max(paid, made_[call].at)) + kWindow;
    return begun_.empty() || paid - now() <= kWindow;
  }

  /// Whether the calls that were allowed before leave room, by the test's own count.
  bool leaves_room_for(size_t call) const {
    switch (limit_) {
      case Limit::count:
        return calls_counted() + 1 <= kMostCalls;
      case Limit::sum:
        return amount_counted() + kPlanned[call].take <= kMostAmount;
      case Limit::rate:
        return rate_allows();
      case Limit::slots:
      case Limit::running:
        return calls_open() + 1 <= kMostCalls;
      case Limit::spend:
        return amount_spent() + kPlanned[call].take <= kMostAmount;
    }
    return false;
  }

  void check_limit() const {
    if (limit_ == Limit::count) {
      EXPECT_LE(calls_counted(), kMostCalls);
    }
    if (limit_ == Limit::slots || limit_ == Limit::running) {
      EXPECT_LE(calls_open(), kMostCalls);
    }
    if (limit_ == Limit::sum) {
      EXPECT_TRUE(amount_counted() <= kMostAmount);
    }
    if (limit_ == Limit::spend) {
      EXPECT_TRUE(amount_spent() <= kMostAmount);
    }
  }

  /// Every turn first ends the reversible calls of a process that has not renewed its lease.
  void end_expired() {
    for (size_t call : begun_) {
      Made& made = made_[call];
      const bool late = now() - renewed_[call % stores_.size()] > Limits{}.lease_ns;
      if (made.open() && late && !kPlanned[call].irreversible) made.expired = true;
    }
  }

  void begin(size_t call) {
    end_expired();
    made_[call].begun = true;
    CallStart start{Id128::random(), !kPlanned[call].irreversible, uses_of(call, key_), {}, {}};
    for (const Use& use : start.uses) {
      const bool history = use.state < kFetches;
      start.questions.push_back({use.state, key_, {history && use.counts, history, use.amount}});
    }
    auto started = store_of(call).begin(start, [&](std::span<const Reading> readings, const Moment&) {
      return permits(readings) ? Verdict::proceed : Verdict::deny;
    });
    ASSERT_TRUE(started.ok()) << started.error().message;
    const bool allowed = started->verdict == Verdict::proceed;
    ASSERT_EQ(allowed, leaves_room_for(call)) << "call " << call;
    if (!allowed) return;
    ids_[call] = start.call;
    made_[call].allowed = true;
    made_[call].at = now();
    renewed_[call % stores_.size()] = now();
    begun_.push_back(call);
  }

  std::vector<Stamp> stamps_of(size_t call, const std::string& key) const {
    if (hows_[call] == How::failed) return {{kGuesses, key, 1}};
    if (hows_[call] == How::not_executed) return {};
    return {{kTested, key, kPlanned[call].actual}};
  }

  std::vector<Settlement> settlements_of(size_t call) const {
    const How how = made_[call].expired ? How::not_executed : hows_[call];
    return {settle_spend(0, how, kPlanned[call]), settle_spend(1, how, kPlanned[call])};
  }

  /// As MeteredCall does: the outcome of a call whose lease ended while it ran is counted all the same.
  void finish(size_t call) {
    end_expired();
    if (!made_[call].allowed) return;
    Store& store = store_of(call);
    const std::vector<Stamp> stamps = stamps_of(call, key_);
    auto finished = store.finish(ids_[call], settlements_of(call), stamps);
    ASSERT_EQ(finished.ok(), !made_[call].expired) << "call " << call;
    made_[call].ended = true;
    if (finished.ok()) return;
    ASSERT_EQ(finished.error().code, "unknown_call");
    if (!stamps.empty()) {
      ASSERT_TRUE(store.note(stamps).ok());
    }
  }

  std::vector<Reading> read_all(Store& store) const {
    std::vector<Question> questions;
    for (uint32_t state = 0; state < kStateCount; ++state) questions.push_back({state, key_, {}});
    auto read = store.read(questions);
    EXPECT_TRUE(read.ok()) << read.error().message;
    return read.ok() ? *read : std::vector<Reading>(kStateCount);
  }

  /// Lets the same calls begin at the same times and end the same way, each before the next one begins.
  void compare_with_replay() {
    for (size_t call : begun_) {
      replay_clock_.pass(made_[call].at - replay_clock_.now->boot_ns);
      const CallStart start{Id128::random(), true, uses_of(call, key_), {}, {}};
      ASSERT_TRUE(replay_->begin(start, always_proceed).ok());
      ASSERT_TRUE(replay_->finish(start.call, settlements_of(call), stamps_of(call, key_)).ok());
    }
    replay_clock_.pass(now() - replay_clock_.now->boot_ns);
    const std::vector<Reading> all = read_all(*stores_.back()), replayed = read_all(*replay_);
    for (uint32_t state = 0; state < kStateCount; ++state) {
      SCOPED_TRACE("state " + std::to_string(state));
      const Reading &is = all[state], &should = replayed[state];
      EXPECT_EQ(is.seen, should.seen);
      EXPECT_EQ(is.count, should.count);
      EXPECT_EQ(is.running, 0u);
      EXPECT_TRUE(is.sum == should.sum);
      EXPECT_TRUE(is.used == should.used);
      EXPECT_EQ(is.wait_ns, should.wait_ns);
    }
  }

  const Limit limit_;
  const std::vector<How> hows_;  // by call
  SetClock clock_, replay_clock_;
  std::vector<std::unique_ptr<Store>> stores_;  // each is a process
  std::unique_ptr<Store> replay_;
  std::array<int64_t, 2> renewed_{};  // by store
  std::string key_;
  std::vector<Made> made_;     // by call
  std::vector<Id128> ids_;     // by call
  std::vector<size_t> begun_;  // calls that were allowed, in the order of their turns
  std::set<std::vector<bool>> verdicts_;
  uint64_t runs_ = 0;
};

/// Runs every order of the steps. @returns how many there are
size_t explore(Exploration& exploration, int calls, int times, int renewals) {
  Order order;
  for (int call = 0; call < calls; ++call) order.insert(order.end(), 2, call);
  order.insert(order.end(), static_cast<size_t>(times), kTimePasses);
  order.insert(order.end(), static_cast<size_t>(renewals), kRenews);
  size_t runs = 0;
  do {
    exploration.run(order);
    ++runs;
  } while (!::testing::Test::HasFailure() && std::next_permutation(order.begin(), order.end()));
  return runs;
}

/// Ways to end, one for each call, which differ with `turn`.
std::vector<How> hows_of(size_t calls, size_t turn) {
  std::vector<How> out;
  for (size_t call = 0; call < calls; ++call, turn /= std::size(kHows)) out.push_back(kHows[turn % std::size(kHows)]);
  return out;
}

TEST(StateInterleavings, FourCallsInEveryOrderKeepToEachLimit) {
  std::vector<How> hows(std::begin(kHows), std::end(kHows));  // each call ends another way
  for (Limit limit : kLimits) {
    std::rotate(hows.begin(), hows.begin() + 1, hows.end());
    Exploration exploration(limit, hows);
    EXPECT_EQ(explore(exploration, 4, 0, 0), 2520u) << "8! / 2!^4";
    EXPECT_GT(exploration.verdicts().size(), 1u) << "the limit matters";
    if (::testing::Test::HasFailure()) return;
  }
}

/// What is never given back depends on the order of the decisions alone, so overlapping calls come to what calls one
/// after the other come to, and to nothing else.
TEST(StateInterleavings, OverlappingCallsAreDeniedAsSequentialOnesAre) {
  for (Limit limit : {Limit::count, Limit::sum, Limit::rate, Limit::spend}) {
    // What is spent is what was held.
    Exploration exploration(limit, std::vector<How>(4, How::kept));
    explore(exploration, 4, 0, 0);
    const auto found = exploration.verdicts();
    EXPECT_EQ(found, exploration.sequential_verdicts()) << "limit " << static_cast<int>(limit);
  }
}

TEST(StateInterleavings, EveryWayToEndGivesBackWhatItShould) {
  for (size_t turn = 0; turn < 64; ++turn) {
    Exploration exploration(Limit::spend, hows_of(3, turn));
    EXPECT_EQ(explore(exploration, 3, 0, 0), 90u) << "6! / 2!^3";
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(StateInterleavings, HoldsThatExpireMakeRoomOnce) {
  size_t turn = 0;
  for (Limit limit : kLimits) {
    Exploration exploration(limit, hows_of(3, turn += 23));
    EXPECT_EQ(explore(exploration, 3, 2, 0), 2520u) << "8! / 2!^4";
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(StateInterleavings, ARenewedLeaseKeepsItsHolds) {
  size_t turn = 0;
  for (Limit limit : kLimits) {
    Exploration exploration(limit, hows_of(2, turn += 3));
    EXPECT_EQ(explore(exploration, 2, 2, 1), 630u) << "7! / 2!^3";
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(StateInterleavings, ProcessesOfOneDirectoryKeepToOneLimit) {
  size_t turn = 0;
  for (Limit limit : kLimits) {
    TemporaryDirectory directory;
    Exploration exploration(limit, hows_of(3, turn += 23), directory.path());
    explore(exploration, 3, 0, 0);
    if (limit == Limit::slots || limit == Limit::spend) explore(exploration, 2, 2, 0);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(StateInterleavings, AnyShapeAndAnyOutcome) {
  test::Torture torture(6);
  while (torture.goes_on()) {
    SCOPED_TRACE(torture.where());
    const Limit limit = kLimits[torture.below(std::size(kLimits))];
    const bool shared = torture.below(8) == 0, deep = test::torture_time().has_value() && !shared;
    const int times = static_cast<int>(torture.below(deep ? 3 : 2));
    const int calls = deep && times < 2 ? 4 : 3;
    const int renewals = deep && times == 2 ? 1 : 0;
    TemporaryDirectory directory;
    Exploration exploration(limit, hows_of(static_cast<size_t>(calls), torture.below(256)),
                            shared ? directory.path() : "");
    for (size_t runs = explore(exploration, calls, times, renewals); runs > 0; --runs) torture.count("orders");
  }
  EXPECT_GT(torture.counted("orders"), 0u);
}

/// The end of a lease is committed before the turn that found it goes on, and another process may come in between.
TEST(StateInterleavings, ACallThatComesInBetweenIsSeen) {
  TemporaryDirectory directory;
  const SetClock clock;
  StoreOptions options;
  options.clock = clock.reader();
  options.full_sync = false;
  auto other = Store::open(directory.path(), options);
  ASSERT_TRUE(other.ok()) << other.error().message;
  const std::string key = key_of("ann");
  const auto take_slot = [&](Store& store) {
    CallStart start{Id128::random(), true, {{0, key, 1}}, {{0, key, {false, false, 1}}}, {}};
    auto begun = store.begin(start, [](std::span<const Reading> readings, const Moment&) {
      return readings[0].used <= 1 ? Verdict::proceed : Verdict::deny;
    });
    EXPECT_TRUE(begun.ok()) << begun.error().message;
    return begun.ok() && begun->verdict == Verdict::proceed;
  };
  bool came = false, allowed = false;
  options.observe = [&](std::string_view op) {
    if (came || static_cast<OpKind>(op.front()) != OpKind::finish) return;
    came = true;
    allowed = take_slot(**other);
  };
  auto store = Store::open(directory.path(), options);
  ASSERT_TRUE(store.ok()) << store.error().message;
  const StateDecl slots = budget_of("slots", BudgetPeriod::at_once);
  ASSERT_TRUE((*store)->define({&slots, 1}).ok());
  ASSERT_TRUE(take_slot(**store));
  clock.pass(Limits{}.lease_ns + 1);
  EXPECT_FALSE(take_slot(**store)) << "the other process has the slot";
  EXPECT_TRUE(came);
  EXPECT_TRUE(allowed) << "the slot was free";
  EXPECT_TRUE(read_one(**other, 0, key).used == 1);
}

}  // namespace
}  // namespace ordain::state
