// These tests check that decide_many gives the same answers as decide for each call, on any number
// of threads.
#include "ordain/decide_many.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "ordain/stdlib.h"
#include "tests/support/assemble.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

// A program that denies if its flag is set, and calls of which every third has it set.
struct Calls {
  std::shared_ptr<const Program> program;
  std::unique_ptr<Context> context;
  std::vector<std::unique_ptr<Call>> calls;
  std::vector<CallInContext> batch;

  explicit Calls(size_t count) {
    static const Type kFlag{TypeKind::boolean, "bool", {}, nullptr};
    test::Assembler a;
    const SlotId flag = a.slot("input.flag", &kFlag);
    const uint32_t reads = a.reads(flag, test::kBool, 1);
    const uint32_t package = a.package("p");
    a.capability("act");
    a.rule(package, RuleKind::deny, {.condition = reads});
    a.rule(package, RuleKind::allow);
    a.finish();
    program = *link_program(std::move(a.data), standard_library());
    context = std::make_unique<Context>(program);
    for (size_t i = 0; i < count; ++i) {
      calls.push_back(std::make_unique<Call>(program));
      calls.back()->begin(program->resolve("act"), Stage::before);
      calls.back()->set(program->slot(flag), Value::boolean(i % 3 == 0));
      batch.push_back({calls.back().get(), context.get()});
    }
  }
};

TEST(DecideMany, DecidesAStreamOfCallsInItsOrder) {
  const Calls calls(100);
  size_t given = 0, told = 0;
  decide_many([&]() -> const CallInContext* { return given == 100 ? nullptr : &calls.batch[given++]; },
              [&](size_t i, const Decision& decision) {
                EXPECT_EQ(i, told++);
                EXPECT_EQ(given, told) << "a call is decided before the next one is asked for";
                EXPECT_EQ(decision.effect, i % 3 == 0 ? Effect::deny : Effect::allow) << i;
                EXPECT_EQ(decision.matched.size(), i % 3 == 0 ? 2u : 1u);
              },
              {.all = true});
  EXPECT_EQ(told, 100u);
}

TEST(DecideMany, GivesEachCallItsDecisionOnAnyNumberOfThreads) {
  const Calls calls(1000);
  Scratch scratch;
  for (const unsigned threads : {0u, 1u, 2u, 7u, 64u}) {
    std::vector<std::atomic<int>> told(calls.batch.size());
    decide_many(calls.batch,
                [&](size_t i, const Decision& decision) {
                  const bool right = decision.effect == (i % 3 == 0 ? Effect::deny : Effect::allow) &&
                                     decision.rule == (i % 3 == 0 ? 0u : 1u) &&
                                     decision.reason == (i % 3 == 0 ? "p.deny#0" : "p.allow#1");
                  told[i] += right ? 1 : 1000;
                },
                {.threads = threads});
    EXPECT_TRUE(std::all_of(told.begin(), told.end(), [](const auto& times) { return times == 1; })) << threads;
  }
}

TEST(DecideMany, IsOneThreadUnlessAsked) {
  const Calls calls(500);
  size_t next = 0;
  const auto caller = std::this_thread::get_id();
  decide_many(calls.batch, [&](size_t i, const Decision&) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    EXPECT_EQ(i, next++);
  });
  EXPECT_EQ(next, calls.batch.size());
}

TEST(DecideMany, ListsEveryMatchingRuleWhereAsked) {
  const Calls calls(4);
  std::vector<size_t> matched(4, 99);
  decide_many(calls.batch, [&](size_t i, const Decision& decision) { matched[i] = decision.matched.size(); },
              {.all = true});
  EXPECT_EQ(matched, (std::vector<size_t>{2, 1, 1, 2}));
}

TEST(DecideMany, DeniesWhereTheCallOrItsContextIsMissing) {
  const Calls calls(300);
  std::vector<CallInContext> batch = calls.batch;
  batch[1].call = nullptr;
  batch[70].context = nullptr;
  batch[299] = {};
  std::vector<DecisionCode> codes(batch.size());
  std::vector<Effect> effects(batch.size());
  decide_many(batch,
              [&](size_t i, const Decision& decision) {
                codes[i] = decision.code;
                effects[i] = decision.effect;
              },
              {.threads = 3});
  for (size_t i = 0; i < batch.size(); ++i) {
    const bool missing = i == 1 || i == 70 || i == 299;
    EXPECT_EQ(codes[i], missing ? DecisionCode::invalid_input : DecisionCode::rule) << i;
    EXPECT_EQ(effects[i], missing || i % 3 == 0 ? Effect::deny : Effect::allow) << i;
  }
  size_t given = 0, told = 0;
  const CallInContext nothing;
  decide_many([&]() -> const CallInContext* { return given++ == 0 ? &nothing : nullptr; },
              [&](size_t, const Decision& decision) {
                ++told;
                EXPECT_EQ(decision.code, DecisionCode::invalid_input);
                EXPECT_FALSE(decision.reason.empty());
              });
  EXPECT_EQ(told, 1u);
  decide_many(batch, EachDecision(), {.threads = 2});
  decide_many(CallSource(), [](size_t, const Decision&) { FAIL() << "there is nothing to decide"; });
}

TEST(DecideMany, TakesNothing) {
  decide_many(std::span<const CallInContext>(), [](size_t, const Decision&) { FAIL() << "there is nothing to decide"; },
              {.threads = 4});
}

}  // namespace
}  // namespace ordain
