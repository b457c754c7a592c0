// lower.cc lowers control flow: blocks, jumps, and the dispatch of instructions to their lowerings.
#include "vm/jit/lower.h"

#include <llvm/IR/MDBuilder.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "vm/jit/backend.h"
#include "vm/program/linked_program.h"
#include "vm/program/verify.h"

namespace ordain::native {

std::string predicate_symbol(uint32_t predicate) { return "ordain.predicate." + std::to_string(predicate); }
std::string overload_symbol(const Overload& overload) { return "ordain.function." + overload.id; }

ModuleLowering::ModuleLowering(llvm::LLVMContext& shared, const Program& program, const std::string& name,
                               const llvm::DataLayout& layout, const std::string& triple, bool use_tail_calls,
                               bool is_standalone)
    : context(shared),
      data(data_of(program)),
      link(link_tables(program)),
      module(std::make_unique<llvm::Module>(name, shared)),
      tail_calls(use_tail_calls),
      standalone(is_standalone),
      unlikely(llvm::MDBuilder(shared).createBranchWeights(1, 100'000)),
      invariant(llvm::MDNode::get(shared, {})) {
  module->setDataLayout(layout);
  module->setTargetTriple(triple);
}

void ModuleLowering::add(uint32_t predicate) { PredicateLowering(*this, predicate).run(); }

llvm::FunctionType* ModuleLowering::function_type(const char* signature) {
  auto type = [this](char letter) -> llvm::Type* {
    switch (letter) {
      case 'b':
        return llvm::Type::getInt1Ty(context);
      case 'i':
        return llvm::Type::getInt32Ty(context);
      case 'l':
        return llvm::Type::getInt64Ty(context);
      case 'p':
        return llvm::PointerType::getUnqual(context);
      default:
        return llvm::Type::getVoidTy(context);
    }
  };
  std::vector<llvm::Type*> params;
  for (const char* p = signature + 2; *p != 0; ++p) params.push_back(type(*p));
  return llvm::FunctionType::get(type(signature[0]), params, false);
}

namespace {

llvm::FunctionCallee declare(llvm::Module& module, const std::string& name, llvm::FunctionType* type) {
  auto* function = llvm::Function::Create(type, llvm::Function::ExternalLinkage, name, module);
  function->setDoesNotThrow();
  if (type->getReturnType()->isIntegerTy(1)) function->addRetAttr(llvm::Attribute::ZExt);
  return function;
}

}  // namespace

llvm::FunctionCallee ModuleLowering::helper(const char* name) {
  auto [entry, added] = declared_.try_emplace(name);
  if (!added) return entry->second;
  for (const Helper& candidate : helpers()) {
    if (std::string_view(candidate.name) != name) continue;
    entry->second = declare(*module, name, function_type(candidate.signature));
    if (candidate.cold) llvm::cast<llvm::Function>(entry->second.getCallee())->addFnAttr(llvm::Attribute::Cold);
  }
  return entry->second;
}

llvm::FunctionCallee ModuleLowering::overload(const Overload& overload) {
  std::string name = overload_symbol(overload);
  auto [entry, added] = declared_.try_emplace(name);
  if (added) entry->second = declare(*module, name, function_type("b:ppp"));
  return entry->second;
}

llvm::Constant* ModuleLowering::bytes(llvm::StringRef text) {
  auto [entry, added] = texts_.try_emplace(text.str());
  if (added) {
    llvm::Constant* init = llvm::ConstantDataArray::getString(context, text, false);
    auto* global = new llvm::GlobalVariable(*module, init->getType(), true, llvm::GlobalValue::PrivateLinkage, init);
    global->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
    global->setAlignment(llvm::Align(1));
    entry->second = global;
  }
  return entry->second;
}

PredicateLowering::PredicateLowering(ModuleLowering& module, uint32_t predicate, Use use, uint64_t budget)
    : m_(module),
      predicate_(predicate),
      p_(module.data.predicates[predicate]),
      code_(module.data.code.data() + p_.code.first),
      b_(module.context),
      entry_(module.context),
      use_(use),
      budget_(budget),
      blocks_(p_.code.count + 1, nullptr),
      handlers_(p_.code.count, kNone),
      locations_(p_.code.count, kNone),
      registers_(p_.registers.count),
      known_(p_.registers.count, kNone),
      saved_(p_.saved_faults, nullptr) {
  auto* type = llvm::FunctionType::get(b_.getInt32Ty(), {b_.getPtrTy()}, false);
  const auto linkage = use == Use::everyone ? llvm::Function::ExternalLinkage : llvm::Function::InternalLinkage;
  const std::string name = use == Use::everyone ? predicate_symbol(predicate) : "";
  function_ = llvm::Function::Create(type, linkage, name, *module.module);
  if (use != Use::everyone) function_->addFnAttr(llvm::Attribute::AlwaysInline);
  function_->setDoesNotThrow();
  frame_ = function_->getArg(0);
  function_->addParamAttr(0, llvm::Attribute::NoAlias);
  function_->addParamAttr(0, llvm::Attribute::NonNull);
  function_->addDereferenceableParamAttr(0, use == Use::answer ? sizeof(FactBanks) : sizeof(Frame));
}

void PredicateLowering::find_blocks() {
  for (uint32_t h : handler_map(m_.data, p_)) {
    handlers_[pc_++] = h == kNone ? kNone : m_.data.handlers[p_.handlers.first + h].target;
  }
  for (uint32_t i = 0; i < p_.locations.count; ++i) {
    const InsnLocation& at = m_.data.insn_locations[p_.locations.first + i];
    locations_[at.pc] = at.location;
  }
  // Code that handles faults itself may leave an absorbed fault behind.
  pure_ = !m_.standalone && may_restart();
  restarts_ = pure_ || use_ == Use::answer;
  find_reachable();
  auto leader = [this](uint32_t pc) {
    if (reachable_[pc] && blocks_[pc] == nullptr) blocks_[pc] = llvm::BasicBlock::Create(m_.context);
  };
  for (uint32_t i = 0; i < p_.handlers.count; ++i) leader(m_.data.handlers[p_.handlers.first + i].target);
  for (uint32_t pc = 0; pc < p_.code.count; ++pc) {
    if (!reachable_[pc]) continue;
    const Op op = code_[pc].op;
    if (jumps(op)) leader(code_[pc].b);
    charges_ |= op == Op::charge;  // every loop charges
  }
}

/// @returns whether the code can start again after a fault without visible effect: before it, the
/// code spends no budget and takes no memory. Then the handling of faults, which hardly ever runs,
/// is not compiled.
bool PredicateLowering::may_restart() const {
  return std::all_of(code_, code_ + p_.code.count, [this](const Insn& insn) {
    switch (insn.op) {
      case Op::load_optional:
      case Op::eq_string:
      case Op::eq_any:
      case Op::charge:
        return false;
      case Op::call: {
        const Overload* overload = m_.link.overloads[insn.b];
        return overload->intrinsic == Intrinsic::int_to_double || overload->intrinsic == Intrinsic::uint_to_double;
      }
      default:
        return insn.op < Op::call;
    }
  });
}

void PredicateLowering::find_reachable() {
  reachable_.assign(p_.code.count, false);
  std::vector<uint32_t> open = {0};
  while (!open.empty()) {
    const uint32_t pc = open.back();
    open.pop_back();
    if (reachable_[pc]) continue;
    reachable_[pc] = true;
    const Insn& insn = code_[pc];
    if (!restarts_ && handlers_[pc] != kNone) open.push_back(handlers_[pc]);
    if (jumps(insn.op)) open.push_back(insn.b);
    const bool goes_on = std::strchr(op_info(insn.op).flags, 'E') == nullptr;
    if (goes_on || insn.op == Op::jump_if || insn.op == Op::jump_ifn) open.push_back(pc + 1);
  }
}

llvm::Function* PredicateLowering::run() {
  find_blocks();
  Block first = new_block("entry");
  Block body = new_block("body");
  b_.SetInsertPoint(first);
  entry_.SetInsertPoint(b_.CreateBr(body));
  b_.SetInsertPoint(body);
  if (charges_ || use_ == Use::answer) cost_left_ = entry_.CreateAlloca(b_.getInt64Ty());
  if (charges_) {
    function_->addFnAttr(kThorough);
    find_writers();
    cost_from_frame();
  }
  if (use_ == Use::answer) b_.CreateStore(number(budget_), cost_left_);
  for (pc_ = 0; pc_ < p_.code.count; ++pc_) {
    if (!reachable_[pc_]) continue;
    if (blocks_[pc_] != nullptr) start_block(blocks_[pc_]);
    // Code after a jump that is not itself a target cannot be reached.
    if (b_.GetInsertBlock()->getTerminator() == nullptr) instruction(code_[pc_]);
  }
  return function_;
}

// Continues in `block`, from wherever it is reached.
void PredicateLowering::start_block(Block block) {
  if (b_.GetInsertBlock()->getTerminator() == nullptr) b_.CreateBr(block);
  block->insertInto(function_);
  b_.SetInsertPoint(block);
  std::fill(known_.begin(), known_.end(), kNone);
}

PredicateLowering::Block PredicateLowering::new_block(const char* name) {
  return llvm::BasicBlock::Create(m_.context, name, function_);
}

void PredicateLowering::branch(V condition, Block if_true, Block if_false, bool true_is_unlikely) {
  b_.CreateCondBr(condition, if_true, if_false, true_is_unlikely ? m_.unlikely : nullptr);
}

void PredicateLowering::instruction(const Insn& insn) {
  if (insn.op < Op::add_int) return data(insn);
  if (insn.op < Op::eq_bool) return arithmetic(insn);
  if (insn.op < Op::jump) return comparison(insn);
  if (insn.op < Op::clear_fault) return control(insn);
  if (insn.op < Op::call) return saved_faults(insn);
  if (insn.op < Op::select) return call(insn);
  if (insn.op < Op::iter_size) return container(insn);
  if (insn.op < Op::recall) return iteration(insn);
  return shared_let(insn);
}

void PredicateLowering::control(const Insn& insn) {
  switch (insn.op) {
    case Op::jump:
      b_.CreateBr(blocks_[insn.b]);
      return;
    case Op::jump_if:
    case Op::jump_ifn: {
      V condition = boolean(insn.a);
      const bool next_is_target = blocks_[pc_ + 1] != nullptr;
      Block next = next_is_target ? blocks_[pc_ + 1] : new_block("");
      if (insn.op == Op::jump_if) {
        branch(condition, blocks_[insn.b], next);
      } else {
        branch(condition, next, blocks_[insn.b]);
      }
      if (!next_is_target) b_.SetInsertPoint(next);
      return;
    }
    case Op::ret:
      return finish(insn);
    default:
      return charge(number(insn.b));
  }
}

void PredicateLowering::finish(const Insn& insn) {
  if (p_.result != static_cast<uint8_t>(Kind::boolean)) {
    store_pair(at(frame_, offsetof(Frame, result)), pair(insn.a));
    cost_to_frame();
    b_.CreateRet(b_.getInt32(1));
    return;
  }
  V value = kind(insn.a) == p_.result ? boolean(insn.a) : b_.CreateTrunc(pair(insn.a).payload, b_.getInt1Ty());
  // A shared end is less code, but in a loop it would make each iteration compute the value to
  // return.
  if (charges_) return return_boolean(value);
  Block here = b_.GetInsertBlock();
  const bool first = return_ == nullptr;
  if (first) return_ = new_block("return");
  b_.CreateBr(return_);
  if (!first) return llvm::cast<llvm::PHINode>(return_->front()).addIncoming(value, here);
  b_.SetInsertPoint(return_);
  auto* result = b_.CreatePHI(b_.getInt1Ty(), 2);
  result->addIncoming(value, here);
  return_boolean(result);
}

void PredicateLowering::return_boolean(V value) {
  if (use_ == Use::everyone) {
    const V kind = number(static_cast<uint64_t>(Kind::boolean));
    store_pair(at(frame_, offsetof(Frame, result)), {kind, b_.CreateZExt(value, b_.getInt64Ty())});
  }
  cost_to_frame();
  b_.CreateRet(b_.CreateZExt(value, b_.getInt32Ty()));
}

namespace {

constexpr uint64_t kCostLeft = offsetof(Frame, eval) + offsetof(Eval, cost_left);

}  // namespace

void PredicateLowering::cost_to_frame() {
  if (cost_left_ == nullptr || use_ == Use::answer) return;
  b_.CreateStore(b_.CreateLoad(b_.getInt64Ty(), cost_left_), at(frame_, kCostLeft));
}

void PredicateLowering::cost_from_frame() {
  if (cost_left_ == nullptr) return;
  b_.CreateStore(b_.CreateLoad(b_.getInt64Ty(), at(frame_, kCostLeft)), cost_left_);
}

void PredicateLowering::charge(V steps) {
  V left_address = cost_left_ != nullptr ? cost_left_ : at(frame_, kCostLeft);
  V left = b_.CreateLoad(b_.getInt64Ty(), left_address);
  fault_if(b_.CreateICmpULT(left, steps), exhausted_exit());
  b_.CreateStore(b_.CreateSub(left, steps), left_address);
}

}  // namespace ordain::native
