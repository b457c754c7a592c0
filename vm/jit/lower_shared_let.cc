// lower_shared_let.cc lowers shared lets: helpers recall and remember them as the interpreter does.
#include "vm/jit/lower.h"

namespace ordain::native {

void PredicateLowering::shared_let(const Insn& insn) {
  if (insn.op == Op::recall) return recall(insn);
  V let = b_.getInt32(insn.b);
  if (insn.op == Op::remember) {
    call_helper("ordain_remember", {frame_, let, in_memory(insn.a)});
    return;
  }
  call_helper("ordain_remember_fault", {frame_, let});
  raise();
}

void PredicateLowering::recall(const Insn& insn) {
  V found = call_helper("ordain_recall", {frame_, b_.getInt32(insn.c)});
  const auto is = [&](Recalled what) { return b_.CreateICmpEQ(found, b_.getInt32(static_cast<uint32_t>(what))); };
  Block has_value = new_block("recalled");
  Block rest = new_block("");
  branch(is(Recalled::value), has_value, rest);
  b_.SetInsertPoint(has_value);
  take_result(insn.a);
  b_.CreateBr(blocks_[insn.b]);
  b_.SetInsertPoint(rest);
  Block faulted = new_block("fault");
  Block compute = new_block("compute");
  branch(is(Recalled::fault), faulted, compute, true);
  b_.SetInsertPoint(faulted);
  raise();
  b_.SetInsertPoint(compute);
}

}  // namespace ordain::native
