// lower_compare.cc lowers comparisons. A comparison with a literal tests the string's size first
// and compares few bytes in place.
#include <cstring>

#include "vm/jit/lower.h"

namespace ordain::native {

void PredicateLowering::comparison(const Insn& insn) {
  V out = nullptr;
  switch (insn.op) {
    case Op::eq_bool:
      out = b_.CreateICmpEQ(boolean(insn.b), boolean(insn.c));
      break;
    case Op::eq_int:
    case Op::eq_uint:
      out = b_.CreateICmpEQ(integer(insn.b), integer(insn.c));
      break;
    case Op::lt_int:
      out = b_.CreateICmpSLT(integer(insn.b), integer(insn.c));
      break;
    case Op::le_int:
      out = b_.CreateICmpSLE(integer(insn.b), integer(insn.c));
      break;
    case Op::lt_uint:
      out = b_.CreateICmpULT(integer(insn.b), integer(insn.c));
      break;
    case Op::le_uint:
      out = b_.CreateICmpULE(integer(insn.b), integer(insn.c));
      break;
    case Op::eq_double:
      out = b_.CreateFCmpOEQ(floating(insn.b), floating(insn.c));
      break;
    case Op::lt_double:
      out = b_.CreateFCmpOLT(floating(insn.b), floating(insn.c));
      break;
    case Op::le_double:
      out = b_.CreateFCmpOLE(floating(insn.b), floating(insn.c));
      break;
    case Op::eq_string: {
      const Value* left = known(insn.b);
      out = left != nullptr ? equal_text(pair(insn.c), pair(insn.b), left)
                            : equal_text(pair(insn.b), pair(insn.c), known(insn.c));
      break;
    }
    case Op::lt_string:
    case Op::le_string: {  // a <= b is !(b < a)
      bool less = insn.op == Op::lt_string;
      Pair left = pair(less ? insn.b : insn.c);
      Pair right = pair(less ? insn.c : insn.b);
      V left_text = b_.CreateIntToPtr(left.payload, b_.getPtrTy());
      V right_text = b_.CreateIntToPtr(right.payload, b_.getPtrTy());
      out = call_helper("ordain_less_text", {left_text, size_of(left.meta), right_text, size_of(right.meta)});
      if (!less) out = b_.CreateNot(out);
      break;
    }
    case Op::eq_any:
      out = equal_any(insn);
      break;
    default:
      out = b_.CreateNot(boolean(insn.b));
      break;
  }
  set_boolean(insn.a, out);
}

/// Compares two strings. `literal` is the value of `b`, if it is known.
PredicateLowering::V PredicateLowering::equal_text(Pair a, Pair b, const Value* literal) {
  V same_size = b_.CreateICmpEQ(size_of(a.meta), size_of(b.meta));
  if (literal != nullptr && literal->aux == 0) return same_size;
  auto same_bytes = [&]() -> V {
    V text = b_.CreateIntToPtr(a.payload, b_.getPtrTy());
    if (literal == nullptr) {
      charge(b_.CreateUDiv(size_of(a.meta), number(10)));
    } else if (literal->aux >= 10) {
      charge(number(literal->aux / 10));
    }
    if (literal != nullptr && literal->aux <= kInlineBytes) return equal_bytes(text, *literal);
    return call_helper("ordain_same_bytes", {text, b_.CreateIntToPtr(b.payload, b_.getPtrTy()), size_of(a.meta)});
  };
  return guarded(same_size, same_bytes, [this]() -> V { return b_.getFalse(); });
}

/// Compares eight bytes at a time; the last word overlaps the one before, so no byte past the end
/// is read.
PredicateLowering::V PredicateLowering::equal_bytes(V text, const Value& literal) {
  V difference = nullptr;
  for (uint32_t at = 0; at < literal.aux;) {
    uint32_t rest = literal.aux - at;
    uint32_t width = rest >= 8 ? 8 : rest >= 4 ? 4 : rest >= 2 ? 2 : 1;
    if (rest < 8 && literal.aux >= 8) {
      at = literal.aux - 8;
      width = 8;
    }
    uint64_t expected = 0;
    std::memcpy(&expected, literal.text + at, width);
    llvm::Type* type = b_.getIntNTy(width * 8);
    V word = b_.CreateAlignedLoad(type, this->at(text, at), llvm::Align(1));
    V bits = b_.CreateZExt(b_.CreateXor(word, llvm::ConstantInt::get(type, expected)), b_.getInt64Ty());
    difference = difference == nullptr ? bits : b_.CreateOr(difference, bits);
    at += width;
  }
  return b_.CreateICmpEQ(difference, number(0));
}

/// Computes `then` if the condition holds, otherwise `otherwise`, each in a block of its own.
PredicateLowering::V PredicateLowering::guarded(V condition, llvm::function_ref<V()> then,
                                                llvm::function_ref<V()> otherwise) {
  Block if_true = new_block("");
  Block if_false = new_block("");
  Block done = new_block("");
  branch(condition, if_true, if_false);
  b_.SetInsertPoint(if_true);
  V left = then();
  Block left_end = b_.GetInsertBlock();
  b_.CreateBr(done);
  b_.SetInsertPoint(if_false);
  V right = otherwise();
  Block right_end = b_.GetInsertBlock();
  b_.CreateBr(done);
  b_.SetInsertPoint(done);
  auto* out = b_.CreatePHI(b_.getInt1Ty(), 2);
  out->addIncoming(left, left_end);
  out->addIncoming(right, right_end);
  return out;
}

PredicateLowering::V PredicateLowering::equal_any(const Insn& insn) {
  auto kind_here = [this](uint32_t reg) {
    if (const Value* constant = known(reg)) return constant->kind;
    return kind(reg) == kAnyKind ? Kind::absent : static_cast<Kind>(kind(reg));
  };
  Kind left = kind_here(insn.b);
  Kind right = kind_here(insn.c);
  V out = nullptr;
  if (left == Kind::absent && right != Kind::absent) out = equal_typed(insn.b, insn.c, right);
  if (right == Kind::absent && left != Kind::absent) out = equal_typed(insn.c, insn.b, left);
  return out != nullptr ? out : equal_deep(insn.b, insn.c);
}

/// Calls a function that compares and charges for it.
PredicateLowering::V PredicateLowering::equal_deep(uint32_t left, uint32_t right) {
  V outcome = call_helper("ordain_equal", {frame_, in_memory(left), in_memory(right)});
  fault_if(b_.CreateICmpEQ(outcome, b_.getInt32(2)), fault_exit(FaultCode::none));
  return b_.CreateTrunc(outcome, b_.getInt1Ty());
}

/// Compares a value of any kind with one whose kind is known. @returns nullptr if a function should
/// do all of it.
PredicateLowering::V PredicateLowering::equal_typed(uint32_t any, uint32_t typed, Kind kind) {
  Pair left = pair(any);
  Pair right = pair(typed);
  V same_kind = b_.CreateICmpEQ(kind_of(left.meta), b_.getInt8(static_cast<uint8_t>(kind)));
  auto never = [this]() -> V { return b_.getFalse(); };
  // Numbers of different kinds may be equal.
  auto helper = [&]() -> V { return equal_deep(any, typed); };
  auto same_payload = [&]() -> V { return b_.CreateICmpEQ(left.payload, right.payload); };
  switch (kind) {
    case Kind::null:
      return same_kind;
    case Kind::boolean:
      return b_.CreateAnd(same_kind, same_payload());
    case Kind::string:
      return guarded(same_kind, [&]() -> V { return equal_text(left, right, known(typed)); }, never);
    case Kind::integer:
    case Kind::unsigned_integer:
      return guarded(same_kind, same_payload, helper);
    case Kind::floating: {
      auto same_number = [&]() -> V {
        return b_.CreateFCmpOEQ(b_.CreateBitCast(left.payload, b_.getDoubleTy()),
                                b_.CreateBitCast(right.payload, b_.getDoubleTy()));
      };
      return guarded(same_kind, same_number, helper);
    }
    default:
      return nullptr;
  }
}

}  // namespace ordain::native
