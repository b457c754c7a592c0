// Machine holds the simple instructions. Each is a function that is inlined wherever the
// interpreter runs it, alone or as part of a superinstruction.
#pragma once

#include <algorithm>

#include "vm/interpret/engine_ops.h"
#include "vm/interpret/frame.h"
#include "vm/value/ops.h"

namespace ordain::vm {

/// The state that instructions work on. Each returns false after a fault.
struct Machine {
  const ProgramData& data;
  const FactBanks& facts;
  const SlotPlace* slots;
  Value* r;
  Eval& eval;

  const Value& slot_value(SlotId slot) const { return facts.slots[slots[slot].bank][slots[slot].index]; }
  SymbolId symbol(SlotId slot) const { return facts.symbols[slots[slot].bank][slots[slot].index]; }

#define ORDAIN_INLINE [[gnu::always_inline]] inline
  ORDAIN_INLINE bool const_(const Insn* pc) const {
    r[pc->a] = facts.constants[pc->b];
    return true;
  }
  ORDAIN_INLINE bool load(const Insn* pc) const {
    const Value& value = slot_value(pc->b);
    if (!value.present()) [[unlikely]]
      return ops::load_absent(eval, data, pc->b, &r[pc->a]);
    r[pc->a] = value;
    return true;
  }
  ORDAIN_INLINE bool has_slot(const Insn* pc) const { return give(pc, slot_value(pc->b).present()); }
  ORDAIN_INLINE bool slot_eq(const Insn* pc) const {
    if (slot_value(pc->b).present()) [[likely]]
      return give(pc, symbol(pc->b) == pc->c);
    Value value;
    return ops::load_absent(eval, data, pc->b, &value) && give(pc, data.symbols[pc->c - 1] == value.as_text());
  }
  ORDAIN_INLINE bool slot_in(const Insn* pc) const {
    const auto& set = data.symbol_sets[pc->c];
    if (slot_value(pc->b).present()) [[likely]]
      return give(pc, std::binary_search(set.begin(), set.end(), symbol(pc->b)));
    Value value;
    return ops::load_absent(eval, data, pc->b, &value) &&
           give(pc, std::ranges::any_of(set, [&](SymbolId id) { return data.symbols[id - 1] == value.as_text(); }));
  }
  ORDAIN_INLINE bool slot_has(const Insn* pc) const {
    if (slot_value(pc->b).present()) [[likely]]
      return give(pc, (facts.bits[slots[pc->b].bank][pc->c / 64] >> (pc->c % 64) & 1) != 0);
    Value value;
    return ops::load_absent(eval, data, pc->b, &value) && give(pc, false);
  }

#define ORDAIN_CHECKED(name, builtin)                          \
  ORDAIN_INLINE bool name(const Insn* pc) const {              \
    int64_t result;                                            \
    if (builtin(r[pc->b].i, r[pc->c].i, &result)) [[unlikely]] \
      return eval.fail(FaultCode::overflow);                   \
    r[pc->a] = Value::integer(result);                         \
    return true;                                               \
  }
  ORDAIN_CHECKED(add_int, __builtin_add_overflow)
  ORDAIN_CHECKED(sub_int, __builtin_sub_overflow)
  ORDAIN_CHECKED(mul_int, __builtin_mul_overflow)
#undef ORDAIN_CHECKED
#define ORDAIN_FLOATING(name, op)                         \
  ORDAIN_INLINE bool name(const Insn* pc) const {         \
    r[pc->a] = Value::floating(r[pc->b].d op r[pc->c].d); \
    return true;                                          \
  }
  ORDAIN_FLOATING(add_double, +)
  ORDAIN_FLOATING(sub_double, -)
  ORDAIN_FLOATING(mul_double, *)
#undef ORDAIN_FLOATING
#define ORDAIN_COMPARISON(name, field, op) \
  ORDAIN_INLINE bool name(const Insn* pc) const { return give(pc, r[pc->b].field op r[pc->c].field); }
  ORDAIN_COMPARISON(eq_int, i, ==)
  ORDAIN_COMPARISON(lt_int, i, <)
  ORDAIN_COMPARISON(le_int, i, <=)
  ORDAIN_COMPARISON(eq_double, d, ==)
  ORDAIN_COMPARISON(lt_double, d, <)
  ORDAIN_COMPARISON(le_double, d, <=)
#undef ORDAIN_COMPARISON

 private:
  ORDAIN_INLINE bool give(const Insn* pc, bool value) const {
    r[pc->a] = Value::boolean(value);
    return true;
  }
#undef ORDAIN_INLINE
};

}  // namespace ordain::vm
