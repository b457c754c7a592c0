// Verifies how control flows. Every register must be assigned before it is read, on every path
// and after every fault (a faulting instruction leaves its destination unchanged), and every loop
// must spend budget. The state at an instruction is a set of bits, which say that a register is
// assigned (a builder: as a list), that a builder is assigned as a map, that a fault register is
// assigned, and that a fault led here.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "vm/program/verify.h"

namespace ordain::vm {

std::vector<uint32_t> handler_map(const ProgramData& data, const Predicate& predicate) {
  const uint32_t count = predicate.code.count;
  std::vector<uint32_t> out(count, kNone);
  if (predicate.handlers.count == 0) return out;
  // The innermost handler comes first, so each instruction is painted once. `next` leads to the
  // next unpainted instruction.
  std::vector<uint32_t> next(count + 1);
  std::iota(next.begin(), next.end(), 0u);
  const auto unpainted = [&next](uint32_t pc) {
    while (next[pc] != pc) pc = next[pc] = next[next[pc]];
    return pc;
  };
  for (uint32_t h = 0; h < predicate.handlers.count; ++h) {
    const Handler& handler = data.handlers[predicate.handlers.first + h];
    for (uint32_t pc = unpainted(handler.begin); pc < handler.end; pc = unpainted(pc)) {
      out[pc] = h;
      next[pc] = pc + 1;
    }
  }
  return out;
}

namespace {

using Bits = uint64_t*;

class Flow {
 public:
  Flow(const ProgramData& data, const Predicate& predicate)
      : data_(data),
        p_(predicate),
        code_(data.code.data() + predicate.code.first),
        count_(predicate.code.count),
        handlers_(handler_map(data, predicate)),
        words_((2 * predicate.registers.count + predicate.saved_faults + 1 + 63) / 64) {}

  std::string check() {
    const bool forward = goes_forward();
    if (!forward) {
      if (std::string wrong = loops(); !wrong.empty()) return wrong;
    }
    find_blocks();
    if (uint64_t{words_} * starts_.size() > kMaxFlowWords) return "it is too large";
    in_.assign(words_ * starts_.size(), ~uint64_t{0});
    reached_.assign(starts_.size(), false);
    state_.assign(words_, 0);
    std::fill_n(in_.begin(), words_, 0);
    reached_[0] = true;
    // If control only goes forward, the reporting pass already knows everything that comes before.
    if (!forward && !settle()) return "its flow is too complex";
    for (uint32_t block = 0; block < starts_.size() && wrong_.empty(); ++block) {
      if (reached_[block]) pass(block, true);
    }
    return wrong_;
  }

 private:
  uint32_t target_of_fault(uint32_t pc) const { return data_.handlers[p_.handlers.first + handlers_[pc]].target; }

  // Calls `visit` with each instruction that may follow `pc` without spending budget, handlers
  // included.
  template <typename Visit>
  void free_successors(uint32_t pc, const Visit& visit) const {
    const Insn& insn = code_[pc];
    if (may_fault(insn.op) && handlers_[pc] != kNone) visit(target_of_fault(pc));
    if (insn.op == Op::charge && insn.b > 0) return;
    if (jumps(insn.op)) visit(insn.b);
    if (!never_falls_through(insn.op)) visit(pc + 1);
  }

  bool goes_forward() const {
    for (uint32_t pc = 0; pc < count_; ++pc) {
      if (jumps(code_[pc].op) && code_[pc].b <= pc) return false;
    }
    for (uint32_t h = 0; h < p_.handlers.count; ++h) {
      const Handler& handler = data_.handlers[p_.handlers.first + h];
      if (handler.target < handler.end) return false;
    }
    return true;
  }

  // Without the steps after a charge there must be no cycle. (The step to the handler of a charge
  // stays, because an exhausted charge always faults.) The search is depth first, with an explicit
  // stack.
  std::string loops() const {
    enum : uint8_t { kNew, kOpen, kDone };
    std::vector<uint8_t> mark(count_, kNew);
    std::vector<uint32_t> stack;
    for (uint32_t root = 0; root < count_; ++root) {
      if (mark[root] != kNew) continue;
      stack.push_back(root);
      while (!stack.empty()) {
        const uint32_t pc = stack.back();
        if (mark[pc] != kNew) {
          mark[pc] = kDone;
          stack.pop_back();
          continue;
        }
        mark[pc] = kOpen;
        bool cycle = false;
        free_successors(pc, [&](uint32_t next) {
          cycle = cycle || mark[next] == kOpen;
          if (mark[next] == kNew) stack.push_back(next);
        });
        if (cycle) return fmt::format("pc {}: a loop spends no budget", pc);
      }
    }
    return "";
  }

  void find_blocks() {
    std::vector<bool> leader(count_ + 1, false);
    leader[0] = true;
    for (uint32_t pc = 0; pc < count_; ++pc) {
      const Insn& insn = code_[pc];
      if (jumps(insn.op)) leader[insn.b] = true;
      if (jumps(insn.op) || never_falls_through(insn.op)) leader[pc + 1] = true;
    }
    for (uint32_t h = 0; h < p_.handlers.count; ++h) leader[data_.handlers[p_.handlers.first + h].target] = true;
    block_of_.resize(count_);
    for (uint32_t pc = 0; pc < count_; ++pc) {
      if (leader[pc]) starts_.push_back(pc);
      block_of_[pc] = static_cast<uint32_t>(starts_.size()) - 1;
    }
  }

  // Passes blocks until their states no longer change; of the changed blocks, the first in the code
  // is next. (Handlers stand after the code that they return to, so whole sweeps would be needed
  // once per handler.)
  bool settle() {
    settling_ = true;
    dirty_ = {0};
    uint64_t work = 0;
    while (!dirty_.empty()) {
      const uint32_t block = *dirty_.begin();
      dirty_.erase(dirty_.begin());
      work += words_ + end_of(block) - starts_[block];
      if (work > kMaxFlowWork) return false;
      pass(block, false);
    }
    settling_ = false;
    return true;
  }

  uint32_t end_of(uint32_t block) const { return block + 1 < starts_.size() ? starts_[block + 1] : count_; }

  Bits in(uint32_t block) { return in_.data() + size_t{block} * words_; }

  void merge_into(uint32_t pc) {
    const uint32_t block = block_of_[pc];
    Bits to = in(block);
    bool changed = false;
    for (size_t w = 0; w < words_; ++w) {
      const uint64_t merged = to[w] & state_[w];
      changed = changed || merged != to[w];
      to[w] = merged;
    }
    if (settling_ && (changed || !reached_[block])) dirty_.insert(block);
    reached_[block] = true;
  }

  bool has(uint32_t bit) const { return (state_[bit / 64] >> (bit % 64) & 1) != 0; }
  void set(uint32_t bit) { state_[bit / 64] |= uint64_t{1} << (bit % 64); }
  void clear(uint32_t bit) { state_[bit / 64] &= ~(uint64_t{1} << (bit % 64)); }
  uint32_t map_bit(uint32_t r) const { return p_.registers.count + r; }
  uint32_t fault_bit(uint32_t f) const { return 2 * p_.registers.count + f; }
  uint32_t handling_bit() const { return fault_bit(p_.saved_faults); }

  // A fault stays known to the code that handles it, so the bit is never cleared on a path.
  void merge_into_handler(uint32_t pc) {
    const bool handling = has(handling_bit());
    set(handling_bit());
    merge_into(target_of_fault(pc));
    if (!handling) clear(handling_bit());
  }

  void pass(uint32_t block, bool report) {
    std::copy_n(in(block), words_, state_.begin());
    const uint32_t end = end_of(block);
    uint32_t handler = kNone;  // the handler whose in-state includes this block's state already
    for (uint32_t pc = starts_[block]; pc < end; ++pc) {
      const Insn& insn = code_[pc];
      if (report && !reads(pc, insn)) return;
      if (may_fault(insn.op)) {
        if (handlers_[pc] != kNone && handlers_[pc] != handler) merge_into_handler(pc);
        handler = handlers_[pc];
      }
      // Other writes only add to the state. A builder that is started anew may be of the other kind
      // from here on.
      if (insn.op == Op::list_new || insn.op == Op::map_new) handler = kNone;
      // Only the jump of recall assigns its register.
      const bool keeps = insn.op == Op::recall && !has(insn.a);
      writes(insn);
      if (jumps(insn.op)) merge_into(insn.b);
      if (keeps) clear(insn.a);
    }
    if (!never_falls_through(code_[end - 1].op)) merge_into(end);
  }

  bool reads(uint32_t pc, const Insn& insn) {
    const auto need = [&](uint32_t bit, char letter, uint32_t number) {
      if (has(bit)) return true;
      wrong_ = fmt::format("pc {}: {}: {}{} may not be assigned", pc, op_info(insn.op).name, letter, number);
      return false;
    };
    const bool handles = insn.op == Op::save_fault || insn.op == Op::raise_first || insn.op == Op::remember_fault;
    if (handles && !has(handling_bit())) {
      wrong_ = fmt::format("pc {}: {}: a fault need not have led here", pc, op_info(insn.op).name);
      return false;
    }
    for (int which = 0; which < 3; ++which) {
      const Operand op = operand(insn.op, which);
      const uint32_t value = operand_value(insn, which);
      if (op.kind == 'F' && insn.op != Op::clear_fault && !need(fault_bit(value), 'f', value)) return false;
      if (!is_register(op.kind) || (op.writes && insn.op != Op::inc)) continue;
      const bool as_map = op.kind == '#' && is_map_builder(insn.op);
      if (!need(as_map ? map_bit(value) : value, 'r', value)) return false;
    }
    for (uint32_t i = 0; i < argument_count(data_, insn); ++i) {
      if (!need(insn.c + i, 'r', insn.c + i)) return false;
    }
    return true;
  }

  static bool is_map_builder(Op op) {
    return op == Op::map_new || op == Op::map_put || op == Op::map_put_optional || op == Op::map_merge ||
           op == Op::map_done;
  }

  void writes(const Insn& insn) {
    if (insn.op == Op::clear_fault) set(fault_bit(insn.a));
    const Operand op = operand(insn.op, 0);
    if (!op.writes) return;
    clear(map_bit(insn.a));
    clear(insn.a);
    set(is_map_builder(insn.op) && op.kind == '#' ? map_bit(insn.a) : insn.a);
  }

  const ProgramData& data_;
  const Predicate& p_;
  const Insn* code_;
  uint32_t count_;
  std::vector<uint32_t> handlers_;
  size_t words_;
  std::vector<uint32_t> starts_, block_of_;
  std::vector<uint64_t> in_, state_;
  std::vector<bool> reached_;
  std::set<uint32_t> dirty_;  ///< blocks to pass again
  bool settling_ = false;
  std::string wrong_;
};

}  // namespace

std::string verify_flow(const ProgramData& data, const Predicate& predicate) { return Flow(data, predicate).check(); }

}  // namespace ordain::vm
