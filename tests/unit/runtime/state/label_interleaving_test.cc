// These tests let calls of one session overlap in every order of their turns: one reads a secret, one sends, and one is
// a review that clears the label. The calls are metered as in a runtime, each in a process of its own, which is a
// thread here; a small scheduler lets one of them go on at a time, up to its next turn.
#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "ordain/decide.h"
#include "runtime/state/metering.h"
#include "tests/unit/runtime/state/state_support.h"
#include "tests/unit/runtime/support.h"

namespace ordain::state {
namespace {

using testing::json;
using testing::TemporaryDirectory;

constexpr const char* kSecrets = R"(
label secret;
capability read_secret { input { text: string } output open { text: string } labels secret; }
capability send        { input { text: string } output open { text: string } }
capability review      { input { text: string } output open { text: string } }
history reads   = begun read_secret by session;
history sends   = begun send by session;
history reviews = begun review by session;
policy reading on before read_secret { deny often when reads.count > 9; allow rest; }
policy judging on before review { deny often when reviews.count > 9; allow rest; }
policy mail on before send {
  deny leak when "secret" in session.labels;
  deny told when carries(input.text, "secret");
  deny often when sends.count > 9;
  allow rest;
}
policy cleaning on after review { clear secret from "security"; }
)";

constexpr const char* kText = "the code is 4711-0815";

/// Lets one thread go on at a time.
class Turns {
 public:
  /// Called by a thread: waits until it may take its first step.
  void enter(size_t who) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return active_ == who; });
  }
  /// Called by a thread: ends its step, and waits until it may take the next.
  void pause(size_t who) {
    std::unique_lock lock(mutex_);
    active_ = kNobody;
    changed_.notify_all();
    changed_.wait(lock, [&] { return active_ == who; });
  }
  /// Called by a thread: ends its last step.
  void leave(size_t who) {
    const std::lock_guard lock(mutex_);
    gone_.insert(who);
    active_ = kNobody;
    changed_.notify_all();
  }
  /// Lets a thread take one step, and waits for its end. @returns false if the thread has left
  bool step(size_t who) {
    std::unique_lock lock(mutex_);
    if (gone_.contains(who)) return false;
    active_ = who;
    changed_.notify_all();
    changed_.wait(lock, [&] { return active_ == kNobody; });
    return true;
  }

 private:
  static constexpr size_t kNobody = SIZE_MAX;
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t active_ = kNobody;
  std::set<size_t> gone_;
};

enum : size_t { kReader, kSender, kReviewer, kActors };
constexpr const char* kCapabilities[kActors] = {"read_secret", "send", "review"};
/// The reader and the reviewer begin, change labels, and end; the sender begins and ends.
constexpr size_t kSteps[kActors] = {3, 2, 3};

/// A process with its own connection to the directory.
struct Process {
  std::unique_ptr<Store> store;
  std::optional<Meter> meter;
};

class SecretSession {
 public:
  explicit SecretSession(const std::string& directory) : program_(testing::compile_text(kSecrets)) {
    for (size_t i = 0; i < kActors; ++i) {
      StoreOptions options;
      options.clock = clock_.reader();
      options.full_sync = false;
      options.observe = [this, i](std::string_view op) {
        const auto kind = static_cast<OpKind>(op.front());
        // Now the labels are changed, and the call has not ended.
        if (kind == OpKind::raise || kind == OpKind::clear) turns_->pause(i);
      };
      auto opened = Store::open(directory, std::move(options));
      EXPECT_TRUE(opened.ok()) << opened.error().message;
      processes_[i].store = std::move(*opened);
      auto made = Meter::make(program_, *processes_[i].store);
      EXPECT_TRUE(made.ok()) << made.error().message;
      processes_[i].meter.emplace(std::move(*made));
    }
  }

  /// @param child whether the secret is read in a session below that of the others
  void run(const std::vector<size_t>& order, bool child) {
    session_ = "session " + std::to_string(++runs_);
    const std::string below = child ? session_ + " below" : session_;
    if (child) {
      ASSERT_TRUE(processes_[kReader].store->start_session(below, session_).ok());
    }
    turns_ = std::make_unique<Turns>();
    std::vector<std::thread> threads;
    sent_ = false;
    for (size_t i = 0; i < kActors; ++i) {
      threads.emplace_back([&, i] {
        turns_->enter(i);
        call(i, i == kReader ? below : session_);
        turns_->leave(i);
      });
    }
    bool labelled = false, may_send = false;
    size_t taken[kActors] = {};
    for (size_t who : order) {
      const size_t step = ++taken[who];
      if (who == kSender && step == 1) may_send = !labelled;
      EXPECT_TRUE(turns_->step(who)) << "it took fewer turns";
      if (who == kReader && step == 2) labelled = true;
      if (who == kReviewer && step == 2) labelled = false;
    }
    for (size_t who = 0; who < kActors; ++who) {
      while (turns_->step(who)) ADD_FAILURE() << "it took more turns";
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(sent_, may_send) << "the sender sees the labels that were raised before it began, and no others";
    expect_final(labelled, below);
  }

 private:
  /// One call, from its decision to its end.
  void call(size_t who, const std::string& session) {
    const Process& process = processes_[who];
    const Document input = json(R"({"text": "4711-0815"})"), output = json(output_text());
    Call before(program_), after(program_);
    Context context(program_);
    context.set("session.id", Value::string(session));
    Scratch scratch(1 << 18, false), deciding(1 << 18, false);
    before.begin(program_->resolve(kCapabilities[who]), Stage::before);
    before.bind_input(input.root());
    MeteredCall metered(*process.meter, *process.store, Id128::random());
    auto started = metered.start({before, context, scratch, session}, [&] {
      const Decision decision = decide(before, context, deciding);
      return decision.effect == ordain::Effect::allow ? Verdict::proceed : Verdict::deny;
    });
    EXPECT_TRUE(started.ok()) << started.error().message;
    const bool allowed = started.ok() && *started == Verdict::proceed;
    if (who == kSender) sent_ = allowed;
    turns_->pause(who);
    if (!allowed) return;
    after.begin(before.capability(), Stage::after);
    after.bind_input(input.root());
    after.bind_output(output.root());
    const CallFacts facts{after, context, scratch, session};
    EXPECT_TRUE(metered.read_after(facts).ok());
    const std::vector<std::string> groups = {"security"};
    Released released;
    released.output = &output.root();
    released.approved_by = groups;
    EXPECT_TRUE(metered.release(facts, released).ok());
  }

  static std::string output_text() { return std::string(R"({"text": ")") + kText + "\"}"; }

  /// What the calls leave is what the turns that changed labels give one after the other.
  void expect_final(bool labelled, const std::string& below) {
    Store& store = *processes_[kSender].store;
    auto labels = store.labels(session_);
    ASSERT_TRUE(labels.ok());
    EXPECT_EQ(*labels, labelled ? 1 : 0);
    if (below != session_) {
      EXPECT_EQ(*store.labels(below), 1) << "a review clears the label in its own session";
    }
    const std::string sessions[kActors] = {below, session_, session_};
    for (StateId state = 0; state < kActors; ++state) {
      const Reading reading = read_one(store, processes_[kSender].meter->number_of(state), key_of(sessions[state]));
      EXPECT_EQ(reading.count, state == kSender && !sent_ ? 0u : 1u) << state;
      EXPECT_EQ(reading.running, 0u) << state;
    }
  }

  std::shared_ptr<const Program> program_;
  SetClock clock_;
  std::unique_ptr<Turns> turns_;
  Process processes_[kActors];
  std::string session_;
  bool sent_ = false;
  size_t runs_ = 0;
};

TEST(StateInterleavings, LabelsAreSeenInTheOrderOfTheirTurns) {
  TemporaryDirectory directory;
  SecretSession session(directory.path());
  std::vector<size_t> order;
  for (size_t who = 0; who < kActors; ++who) order.insert(order.end(), kSteps[who], who);
  size_t runs = 0;
  do {
    std::string trace;
    for (size_t who : order) trace += std::to_string(who);
    SCOPED_TRACE(trace);
    session.run(order, runs % 2 == 0);
    ++runs;
  } while (!::testing::Test::HasFailure() && std::next_permutation(order.begin(), order.end()));
  EXPECT_EQ(runs, 560u) << "8! / (3! 2! 3!)";
}

}  // namespace
}  // namespace ordain::state
