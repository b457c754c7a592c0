// These tests replace programs while threads decide: every decision must come from one whole
// program, and old programs must be freed.
#include "ordain/live_program.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <thread>

#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

constexpr int kVariants = 5;
constexpr int kThreads = 8;
constexpr int kReloads = 1000;

// The variants have different slots and rules, so that facts bound for one and decided by another
// would be noticed: variant v denies by rule `marker_v` with reason "v" from slots that have other
// positions in the other variants.
std::string variant_text(int v) {
  std::string fields, rules;
  for (int n = 0; n < v; ++n) {
    fields += fmt::format("a{}: optional(int), ", n);
    rules += fmt::format("  deny other_{} when has(input.a{}) && input.a{} == 7;\n", n, n, n);
  }
  return fmt::format(
      "package live;\ncontext {{ agent {{ team: string }} }}\ncapability pay {{ input {{ {}n: int, who: string }} }}\n"
      "policy p on before pay {{\n{}  deny marker_{} when input.n == 42 && input.who == \"bob\" && agent.team == "
      "\"red\" "
      "because \"{}\" + input.who;\n}}\n",
      fields, rules, v, v);
}

// Publishes a new Program each time, whose destruction can be observed.
class Variants {
 public:
  Variants() {
    for (int v = 0; v < kVariants; ++v) {
      auto program = testing::compile_text(variant_text(v));
      bytes_.push_back(program->serialise());
      by_digest_[program->digest()] = v;
    }
  }
  std::shared_ptr<const Program> make(int v) {
    auto made = Program::load(bytes_[static_cast<size_t>(v)], standard_library());
    EXPECT_TRUE(made.ok());
    made_.push_back(*made);
    return *made;
  }
  int of(const Digest& digest) const { return by_digest_.at(digest); }
  size_t alive() const {
    return static_cast<size_t>(std::count_if(made_.begin(), made_.end(), [](const auto& p) { return !p.expired(); }));
  }
  // Waits for the background thread, at most ten seconds.
  size_t alive_at_last(size_t expected) const {
    for (int n = 0; n < 5000 && alive() != expected; ++n) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return alive();
  }

 private:
  std::vector<std::string> bytes_;
  std::map<Digest, int> by_digest_;
  std::vector<std::weak_ptr<const Program>> made_;
};

void red_team(Context& context) { context.set("agent.team", Value::string("red")); }

Document payment() { return *Document::parse(R"({"n": 42, "who": "bob"})"); }

TEST(LiveProgram, EveryDecisionIsOfOneWholeProgram) {
  Variants variants;
  LiveProgram live(variants.make(0));
  LiveContext who(red_team);
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> decided{0}, torn{0}, changes{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      const Document input = payment();
      LiveCall seat(live, who);
      Scratch scratch;
      while (!stop) {
        changes += seat.refresh();
        seat.call().begin(seat.program().resolve("pay"), Stage::before);
        seat.call().bind_input(input.root());
        const Decision decision = decide(seat.call(), seat.context(), scratch);
        const int v = variants.of(seat.program().digest());
        const bool whole = decision.code == DecisionCode::rule &&
                           seat.program().rules()[decision.rule].name == fmt::format("p.marker_{}", v) &&
                           decision.reason == fmt::format("{}bob", v);
        torn += !whole;
        ++decided;
      }
    });
  }
  for (int n = 1; n <= kReloads; ++n) {
    ASSERT_TRUE(live.publish(variants.make(n % kVariants)));
    if (n % 4 == 0) std::this_thread::yield();
  }
  while (decided < 1000) std::this_thread::yield();
  stop = true;
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(torn, 0u);
  EXPECT_GT(changes, 0u);
  EXPECT_EQ(live.version(), 1u + kReloads);
  EXPECT_EQ(variants.alive_at_last(1), 1u);
  EXPECT_EQ(live.collect(), 0u);
}

TEST(LiveProgram, PinsKeepWhatTheySeeAndNothingElse) {
  Variants variants;
  LiveProgram live(variants.make(0));
  {
    auto pin = live.pin();
    const Program* first = &*pin;
    live.publish(variants.make(1));
    live.publish(variants.make(2));
    {
      auto inner = live.pin();
      EXPECT_EQ(inner.version(), 3u);
      EXPECT_EQ(variants.of(inner->digest()), 2);
    }
    EXPECT_GE(live.collect(), 1u);
    EXPECT_EQ(&*pin, first);
    EXPECT_EQ(variants.of(pin->digest()), 0);
  }
  EXPECT_EQ(live.collect(), 0u);
  EXPECT_EQ(variants.alive_at_last(1), 1u);
  EXPECT_FALSE(live.publish(nullptr));
  EXPECT_EQ(live.version(), 3u);
}

TEST(LiveProgram, OwnersKeepAProgramAndTheLastReferenceIsDroppedInTheBackground) {
  Variants variants;
  LiveProgram live(variants.make(0));
  std::shared_ptr<const Program> kept = live.current();
  live.publish(variants.make(1));
  EXPECT_EQ(live.collect(), 1u);
  EXPECT_EQ(variants.alive(), 2u);
  EXPECT_GE(kept.use_count(), 2) << "the owner is never the last one";
  kept.reset();
  EXPECT_EQ(variants.alive_at_last(1), 1u);
}

TEST(LiveProgram, ProgramsMayComeBack) {
  Variants variants;
  auto a = variants.make(0), b = variants.make(1);
  LiveProgram live(a);
  for (int n = 0; n < 500; ++n) live.publish(n % 2 == 0 ? b : a);
  EXPECT_LE(live.collect(), 1u) << "one entry for each retired program, however often it came";
  EXPECT_EQ(live.current(), a);
  a.reset(), b.reset();
  EXPECT_EQ(variants.alive_at_last(1), 1u);
}

TEST(LiveProgram, ThreadsComeAndGo) {
  Variants variants;
  LiveProgram live(variants.make(0));
  std::atomic<bool> stop{false};
  std::thread publisher([&] {
    for (int n = 1; !stop; ++n) live.publish(variants.make(n % kVariants));
  });
  std::atomic<int> seen{0};
  for (int wave = 0; wave < 10; ++wave) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 40; ++t) {
      threads.emplace_back([&] {
        auto pin = live.pin();
        seen += !pin->rules().empty() && variants.of(pin->digest()) < kVariants;
      });
    }
    for (auto& thread : threads) thread.join();
  }
  stop = true;
  publisher.join();
  EXPECT_EQ(seen, 400);
  EXPECT_EQ(variants.alive_at_last(1), 1u);
}

TEST(LiveContext, IsFilledOncePerProgramAndLetsGoOfTheOldOne) {
  Variants variants;
  int filled = 0;
  LiveContext who([&](Context& context) {
    ++filled;
    red_team(context);
  });
  LiveProgram live(variants.make(0));
  auto first = who.of(live.current());
  EXPECT_EQ(who.of(live.current()), first);
  EXPECT_EQ(filled, 1);
  first.reset();
  live.publish(variants.make(1));
  EXPECT_EQ(variants.alive_at_last(1), 1u) << "an idle context keeps no retired program";
  EXPECT_EQ(who.of(live.current())->shared_program(), live.current());
  EXPECT_EQ(filled, 2);
}

TEST(RuntimeReload, UnderEightThreads) {
  Variants variants;
  auto runtime = Runtime::open(variants.make(0),
                               {.agent = "a-1", .attributes = *Document::parse(R"({"agent": {"team": "red"}})")});
  ASSERT_TRUE(runtime.ok());
  auto idle = runtime->identity({.agent = "idle"});
  ASSERT_TRUE(idle.ok());
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> decided{0}, torn{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      const Document input = payment();
      while (!stop) {
        const DetachedDecision decision = runtime->evaluate("pay", input);
        const int v = variants.of(decision.program);
        torn += decision.rule != fmt::format("p.marker_{}", v) || decision.reason != fmt::format("{}bob", v);
        ++decided;
      }
    });
  }
  for (int n = 1; n <= kReloads; ++n) ASSERT_TRUE(runtime->reload(variants.make(n % kVariants)).ok());
  while (decided < 1000) std::this_thread::yield();
  EXPECT_FALSE(runtime->reload(nullptr).ok());
  stop = true;
  // The other threads have ended, but this thread also has a worker, and `idle` has a context of
  // the first program.
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(torn, 0u);
  EXPECT_EQ(variants.alive_at_last(1), 1u);
}

TEST(RuntimeReload, IdleThreadsKeepNoRetiredProgram) {
  Variants variants;
  auto runtime = Runtime::open(variants.make(0), {.agent = "a-1"});
  ASSERT_TRUE(runtime.ok());
  const Document input = payment();
  std::atomic<int> phase{0};
  std::thread idle([&] {
    runtime->evaluate("pay", input);
    phase = 1;
    while (phase != 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_EQ(variants.of(runtime->evaluate("pay", input).program), 1);
  });
  while (phase != 1) std::this_thread::yield();
  ASSERT_TRUE(runtime->reload(variants.make(1)).ok());
  EXPECT_EQ(variants.alive_at_last(1), 1u);
  phase = 2;
  idle.join();
}

TEST(RuntimeReload, ACallUnderWayEndsWithItsProgram) {
  Variants variants;
  auto text = [](const char* reason) {
    return testing::compile_text(
        fmt::format("capability go {{ }} policy p on before go {{ allow; }}\n"
                    "policy q on after go {{ warn w when true because \"{}\"; }}",
                    reason));
  };
  auto runtime = Runtime::open(text("old"), {.agent = "a-1"});
  ASSERT_TRUE(runtime.ok());
  const auto next = text("new");
  const auto outcome = runtime->call("go", *Document::parse("{}"), [&](const Value&) -> Result<Document> {
    EXPECT_TRUE(runtime->reload(next).ok());
    return Document();
  });
  ASSERT_TRUE(outcome.has_value());
  ASSERT_EQ(outcome.warnings().size(), 1u);
  EXPECT_EQ(outcome.warnings()[0], "old");
  EXPECT_EQ(runtime->program(), next);
}

}  // namespace
}  // namespace ordain
