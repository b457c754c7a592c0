// These tests hand capabilities, slots, contexts and bindings of one program to a call of another, as a host does that
// keeps them over a reload. Whatever is foreign must deny: its numbers would name other things of the new program.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "ordain/decide.h"
#include "ordain/decide_many.h"
#include "ordain/decision_json.h"
#include "ordain/stdlib.h"
#include "ordain/struct_binding.h"
#include "tests/support/assemble.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

struct Shipment {
  bool blocked = true;
};

/// A program in which `pay` is denied if `input.blocked`, and allowed otherwise. `shifted` gives every slot and
/// capability another number; `unread` leaves the rule out, so that no rule reads the slot.
std::shared_ptr<const Program> blocking_program(bool shifted, bool unread = false) {
  test::Assembler a;
  if (shifted) a.slot("input.other", &types::kBool);
  if (shifted) a.capability("other");
  const uint32_t package = a.package("p");
  RecordBinding input{.name = "input"};
  const RecordField fields[] = {{"blocked", &types::kBool, true}};
  input.type = a.data.memory.make<RecordType>(
      RecordType{"pay.input", false, a.data.memory.copy(std::span<const RecordField>(fields))});
  input.fields = {{.name = "blocked", .type = &types::kBool, .optional = true}};
  if (!unread) {
    Slot optional;
    optional.optional = true;
    const SlotId slot = a.slot("input.blocked", &types::kBool, optional);
    input.fields[0].slot = slot;
    const uint32_t blocked = a.begin(test::kBool);
    const uint16_t there = a.reg(test::kBool), value = a.reg(test::kBool);
    a.emit(Op::has_slot, there, slot);
    const uint32_t absent = a.emit(Op::jump_ifn, there);
    a.emit(Op::load, value, slot);
    a.emit(Op::ret, value);
    a.land(absent);
    a.emit(Op::ret, there);
    a.rule(package, RuleKind::deny, {.condition = blocked});
  }
  a.rule(package, RuleKind::allow);
  a.data.schema.records = {input};
  const CapabilityId pay = a.capability("pay");
  a.data.schema.capabilities[pay].input = 0;
  a.finish();
  auto program = vm::link_program(std::move(a.data), standard_library());
  EXPECT_TRUE(program.ok()) << program.error().message;
  return program.ok() ? *program : nullptr;
}

struct ForeignRefs : testing::Test {
  std::shared_ptr<const Program> program = blocking_program(true);
  std::shared_ptr<const Program> old = blocking_program(false);
  std::shared_ptr<const Program> unread = blocking_program(true, true);
  std::shared_ptr<const Program> twin = blocking_program(true);  // the same content, loaded once more
  Context context{program};
  Call call{program};
  Scratch scratch;

  static SlotRef blocked_of(const Program& of) { return of.slot(of.schema().find_capability("pay"), "input.blocked"); }
  void begin(const CapabilityRef& capability) { call.begin(capability, Stage::before); }
  void begin() { begin(program->resolve("pay")); }
};

TEST_F(ForeignRefs, OwnOnesDecide) {
  begin();
  EXPECT_EQ(decide(call, context, scratch).effect, Effect::allow);
  call.set(blocked_of(*program), Value::boolean(true));
  EXPECT_EQ(decide(call, context, scratch).effect, Effect::deny);
  EXPECT_EQ(decide(call, context, scratch).code, DecisionCode::rule);
  call.forget(blocked_of(*program));
  EXPECT_EQ(decide(call, context, scratch).effect, Effect::allow);
  begin();
  call.set(program->slot(nullptr, "input.unheard_of"), Value::boolean(true));  // no rule reads it
  EXPECT_EQ(decide(call, context, scratch).effect, Effect::allow);
}

TEST_F(ForeignRefs, AreDenied) {
  ASSERT_EQ(blocked_of(*unread).id, kNone);
  ASSERT_EQ(blocked_of(*twin).id, blocked_of(*program).id);
  auto binding = StructBinder<Shipment>(old, "pay").bind("input.blocked", &Shipment::blocked).finish();
  ASSERT_TRUE(binding.ok()) << binding.error().message;
  const Shipment shipment;
  const Value yes = Value::boolean(true);
  struct Way {
    const char* name;
    std::function<void()> fill;
  };
  const Way ways[] = {
      {"a capability of another program", [&] { begin(old->resolve("pay")); }},
      {"a capability of the same program, loaded again", [&] { begin(twin->resolve("pay")); }},
      {"a capability that another program does not name", [&] { begin(old->resolve("unheard_of")); }},
      {"a capability of no program", [&] { begin(CapabilityRef()); }},
      {"facts after a foreign capability",
       [&] { begin(old->resolve("pay")), call.bind_json("{}"), call.set(blocked_of(*program), yes); }},
      {"a slot of another program", [&] { begin(), call.set(blocked_of(*old), yes); }},
      {"a slot of the same program, loaded again", [&] { begin(), call.set(blocked_of(*twin), yes); }},
      {"a slot that no rule of another program reads", [&] { begin(), call.set(blocked_of(*unread), yes); }},
      {"a slot of no program", [&] { begin(), call.set(SlotRef(), yes); }},
      {"a slot past the end", [&] { begin(), call.set(program->slot(9999), yes); }},
      {"a slot of a foreign capability",
       [&] { begin(), call.set(program->slot(old->schema().find_capability("pay"), "input.blocked"), yes); }},
      {"a foreign slot to forget", [&] { begin(), call.forget(blocked_of(*old)); }},
      {"a struct bound to another program", [&] { begin(), binding->fill(call, shipment); }},
      {"a struct bound to another program, with its capability",
       [&] { begin(binding->capability()), binding->fill(call, shipment); }},
  };
  for (const Way& way : ways) {
    SCOPED_TRACE(way.name);
    way.fill();
    for (const bool all : {false, true}) {
      const Decision decision = all ? decide_all(call, context, scratch) : decide(call, context, scratch);
      EXPECT_EQ(decision.effect, Effect::deny);
      EXPECT_EQ(decision.code, DecisionCode::invalid_input);
      EXPECT_NE(decision.reason.find("program"), std::string_view::npos) << decision.reason;
    }
    const CallInContext one{&call, &context};
    decide_many(std::span(&one, 1), [](size_t, const Decision& decision) { EXPECT_EQ(decision.effect, Effect::deny); });
    begin();  // the call is good again
    EXPECT_EQ(decide(call, context, scratch).effect, Effect::allow);
  }
}

TEST_F(ForeignRefs, ContextsAndCallsThatWereNotBegunAreDenied) {
  DecideOptions lenient;
  lenient.default_before = Effect::allow;
  begin();
  EXPECT_EQ(decide(call, Context(twin), scratch, lenient).code, DecisionCode::invalid_input);
  const Call fresh(program);
  EXPECT_EQ(decide(fresh, context, scratch, lenient).effect, Effect::deny);
  EXPECT_EQ(decide_all(fresh, context, scratch, lenient).code, DecisionCode::invalid_input);
  EXPECT_EQ(decide(fresh, context, scratch, lenient).reason, "the call was not begun");
}

TEST_F(ForeignRefs, EvaluateRefusesOtherProgramsAndPredicates) {
  begin();
  Value value;
  Fault fault;
  EXPECT_FALSE(evaluate(*old, 0, call, context, scratch, {}, &value, &fault));
  EXPECT_EQ(fault.code, FaultCode::invalid_argument);
  EXPECT_FALSE(evaluate(*program, 9999, call, context, scratch, {}, &value, &fault));
  EXPECT_EQ(fault.code, FaultCode::invalid_argument);
  EXPECT_TRUE(evaluate(*program, 0, call, context, scratch, {}, &value, &fault));
}

TEST_F(ForeignRefs, ADecisionOfAnotherProgramIsWrittenWithoutItsRules) {
  begin();
  Decision decision = decide(call, context, scratch);
  decision.rule = 9999;
  decision.fault.code = FaultCode::division_by_zero;
  decision.fault.location = 9999;
  EXPECT_NE(decision_json(call, decision).find("\"rule\": null"), std::string::npos);
  EXPECT_EQ(program->policy_version(9999), "");
}

}  // namespace
}  // namespace ordain
