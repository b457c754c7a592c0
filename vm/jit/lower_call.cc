// lower_call.cc lowers calls of functions and access to records, maps and lists, mostly by calls of
// helpers.
#include <cstddef>

#include "vm/jit/lower.h"

namespace ordain::native {

void PredicateLowering::call(const Insn& insn) {
  if (is_intrinsic(m_.data, m_.link, p_, insn)) {
    const bool prepared = insn.op == Op::call_prepared;
    const Overload* overload = prepared ? m_.link.prepared[insn.b].overload : m_.link.overloads[insn.b];
    const Value* constant = prepared ? &m_.data.constants[m_.data.prepared[insn.b].constant] : nullptr;
    return intrinsic(insn, overload->intrinsic, constant);
  }
  call_function(insn);
  take_result(insn.a);
}

void PredicateLowering::call_function(const Insn& insn) {
  const uint32_t import = insn.op == Op::call_prepared ? m_.data.prepared[insn.b].import : insn.b;
  const uint32_t count = m_.data.imports[import].args;
  for (uint32_t i = 0; i < count; ++i) in_memory(insn.c + i);
  V args = register_address(count == 0 ? 0 : insn.c);
  V result = at(frame_, offsetof(Frame, result));
  V number_of = b_.getInt32(insn.b);
  if (insn.op == Op::call && m_.link.overloads[insn.b]->cost == nullptr) {
    V eval = at(frame_, offsetof(Frame, eval));
    cost_to_frame();  // a function may spend more than its row declares
    V ok = b_.CreateCall(m_.overload(*m_.link.overloads[insn.b]), {eval, args, result});
    cost_from_frame();
    fault_unless(ok);
  } else {
    const char* name = insn.op == Op::call           ? "ordain_call"
                       : insn.op == Op::call_dynamic ? "ordain_call_dynamic"
                                                     : "ordain_call_prepared";
    fault_unless(call_helper(name, {frame_, number_of, args}));
  }
}

PredicateLowering::Block PredicateLowering::missing_exit(uint32_t key) {
  const auto code = static_cast<uint32_t>(FaultCode::no_such_key);
  return exit(kMissingKey | key, "ordain_fail", {frame_, b_.getInt32(code), b_.getInt32(key), location()});
}

/// Looks up a map's value by a constant name. No Value has to be in memory, and only the map is
/// read. @returns false if the instruction is not such a look-up.
bool PredicateLowering::find_by_name(const Insn& insn) {
  if (kind(insn.b) != static_cast<uint8_t>(Kind::map)) return false;
  const uint32_t key = insn.op == Op::index ? known_[insn.c] : insn.c;
  if (key == kNone || !m_.data.constants[key].is(Kind::string)) return false;
  const uint32_t size = m_.data.constants[key].aux;
  if (insn.op == Op::index && size >= 10) charge(number(size / 10));
  V map = b_.CreateIntToPtr(pair(insn.b).payload, b_.getPtrTy());
  V text = b_.CreateIntToPtr(constant_pair(key).payload, b_.getPtrTy());
  V found = call_helper("ordain_find_name", {map, text, number(size)});
  if (insn.op == Op::has_field) {
    set_boolean(insn.a, b_.CreateIsNotNull(found));
    return true;
  }
  fault_if(b_.CreateIsNull(found), missing_exit(key));
  set(insn.a, load_pair(found, false));
  return true;
}

void PredicateLowering::container(const Insn& insn) {
  const bool finds = insn.op == Op::select || insn.op == Op::has_field || insn.op == Op::index;
  if (finds && find_by_name(insn)) return;
  auto by_field = [&](const char* name) {
    fault_unless(call_helper(name, {frame_, in_memory(insn.b), b_.getInt32(insn.c)}));
    take_result(insn.a);
  };
  auto by_key = [&](const char* name) {
    fault_unless(call_helper(name, {frame_, in_memory(insn.b), in_memory(insn.c)}));
    take_result(insn.a);
  };
  auto begin = [&](const char* name) {
    fault_unless(call_helper(name, {frame_, b_.getInt32(insn.b), register_address(insn.a)}));
  };
  auto add = [&](const char* name) {
    fault_unless(call_helper(name, {frame_, register_address(insn.a), in_memory(insn.b)}));
  };
  auto put = [&](const char* name) {
    fault_unless(call_helper(name, {frame_, register_address(insn.a), in_memory(insn.b), in_memory(insn.c)}));
  };
  auto done = [&](const char* name) {
    fault_unless(call_helper(name, {frame_, register_address(insn.b)}));
    take_result(insn.a);
  };
  switch (insn.op) {
    case Op::select:
      return by_field("ordain_select");
    case Op::has_field:
      return by_field("ordain_has_field");
    case Op::select_optional:
      return by_field("ordain_select_optional");
    case Op::index:
      return by_key("ordain_index");
    case Op::index_optional:
      return by_key("ordain_index_optional");
    case Op::list_new:
      return begin("ordain_list_new");
    case Op::list_push:
      return add("ordain_list_push");
    case Op::list_push_optional:
      return add("ordain_list_push_optional");
    case Op::list_done:
      return done("ordain_list_done");
    case Op::map_new:
      return begin("ordain_map_new");
    case Op::map_put:
      return put("ordain_map_put");
    case Op::map_put_optional:
      return put("ordain_map_put_optional");
    case Op::map_merge:
      return add("ordain_map_merge");
    default:
      return done("ordain_map_done");
  }
}

}  // namespace ordain::native
