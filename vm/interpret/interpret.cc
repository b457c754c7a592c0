// The interpreter is a direct-threaded loop over the instructions of a predicate, or of the
// conditions of a batch of rules. It does not check what the verifier has proved.
#include <algorithm>
#include <cstring>

#include "vm/interpret/engine_ops.h"
#include "vm/interpret/frame.h"
#include "vm/interpret/machine.h"
#include "vm/program/superinstructions.h"
#include "vm/value/ops.h"

namespace ordain::vm {
namespace {

// Finds where control continues after a fault at `pc`: the innermost handler that covers it, or
// kNone.
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
// NOLINTBEGIN(readability-identifier-naming): this file's own words, short because every instruction uses them.
#if defined(__GNUC__)
#define ORDAIN_THREADED 1
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#endif

#if ORDAIN_THREADED
#define DISPATCH() goto* labels[*step]
#define CASE(name) op_##name
#else
#define DISPATCH() goto dispatch
#define CASE(name) case Step::name
#endif
#define NEXT(count)  \
  do {               \
    pc += (count);   \
    step += (count); \
    DISPATCH();      \
  } while (false)
#define GO(target)                  \
  do {                              \
    const uint32_t next = (target); \
    pc = code + next;               \
    step = steps + next;            \
    DISPATCH();                     \
  } while (false)
#define FAULT_UNLESS(ok)    \
  do {                      \
    if (!(ok)) [[unlikely]] \
      goto fault;           \
  } while (false)
#define GIVE(name, expression)          \
  CASE(name) : r[pc->a] = (expression); \
  NEXT(1)
#define COMPARE(name, comparison) GIVE(name, Value::boolean(comparison))
#define CHECKED(name, builtin, field, type, make)                              \
  CASE(name) : {                                                               \
    type result;                                                               \
    if (builtin(r[pc->b].field, r[pc->c].field, &result)) goto overflow_fault; \
    r[pc->a] = Value::make(result);                                            \
    NEXT(1);                                                                   \
  }
// A value computed by a function that may fault: the destination changes only if there is no fault.
#define COMPUTE(name, call) \
  CASE(name) : {            \
    Value out;              \
    FAULT_UNLESS(call);     \
    r[pc->a] = out;         \
    NEXT(1);                \
  }
// One of the instructions that a superinstruction consists of.
#define PART(name, place)                         \
  if (!machine.name(pc + (place))) [[unlikely]] { \
    pc += (place);                                \
    goto fault;                                   \
  }
#define PLAIN(name) CASE(name) : PART(name, 0) NEXT(1);
#define END_ret(place)                                        \
  {                                                           \
    pc += (place);                                            \
    if (rules == nullptr || r[pc->a].as_bool()) goto returns; \
    goto next_rule;                                           \
  }
#define END_jump_if(place)                         \
  {                                                \
    if (r[pc[place].a].as_bool()) GO(pc[place].b); \
    NEXT((place) + 1);                             \
  }
#define END_jump_ifn(place)                         \
  {                                                 \
    if (!r[pc[place].a].as_bool()) GO(pc[place].b); \
    NEXT((place) + 1);                              \
  }
#define END_add_int(place) PART(add_int, place) NEXT((place) + 1);
#define END_sub_int(place) PART(sub_int, place) NEXT((place) + 1);
#define END_mul_int(place) PART(mul_int, place) NEXT((place) + 1);
#define END_add_double(place) PART(add_double, place) NEXT((place) + 1);
#define END_sub_double(place) PART(sub_double, place) NEXT((place) + 1);
#define END_mul_double(place) PART(mul_double, place) NEXT((place) + 1);
// NOLINTEND(readability-identifier-naming)

namespace {

/// Whether a fault of the condition counts as false.
bool ignores_faults(RuleKind kind) { return kind == RuleKind::allow || kind == RuleKind::warn; }

// Runs one predicate or, if `rules` is not nullptr, the conditions of `count` rules of the rule
// list, until one is not false.
uint32_t execute(Frame& frame, uint32_t number, const uint32_t* rules, uint32_t count) {
  const ProgramData& data = *frame.data;
  const LinkTables& link = *frame.link;
  const Value* const constants = frame.facts.constants;
  Value* const r = frame.registers;
  Eval& eval = frame.eval;
  const Machine machine{data, frame.facts, link.slots.data(), r, eval};
  const RuleCode* const rule_codes = data.rule_codes.data();
  const Predicate* const predicates = data.predicates.data();
  const Predicate* predicate = nullptr;
  const Insn* const all_code = data.code.data();
  const uint8_t* const all_steps = link.steps.data();
  const Insn* code = nullptr;
  const Insn* pc = nullptr;
  const uint8_t* steps = nullptr;
  const uint8_t* step = nullptr;
  uint32_t place = 0;

#if ORDAIN_THREADED
  static const void* const labels[] = {
#define X(name, operands, flags, doc) &&op_##name,
#include "vm/program/opcodes.def"
#undef X
#define X2(a, b) &&op_##a##Then##b,
#define X3(a, b, c) &&op_##a##Then##b##Then##c,
#define X4(a, b, c, d) &&op_##a##Then##b##Then##c##Then##d,
      ORDAIN_SUPERINSTRUCTIONS(X2, X3, X4)
#undef X2
#undef X3
#undef X4
  };
#endif
  if (rules != nullptr) {
    number = rule_codes[rules[0]].condition;
    if (number == kNone) return 1;
  }

begin:
  predicate = predicates + number;
  code = pc = all_code + predicate->code.first;
  steps = step = all_steps + predicate->code.first;
#if ORDAIN_THREADED
  DISPATCH();
#else
dispatch:
  switch (static_cast<Step>(*step)) {
#endif

  // --- data
  PLAIN(const_)
  GIVE(mov, r[pc->b]);
  CASE(unbox) : {
    const Value& from = r[pc->b];
    const uint8_t kind = data.register_kinds[predicate->registers.first + pc->a];
    if (static_cast<uint8_t>(from.kind) != kind && kind != kAnyKind) [[unlikely]] {
      eval.fail(FaultCode::no_such_overload);
      goto fault;
    }
    r[pc->a] = from;
    NEXT(1);
  }
  PLAIN(load)
  CASE(load_optional) : {
    const Value& value = machine.slot_value(pc->b);
    if (value.present()) {
      FAULT_UNLESS(ops::make_optional(eval, value, &r[pc->a]));
    } else {
      r[pc->a] = Value::optional(nullptr);
    }
    NEXT(1);
  }
  PLAIN(has_slot)
  PLAIN(slot_eq)
  PLAIN(slot_in)
  PLAIN(slot_has)

  // --- int, uint, double
  PLAIN(add_int)
  PLAIN(sub_int)
  PLAIN(mul_int)
  CASE(div_int) : {
    const int64_t x = r[pc->b].i, y = r[pc->c].i;
    if (y == 0) goto division_fault;
    if (x == INT64_MIN && y == -1) goto overflow_fault;
    r[pc->a] = Value::integer(x / y);
    NEXT(1);
  }
  CASE(mod_int) : {
    const int64_t x = r[pc->b].i, y = r[pc->c].i;
    if (y == 0) goto modulus_fault;
    if (x == INT64_MIN && y == -1) goto overflow_fault;
    // Processors divide short numbers in less time.
    r[pc->a] = Value::integer((x | y) >> 31 == 0 ? static_cast<uint32_t>(x) % static_cast<uint32_t>(y) : x % y);
    NEXT(1);
  }
  CASE(neg_int) : {
    if (r[pc->b].i == INT64_MIN) goto overflow_fault;
    r[pc->a] = Value::integer(-r[pc->b].i);
    NEXT(1);
  }
  CHECKED(add_uint, __builtin_add_overflow, u, uint64_t, unsigned_integer)
  CHECKED(sub_uint, __builtin_sub_overflow, u, uint64_t, unsigned_integer)
  CHECKED(mul_uint, __builtin_mul_overflow, u, uint64_t, unsigned_integer)
  CASE(div_uint) : {
    if (r[pc->c].u == 0) goto division_fault;
    r[pc->a] = Value::unsigned_integer(r[pc->b].u / r[pc->c].u);
    NEXT(1);
  }
  CASE(mod_uint) : {
    if (r[pc->c].u == 0) goto modulus_fault;
    r[pc->a] = Value::unsigned_integer(r[pc->b].u % r[pc->c].u);
    NEXT(1);
  }
  PLAIN(add_double)
  PLAIN(sub_double)
  PLAIN(mul_double)
  GIVE(div_double, Value::floating(r[pc->b].d / r[pc->c].d));
  GIVE(neg_double, Value::floating(-r[pc->b].d));

  // --- comparison
  COMPARE(eq_bool, r[pc->b].i == r[pc->c].i);
  PLAIN(eq_int)
  PLAIN(lt_int)
  PLAIN(le_int)
  COMPARE(eq_uint, r[pc->b].u == r[pc->c].u);
  COMPARE(lt_uint, r[pc->b].u < r[pc->c].u);
  COMPARE(le_uint, r[pc->b].u <= r[pc->c].u);
  PLAIN(eq_double)
  PLAIN(lt_double)
  PLAIN(le_double)
  CASE(eq_string) : {
    const Value &x = r[pc->b], &y = r[pc->c];
    FAULT_UNLESS(x.aux != y.aux || eval.charge(x.aux / 10));
    r[pc->a] = Value::boolean(same_string(x, y));
    NEXT(1);
  }
  COMPARE(lt_string, r[pc->b].as_text() < r[pc->c].as_text());
  COMPARE(le_string, r[pc->b].as_text() <= r[pc->c].as_text());
  CASE(eq_any) : {
    bool same;
    FAULT_UNLESS(equal(eval, r[pc->b], r[pc->c], &same));
    r[pc->a] = Value::boolean(same);
    NEXT(1);
  }
  COMPARE(not_, !r[pc->b].as_bool());

  // --- control
  CASE(jump) : GO(pc->b);
  CASE(jump_if) : if (r[pc->a].as_bool()) GO(pc->b);
  NEXT(1);
  CASE(jump_ifn) : if (!r[pc->a].as_bool()) GO(pc->b);
  NEXT(1);
  CASE(ret) : goto returns;
  CASE(charge) : FAULT_UNLESS(eval.charge(pc->b));
  NEXT(1);

  // --- faults as data
  CASE(clear_fault) : frame.saved[pc->a] = Fault();
  NEXT(1);
  CASE(save_fault) : if (!frame.saved[pc->a]) frame.saved[pc->a] = eval.fault;
  NEXT(1);
  CASE(raise_saved) : {
    if (frame.saved[pc->a]) {
      fault_with(eval, frame.saved[pc->a]);
      goto raised;
    }
    NEXT(1);
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
  NEXT(1);
  CASE(list_push_optional) : FAULT_UNLESS(ops::list_push_optional(eval, r[pc->a], r[pc->b]));
  NEXT(1);
  COMPUTE(list_done, ops::list_done(eval, r[pc->b], &out))
  COMPUTE(map_new, ops::map_new(eval, pc->b, &out))
  CASE(map_put) : FAULT_UNLESS(ops::map_put(eval, r[pc->a], r[pc->b], r[pc->c]));
  NEXT(1);
  CASE(map_put_optional) : FAULT_UNLESS(ops::map_put_optional(eval, r[pc->a], r[pc->b], r[pc->c]));
  NEXT(1);
  CASE(map_merge) : FAULT_UNLESS(ops::map_merge(eval, r[pc->a], r[pc->b]));
  NEXT(1);
  COMPUTE(map_done, ops::map_done(eval, r[pc->b], &out))

  // --- iteration
  COMPUTE(iter_size, ops::iter_size(eval, r[pc->b], &out))
  GIVE(iter_item, ops::iter_item(r[pc->b], r[pc->c].i));
  GIVE(iter_key, ops::iter_key(r[pc->b], r[pc->c].i));
  GIVE(iter_value, ops::iter_value(r[pc->b], r[pc->c].i));
  CASE(inc) : r[pc->a].u += 1;
  NEXT(1);

  // --- shared lets
  CASE(recall) : {
    const Recalled found = recall_let(frame.lets, eval, pc->c, &r[pc->a]);
    if (found == Recalled::value) GO(pc->b);
    if (found == Recalled::fault) goto raised;
    NEXT(1);
  }
  CASE(remember) : remember_value(frame.lets, eval, pc->b, r[pc->a]);
  NEXT(1);
  CASE(remember_fault) : {
    fault_with(eval, Fault(eval.fault));
    remember_fault(frame.lets, eval, pc->b);
    goto raised;
  }

  // --- superinstructions
#define X2(a, b) CASE(a##Then##b) : PART(a, 0) END_##b(1)
#define X3(a, b, c) CASE(a##Then##b##Then##c) : PART(a, 0) PART(b, 1) END_##c(2)
#define X4(a, b, c, d) CASE(a##Then##b##Then##c##Then##d) : PART(a, 0) PART(b, 1) PART(c, 2) END_##d(3)
  ORDAIN_SUPERINSTRUCTIONS(X2, X3, X4)
#undef X2
#undef X3
#undef X4

#if !ORDAIN_THREADED
}
#endif

returns: if (rules == nullptr) {
  if (predicate->result != static_cast<uint8_t>(Kind::boolean)) {
    frame.result = r[pc->a];
    return 1;
  }
  // Rebuilt rather than copied: a wide load after narrow stores stalls (store forwarding).
  const bool value = r[pc->a].as_bool();
  frame.result = Value::boolean(value);
  return value ? 1 : 0;
}
if (r[pc->a].as_bool()) return 4 * place + 1;

next_rule: if (++place == count) return 4 * count;
if (eval.memory_left != frame.budget.memory) frame.rewind(frame.mark);
frame.renew();
number = rule_codes[rules[place]].condition;
if (number == kNone) return 4 * place + 1;
goto begin;

overflow_fault: eval.fail(FaultCode::overflow);
goto fault;
division_fault: eval.fail(FaultCode::division_by_zero);
goto fault;
modulus_fault: eval.fail(FaultCode::modulus_by_zero);
fault: eval.fault.location = location_of(data, *predicate, static_cast<uint32_t>(pc - code));
if (!eval.fault) eval.fault.code = FaultCode::host_error;  // for a function that failed without setting a fault
raised: {
  const uint32_t target = handler_target(data, *predicate, static_cast<uint32_t>(pc - code));
  if (target != kNone) GO(target);
  if (rules == nullptr) return 2;
  if (ignores_faults(data.rules[rule_codes[rules[place]].rule].kind)) goto next_rule;
  return 4 * place + 2;
}
}

}  // namespace

uint32_t interpret(Frame& frame, uint32_t predicate) { return execute(frame, predicate, nullptr, 0); }

uint32_t interpret_batch(Frame& frame, uint32_t entry, uint32_t count) {
  frame.renew();
  return execute(frame, kNone, frame.data->rule_list.data() + entry, count);
}

#if ORDAIN_THREADED
#pragma GCC diagnostic pop
#endif

}  // namespace ordain::vm
