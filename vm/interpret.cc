// The interpreter: a direct-threaded loop over a predicate's instructions. It checks nothing that the verifier has
// proved.
#include <algorithm>
#include <cstring>

#include "vm/ops.h"

namespace ordain {
namespace {

// Where control goes on after a fault at `pc`: the innermost handler that covers it, or kNone.
uint32_t handler_target(const ProgramData& data, const Predicate& predicate, uint32_t pc) {
  const Handler* handler = data.handlers.data() + predicate.handlers.first;
  for (const Handler* end = handler + predicate.handlers.count; handler != end; ++handler) {
    if (pc >= handler->begin && pc < handler->end) return handler->target;
  }
  return kNone;
}

uint32_t location_of(const ProgramData& data, const Predicate& predicate, uint32_t pc) {
  const InsnLocation* first = data.insn_locations.data() + predicate.locations.first;
  const InsnLocation* last = first + predicate.locations.count;
  const InsnLocation* found =
      std::lower_bound(first, last, pc, [](const InsnLocation& at, uint32_t wanted) { return at.pc < wanted; });
  return found != last && found->pc == pc ? found->location : kNone;
}

bool same_string(const Value& a, const Value& b) {
  return a.aux == b.aux && (a.aux == 0 || std::memcmp(a.text, b.text, a.aux) == 0);
}

bool fault_with(Eval& eval, const Fault& fault) {
  eval.fault = fault;
  if (!eval.fault) eval.fault.code = FaultCode::host_error;
  return false;
}

}  // namespace

// With labels as values each instruction jumps to the next one's code itself, which branch predictors like; other
// compilers get a switch.
#if defined(__GNUC__)
#define ORDAIN_THREADED 1
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#endif

#if ORDAIN_THREADED
#define DISPATCH() goto* labels[static_cast<uint16_t>(pc->op)]
#define CASE(name) op_##name
#else
#define DISPATCH() goto dispatch
#define CASE(name) case Op::name
#endif
#define NEXT()  \
  do {          \
    ++pc;       \
    DISPATCH(); \
  } while (false)
#define GO(target)        \
  do {                    \
    pc = code + (target); \
    DISPATCH();           \
  } while (false)
#define FAULT_UNLESS(ok)    \
  do {                      \
    if (!(ok)) [[unlikely]] \
      goto fault;           \
  } while (false)
#define GIVE(name, expression)          \
  CASE(name) : r[pc->a] = (expression); \
  NEXT()
#define COMPARE(name, comparison) GIVE(name, Value::boolean(comparison))
#define CHECKED(name, builtin, field, type, make)                              \
  CASE(name) : {                                                               \
    type result;                                                               \
    if (builtin(r[pc->b].field, r[pc->c].field, &result)) goto overflow_fault; \
    r[pc->a] = Value::make(result);                                            \
    NEXT();                                                                    \
  }
// A value computed by a function that may fault: the destination changes only if it does not.
#define COMPUTE(name, call) \
  CASE(name) : {            \
    Value out;              \
    FAULT_UNLESS(call);     \
    r[pc->a] = out;         \
    NEXT();                 \
  }

uint32_t interpret(Frame& frame, uint32_t number) {
  const ProgramData& data = *frame.data;
  const LinkTables& link = *frame.link;
  const Predicate& predicate = data.predicates[number];
  const Insn* const code = data.code.data() + predicate.code.first;
  const SlotPlace* const slots = link.slots.data();
  const Value* const constants = frame.facts.constants;
  Value* const r = frame.registers;
  Eval& eval = frame.eval;
  const Insn* pc = code;
  const auto slot_value = [&](SlotId slot) -> const Value& { return frame.facts.slots[slots[slot].bank][slots[slot].index]; };

#if ORDAIN_THREADED
  static const void* const labels[] = {
#define X(name, operands, flags, doc) &&op_##name,
#include "vm/opcodes.def"
#undef X
  };
  DISPATCH();
#else
dispatch:
  switch (pc->op) {
#endif

  // --- data
  GIVE(const_, constants[pc->b]);
  GIVE(mov, r[pc->b]);
  CASE(unbox) : {
    const Value& from = r[pc->b];
    const uint8_t kind = data.register_kinds[predicate.registers.first + pc->a];
    if (static_cast<uint8_t>(from.kind) != kind && kind != kAnyKind) [[unlikely]] {
      eval.fail(FaultCode::no_such_overload);
      goto fault;
    }
    r[pc->a] = from;
    NEXT();
  }
  CASE(load) : {
    const Value& value = slot_value(pc->b);
    if (value.present()) [[likely]] {
      r[pc->a] = value;
    } else {
      FAULT_UNLESS(ops::load_absent(eval, data, pc->b, &r[pc->a]));
    }
    NEXT();
  }
  CASE(load_optional) : {
    const Value& value = slot_value(pc->b);
    if (value.present()) {
      FAULT_UNLESS(ops::make_optional(eval, value, &r[pc->a]));
    } else {
      r[pc->a] = Value::optional(nullptr);
    }
    NEXT();
  }
  COMPARE(has_slot, slot_value(pc->b).present());
  CASE(slot_eq) : {
    if (slot_value(pc->b).present()) [[likely]] {
      r[pc->a] = Value::boolean(frame.facts.symbols[slots[pc->b].bank][slots[pc->b].index] == pc->c);
    } else {
      Value value;
      FAULT_UNLESS(ops::load_absent(eval, data, pc->b, &value));
      r[pc->a] = Value::boolean(data.symbols[pc->c - 1] == value.as_text());
    }
    NEXT();
  }
  CASE(slot_in) : {
    const auto& set = data.symbol_sets[pc->c];
    if (slot_value(pc->b).present()) [[likely]] {
      const SymbolId symbol = frame.facts.symbols[slots[pc->b].bank][slots[pc->b].index];
      r[pc->a] = Value::boolean(std::binary_search(set.begin(), set.end(), symbol));
    } else {
      Value value;
      FAULT_UNLESS(ops::load_absent(eval, data, pc->b, &value));
      r[pc->a] = Value::boolean(
          std::ranges::any_of(set, [&](SymbolId id) { return data.symbols[id - 1] == value.as_text(); }));
    }
    NEXT();
  }
  CASE(slot_has) : {
    Value value;
    if (slot_value(pc->b).present()) [[likely]] {
      const uint64_t word = frame.facts.bits[slots[pc->b].bank][pc->c / 64];
      r[pc->a] = Value::boolean((word >> (pc->c % 64) & 1) != 0);
    } else {
      FAULT_UNLESS(ops::load_absent(eval, data, pc->b, &value));
      r[pc->a] = Value::boolean(false);
    }
    NEXT();
  }

  // --- int, uint, double
  CHECKED(add_int, __builtin_add_overflow, i, int64_t, integer)
  CHECKED(sub_int, __builtin_sub_overflow, i, int64_t, integer)
  CHECKED(mul_int, __builtin_mul_overflow, i, int64_t, integer)
  CASE(div_int) : {
    const int64_t x = r[pc->b].i, y = r[pc->c].i;
    if (y == 0) goto division_fault;
    if (x == INT64_MIN && y == -1) goto overflow_fault;
    r[pc->a] = Value::integer(x / y);
    NEXT();
  }
  CASE(mod_int) : {
    const int64_t x = r[pc->b].i, y = r[pc->c].i;
    if (y == 0) goto modulus_fault;
    if (x == INT64_MIN && y == -1) goto overflow_fault;
    r[pc->a] = Value::integer(x % y);
    NEXT();
  }
  CASE(neg_int) : {
    if (r[pc->b].i == INT64_MIN) goto overflow_fault;
    r[pc->a] = Value::integer(-r[pc->b].i);
    NEXT();
  }
  CHECKED(add_uint, __builtin_add_overflow, u, uint64_t, unsigned_integer)
  CHECKED(sub_uint, __builtin_sub_overflow, u, uint64_t, unsigned_integer)
  CHECKED(mul_uint, __builtin_mul_overflow, u, uint64_t, unsigned_integer)
  CASE(div_uint) : {
    if (r[pc->c].u == 0) goto division_fault;
    r[pc->a] = Value::unsigned_integer(r[pc->b].u / r[pc->c].u);
    NEXT();
  }
  CASE(mod_uint) : {
    if (r[pc->c].u == 0) goto modulus_fault;
    r[pc->a] = Value::unsigned_integer(r[pc->b].u % r[pc->c].u);
    NEXT();
  }
  GIVE(add_double, Value::floating(r[pc->b].d + r[pc->c].d));
  GIVE(sub_double, Value::floating(r[pc->b].d - r[pc->c].d));
  GIVE(mul_double, Value::floating(r[pc->b].d * r[pc->c].d));
  GIVE(div_double, Value::floating(r[pc->b].d / r[pc->c].d));
  GIVE(neg_double, Value::floating(-r[pc->b].d));

  // --- comparison
  COMPARE(eq_bool, r[pc->b].i == r[pc->c].i);
  COMPARE(eq_int, r[pc->b].i == r[pc->c].i);
  COMPARE(lt_int, r[pc->b].i < r[pc->c].i);
  COMPARE(le_int, r[pc->b].i <= r[pc->c].i);
  COMPARE(eq_uint, r[pc->b].u == r[pc->c].u);
  COMPARE(lt_uint, r[pc->b].u < r[pc->c].u);
  COMPARE(le_uint, r[pc->b].u <= r[pc->c].u);
  COMPARE(eq_double, r[pc->b].d == r[pc->c].d);
  COMPARE(lt_double, r[pc->b].d < r[pc->c].d);
  COMPARE(le_double, r[pc->b].d <= r[pc->c].d);
  CASE(eq_string) : {
    const Value &x = r[pc->b], &y = r[pc->c];
    FAULT_UNLESS(x.aux != y.aux || eval.charge(x.aux / 10));
    r[pc->a] = Value::boolean(same_string(x, y));
    NEXT();
  }
  COMPARE(lt_string, r[pc->b].as_text() < r[pc->c].as_text());
  COMPARE(le_string, r[pc->b].as_text() <= r[pc->c].as_text());
  CASE(eq_any) : {
    bool same;
    FAULT_UNLESS(equal(eval, r[pc->b], r[pc->c], &same));
    r[pc->a] = Value::boolean(same);
    NEXT();
  }
  COMPARE(not_, !r[pc->b].as_bool());

  // --- control
  CASE(jump) : GO(pc->b);
  CASE(jump_if) : if (r[pc->a].as_bool()) GO(pc->b);
  NEXT();
  CASE(jump_ifn) : if (!r[pc->a].as_bool()) GO(pc->b);
  NEXT();
  CASE(ret) : {
    frame.result = r[pc->a];
    return predicate.result == static_cast<uint8_t>(Kind::boolean) ? static_cast<uint32_t>(frame.result.as_bool()) : 1;
  }
  CASE(charge) : FAULT_UNLESS(eval.charge(pc->b));
  NEXT();

  // --- faults as data
  CASE(clear_fault) : frame.saved[pc->a] = Fault();
  NEXT();
  CASE(save_fault) : if (!frame.saved[pc->a]) frame.saved[pc->a] = eval.fault;
  NEXT();
  CASE(raise_saved) : {
    if (frame.saved[pc->a]) {
      fault_with(eval, frame.saved[pc->a]);
      goto raised;
    }
    NEXT();
  }
  CASE(raise_first) : {
    fault_with(eval, frame.saved[pc->a] ? frame.saved[pc->a] : Fault(eval.fault));
    goto raised;
  }
  CASE(fail) : {
    eval.fail(static_cast<FaultCode>(pc->a), pc->b == kNone ? Value() : constants[pc->b]);
    goto fault;
  }

  // --- calls
  COMPUTE(call, call_overload(eval, *link.overloads[pc->b], &r[pc->c], &out))
  COMPUTE(call_dynamic, call_dynamic(eval, *link.functions[pc->b], &r[pc->c], data.imports[pc->b].args, &out))
  COMPUTE(call_prepared, ops::call_prepared(eval, link.prepared[pc->b], &r[pc->c], &out))

  // --- records, maps, lists
  COMPUTE(select, ops::select(eval, r[pc->b], constants[pc->c], &out))
  COMPUTE(has_field, ops::has_field(eval, r[pc->b], constants[pc->c], &out))
  COMPUTE(select_optional, ops::select_optional(eval, r[pc->b], constants[pc->c], &out))
  COMPUTE(index, ops::index(eval, r[pc->b], r[pc->c], &out))
  COMPUTE(index_optional, ops::index_optional(eval, r[pc->b], r[pc->c], &out))
  COMPUTE(list_new, ops::list_new(eval, pc->b, &out))
  CASE(list_push) : FAULT_UNLESS(ops::list_push(eval, r[pc->a], r[pc->b]));
  NEXT();
  CASE(list_push_optional) : FAULT_UNLESS(ops::list_push_optional(eval, r[pc->a], r[pc->b]));
  NEXT();
  COMPUTE(list_done, ops::list_done(eval, r[pc->b], &out))
  COMPUTE(map_new, ops::map_new(eval, pc->b, &out))
  CASE(map_put) : FAULT_UNLESS(ops::map_put(eval, r[pc->a], r[pc->b], r[pc->c]));
  NEXT();
  CASE(map_put_optional) : FAULT_UNLESS(ops::map_put_optional(eval, r[pc->a], r[pc->b], r[pc->c]));
  NEXT();
  CASE(map_merge) : FAULT_UNLESS(ops::map_merge(eval, r[pc->a], r[pc->b]));
  NEXT();
  COMPUTE(map_done, ops::map_done(eval, r[pc->b], &out))

  // --- iteration
  COMPUTE(iter_size, ops::iter_size(eval, r[pc->b], &out))
  GIVE(iter_item, ops::iter_item(r[pc->b], r[pc->c].i));
  GIVE(iter_key, ops::iter_key(r[pc->b], r[pc->c].i));
  GIVE(iter_value, ops::iter_value(r[pc->b], r[pc->c].i));
  CASE(inc) : r[pc->a].u += 1;
  NEXT();

#if !ORDAIN_THREADED
}
#endif

overflow_fault: eval.fail(FaultCode::overflow);
goto fault;
division_fault: eval.fail(FaultCode::division_by_zero);
goto fault;
modulus_fault: eval.fail(FaultCode::modulus_by_zero);
fault: eval.fault.location = location_of(data, predicate, static_cast<uint32_t>(pc - code));
if (!eval.fault) eval.fault.code = FaultCode::host_error;  // a function that failed without saying why
raised: {
  const uint32_t target = handler_target(data, predicate, static_cast<uint32_t>(pc - code));
  if (target == kNone) return 2;
  GO(target);
}
}

#if ORDAIN_THREADED
#pragma GCC diagnostic pop
#endif

}  // namespace ordain
