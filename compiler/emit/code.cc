// CodeBuffer reuses registers by kind. Labels are numbers until `finish` resolves them, and
// handler blocks are placed then too.
#include "compiler/emit/code.h"

namespace ordain::emission {

void CodeBuffer::reset() {
  code_.clear();
  kinds_.clear();
  handlers_.clear();
  locations_.clear();
  labels_.clear();
  for (uint8_t kind : touched_kinds_) free_[kind].clear();
  touched_kinds_.clear();
  free_blocks_.clear();
  regions_.clear();
  deferred_.clear();
  saved_depth_ = 0;
  max_saved_ = 0;
  overflowed_ = false;
}

Register CodeBuffer::allocate(uint8_t kind) {
  if (!free_[kind].empty()) {
    Register reg = free_[kind].back();
    free_[kind].pop_back();
    return reg;
  }
  if (kinds_.size() >= kMaxRegisters) {
    overflowed_ = true;
    return 0;
  }
  kinds_.push_back(kind);
  return static_cast<Register>(kinds_.size() - 1);
}

void CodeBuffer::release(Register reg) {
  if (overflowed_) return;
  uint8_t kind = kinds_[reg];
  if (free_[kind].empty()) touched_kinds_.push_back(kind);
  free_[kind].push_back(reg);
}

Register CodeBuffer::allocate_block(const std::string& kinds) {
  auto found = free_blocks_.find(kinds);
  if (found != free_blocks_.end() && !found->second.empty()) {
    Register first = found->second.back();
    found->second.pop_back();
    return first;
  }
  if (kinds_.size() + kinds.size() > kMaxRegisters) {
    overflowed_ = true;
    // The code will be discarded, but it is written to the end, so the block must exist.
    kinds_.resize(std::max(kinds_.size(), kinds.size()), kAnyKind);
    return 0;
  }
  auto first = static_cast<Register>(kinds_.size());
  kinds_.insert(kinds_.end(), kinds.begin(), kinds.end());
  return first;
}

void CodeBuffer::release_block(Register first, const std::string& kinds) {
  if (!overflowed_) free_blocks_[kinds].push_back(first);
}

void CodeBuffer::emit(Op op, uint32_t a, uint32_t b, uint32_t c, uint32_t location) {
  if (location != kNone) locations_.push_back({pc(), location});
  code_.push_back({op, static_cast<uint16_t>(a), b, c});
}

Label CodeBuffer::new_label() {
  labels_.push_back(kNone);
  return static_cast<Label>(labels_.size() - 1);
}

void CodeBuffer::begin_region(Label handler) { regions_.push_back({pc(), handler}); }

void CodeBuffer::end_region() {
  Region region = regions_.back();
  regions_.pop_back();
  if (region.begin != pc()) handlers_.push_back({region.begin, pc(), region.handler});
}

void CodeBuffer::defer_handler(Label handler, Op op, uint32_t saved, Label next) {
  Label outer = regions_.empty() ? kNoLabel : regions_.back().handler;
  deferred_.push_back({handler, outer, op, saved, next});
}

uint32_t CodeBuffer::allocate_saved() {
  uint32_t saved = saved_depth_++;
  if (saved_depth_ > max_saved_) max_saved_ = saved_depth_;
  if (saved_depth_ > kMaxRegisters) overflowed_ = true;
  return saved;
}

void CodeBuffer::finish() {
  for (const Deferred& block : deferred_) {
    bind(block.handler);
    uint32_t begin = pc();
    if (block.op == Op::remember_fault) {
      emit(block.op, 0, block.saved);
    } else {
      emit(block.op, block.saved);
    }
    if (block.op == Op::raise_first || block.op == Op::remember_fault) {
      if (block.outer != kNoLabel) handlers_.push_back({begin, pc(), block.outer});
    } else {
      jump(block.next);
    }
  }
  for (Insn& insn : code_) {
    const bool jumps =
        insn.op == Op::jump || insn.op == Op::jump_if || insn.op == Op::jump_ifn || insn.op == Op::recall;
    if (jumps) insn.b = labels_[insn.b];
  }
  for (Handler& handler : handlers_) handler.target = labels_[handler.target];
}

void CodeBuffer::give_up(FaultCode code) {
  reset();
  kinds_.push_back(kAnyKind);
  emit(Op::fail, static_cast<uint32_t>(code), kNone);
}

}  // namespace ordain::emission
