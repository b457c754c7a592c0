// This test takes random calls of a program through metering, many of them at once, and compares what they read with
// the oracle of history: which calls count in which state, under which key, and what becomes of it when they end.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "runtime/state/metering.h"
#include "tests/support/history_oracle.h"
#include "tests/support/torture.h"
#include "tests/unit/runtime/state/state_support.h"
#include "tests/unit/runtime/support.h"

namespace ordain::state {
namespace {

using test::OracleOutcome;
using test::OracleReading;
using test::OracleShare;
using test::OracleState;

constexpr const char* kMetered = R"(
capability run  { input { who: string, n: int } output { who: string, n: int } }
capability wipe { effect irreversible; input { who: string, n: int } output { who: string, n: int } }

history started = begun  run, wipe sum input.n by principal, input.who within 10s;
history ever    = begun  run, wipe by session;
history ended   = done   run sum output.n by principal, output.who within 12s;
history lost    = failed run, wipe sum input.n when input.n > 2 by principal within 9s;
history refused = denied run, wipe by principal within 6s up to 1000;
rate    fetches = 3 in 4s burst 2 on run by principal;
budget  slots   = 100 by principal at once { take input.n on run, wipe; }
budget  spend   = 100 by principal each hour { take input.n on run, wipe; settle output.n; }

policy reads on before run, wipe {
  warn a when started.sum > 1 || ever.count > 1 || ended[input.who].sum > 1 || lost.sum > 1;
  warn b when refused.count > 1 || slots.left < 0 || spend.left < 0;
  allow rest;
}
policy rates on before run { warn c when !fetches.ok; }
)";

enum : size_t { kStarted, kEver, kEnded, kLost, kRefused, kFetches, kSlots, kSpend };
constexpr const char* kNames[] = {"started", "ever", "ended", "lost", "refused", "fetches", "slots", "spend"};

std::vector<OracleState> metered_states() {
  std::vector<OracleState> out(std::size(kNames));
  out[kStarted].window = 10 * kSecondNs;
  out[kEnded] = {.verb = OracleState::done, .window = 12 * kSecondNs};
  out[kLost] = {.verb = OracleState::failed, .window = 9 * kSecondNs};
  out[kRefused] = {.verb = OracleState::denied, .window = 6 * kSecondNs};
  out[kFetches] = {.kind = OracleState::rate, .window = 4 * kSecondNs, .limit = 3, .burst = 2};
  out[kSlots] = {.kind = OracleState::budget, .at_once = true};
  out[kSpend] = {.kind = OracleState::budget, .refilled = 3600 * kSecondNs};
  return out;
}

std::string keys_of(const std::string& first, const std::string& second) { return key_of(first) + key_of(second); }

/// A call that is decided, and may be running.
struct LiveCall {
  LiveCall(const Meter& meter, Store& store, std::shared_ptr<const Program> program, std::string capability_name,
           std::string principal_name, std::string session_name, std::string who_name, int64_t number)
      : capability(std::move(capability_name)),
        principal(std::move(principal_name)),
        session(std::move(session_name)),
        who(std::move(who_name)),
        n(number),
        input(testing::json("{\"who\": \"" + who + "\", \"n\": " + std::to_string(n) + "}")),
        before(program),
        after(program),
        context(program),
        metered(meter, store, Id128::random()) {
    context.set("principal.id", Value::string(principal));
    context.set("session.id", Value::string(session));
    before.begin(program->resolve(capability), Stage::before);
    before.bind_input(input.root());
  }

  /// What it has to do with each state before it runs.
  std::vector<OracleShare> shares() const {
    std::vector<OracleShare> out = {{kStarted, keys_of(principal, who), n},
                                    {kEver, key_of(session), 0},
                                    {kRefused, key_of(principal), 0},
                                    {kSlots, key_of(principal), n},
                                    {kSpend, key_of(principal), n}};
    if (n > 2) out.push_back({kLost, key_of(principal), n});
    if (capability == "run") out.push_back({kFetches, key_of(principal), 0});
    return out;
  }

  CallFacts before_facts() { return {before, context, scratch, session}; }
  CallFacts after_facts() { return {after, context, scratch, session}; }

  void bind_after(const std::string& out_who, int64_t out_n) {
    output = testing::json("{\"who\": \"" + out_who + "\", \"n\": " + std::to_string(out_n) + "}");
    after.begin(before.capability(), Stage::after);
    after.bind_input(input.root());
    after.bind_output(output.root());
  }

  std::string capability, principal, session, who;
  int64_t n;
  Document input, output;
  Call before, after;
  Context context;
  Scratch scratch{1 << 18};
  MeteredCall metered;
  size_t number = 0;  ///< at the oracle
};

class MeteredTrial {
 public:
  explicit MeteredTrial(test::Torture& torture) : torture_(torture), program_(testing::compile_text(kMetered)) {
    StoreOptions options;
    options.clock = clock_.reader();
    store_ = local_store(std::move(options));
    auto made = Meter::make(program_, *store_);
    EXPECT_TRUE(made.ok()) << made.error().message;
    meter_.emplace(std::move(*made));
    oracle_.set_wall(clock_.now->wall_ns);
  }

  void step() {
    const uint64_t dice = below(8);
    if (dice < 3) return begin();
    if (dice < 6) return finish();
    const int64_t ns =
        dice == 6 ? static_cast<int64_t>(below(3'000'000'000)) : static_cast<int64_t>(below(4)) * kSecondNs;
    clock_.pass(ns);
    oracle_.pass(ns);
  }

 private:
  uint64_t below(uint64_t n) { return torture_.below(n); }
  std::string name(const char* first, const char* second) { return below(2) == 0 ? first : second; }

  void begin() {
    auto call = std::make_unique<LiveCall>(*meter_, *store_, program_, name("run", "wipe"), name("ann", "bob"),
                                           name("s1", "s2"), name("x", "y"), static_cast<int64_t>(below(6)));
    const uint64_t dice = below(10);
    const Verdict verdict = dice < 7 ? Verdict::proceed : dice < 9 ? Verdict::deny : Verdict::leave;
    auto started = call->metered.start(call->before_facts(), [&] { return verdict; });
    ASSERT_TRUE(started.ok()) << started.error().message;
    compare(*call);
    torture_.count(verdict == Verdict::proceed ? "begun" : verdict == Verdict::deny ? "denied" : "left waiting");
    if (verdict == Verdict::deny) oracle_.deny(call->shares());
    if (verdict != Verdict::proceed) return;
    call->number = oracle_.begin(call->shares(), call->capability == "wipe");
    live_.push_back(std::move(call));
  }

  void compare(const LiveCall& call) {
    const std::vector<OracleShare> shares = call.shares();
    const auto& declared = meter_->tables().states;
    size_t compared = 0;
    for (const StateNote& note : call.metered.notes()) {
      const auto at = std::find(std::begin(kNames), std::end(kNames), declared[note.state].name);
      ASSERT_NE(at, std::end(kNames)) << declared[note.state].name;
      const auto state = static_cast<size_t>(at - std::begin(kNames));
      SCOPED_TRACE(*at);
      const auto own = std::find_if(shares.begin(), shares.end(), [&](const OracleShare& share) {
        return share.state == state && share.key == note.key && state != kRefused;
      });
      const OracleReading should =
          oracle_.read(state, note.key, own == shares.end() ? std::nullopt : std::optional(*own));
      compare_one(state, note.reading, should, call.metered.moment().time);
      ++compared;
    }
    EXPECT_EQ(compared, call.capability == "run" ? 8u : 7u);
  }

  void compare_one(size_t state, const Reading& is, const OracleReading& should, int64_t now) {
    EXPECT_EQ(is.ok, should.ok);
    EXPECT_EQ(is.wait_ns, should.wait);
    EXPECT_TRUE(is.used == should.used);
    if (state >= kFetches) return;
    EXPECT_EQ(is.seen, should.seen);
    EXPECT_EQ(is.running, should.running);
    EXPECT_EQ(is.count, should.count);
    if (state != kEver && state != kRefused) {
      EXPECT_TRUE(is.sum == should.sum);
    }
    if (should.seen) {
      EXPECT_EQ(now - is.last, oracle_.now() - *should.last);
    }
  }

  void finish() {
    if (live_.empty()) return;
    const size_t at = below(live_.size());
    const std::unique_ptr<LiveCall> call = std::move(live_[at]);
    live_.erase(live_.begin() + static_cast<ptrdiff_t>(at));
    const std::string who = name("x", "y");
    const auto n = static_cast<int64_t>(below(9));
    call->bind_after(who, n);
    const CallFacts after = call->after_facts();
    const std::map<size_t, test::OracleAmount> actual = {{kSpendShare, n}};
    switch (below(4)) {
      case 0:
        ASSERT_TRUE(call->metered.end(Ending::failed, nullptr).ok());
        return oracle_.end(call->number, OracleOutcome::failed, {}, {});
      case 1:
        ASSERT_TRUE(call->metered.end(Ending::executed, &after).ok());
        return oracle_.end(call->number, OracleOutcome::withheld, {}, actual);
      default:
        break;
    }
    Released released;
    released.output = &call->output.root();
    ASSERT_TRUE(call->metered.release(after, released).ok());
    std::vector<OracleShare> done;
    if (call->capability == "run") done.push_back({kEnded, keys_of(call->principal, who), n});
    oracle_.end(call->number, OracleOutcome::released, done, actual);
    torture_.count("released");
  }

  static constexpr size_t kSpendShare = 4;  ///< its place in LiveCall::shares

  test::Torture& torture_;
  std::shared_ptr<const Program> program_;
  SetClock clock_;
  std::unique_ptr<Store> store_;
  std::optional<Meter> meter_;
  test::HistoryOracle oracle_{metered_states()};
  std::deque<std::unique_ptr<LiveCall>> live_;
};

TEST(MeteringOracle, CallsReadWhatTheOracleReads) {
  test::Torture torture(20);
  while (torture.goes_on()) {
    SCOPED_TRACE(torture.where());
    MeteredTrial trial(torture);
    for (int i = 0; i < 150 && !::testing::Test::HasFailure(); ++i) trial.step();
  }
  EXPECT_GT(torture.counted("released"), 0u);
}

}  // namespace
}  // namespace ordain::state
