// These tests compare the store with the oracle of history, which goes through everything that ever happened: random
// calls that overlap, fail, are denied or wait, and calls of several threads, whose readings must be those of one
// order.
#include "tests/support/history_oracle.h"

#include <algorithm>
#include <thread>

#include "tests/support/torture.h"
#include "tests/unit/runtime/state/state_support.h"

namespace ordain::state {
namespace {

using test::HistoryOracle;
using test::OracleOutcome;
using test::OracleReading;
using test::OracleShare;
using test::OracleState;

enum : uint32_t { kSends, kPaid, kEver, kTested, kGuesses, kRefused, kFetches, kShells, kSpend, kStateCount };

constexpr uint64_t kSendsBound = 3;

std::vector<StateDecl> declarations() {
  std::vector<StateDecl> out(kStateCount);
  out[kSends] = count_within("a sends", 10, kSendsBound);
  out[kPaid] = sum_within("b paid", 8);
  out[kEver] = declare("c ever", StateKind::history);
  out[kEver].amount = Kind::integer;
  out[kEver].members = member_bit(StateMember::count) | member_bit(StateMember::sum) | member_bit(StateMember::first);
  out[kTested] = sum_within("d tested", 12);
  out[kTested].verb = StateVerb::done;
  out[kGuesses] = sum_within("e guesses", 9);
  out[kGuesses].verb = StateVerb::failed;
  out[kRefused] = sum_within("f refused", 6);
  out[kRefused].verb = StateVerb::denied;
  out[kFetches] = rate_of("g fetches", 3, 4, 2);
  out[kShells] = budget_of("h shells", BudgetPeriod::at_once);
  out[kSpend] = budget_of("i spend", BudgetPeriod::hour);
  return out;
}

std::vector<OracleState> oracle_states() {
  std::vector<OracleState> out(kStateCount);
  out[kSends].window = 10 * kSecondNs;
  out[kPaid].window = 8 * kSecondNs;
  out[kTested] = {.verb = OracleState::done, .window = 12 * kSecondNs};
  out[kGuesses] = {.verb = OracleState::failed, .window = 9 * kSecondNs};
  out[kRefused] = {.verb = OracleState::denied, .window = 6 * kSecondNs};
  out[kFetches] = {.kind = OracleState::rate, .window = 4 * kSecondNs, .limit = 3, .burst = 2};
  out[kShells] = {.kind = OracleState::budget, .at_once = true};
  out[kSpend] = {.kind = OracleState::budget, .refilled = 3600 * kSecondNs};
  return out;
}

bool is_budget(size_t state) { return state == kShells || state == kSpend; }
bool is_history(size_t state) { return state < kFetches; }
bool sums(size_t state) { return is_history(state) && state != kSends; }

void expect_same(size_t state, const Reading& is, const OracleReading& should, int64_t now, int64_t oracle_now) {
  SCOPED_TRACE("state " + std::to_string(state));
  ASSERT_FALSE(is.full);
  ASSERT_EQ(is.ok, should.ok);
  ASSERT_EQ(is.wait_ns, should.wait);
  ASSERT_TRUE(is.used == should.used);
  if (!is_history(state)) return;
  ASSERT_EQ(is.seen, should.seen);
  ASSERT_EQ(is.running, should.running);
  ASSERT_EQ(is.count, state == kSends ? std::min(should.count, kSendsBound + 1) : should.count);
  if (sums(state)) {
    ASSERT_TRUE(is.sum == should.sum);
  }
  if (!should.seen) return;
  ASSERT_EQ(now - is.last, oracle_now - *should.last);
  if (sums(state)) {
    ASSERT_EQ(now - is.first, oracle_now - *should.first);
  }
}

/// A call: what it has to do with states, and what it asked.
struct MadeCall {
  Id128 id = Id128::random();
  bool irreversible = false;
  std::vector<OracleShare> shares;
  std::vector<OracleShare> asked;  ///< what each question was about
  std::vector<bool> owned;         ///< by question: the call itself adds to it
};

/// How a call ended.
struct MadeEnd {
  OracleOutcome outcome = OracleOutcome::released;
  std::vector<OracleShare> after;
  std::map<size_t, test::OracleAmount> actual;
};

template <typename Below>
std::string any_key(Below& below) {
  return key_of(below(2) == 0 ? "ann" : "bob");
}

template <typename Below>
MadeCall make_call(Below& below) {
  MadeCall out;
  out.irreversible = below(2) == 0;
  for (uint32_t state = 0; state < kStateCount; ++state) {
    const bool joins = state == kEver || below(2) == 0;
    const bool amounts = sums(state) || is_budget(state);
    const OracleShare share{state, any_key(below), static_cast<test::OracleAmount>(amounts ? below(100) : 0)};
    if (joins) out.shares.push_back(share);
    out.asked.push_back(share);
    out.owned.push_back(joins);
  }
  return out;
}

template <typename Below>
MadeEnd make_end(const MadeCall& call, Below& below) {
  MadeEnd out;
  constexpr OracleOutcome kOutcomes[] = {OracleOutcome::released, OracleOutcome::released, OracleOutcome::withheld,
                                         OracleOutcome::failed, OracleOutcome::not_executed};
  out.outcome = kOutcomes[below(5)];
  for (size_t i = 0; i < call.shares.size(); ++i) {
    if (call.shares[i].state == kTested && out.outcome == OracleOutcome::released)
      out.after.push_back({kTested, any_key(below), static_cast<test::OracleAmount>(below(100))});
    if (call.shares[i].state == kSpend && below(2) == 0) out.actual[i] = static_cast<test::OracleAmount>(below(200));
  }
  return out;
}

/// What the call that reads adds, if it adds anything that rules see.
std::optional<OracleShare> own_of(const MadeCall& call, size_t question) {
  const OracleShare& share = call.asked[question];
  const bool adds = call.owned[question] && share.state != kRefused;
  return adds ? std::optional(share) : std::nullopt;
}

CallStart start_of(const MadeCall& call, const std::vector<StateDecl>& declared) {
  CallStart out{call.id, !call.irreversible, {}, {}, {}};
  for (const OracleShare& share : call.shares) {
    const auto state = static_cast<uint32_t>(share.state);
    const bool begun = declared[state].verb == StateVerb::begun;
    if (state == kRefused) {
      out.denied.push_back({state, share.key, share.amount});
    } else {
      out.uses.push_back({state, share.key, begun ? share.amount : 0, begun});
    }
  }
  for (size_t i = 0; i < call.asked.size(); ++i) {
    const auto share = own_of(call, i);
    const auto state = static_cast<uint32_t>(call.asked[i].state);
    const bool begun = declared[state].verb == StateVerb::begun;
    Own own;
    if (share) own = {begun && is_history(state), is_history(state), share->amount};
    out.questions.push_back({state, call.asked[i].key, own});
  }
  return out;
}

Result<uint64_t> finish_call(Store& store, const MadeCall& call, const MadeEnd& end) {
  const Ending ending = end.outcome == OracleOutcome::failed         ? Ending::failed
                        : end.outcome == OracleOutcome::not_executed ? Ending::not_executed
                                                                     : Ending::executed;
  std::vector<Settlement> settlements;
  std::vector<Stamp> stamps;
  for (size_t i = 0; i < call.shares.size(); ++i) {
    const OracleShare& share = call.shares[i];
    if (is_budget(share.state)) {
      const auto actual = end.actual.find(i);
      settlements.push_back(settle(static_cast<uint32_t>(settlements.size()), ending, call.irreversible,
                                   actual == end.actual.end() ? std::nullopt : std::optional<Amount>(actual->second)));
    }
    if (share.state == kGuesses && ending != Ending::executed) stamps.push_back({kGuesses, share.key, share.amount});
  }
  for (const OracleShare& share : end.after)
    stamps.push_back({static_cast<uint32_t>(share.state), share.key, share.amount});
  return store.finish(call.id, std::move(settlements), std::move(stamps));
}

std::unique_ptr<Store> make_store(const SetClock& clock) {
  StoreOptions options;
  options.clock = clock.reader();
  auto store = local_store(std::move(options));
  auto numbers = store->define(declarations());
  EXPECT_TRUE(numbers.ok()) << numbers.error().message;
  return store;
}

/// Drives a store and the oracle alike.
class OracleTrial {
 public:
  explicit OracleTrial(test::Torture& torture) : torture_(torture), store_(make_store(clock_)) {
    oracle_.set_wall(clock_.now->wall_ns);
  }

  void step() {
    switch (below(8)) {
      case 0:
      case 1:
      case 2:
        return begin();
      case 3:
      case 4:
        return finish();
      case 5:
        return wait(static_cast<int64_t>(below(4'000'000'000)));
      case 6:
        return wait(static_cast<int64_t>(1 + below(4)) * kSecondNs);  // edges of windows
      default:
        if (below(4) != 0) return;
        clock_.set_wall((static_cast<int64_t>(below(5)) - 2) * 1000 * kSecondNs);
        oracle_.set_wall(clock_.now->wall_ns);
        torture_.count("steps of the clock");
    }
  }

 private:
  uint64_t below(uint64_t n) { return torture_.below(n); }

  void wait(int64_t ns) {
    clock_.pass(ns);
    oracle_.pass(ns);
  }

  void begin() {
    auto draw = [this](uint64_t n) { return below(n); };
    MadeCall call = make_call(draw);
    const uint64_t dice = below(10);
    const Verdict verdict = dice < 7 ? Verdict::proceed : dice < 9 ? Verdict::deny : Verdict::leave;
    auto begun =
        store_->begin(start_of(call, declarations_), [&](std::span<const Reading> readings, const Moment& now) {
          compare(call, readings, now);
          return verdict;
        });
    ASSERT_TRUE(begun.ok()) << begun.error().message;
    torture_.count(verdict == Verdict::proceed ? "begun" : verdict == Verdict::deny ? "denied" : "left waiting");
    if (verdict == Verdict::deny) oracle_.deny(call.shares);
    if (verdict != Verdict::proceed) return;
    const size_t number = oracle_.begin(call.shares, call.irreversible);
    open_.emplace_back(std::move(call), number);
  }

  void compare(const MadeCall& call, std::span<const Reading> readings, const Moment& now) {
    for (size_t i = 0; i < readings.size(); ++i) {
      const size_t state = call.asked[i].state;
      const OracleReading should = oracle_.read(state, call.asked[i].key, own_of(call, i));
      expect_same(state, readings[i], should, now.time, oracle_.now());
    }
    if (call.asked[kTested].key != call.asked[kEver].key) return;
    EXPECT_EQ(is_after(readings[kTested], readings[kEver]), oracle_.is_after(kTested, kEver, call.asked[kEver].key));
    EXPECT_EQ(is_after(readings[kEver], readings[kTested]), oracle_.is_after(kEver, kTested, call.asked[kEver].key));
  }

  void finish() {
    if (open_.empty()) return;
    const size_t at = below(open_.size());
    const auto [call, number] = open_[at];
    open_.erase(open_.begin() + static_cast<ptrdiff_t>(at));
    auto draw = [this](uint64_t n) { return below(n); };
    const MadeEnd end = make_end(call, draw);
    auto finished = finish_call(*store_, call, end);
    ASSERT_TRUE(finished.ok()) << finished.error().message;
    oracle_.end(number, end.outcome, end.after, end.actual);
    torture_.count("finished");
  }

  test::Torture& torture_;
  SetClock clock_;
  std::vector<StateDecl> declarations_ = declarations();
  HistoryOracle oracle_{oracle_states()};
  std::unique_ptr<Store> store_;
  std::vector<std::pair<MadeCall, size_t>> open_;
};

TEST(StateOracle, TheStoreReadsWhatTheOracleReads) {
  test::Torture torture(40);
  while (torture.goes_on()) {
    SCOPED_TRACE(torture.where());
    OracleTrial trial(torture);
    for (int i = 0; i < 200 && !::testing::Test::HasFailure(); ++i) trial.step();
  }
  EXPECT_GT(torture.counted("finished"), 0u);
}

/// What one thread did, with its place in the order that the store gives.
struct Logged {
  uint64_t sequence = 0;
  bool begins = false, denied = false;
  MadeCall call;
  MadeEnd end;
  std::vector<Reading> readings;
  int64_t time = 0;
};

void run_calls(Store& store, uint64_t seed, std::vector<Logged>* log) {
  std::mt19937_64 random(seed);
  auto below = [&](uint64_t n) { return random() % n; };
  const std::vector<StateDecl> declared = declarations();
  std::vector<MadeCall> open;
  for (int i = 0; i < 200; ++i) {
    if (open.size() > 3 || (!open.empty() && below(2) == 0)) {
      const MadeEnd end = make_end(open.back(), below);
      auto finished = finish_call(store, open.back(), end);
      ASSERT_TRUE(finished.ok()) << finished.error().message;
      log->push_back({*finished, false, false, open.back(), end, {}, 0});
      open.pop_back();
      continue;
    }
    const MadeCall call = make_call(below);
    const bool denied = below(4) == 0;
    auto begun = store.begin(start_of(call, declared),
                             [&](auto, const Moment&) { return denied ? Verdict::deny : Verdict::proceed; });
    ASSERT_TRUE(begun.ok()) << begun.error().message;
    // A denial that counts nowhere has no place in the order.
    if (begun->sequence != 0)
      log->push_back({begun->sequence, true, denied, call, {}, begun->readings, begun->at.time});
    if (!denied) open.push_back(call);
  }
}

TEST(StateOracle, CallsAtOnceReadAsIfTheyCameOneAfterTheOther) {
  const SetClock clock;
  const auto store = make_store(clock);
  constexpr size_t kThreads = 4;
  std::vector<std::vector<Logged>> logs(kThreads);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) threads.emplace_back([&, i] { run_calls(*store, i + 1, &logs[i]); });
  for (std::thread& thread : threads) thread.join();

  std::vector<Logged> all;
  for (const auto& log : logs) all.insert(all.end(), log.begin(), log.end());
  std::sort(all.begin(), all.end(), [](const Logged& a, const Logged& b) { return a.sequence < b.sequence; });
  HistoryOracle oracle(oracle_states());
  oracle.set_wall(clock.now->wall_ns);
  std::map<std::array<uint8_t, 16>, size_t> numbers;
  for (const Logged& one : all) {
    SCOPED_TRACE("sequence " + std::to_string(one.sequence));
    if (!one.begins) {
      oracle.end(numbers.at(one.call.id.bytes), one.end.outcome, one.end.after, one.end.actual);
      continue;
    }
    for (size_t i = 0; i < one.readings.size(); ++i) {
      const size_t state = one.call.asked[i].state;
      expect_same(state, one.readings[i], oracle.read(state, one.call.asked[i].key, own_of(one.call, i)), one.time,
                  oracle.now());
    }
    if (one.denied) {
      oracle.deny(one.call.shares);
    } else {
      numbers[one.call.id.bytes] = oracle.begin(one.call.shares, one.call.irreversible);
    }
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_GT(all.size(), 100u);
}

LabelSet label_bits(const std::set<int>& labels) {
  LabelSet out = 0;
  for (int label : labels) out = static_cast<LabelSet>(out | (1u << label));
  return out;
}

/// Where memory suffices, the store knows exactly what the oracle knows; where it does not, it only ever says that more
/// values carry a label.
TEST(StateOracle, SessionsHaveSeenWhatTheOracleSays) {
  constexpr size_t kMostWords = 24, kLabels = 3;
  test::Torture torture(60);
  const char* const names[] = {"a", "b", "c", "d"};
  while (torture.goes_on()) {
    SCOPED_TRACE(torture.where());
    StoreOptions options;
    options.limits.words = kMostWords;
    const SetClock clock;
    options.clock = clock.reader();
    const auto store = local_store(std::move(options));
    test::LabelOracle oracle;
    std::set<std::string> was_full;
    for (int step = 0; step < 60 && !::testing::Test::HasFailure(); ++step) {
      const std::string session = names[torture.below(4)], other = names[torture.below(4)];
      std::set<int> labels = {static_cast<int>(torture.below(kLabels)), static_cast<int>(torture.below(kLabels))};
      std::set<uint64_t> words;
      for (uint64_t i = torture.below(4); i > 0; --i) words.insert(torture.below(torture.rounds() % 2 == 0 ? 12 : 60));
      switch (torture.below(8)) {
        case 0:
          ASSERT_TRUE(store->start_session(session, other).ok());
          oracle.start(session, other);
          break;
        case 1:
          ASSERT_TRUE(store->clear(session, label_bits(labels)).ok());
          oracle.clear(session, labels);
          break;
        case 2:
          if (torture.below(3) != 0) break;
          ASSERT_TRUE(store->end_session(session).ok());
          oracle.end(session);
          break;
        default:
          ASSERT_TRUE(store->raise(session, label_bits(labels), {words.begin(), words.end()}).ok());
          oracle.raise(session, labels, words);
      }
      for (const char* name : names) {
        SCOPED_TRACE(name);
        auto held = store->labels(name);
        ASSERT_TRUE(held.ok());
        ASSERT_EQ(*held, label_bits(oracle.labels(name)));
        if (oracle.words(name) > kMostWords) was_full.insert(name);
        for (int label = 0; label < static_cast<int>(kLabels); ++label) {
          const std::vector<uint64_t> asked = {torture.below(12), torture.below(12)};
          auto carries = store->carries(name, label_bits({label}), asked);
          ASSERT_TRUE(carries.ok());
          const bool should = oracle.carries(name, label, {asked.begin(), asked.end()});
          if (should) {
            ASSERT_TRUE(*carries) << "a label is never forgotten";
          }
          if (was_full.empty()) {
            ASSERT_EQ(*carries, should);
          }
          torture.count(*carries ? "values that carry" : "values that do not");
        }
      }
    }
    torture.count(was_full.empty() ? "rounds with enough memory" : "rounds with too little");
  }
}

}  // namespace
}  // namespace ordain::state
