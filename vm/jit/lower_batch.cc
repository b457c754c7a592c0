// lower_batch.cc compiles a batch of rules as one function: its conditions are inlined one after
// the other, so that shared facts are loaded once, and the first condition that is not false ends
// it.
#include "vm/jit/lower.h"

namespace ordain::native {
namespace {

/// @returns whether a fault of the rule's condition counts as false
bool ignores_faults(RuleKind kind) { return kind == RuleKind::allow || kind == RuleKind::warn; }

}  // namespace

std::string run_symbol(uint32_t entry) { return "ordain.run." + std::to_string(entry); }

void ModuleLowering::add_batch(uint32_t entry) {
  llvm::IRBuilder<> b(context);
  auto* type = llvm::FunctionType::get(b.getInt32Ty(), {b.getPtrTy()}, false);
  auto* function = llvm::Function::Create(type, llvm::Function::ExternalLinkage, run_symbol(entry), *module);
  function->setDoesNotThrow();
  llvm::Value* frame = function->getArg(0);
  const auto block = [&] { return llvm::BasicBlock::Create(context, "", function); };
  b.SetInsertPoint(block());
  const uint32_t size = link.batch_sizes[entry];
  for (uint32_t i = 0; i < size; ++i) {
    const RuleCode& rule = data.rule_codes[data.rule_list[entry + i]];
    if (rule.condition == kNone) {  // the code after it is not reached
      b.CreateRet(b.getInt32(4 * i + 1));
      return;
    }
    PredicateLowering condition(*this, rule.condition, PredicateLowering::Use::run);
    llvm::Function* code = condition.run();
    if (!condition.is_pure()) b.CreateCall(helper("ordain_renew"), {frame});
    llvm::Value* outcome = b.CreateCall(code, {frame});
    const bool only_yes = ignores_faults(data.rules[rule.rule].kind);
    llvm::Value* ends = only_yes ? b.CreateICmpEQ(outcome, b.getInt32(1)) : b.CreateICmpNE(outcome, b.getInt32(0));
    llvm::BasicBlock* end = block();
    llvm::BasicBlock* next = block();
    b.CreateCondBr(ends, end, next);
    b.SetInsertPoint(end);
    b.CreateRet(b.CreateAdd(outcome, b.getInt32(4 * i)));
    b.SetInsertPoint(next);
  }
  b.CreateRet(b.getInt32(4 * size));
}

}  // namespace ordain::native
