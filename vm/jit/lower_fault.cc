// lower_fault.cc lowers faults. Each faulting instruction has an exit that sets the fault and goes
// to its handler or, without a handler, ends with a jump to a helper, so that a predicate without
// calls needs no stack frame. Instructions that fault in the same way at the same location share
// their exit. A flag in a register says whether a fault is saved; the fault itself is copied only
// when there is one.
#include "vm/jit/lower.h"

namespace ordain::native {

// Ends the block: calls the helper, then goes to the handler of this instruction or ends the
// evaluation.
void PredicateLowering::leave(const char* helper, std::initializer_list<V> args) {
  cost_to_frame();
  auto* call = b_.CreateCall(m_.helper(helper), llvm::ArrayRef<V>(args.begin(), args.size()));
  if (handlers_[pc_] != kNone) {
    cost_from_frame();
    b_.CreateBr(blocks_[handlers_[pc_]]);
    return;
  }
  if (m_.tail_calls) call->setTailCallKind(llvm::CallInst::TCK_Tail);
  b_.CreateRet(call);
}

PredicateLowering::Block PredicateLowering::exit(uint32_t what, const char* helper, std::initializer_list<V> args) {
  const bool is_fault = what < kMissingKey;
  if (use_ == Use::answer || (restarts_ && (is_fault || handlers_[pc_] != kNone))) return restart();
  auto [entry, added] = exits_.try_emplace({handlers_[pc_], what, locations_[pc_]});
  if (!added) return entry->second;
  entry->second = new_block("fault");
  auto resume = b_.saveIP();
  b_.SetInsertPoint(entry->second);
  leave(helper, args);
  b_.restoreIP(resume);
  return entry->second;
}

/// Ends the block so that the interpreter starts again and meets the fault. In an answer, the
/// caller does that.
PredicateLowering::Block PredicateLowering::restart() {
  if (restart_ != nullptr) return restart_;
  restart_ = new_block("restart");
  llvm::IRBuilder<> b(restart_);
  if (use_ == Use::answer) {
    b.CreateRet(b.getInt32(2));
    return restart_;
  }
  auto* call = b.CreateCall(m_.helper("ordain_interpret"), {frame_, b.getInt32(predicate_)});
  if (m_.tail_calls) call->setTailCallKind(llvm::CallInst::TCK_Tail);
  b.CreateRet(call);
  return restart_;
}

PredicateLowering::Block PredicateLowering::fault_exit(FaultCode code) {
  if (code == FaultCode::none) return exit(0, "ordain_put_location", {frame_, location()});
  const auto number_of_code = static_cast<uint32_t>(code);
  return exit(number_of_code, "ordain_fault", {frame_, b_.getInt32(number_of_code), location()});
}

PredicateLowering::Block PredicateLowering::absent_exit(SlotId slot) {
  return exit(kAbsent | slot, "ordain_absent", {frame_, b_.getInt32(slot), location()});
}

PredicateLowering::Block PredicateLowering::exhausted_exit() {
  return exit(kExhausted, "ordain_exhausted", {frame_, location()});
}

void PredicateLowering::fault_if(V condition, Block exit) {
  Block next = new_block("");
  branch(condition, exit, next, true);
  b_.SetInsertPoint(next);
}

// Tests the result of helpers that have set the fault.
void PredicateLowering::fault_unless(V ok) { fault_if(b_.CreateNot(ok), fault_exit(FaultCode::none)); }

llvm::AllocaInst* PredicateLowering::saved_flag(uint32_t saved) {
  if (saved_[saved] == nullptr) saved_[saved] = entry_.CreateAlloca(b_.getInt1Ty());
  return saved_[saved];
}

void PredicateLowering::saved_faults(const Insn& insn) {
  if (restarts_) {  // no fault was saved
    if (insn.op == Op::fail) b_.CreateBr(restart());
    return;
  }
  if (insn.op == Op::fail) {
    return leave("ordain_fail", {frame_, b_.getInt32(insn.a), b_.getInt32(insn.b), location()});
  }
  llvm::AllocaInst* flag = saved_flag(insn.a);
  if (insn.op == Op::clear_fault) {
    b_.CreateStore(b_.getFalse(), flag);
    return;
  }
  V is_set = b_.CreateLoad(b_.getInt1Ty(), flag);
  V saved = b_.getInt32(insn.a);
  Block then = new_block("");
  Block next = new_block("");
  if (insn.op == Op::save_fault) {
    branch(is_set, next, then);
    b_.SetInsertPoint(then);
    call_helper("ordain_save_fault", {frame_, saved});
    b_.CreateStore(b_.getTrue(), flag);
    b_.CreateBr(next);
  } else {
    branch(is_set, then, next, true);
    b_.SetInsertPoint(then);
    leave("ordain_raise_saved", {frame_, saved});
  }
  b_.SetInsertPoint(next);
  if (insn.op != Op::raise_first) return;
  raise();  // the fault that led here stays set
}

/// Ends the block with the fault that is set, which has its location.
void PredicateLowering::raise() {
  if (handlers_[pc_] != kNone) {
    b_.CreateBr(blocks_[handlers_[pc_]]);
  } else {
    cost_to_frame();
    b_.CreateRet(b_.getInt32(2));
  }
}

}  // namespace ordain::native
