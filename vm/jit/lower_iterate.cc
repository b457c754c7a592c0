// lower_iterate.cc lowers iteration. It reads elements of lists in place, and without another look
// at the list's size if the code shows that the index is within the list, as in every
// comprehension.
#include <algorithm>

#include "vm/jit/lower.h"
#include "vm/program/verify.h"

namespace ordain::native {
namespace {

bool writes(const Insn& insn) { return op_info(insn.op).operands[0] == '='; }

}  // namespace

void PredicateLowering::find_writers() {
  writers_.assign(p_.registers.count, {});
  for (uint32_t pc = 0; pc < p_.code.count; ++pc) {
    if (!writes(code_[pc]) || code_[pc].op == Op::inc) continue;
    writers_[code_[pc].a].pc = pc;
    ++writers_[code_[pc].a].count;
  }
}

/// @returns whether `size` holds the size of the list in `list` whenever both are set: each has one
/// writer, and the writer of `list` is followed by that of `size`, which cannot fault
bool PredicateLowering::is_size_of(uint32_t size, uint32_t list) const {
  const Writer &of_size = writers_[size], &of_list = writers_[list];
  if (kind(list) != static_cast<uint8_t>(Kind::list) || of_size.count != 1 || of_list.count != 1) return false;
  const Insn& insn = code_[of_size.pc];
  return insn.op == Op::iter_size && insn.b == list && of_size.pc == of_list.pc + 1 && blocks_[of_size.pc] == nullptr &&
         std::none_of(code_, code_ + p_.code.count,
                      [size](const Insn& other) { return other.op == Op::inc && other.a == size; });
}

/// @returns whether a register only counts up from 0
bool PredicateLowering::counts_up(uint32_t reg) const {
  if (writers_[reg].count != 1 || code_[writers_[reg].pc].op != Op::const_) return false;
  return m_.data.constants[code_[writers_[reg].pc].b].i == 0;
}

/// @returns the only jump that leads to the block at `pc`, or nullptr
const Insn* PredicateLowering::only_way_to(uint32_t pc) const {
  if (pc == 0 || code_[pc - 1].op != Op::jump) return nullptr;
  const Handler* handlers = m_.data.handlers.data() + p_.handlers.first;
  if (std::any_of(handlers, handlers + p_.handlers.count, [pc](const Handler& h) { return h.target == pc; })) {
    return nullptr;
  }
  const Insn* found = nullptr;
  for (const Insn* insn = code_; insn != code_ + p_.code.count; ++insn) {
    if (!jumps(insn->op) || insn->b != pc) continue;
    if (found != nullptr) return nullptr;
    found = insn;
  }
  return found;
}

/// @returns whether the instruction's block is entered only with index < size of the list: through
/// `more = index < size; jump_if more`, and without an earlier instruction of the block changing
/// either
bool PredicateLowering::within_list(const Insn& insn) {
  if (!charges_ || !counts_up(insn.c) || kind(insn.b) != static_cast<uint8_t>(Kind::list)) return false;
  uint32_t begin = pc_;
  while (begin > 0 && blocks_[begin] == nullptr) {
    --begin;
    const Insn& before = code_[begin];
    if (jumps(before.op) || (writes(before) && (before.a == insn.b || before.a == insn.c))) return false;
  }
  const Insn* jump = only_way_to(begin);
  if (jump == nullptr || jump->op != Op::jump_if || jump == code_ || blocks_[jump - code_] != nullptr) return false;
  const Insn& test = jump[-1];
  return test.op == Op::lt_int && test.a == jump->a && test.b == insn.c && is_size_of(test.c, insn.b);
}

PredicateLowering::V PredicateLowering::is_list(uint32_t reg, V meta) {
  const auto list = static_cast<uint8_t>(Kind::list);
  return kind(reg) == list ? b_.getTrue() : b_.CreateICmpEQ(kind_of(meta), b_.getInt8(list));
}

void PredicateLowering::iteration(const Insn& insn) {
  if (insn.op == Op::inc) return set_integer(insn.a, b_.CreateAdd(integer(insn.a), number(1)));
  if (insn.op != Op::iter_size) return iterate(insn);
  Pair range = pair(insn.b);
  Block list = new_block("");
  Block other = new_block("");
  Block next = new_block("");
  branch(is_list(insn.b, range.meta), list, other);
  b_.SetInsertPoint(list);
  set_integer(insn.a, size_of(range.meta));
  b_.CreateBr(next);
  b_.SetInsertPoint(other);
  fault_unless(call_helper("ordain_iter_size", {frame_, in_memory(insn.b)}));
  take_result(insn.a);
  b_.CreateBr(next);
  b_.SetInsertPoint(next);
}

void PredicateLowering::element(const Insn& insn, Pair range, V index) {
  if (insn.op == Op::iter_key) {
    set(insn.a, {number(static_cast<uint64_t>(Kind::integer)), index});
  } else {
    V items = b_.CreateIntToPtr(range.payload, b_.getPtrTy());
    V element = b_.CreateInBoundsGEP(b_.getInt8Ty(), items, b_.CreateShl(index, 4));
    set(insn.a, load_pair(element, false));
  }
}

/// Reads an element of a list in place; the helper handles everything else (a map, an index out of
/// range).
void PredicateLowering::iterate(const Insn& insn) {
  Pair range = pair(insn.b);
  V index = integer(insn.c);
  if (within_list(insn)) return element(insn, range, index);
  Block list = new_block("");
  Block other = new_block("");
  Block next = new_block("");
  V in_range = b_.CreateICmpULT(index, size_of(range.meta));
  branch(b_.CreateAnd(is_list(insn.b, range.meta), in_range), list, other);
  b_.SetInsertPoint(list);
  element(insn, range, index);
  b_.CreateBr(next);
  b_.SetInsertPoint(other);
  const char* name = insn.op == Op::iter_item  ? "ordain_iter_item"
                     : insn.op == Op::iter_key ? "ordain_iter_key"
                                               : "ordain_iter_value";
  call_helper(name, {frame_, in_memory(insn.b), index});
  take_result(insn.a);
  b_.CreateBr(next);
  b_.SetInsertPoint(next);
}

}  // namespace ordain::native
