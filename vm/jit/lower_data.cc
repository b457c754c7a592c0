// lower_data.cc lowers constants, slots and arithmetic, each of which takes a few machine
// instructions.
#include <cstddef>
#include <string>

#include "vm/jit/lower.h"

namespace ordain::native {

void PredicateLowering::data(const Insn& insn) {
  switch (insn.op) {
    case Op::const_:
      set(insn.a, constant_pair(insn.b));
      known_[insn.a] = insn.b;
      return;
    case Op::mov: {
      uint32_t constant = known_[insn.b];
      set(insn.a, pair(insn.b));
      known_[insn.a] = constant;
      return;
    }
    case Op::unbox: {
      Pair value = pair(insn.b);
      uint8_t wanted = kind(insn.a);
      if (wanted != kAnyKind) {
        fault_if(b_.CreateICmpNE(kind_of(value.meta), b_.getInt8(wanted)), fault_exit(FaultCode::no_such_overload));
      }
      return set(insn.a, value);
    }
    case Op::load:
      return load(insn);
    case Op::load_optional:
      return load_optional(insn);
    case Op::has_slot:
      return set_boolean(insn.a, b_.CreateNot(slot_is_absent(insn.b)));
    default:
      return slot_test(insn);
  }
}

// --- slots

PredicateLowering::V PredicateLowering::slot_address(SlotId slot) {
  const SlotPlace& place = m_.link.slots[slot];
  V bank = frame_pointer(offsetof(FactBanks, slots) + place.bank * sizeof(void*));
  return at(bank, uint64_t{place.index} * sizeof(Value));
}

PredicateLowering::V PredicateLowering::slot_is_absent(SlotId slot) {
  auto* kind = b_.CreateLoad(b_.getInt8Ty(), slot_address(slot));
  kind->setMetadata(llvm::LLVMContext::MD_invariant_load, m_.invariant);
  return b_.CreateICmpEQ(kind, b_.getInt8(0));
}

void PredicateLowering::load(const Insn& insn) {
  if (!m_.data.schema.slots[insn.b].builtin || use_ == Use::answer) {
    fault_if(slot_is_absent(insn.b), absent_exit(insn.b));
    return set(insn.a, load_pair(slot_address(insn.b), true));
  }
  Block absent = new_block("absent");
  Block present = new_block("");
  Block next = new_block("");
  branch(slot_is_absent(insn.b), absent, present, true);
  b_.SetInsertPoint(absent);
  call_helper("ordain_load_absent", {frame_, b_.getInt32(insn.b)});  // built-in slots have a default
  take_result(insn.a);
  b_.CreateBr(next);
  b_.SetInsertPoint(present);
  set(insn.a, load_pair(slot_address(insn.b), true));
  b_.CreateBr(next);
  b_.SetInsertPoint(next);
}

void PredicateLowering::load_optional(const Insn& insn) {
  Block present = new_block("");
  Block absent = new_block("");
  Block next = new_block("");
  branch(slot_is_absent(insn.b), absent, present);
  b_.SetInsertPoint(present);
  fault_unless(call_helper("ordain_make_optional", {frame_, slot_address(insn.b)}));
  take_result(insn.a);
  b_.CreateBr(next);
  b_.SetInsertPoint(absent);
  set(insn.a, {number(static_cast<uint64_t>(Kind::optional)), number(0)});
  b_.CreateBr(next);
  b_.SetInsertPoint(next);
}

PredicateLowering::V PredicateLowering::symbol_of(SlotId slot) {
  const SlotPlace& place = m_.link.slots[slot];
  V symbols = frame_pointer(offsetof(FactBanks, symbols) + place.bank * sizeof(void*));
  auto* symbol = b_.CreateLoad(b_.getInt32Ty(), at(symbols, uint64_t{place.index} * sizeof(SymbolId)));
  symbol->setMetadata(llvm::LLVMContext::MD_invariant_load, m_.invariant);
  return symbol;
}

// An absent built-in string has the symbol of "", and an absent built-in list has no bits, so
// neither needs a test for presence.
void PredicateLowering::slot_test(const Insn& insn) {
  if (!m_.data.schema.slots[insn.b].builtin) fault_if(slot_is_absent(insn.b), absent_exit(insn.b));
  switch (insn.op) {
    case Op::slot_eq:
      return set_boolean(insn.a, b_.CreateICmpEQ(symbol_of(insn.b), b_.getInt32(insn.c)));
    case Op::slot_in:
      return set_boolean(insn.a, symbol_in(symbol_of(insn.b), insn.c));
    default: {
      uint32_t bank = m_.link.slots[insn.b].bank;
      V bits = frame_pointer(offsetof(FactBanks, bits) + bank * sizeof(void*));
      auto* word = b_.CreateLoad(b_.getInt64Ty(), at(bits, uint64_t{insn.c / 64} * 8));
      word->setMetadata(llvm::LLVMContext::MD_invariant_load, m_.invariant);
      V bit = b_.CreateAnd(word, number(uint64_t{1} << (insn.c % 64)));
      return set_boolean(insn.a, b_.CreateICmpNE(bit, number(0)));
    }
  }
}

PredicateLowering::V PredicateLowering::symbol_in(V symbol, uint32_t number_of_set) {
  const std::vector<SymbolId>& set = m_.data.symbol_sets[number_of_set];
  if (set.empty()) return b_.getFalse();
  return member_of(b_.CreateZExt(symbol, b_.getInt64Ty()), {set.begin(), set.end()});
}

// --- arithmetic

void PredicateLowering::checked(const Insn& insn, llvm::Intrinsic::ID intrinsic) {
  V both = b_.CreateBinaryIntrinsic(intrinsic, integer(insn.b), integer(insn.c));
  fault_if(b_.CreateExtractValue(both, 1), fault_exit(FaultCode::overflow));
  set_integer(insn.a, b_.CreateExtractValue(both, 0));
}

void PredicateLowering::division(const Insn& insn, bool is_signed, bool remainder) {
  V left = integer(insn.b);
  V right = integer(insn.c);
  fault_if(b_.CreateICmpEQ(right, number(0)),
           fault_exit(remainder ? FaultCode::modulus_by_zero : FaultCode::division_by_zero));
  if (is_signed) {
    V least = b_.CreateICmpEQ(left, number(uint64_t{1} << 63));
    fault_if(b_.CreateAnd(least, b_.CreateICmpEQ(right, number(UINT64_MAX))), fault_exit(FaultCode::overflow));
    set_integer(insn.a, remainder ? b_.CreateSRem(left, right) : b_.CreateSDiv(left, right));
  } else {
    set_integer(insn.a, remainder ? b_.CreateURem(left, right) : b_.CreateUDiv(left, right));
  }
}

void PredicateLowering::arithmetic(const Insn& insn) {
  switch (insn.op) {
    case Op::add_int:
      return checked(insn, llvm::Intrinsic::sadd_with_overflow);
    case Op::sub_int:
      return checked(insn, llvm::Intrinsic::ssub_with_overflow);
    case Op::mul_int:
      return checked(insn, llvm::Intrinsic::smul_with_overflow);
    case Op::div_int:
      return division(insn, true, false);
    case Op::mod_int:
      return division(insn, true, true);
    case Op::neg_int: {
      V operand = integer(insn.b);
      fault_if(b_.CreateICmpEQ(operand, number(uint64_t{1} << 63)), fault_exit(FaultCode::overflow));
      return set_integer(insn.a, b_.CreateNeg(operand));
    }
    case Op::add_uint:
      return checked(insn, llvm::Intrinsic::uadd_with_overflow);
    case Op::sub_uint:
      return checked(insn, llvm::Intrinsic::usub_with_overflow);
    case Op::mul_uint:
      return checked(insn, llvm::Intrinsic::umul_with_overflow);
    case Op::div_uint:
      return division(insn, false, false);
    case Op::mod_uint:
      return division(insn, false, true);
    case Op::add_double:
      return set_floating(insn.a, b_.CreateFAdd(floating(insn.b), floating(insn.c)));
    case Op::sub_double:
      return set_floating(insn.a, b_.CreateFSub(floating(insn.b), floating(insn.c)));
    case Op::mul_double:
      return set_floating(insn.a, b_.CreateFMul(floating(insn.b), floating(insn.c)));
    case Op::div_double:
      return set_floating(insn.a, b_.CreateFDiv(floating(insn.b), floating(insn.c)));
    default:
      return set_floating(insn.a, b_.CreateFNeg(floating(insn.b)));
  }
}

}  // namespace ordain::native
