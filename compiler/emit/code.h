// CodeBuffer holds the code of one predicate while it is being written: registers, labels, fault
// handlers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "vm/program/program_data.h"

namespace ordain::emission {

using Register = uint16_t;
inline constexpr Register kNoRegister = UINT16_MAX;
/// With more registers the predicate is given up: it then faults with memory_budget, whatever its
/// arguments.
inline constexpr size_t kMaxRegisters = 60'000;

using Label = uint32_t;
inline constexpr Label kNoLabel = UINT32_MAX;

/// One buffer serves many predicates, one after another.
class CodeBuffer {
 public:
  void reset();

  // --- registers: temporaries are returned with `release` and reused by kind
  Register allocate(uint8_t kind);
  void release(Register reg);
  /// Allocates adjacent registers, as calls need for their arguments. They are released as a block.
  Register allocate_block(const std::string& kinds);
  void release_block(Register first, const std::string& kinds);
  uint8_t kind(Register reg) const { return kinds_[reg]; }

  // --- instructions; `location` is for those that may fault
  void emit(Op op, uint32_t a = 0, uint32_t b = 0, uint32_t c = 0, uint32_t location = kNone);
  Label new_label();
  void bind(Label label) { labels_[label] = pc(); }
  void jump(Label target) { emit(Op::jump, 0, target); }
  uint32_t pc() const { return static_cast<uint32_t>(code_.size()); }

  // --- faults
  /// Between begin_region and end_region, faults continue at `handler`.
  void begin_region(Label handler);
  void end_region();
  /// Adds a handler block, which is placed after all other code so that the path without faults
  /// stays straight. It runs `op saved`; save_fault then continues at `next`. For remember_fault,
  /// `saved` is the number of the let.
  void defer_handler(Label handler, Op op, uint32_t saved, Label next);
  uint32_t allocate_saved();
  void release_saved() { --saved_depth_; }

  /// Places the deferred handlers and resolves labels.
  void finish();
  /// Replaces all code by one instruction that faults.
  void give_up(FaultCode code);
  bool overflowed() const { return overflowed_; }

  std::span<const Insn> code() const { return code_; }
  std::span<const uint8_t> kinds() const { return kinds_; }
  std::span<const Handler> handlers() const { return handlers_; }
  std::span<const InsnLocation> locations() const { return locations_; }
  uint32_t saved_faults() const { return max_saved_; }

 private:
  struct Region {
    uint32_t begin;
    Label handler;
  };
  struct Deferred {
    Label handler;
    Label outer;  ///< where a fault of the block itself goes
    Op op;
    uint32_t saved;
    Label next;
  };

  std::vector<Insn> code_;
  std::vector<uint8_t> kinds_;
  std::vector<Handler> handlers_;
  std::vector<InsnLocation> locations_;
  std::vector<uint32_t> labels_;
  std::vector<Register> free_[256];
  std::vector<uint8_t> touched_kinds_;  ///< kinds whose free list is not empty since the last reset
  std::unordered_map<std::string, std::vector<Register>> free_blocks_;
  std::vector<Region> regions_;
  std::vector<Deferred> deferred_;
  uint32_t saved_depth_ = 0;
  uint32_t max_saved_ = 0;
  bool overflowed_ = false;
};

}  // namespace ordain::emission
