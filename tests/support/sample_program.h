// sample_program has something in every section and (nearly) every instruction, for tests of the
// serialised form.
#pragma once

#include "tests/support/assemble.h"

namespace ordain::test {

inline bool sample_function(Eval&, const Value* args, Value* result) {
  *result = args[0];
  return true;
}
inline std::shared_ptr<const void> sample_prepare(const Value& arg, std::string*) {
  return std::make_shared<int64_t>(arg.i);
}
inline const FunctionTable& sample_functions() {
  static const FunctionTable& table = *[] {
    auto* out = new FunctionTable();
    out->add({"same", "same_any", "(A) -> A", sample_function, "Test."});
    Overload near{"near", "near_int", "(int, int) -> int", sample_function, "Test."};
    near.preparation = {
        .arg = 1, .prepare = sample_prepare, .call = [](Eval& eval, const void*, const Value* args, Value* result) {
          return sample_function(eval, args, result);
        }};
    out->add(near);
    return out;
  }();
  return table;
}

/// Slots: 0 input.name (string, compared), 1 input.tags (list, bits), 2 agent.clearance (host), 3 input (the whole).
inline Assembler sample_program() {
  Assembler a;
  Arena& memory = a.data.memory;
  const SymbolId red = a.symbol("red"), blue = a.symbol("blue");
  a.data.symbol_sets = {{red, blue}};
  Slot compared, members, host;
  compared.compared = true;
  members.member_symbols = {blue, red};
  host.host = true;
  host.bank = Bank::context;
  a.slot("input.name", &types::kString, compared);
  a.slot("input.tags", &types::kListString, members);
  a.slot("agent.clearance", &types::kInt, host);
  a.slot("input", &types::kMapDyn);

  const RecordField fields[] = {{"name", &types::kString, false}, {"tags", &types::kListString, true}};
  RecordType* input =
      memory.make<RecordType>(RecordType{"act.input", false, memory.copy(std::span<const RecordField>(fields))});
  RecordBinding binding{.name = "input", .whole = 3, .type = input};
  binding.fields = {{.name = "name", .type = &types::kString, .slot = 0},
                    {.name = "tags", .type = &types::kListString, .optional = true, .slot = 1}};
  RecordBinding agent{.name = "agent", .dynamic = true};
  agent.fields = {{.name = "clearance", .type = &types::kInt, .slot = 2}};
  a.data.schema.records = {binding, agent};
  a.data.schema.roots["agent"] = 1;
  a.capability("act");
  Capability& act = a.data.schema.capabilities[0];
  act.type = "tool";
  act.risk = 2.5;
  act.effects = {"external"};
  act.tags = {"t1", "t2"};
  act.input = 0;
  a.data.schema.globs = {"*", "pay.*"};
  GlobSet all;
  all.set(0);
  a.data.target_sets = {all};

  const Value items[] = {Value::integer(-1),
                         Value::unsigned_integer(1),
                         Value::floating(0.5),
                         Value::null(),
                         Value::duration(-1, -500'000'000),
                         Value::timestamp(1'700'000'000, 1),
                         Value::bytes("\xff\x00"),
                         Value::type("int"),
                         Value::optional(nullptr)};
  const MapEntry entries[] = {{Value::string("a"), Value::list(items)}, {Value::integer(1), Value::boolean(true)}};
  const Value map = Value::map_of(make_map(memory, memory.copy(std::span<const MapEntry>(entries))));

  // 0: a loop that pushes map.a's elements, calls functions, absorbs a fault.
  a.begin(kBool);
  const uint32_t f = a.saved();
  const uint16_t from = a.load_constant(map);
  const uint16_t list = a.reg(kAnyKind), element = a.reg(kAnyKind), builder = a.reg(kBuilderKind), out = a.reg(kList);
  const uint16_t size = a.reg(kInt), more = a.reg(kBool), any = a.reg(kAnyKind);
  const uint16_t i = a.load_constant(Value::integer(0)), two = a.load_constant(Value::integer(2));
  const uint32_t same = a.import("same", "same_any", 1), dynamic = a.import("same", "", 1);
  const uint32_t near = a.import("near", "near_int", 2);
  a.data.prepared.push_back({near, a.constant(Value::integer(2))});
  a.emit(Op::select, list, from, a.constant(Value::string("a")), 3);
  a.emit(Op::iter_size, size, list, 0, 4);
  a.emit(Op::list_new, builder, 4);
  a.emit(Op::clear_fault, f);
  const uint32_t skip = a.emit(Op::jump, 0);
  const uint32_t body = a.emit(Op::charge, 0, 3, 0, 5);
  a.emit(Op::iter_item, element, list, i);
  a.emit(Op::list_push, builder, element, 0, 5);
  const uint32_t begin = a.emit(Op::call, any, same, element, 6);
  a.emit(Op::call_dynamic, any, dynamic, element, 6);
  a.emit(Op::call_prepared, any, 0, i, 7);
  a.emit(Op::div_int, size, size, i, 7);
  const uint32_t end = a.pc();
  const uint32_t next = a.emit(Op::inc, i);
  a.land(skip);
  a.emit(Op::lt_int, more, i, two);
  a.emit(Op::jump_if, more, body);
  a.emit(Op::list_done, out, builder);
  a.emit(Op::eq_any, more, out, list);
  a.emit(Op::ret, more);
  a.handler(begin, end, a.pc());
  a.emit(Op::save_fault, f);
  a.emit(Op::jump, 0, next);

  // 1: slot tests.
  a.begin(kBool);
  const uint16_t r = a.reg(kBool);
  a.emit(Op::slot_eq, r, 0, red, 8);
  const uint32_t no = a.emit(Op::jump_ifn, r);
  a.emit(Op::slot_in, r, 0, 0, 9);
  a.emit(Op::slot_has, r, 1, a.data.schema.slots[1].first_bit + 1, 10);
  a.land(no);
  a.emit(Op::ret, r);

  const uint32_t because = a.reads(0, kString, 11);
  const uint32_t group = a.returns(Value::string("ops")), hour = a.returns(Value::duration(3600, 0));
  const uint32_t clearance = a.reads(2, kInt, 12);

  const uint32_t first = a.package("acme.one"), second = a.package("acme.two", true);
  a.data.packages[0].digest.fill(7);
  a.data.packages[1].budget = 123'456;
  a.rule(first, RuleKind::deny, {.condition = 0, .because = because});
  a.rule(first, RuleKind::require_approval, {.condition = 1, .from = group, .expires = hour});
  a.rule(first, RuleKind::allow, {.because_text = a.constant(Value::string("fine"))});
  a.rule(first, RuleKind::redact, {.condition = 1, .with = clearance}, Stage::after);
  a.rule(first, RuleKind::warn, {}, Stage::after);
  a.rule(second, RuleKind::deny, {.condition = 1});
  a.rule(second, RuleKind::allow, {.condition = 1, .target_set = 0});
  for (RuleInfo& rule : a.data.rules) rule.location = a.location(20 + static_cast<uint32_t>(rule.name.size()), 3);
  a.data.policy_versions = {{"o", "3"}, {"p", "1.2"}};
  a.finish();
  return a;
}

}  // namespace ordain::test
