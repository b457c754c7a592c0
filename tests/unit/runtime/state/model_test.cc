// These tests compare the store with a model that keeps a list of everything that ever happened and
// computes each answer from all of it, on random sequences of calls, outcomes, steps of the wall
// clock, reboots and restarts.
#include <algorithm>
#include <array>
#include <random>

#include "runtime/state/snapshot.h"
#include "tests/unit/runtime/state/state_support.h"

namespace ordain::state {
namespace {

/// Something that a history counted, a rate charged or a budget took.
struct Event {
  uint32_t state = 0;
  std::string key;
  int64_t time = 0;
  uint64_t sequence = 0;
  Amount amount = 0;  ///< of a budget: as it was settled
  int64_t period = 0;
  bool open = false;  ///< of a call that has not ended
  bool counted = true;
};

struct ModelCall {
  Id128 id;
  std::vector<size_t> events;   ///< by use, in the order of the call's uses
  std::vector<size_t> budgets;  ///< those of budgets, in the order of settlements
};

class Model {
 public:
  explicit Model(std::vector<StateDecl> states) : states_(std::move(states)) {}

  std::vector<Event> events;
  int64_t time = 0;

  Reading read(uint32_t state, const std::string& key, const Own& own, int64_t wall_ns) const {
    switch (states_[state].kind) {
      case StateKind::history:
        return history(state, key, own);
      case StateKind::rate:
        return rate(state, key);
      case StateKind::budget:
        return budget(state, key, own, wall_ns);
    }
    return {};
  }

  /// The latest that any call used, so that it never goes back.
  int64_t period(uint32_t state, int64_t wall_ns) const {
    int64_t out = states_[state].period == BudgetPeriod::day ? wall_ns / (86'400 * kSecondNs) : 0;
    for (const Event& event : events) {
      if (event.state == state) out = std::max(out, event.period);
    }
    return out;
  }

 private:
  Reading history(uint32_t state, const std::string& key, const Own& own) const {
    Reading out;
    const int64_t window = static_cast<int64_t>(states_[state].window_seconds) * kSecondNs;
    for (const Event& event : events) {
      if (event.state != state || event.key != key) continue;
      if (event.open) ++out.running;
      if (!event.counted || (window != 0 && time - event.time > window)) continue;
      if (!out.seen) out.first = event.time;
      out.seen = true;
      out.last = event.time;
      out.last_sequence = event.sequence;
      ++out.count;
      out.sum += event.amount;
    }
    if (own.runs) ++out.running;
    if (own.counts) {
      ++out.count;
      out.sum += own.amount;
    }
    return out;
  }

  Reading rate(uint32_t state, const std::string& key) const {
    const StateDecl& declared = states_[state];
    const auto period = static_cast<int64_t>(declared.window_seconds) * kSecondNs;
    const auto calls = static_cast<int64_t>(declared.limit);
    const int64_t interval = (period + calls - 1) / calls;
    int64_t paid = INT64_MIN;
    for (const Event& event : events) {
      if (event.state == state && event.key == key) paid = std::max(paid, event.time) + interval;
    }
    Reading out;
    if (paid == INT64_MIN) return out;
    out.wait_ns = std::max<int64_t>(0, paid - time - (static_cast<int64_t>(declared.burst) - 1) * interval);
    out.ok = out.wait_ns == 0;
    return out;
  }

  Reading budget(uint32_t state, const std::string& key, const Own& own, int64_t wall_ns) const {
    Reading out;
    const int64_t now = period(state, wall_ns);
    for (const Event& event : events) {
      if (event.state == state && event.key == key && event.period == now) out.used += event.amount;
    }
    out.used += own.amount;
    return out;
  }

  std::vector<StateDecl> states_;
};

enum : uint32_t { kBounded, kSummed, kLastOnly, kForever, kDone, kRate, kAtOnce, kDaily, kDenied, kStateCount };

std::vector<StateDecl> model_states() {
  std::vector<StateDecl> out(kStateCount);
  out[kBounded] = count_within("bounded", 10, 3);
  out[kSummed] = sum_within("summed", 7);
  out[kLastOnly] = declare("last", StateKind::history);
  out[kLastOnly].window_seconds = 5;
  out[kLastOnly].members = member_bit(StateMember::seen) | member_bit(StateMember::last);
  out[kForever] = declare("ever", StateKind::history);
  out[kForever].amount = Kind::integer;
  out[kForever].members = member_bit(StateMember::count) | member_bit(StateMember::sum);
  out[kDone] = count_within("done", 12, 100);
  out[kDone].verb = StateVerb::done;
  out[kRate] = rate_of("rate", 3, 4, 2);
  out[kAtOnce] = budget_of("at once", BudgetPeriod::at_once);
  out[kDaily] = budget_of("daily", BudgetPeriod::day);
  out[kDenied] = sum_within("x denied", 9);
  out[kDenied].verb = StateVerb::denied;
  return out;
}

/// Drives a store and the model alike.
class Trial {
 public:
  explicit Trial(uint32_t seed) : random_(seed) { open({}); }

  void step() {
    switch (pick(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return begin();
      case 4:
      case 5:
        return finish();
      case 6:
        return deny();
      case 7:
        return wait(static_cast<int64_t>(pick(4'000'000'000)));
      case 8:
        return wait(static_cast<int64_t>(1 + pick(3)) * kSecondNs);  // edges of windows
      case 9:
        clock_.set_wall((static_cast<int64_t>(pick(5)) - 2) * 40'000 * kSecondNs);
        return;
      case 10:
        if (pick(10) == 0) reboot();
        return;
      default:
        if (pick(4) == 0) restart();
    }
  }

  void compare() {
    for (uint32_t state = 0; state < kStateCount; ++state) {
      for (const char* name : {"ann", "bob", "cyd"}) {
        const Own own{pick(2) == 0, pick(2) == 0, static_cast<Amount>(pick(50))};
        const bool rate = states_[state].kind == StateKind::rate;
        compare_one(state, key_of(name), rate ? Own{} : own);
      }
    }
  }

 private:
  uint64_t pick(uint64_t below) { return random_() % below; }
  std::string any_key() { return key_of(std::array{"ann", "bob", "cyd"}[pick(3)]); }

  void open(std::string_view snapshot) {
    StoreOptions options;
    options.clock = clock_.reader();
    store_ = local_store(std::move(options), snapshot);
    auto numbers = store_->define(states_);
    ASSERT_TRUE(numbers.ok()) << numbers.error().message;
    for (uint32_t i = 0; i < kStateCount; ++i) ASSERT_EQ((*numbers)[i], i);
    if (snapshot.empty()) model_.time = clock_.now->wall_ns;
    seen_wall_ = clock_.now->wall_ns;
  }

  void wait(int64_t ns) {
    clock_.pass(ns);
    model_.time += ns;
  }

  /// Time goes on by what the wall clock says has passed since the store last looked, and never back.
  void reboot() {
    (void)read_one(*store_, kBounded, key_of("ann"));
    seen_wall_ = clock_.now->wall_ns;
    clock_.reboot((static_cast<int64_t>(pick(8)) - 2) * kSecondNs);
    model_.time += std::max<int64_t>(0, clock_.now->wall_ns - seen_wall_);
    (void)read_one(*store_, kBounded, key_of("ann"));
  }

  void restart() {
    auto snapshot = store_->save();
    ASSERT_TRUE(snapshot.ok()) << snapshot.error().message;
    open(*snapshot);
    auto again = store_->save();
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(*snapshot, *again) << "a ledger has exactly one snapshot";
  }

  void add_event(const Use& use, uint64_t sequence, bool open) {
    Event event{use.state, use.key, model_.time, sequence, use.amount, 0, open, use.counts};
    if (states_[use.state].kind == StateKind::budget) event.period = model_.period(use.state, clock_.now->wall_ns);
    model_.events.push_back(event);
  }

  void begin() {
    CallStart start{Id128::random(), pick(2) == 0, {}, {}, {}};
    for (uint32_t state : {kBounded, kSummed, kLastOnly, kForever, kDone, kRate, kAtOnce, kDaily}) {
      if (pick(2) == 0) continue;
      const bool amounts = states_[state].amount != Kind::absent;
      start.uses.push_back({state, any_key(), static_cast<Amount>(amounts ? pick(100) : 0), state != kDone});
    }
    auto begun = store_->begin(start, always_proceed);
    ASSERT_TRUE(begun.ok()) << begun.error().message;
    ModelCall call{start.call, {}, {}};
    for (const Use& use : start.uses) {
      const StateKind kind = states_[use.state].kind;
      if (kind == StateKind::budget) call.budgets.push_back(model_.events.size());
      if (kind != StateKind::rate) call.events.push_back(model_.events.size());
      add_event(use, begun->sequence, kind == StateKind::history);
    }
    if (!call.events.empty()) calls_.push_back(std::move(call));
  }

  void finish() {
    if (calls_.empty()) return;
    const size_t at = pick(calls_.size());
    const ModelCall call = calls_[at];
    calls_.erase(calls_.begin() + static_cast<ptrdiff_t>(at));
    std::vector<Settlement> settlements;
    for (uint32_t i = 0; i < call.budgets.size(); ++i) {
      Event& held = model_.events[call.budgets[i]];
      const auto how = static_cast<Settlement::How>(pick(3));
      const Amount actual = how == Settlement::actual ? static_cast<Amount>(pick(150)) : 0;
      settlements.push_back({i, how, actual});
      const bool at_once = held.state == kAtOnce;
      if (at_once || how == Settlement::release) held.amount = 0;
      if (!at_once && how == Settlement::actual) held.amount = actual;
    }
    for (size_t event : call.events) model_.events[event].open = false;
    std::vector<Stamp> stamps;
    if (pick(2) == 0) stamps.push_back({kDone, any_key(), 0});
    auto ended = store_->finish(call.id, settlements, stamps);
    ASSERT_TRUE(ended.ok()) << ended.error().message;
    for (const Stamp& stamp : stamps) add_event({stamp.state, stamp.key, stamp.amount}, *ended, false);
  }

  void deny() {
    CallStart start{Id128::random(), true, {{kSummed, any_key(), 5}}, {}, {{kDenied, any_key(), 7}}};
    auto begun = store_->begin(start, [](auto, const Moment&) { return Verdict::deny; });
    ASSERT_TRUE(begun.ok()) << begun.error().message;
    add_event({kDenied, start.denied[0].key, 7}, begun->sequence, false);
  }

  void compare_one(uint32_t state, const std::string& key, const Own& own) {
    const Reading is = read_one(*store_, state, key, own);
    const StateDecl& declared = states_[state];
    const Reading should = model_.read(state, key, own, clock_.now->wall_ns);
    SCOPED_TRACE(declared.name + " of " + describe_key(key));
    ASSERT_EQ(is.seen, should.seen);
    ASSERT_EQ(is.running, should.running);
    ASSERT_EQ(is.ok, should.ok);
    ASSERT_EQ(is.wait_ns, should.wait_ns);
    ASSERT_TRUE(is.used == should.used);
    ASSERT_EQ(is.last, should.last);
    ASSERT_EQ(is.last_sequence, should.last_sequence);
    const auto reads = [&](StateMember member) { return (declared.members & member_bit(member)) != 0; };
    if (reads(StateMember::count)) {
      ASSERT_EQ(is.count, state == kBounded ? std::min<uint64_t>(should.count, 4) : should.count);
    }
    if (reads(StateMember::sum)) {
      ASSERT_TRUE(is.sum == should.sum);
    }
    if (reads(StateMember::first)) {
      ASSERT_EQ(is.first, should.first);
    }
  }

  std::mt19937_64 random_;
  std::vector<StateDecl> states_ = model_states();
  SetClock clock_;
  Model model_{model_states()};
  std::unique_ptr<Store> store_;
  std::vector<ModelCall> calls_;
  int64_t seen_wall_ = 0;
};

TEST(StateModel, StoreAnswersAsAListOfAllEventsDoes) {
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Trial trial(seed);
    for (int i = 0; i < 250; ++i) {
      trial.step();
      if (i % 3 == 0) trial.compare();
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

/// Counts as the ring does, from a list.
TEST(StateModel, StampsAreTheLastOfAList) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    const size_t most = 1 + random() % 9;
    const auto window = static_cast<int64_t>(1 + random() % 20);
    Stamps stamps(true);
    std::vector<std::pair<int64_t, Amount>> all;
    int64_t now = 0;
    for (int i = 0; i < 100; ++i) {
      now += static_cast<int64_t>(random() % 5);
      stamps.trim(now, window);
      const auto amount = static_cast<Amount>(random() % 100);
      stamps.push(now, amount, most);
      all.emplace_back(now, amount);
      std::erase_if(all, [&](const auto& one) { return now - one.first > window; });
      const size_t kept = std::min(all.size(), most);
      ASSERT_EQ(stamps.size(), kept);
      Amount total = 0;
      for (size_t k = 0; k < kept; ++k) {
        ASSERT_EQ(stamps.time(k), all[all.size() - kept + k].first);
        total += all[all.size() - kept + k].second;
      }
      ASSERT_TRUE(stamps.total() == total);
      ASSERT_EQ(stamps.dropped() != 0, all.size() > most) << "dropped stamps count as long as they are in the window";
    }
  }
}

}  // namespace
}  // namespace ordain::state
