// These tests check that the deciding path allocates nothing on either engine. Rules that call
// functions marked kMayLock (regular expressions) are excepted, because RE2 may allocate while it
// matches.
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "ordain/compile.h"
#include "ordain/decide.h"
#include "ordain/event.h"
#include "ordain/stdlib.h"
#include "ordain/struct_binding.h"
#include "tests/support/allocations.h"
#include "tests/support/annotations.h"
#include "tests/support/evaluators.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

bool may_lock(const Program& program) {
  for (const Import& import : data_of(program).imports) {
    const Function* function = standard_library().find(import.name);
    for (const Overload* overload : function->overloads) {
      if ((overload->flags & kMayLock) != 0) return true;
    }
  }
  return false;
}

uint64_t allocations_of(const EventReader& reader, Scratch& scratch, bool interpret) {
  DecideOptions options;
  options.interpret_only = interpret;
  const uint64_t before = test::allocations_made;
  decide(reader.call(), reader.context(), scratch, options);
  decide_all(reader.call(), reader.context(), scratch, options);
  return test::allocations_made - before;
}

TEST(Allocations, TheCounterCounts) {
  if (ORDAIN_COUNTS_ALLOCATIONS == 0) GTEST_SKIP() << "sanitizers have their own operator new";
  const uint64_t before = test::allocations_made;
  const auto text = std::make_unique<std::string>(1000, 'x');
  EXPECT_GE(test::allocations_made - before, 2u) << text->size();
}

// The ways to fill a call: by slot, from a struct, from JSON text. Once warm, none of them
// allocates, and neither does the decision.
constexpr const char* kWaysIn = R"(
capability pay { input open { amount: double, to: string, tags: list(string), note: optional(string) } }
capability whole { input open { amount: double, to: string } }
policy p on before pay { deny big when input.amount > 100.0; deny black when "black" in input.tags;
  deny extra when has(input.extra) && input.extra == "x"; allow; }
policy q on before whole { deny secret when texts(input).exists(t, t == "secret"); allow; }
)";

struct Payment {
  double amount = 5;
  std::string to = "somebody whose name is longer than a small string";
  std::vector<std::string> tags{"white", "grey", "another tag that does not fit a small string"};
  std::optional<std::string> note;
};

TEST(Allocations, TheWaysInAllocateNothing) {
  if (ORDAIN_COUNTS_ALLOCATIONS == 0) GTEST_SKIP() << "sanitizers have their own operator new";
  auto compiled = compile({std::make_shared<Source>(Source{"ways.policy", kWaysIn})}, standard_library());
  ASSERT_NE(compiled.program, nullptr) << render(compiled.diagnostics);
  const std::shared_ptr<const Program> program = compiled.program;
  auto pay = StructBinder<Payment>(program, "pay")
                 .bind("input.amount", &Payment::amount)
                 .bind("input.to", &Payment::to)
                 .bind("input.tags", &Payment::tags)
                 .bind("input.note", &Payment::note)
                 .finish();
  auto whole = StructBinder<Payment>(program, "whole")
                   .bind("input.amount", &Payment::amount)
                   .bind("input.to", &Payment::to)
                   .finish();
  ASSERT_TRUE(pay.ok() && whole.ok());
  const SlotRef amount = program->slot(program->schema().find_capability("pay"), "input.amount");
  std::string json = R"({"amount": 5, "to": "bob", "tags": ["a", "b"], "note": null)";
  for (int n = 0; n < 200; ++n) json += R"(, "f)" + std::to_string(n) + R"(": {"a": [1, 2.5, "text"], "b": {}})";
  json += "}";
  const Payment payment;
  const Context context(program);
  Scratch scratch;
  Call call(program);
  const std::pair<const char*, std::function<void()>> ways[] = {
      {"slot", [&] { call.begin(pay->capability(), Stage::before), call.set(amount, Value::floating(200)); }},
      {"struct", [&] { call.begin(pay->capability(), Stage::before), pay->fill(call, payment); }},
      {"struct as a map", [&] { call.begin(whole->capability(), Stage::before), whole->fill(call, payment); }},
      {"JSON", [&] { call.begin(pay->capability(), Stage::before), call.bind_json(json); }},
      {"JSON, whole", [&] { call.begin(whole->capability(), Stage::before), call.bind_json(json); }},
  };
  for (const auto& [name, way] : ways) {
    for (int n = 0; n < 3; ++n) way(), decide(call, context, scratch);
    ASSERT_FALSE(call.error().failed) << name << ": " << call.error().message;
    const uint64_t before = test::allocations_made;
    way();
    const Decision decision = decide(call, context, scratch);
    EXPECT_EQ(test::allocations_made - before, 0u) << name;
    EXPECT_EQ(decision.code, DecisionCode::rule) << name;
  }
}

TEST(Allocations, DecidingAllocatesNothing) {
  if (ORDAIN_COUNTS_ALLOCATIONS == 0) GTEST_SKIP() << "sanitizers have their own operator new";
  Scratch scratch;
  int decided = 0;
  for (const std::string& path : policy_files(std::string(ORDAIN_SOURCE_DIR) + "/tests/policies")) {
    const AnnotatedFile file = read_annotated(path);
    auto compiled = compile_everywhere({std::make_shared<Source>(Source{path, file.text()})});
    if (compiled->interpreted == nullptr || may_lock(*compiled->interpreted)) continue;
    for (const auto& program : {compiled->interpreted, compiled->native}) {
      EventReader reader(program);
      for (const Expectation& expectation : file.expectations) {
        if (!reader.read(expectation.event)) continue;
        EXPECT_EQ(allocations_of(reader, scratch, program == compiled->interpreted), 0u)
            << path << ": " << expectation.event;
        ++decided;
      }
    }
  }
  EXPECT_GT(decided, 100);
}

}  // namespace
}  // namespace ordain
