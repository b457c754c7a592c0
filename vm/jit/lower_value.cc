// lower_value.cc handles registers: where their values are, and how they move between SSA values
// and memory.
#include <cstddef>

#include "vm/jit/lower.h"

namespace ordain::native {
namespace {

constexpr uint8_t kBool = static_cast<uint8_t>(Kind::boolean);
constexpr uint8_t kInt = static_cast<uint8_t>(Kind::integer);
constexpr uint8_t kUint = static_cast<uint8_t>(Kind::unsigned_integer);
constexpr uint8_t kDouble = static_cast<uint8_t>(Kind::floating);

bool is_scalar(uint8_t kind) { return kind == kBool || kind == kInt || kind == kUint || kind == kDouble; }

}  // namespace

// The halves of a Value: the kind is the lowest byte and aux the upper half of the first.
static_assert(offsetof(Value, kind) == 0 && offsetof(Value, aux) == 4 && offsetof(Value, i) == 8);

PredicateLowering::Storage& PredicateLowering::storage(uint32_t reg) {
  Storage& out = registers_[reg];
  if (out.payload != nullptr) return out;
  uint8_t k = kind(reg);
  llvm::Type* type = k == kBool     ? b_.getInt1Ty()
                     : k == kDouble ? b_.getDoubleTy()
                                    : static_cast<llvm::Type*>(b_.getInt64Ty());
  out.payload = entry_.CreateAlloca(type);
  if (!is_scalar(k)) out.meta = entry_.CreateAlloca(b_.getInt64Ty());
  return out;
}

PredicateLowering::V PredicateLowering::boolean(uint32_t reg) {
  return b_.CreateLoad(b_.getInt1Ty(), storage(reg).payload);
}
PredicateLowering::V PredicateLowering::integer(uint32_t reg) {
  return b_.CreateLoad(b_.getInt64Ty(), storage(reg).payload);
}
PredicateLowering::V PredicateLowering::floating(uint32_t reg) {
  return b_.CreateLoad(b_.getDoubleTy(), storage(reg).payload);
}

PredicateLowering::Pair PredicateLowering::pair(uint32_t reg) {
  uint8_t k = kind(reg);
  switch (k) {
    case kBool:
      return {number(k), b_.CreateZExt(boolean(reg), b_.getInt64Ty())};
    case kInt:
    case kUint:
      return {number(k), integer(reg)};
    case kDouble:
      return {number(k), b_.CreateBitCast(floating(reg), b_.getInt64Ty())};
    default: {
      Storage& from = storage(reg);
      return {b_.CreateLoad(b_.getInt64Ty(), from.meta), b_.CreateLoad(b_.getInt64Ty(), from.payload)};
    }
  }
}

void PredicateLowering::set_boolean(uint32_t reg, V value) {
  known_[reg] = kNone;
  if (kind(reg) == kBool) {
    b_.CreateStore(value, storage(reg).payload);
  } else {
    set(reg, {number(kBool), b_.CreateZExt(value, b_.getInt64Ty())});
  }
}

void PredicateLowering::set_integer(uint32_t reg, V value) {
  known_[reg] = kNone;
  b_.CreateStore(value, storage(reg).payload);
}

void PredicateLowering::set_floating(uint32_t reg, V value) {
  known_[reg] = kNone;
  b_.CreateStore(value, storage(reg).payload);
}

/// Sets a register to a value of its kind, or to any value if the register is of kind any.
void PredicateLowering::set(uint32_t reg, Pair value) {
  known_[reg] = kNone;
  Storage& to = storage(reg);
  switch (kind(reg)) {
    case kBool:
      b_.CreateStore(b_.CreateICmpNE(value.payload, number(0)), to.payload);
      return;
    case kInt:
    case kUint:
      b_.CreateStore(value.payload, to.payload);
      return;
    case kDouble:
      b_.CreateStore(b_.CreateBitCast(value.payload, b_.getDoubleTy()), to.payload);
      return;
    default:
      b_.CreateStore(value.meta, to.meta);
      b_.CreateStore(value.payload, to.payload);
  }
}

PredicateLowering::Pair PredicateLowering::constant_pair(uint32_t constant) {
  const Value& value = m_.data.constants[constant];
  uint64_t meta = static_cast<uint64_t>(value.kind) | (uint64_t{value.aux} << 32);
  switch (value.kind) {
    case Kind::null:
    case Kind::boolean:
    case Kind::integer:
    case Kind::unsigned_integer:
    case Kind::floating:
    case Kind::timestamp:
    case Kind::duration:
      return {number(meta), number(value.u)};
    default:
      break;
  }
  // Do not use the address itself: native code must not depend on the address of a program's
  // memory.
  V constants = frame_pointer(offsetof(FactBanks, constants));
  return {number(meta), load_pair(at(constants, uint64_t{constant} * sizeof(Value)), true).payload};
}

PredicateLowering::V PredicateLowering::at(V base, uint64_t offset) {
  return offset == 0 ? base : b_.CreateConstInBoundsGEP1_64(b_.getInt8Ty(), base, offset);
}

PredicateLowering::Pair PredicateLowering::load_pair(V address, bool invariant) {
  auto* meta = b_.CreateLoad(b_.getInt64Ty(), address);
  auto* payload = b_.CreateLoad(b_.getInt64Ty(), at(address, 8));
  if (invariant) {
    meta->setMetadata(llvm::LLVMContext::MD_invariant_load, m_.invariant);
    payload->setMetadata(llvm::LLVMContext::MD_invariant_load, m_.invariant);
  }
  return {meta, payload};
}

void PredicateLowering::store_pair(V address, Pair value) {
  b_.CreateStore(value.meta, address);
  b_.CreateStore(value.payload, at(address, 8));
}

/// Takes the value that a helper or a function left in frame->result.
void PredicateLowering::take_result(uint32_t reg) { set(reg, load_pair(at(frame_, offsetof(Frame, result)), false)); }

PredicateLowering::V PredicateLowering::result_payload() {
  return at(frame_, offsetof(Frame, result) + offsetof(Value, i));
}

/// Loads a pointer member of the frame. It is loaded at each use: most of a condition is not
/// reached, and the passes merge repeated loads.
PredicateLowering::V PredicateLowering::frame_pointer(size_t offset) {
  auto* load = b_.CreateLoad(b_.getPtrTy(), at(frame_, offset));
  load->setMetadata(llvm::LLVMContext::MD_invariant_load, m_.invariant);
  return load;
}

PredicateLowering::V PredicateLowering::register_address(uint32_t reg) {
  V registers = frame_pointer(offsetof(Frame, registers));
  return at(registers, uint64_t{reg} * sizeof(Value));
}

PredicateLowering::V PredicateLowering::in_memory(uint32_t reg) {
  V address = register_address(reg);
  if (kind(reg) != kBuilderKind) store_pair(address, pair(reg));
  return address;
}

PredicateLowering::V PredicateLowering::kind_of(V meta) { return b_.CreateTrunc(meta, b_.getInt8Ty()); }
PredicateLowering::V PredicateLowering::size_of(V meta) { return b_.CreateLShr(meta, number(32)); }

// A helper that receives the frame may spend budget.
PredicateLowering::V PredicateLowering::call_helper(const char* name, std::initializer_list<V> args) {
  const bool may_spend = *args.begin() == frame_;
  if (may_spend) cost_to_frame();
  V out = b_.CreateCall(m_.helper(name), llvm::ArrayRef<V>(args.begin(), args.size()));
  if (may_spend) cost_from_frame();
  return out;
}

/// @returns the constant that the register is known to hold here, or nullptr
const Value* PredicateLowering::known(uint32_t reg) const {
  return known_[reg] == kNone ? nullptr : &m_.data.constants[known_[reg]];
}

}  // namespace ordain::native
