// wire_program.h has a small program for tests of events and decisions as JSON.
#pragma once

#include <gtest/gtest.h>

#include "tests/support/assemble.h"
#include "vm/program/linked_program.h"

namespace ordain::test {

/// capability pay { input { large: optional(bool), broken: optional(bool) } }, with `agent.trusted: bool` in the
/// context: denies with a fault if `broken`; asks "finance" and "ops" for 90 seconds if `large`; else allows a trusted
/// agent, with a warning. After the call it redacts output.secret.
inline std::shared_ptr<const Program> wire_program() {
  using enum RuleKind;
  Assembler a;
  Arena& memory = a.data.memory;
  Slot host;
  host.host = true;
  host.bank = Bank::context;
  a.slot("input.large", &types::kBool);
  a.slot("input.broken", &types::kBool);
  a.slot("agent.trusted", &types::kBool, host);
  const RecordField fields[] = {{"large", &types::kBool, true}, {"broken", &types::kBool, true}};
  RecordType* type =
      memory.make<RecordType>(RecordType{"pay.input", false, memory.copy(std::span<const RecordField>(fields))});
  RecordBinding input{.name = "input", .type = type};
  input.fields = {{.name = "broken", .type = &types::kBool, .optional = true, .slot = 1},
                  {.name = "large", .type = &types::kBool, .optional = true, .slot = 0}};
  const RecordField attributes[] = {{"trusted", &types::kBool}};
  RecordType* agent_type =
      memory.make<RecordType>(RecordType{"agent", false, memory.copy(std::span<const RecordField>(attributes))});
  RecordBinding agent{.name = "agent", .type = agent_type};
  agent.fields = {{.name = "trusted", .type = &types::kBool, .slot = 2}};
  a.data.schema.records = {input, agent};
  a.data.schema.roots["agent"] = 1;
  a.capability("pay");
  a.data.schema.capabilities[0].input = 0;

  // Is the optional field there, and true?
  const auto is_set = [&](SlotId slot, FaultCode fault) {
    const uint32_t predicate = a.begin(kBool);
    const uint16_t there = a.reg(kBool), value = a.reg(kBool);
    a.emit(Op::has_slot, there, slot);
    const uint32_t absent = a.emit(Op::jump_ifn, there);
    a.emit(Op::load, value, slot);
    if (fault != FaultCode::none) {
      const uint32_t no = a.emit(Op::jump_ifn, value);
      a.emit(Op::fail, static_cast<uint32_t>(fault), kNone, 0, 7);
      a.land(no);
    }
    a.emit(Op::ret, value);
    a.land(absent);
    a.emit(Op::ret, there);
    return predicate;
  };
  const uint32_t broken = is_set(1, FaultCode::division_by_zero), large = is_set(0, FaultCode::none);
  const uint32_t trusted = a.reads(2, kBool, 12);
  const Value groups[] = {Value::string("ops"), Value::string("finance")};
  const uint32_t from = a.returns(Value::list(groups)), expires = a.returns(Value::duration(90, 0));
  const uint32_t stars = a.returns(Value::string("***"));

  const uint32_t main = a.package("main");
  a.rule(main, deny, {.condition = broken});
  a.rule(main, require_approval,
         {.condition = large,
          .because_text = a.constant(Value::string("a \"large\" one")),
          .from = from,
          .expires = expires});
  a.rule(main, allow, {.condition = trusted});
  a.rule(main, warn, {.because_text = a.constant(Value::string("look"))});
  a.rule(main, redact, {.with = stars}, Stage::after);
  a.data.policy_versions = {{"p", "1.2"}};
  a.finish();
  auto program = vm::link_program(std::move(a.data), FunctionTable());
  EXPECT_TRUE(program.ok()) << program.error().message;
  return program.ok() ? *program : nullptr;
}

}  // namespace ordain::test
