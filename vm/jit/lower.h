// Lowering turns the bytecode of predicates into LLVM IR, one function `uint32_t(Frame*)` per
// predicate.
//
// Registers of kind bool, int, uint and double are SSA values; other registers are pairs of 64-bit
// halves of a Value. Both begin as allocas that mem2reg removes. Memory (frame->registers) is
// written only for builders and where a helper needs a Value. The target of a fault is known for
// each instruction, so the path without faults needs no bookkeeping.
#pragma once

#include <llvm/ADT/STLFunctionalExtras.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "vm/interpret/frame.h"
#include "vm/jit/helpers.h"

namespace ordain::native {

/// A function compares literals that are longer than this.
inline constexpr uint32_t kInlineBytes = 32;

// Exits to faults are distinguished by a fault code, or by one of these together with its subject.
inline constexpr uint32_t kMissingKey = 1u << 29;
inline constexpr uint32_t kExhausted = 1u << 30;
inline constexpr uint32_t kAbsent = 1u << 31;

std::string predicate_symbol(uint32_t predicate);
std::string run_symbol(uint32_t entry);
std::string answer_symbol(uint32_t calls);
/// @returns the symbol by which native code calls an overload without a cost
std::string overload_symbol(const Overload& overload);

/// @returns how many rules a function for the whole answer to some calls would cover; 0 if it is
/// not possible
/// @param calls 2 * capability + stage
uint32_t answered_rules(const Program& program, uint32_t calls);

/// @returns whether a call is computed in place: its overload names an Intrinsic that supports
/// arguments of these kinds
bool is_intrinsic(const ProgramData& data, const LinkTables& link, const Predicate& predicate, const Insn& insn);

/// The state that the functions of one module share.
struct ModuleLowering {
  /// @param tail_calls whether the code generator turns calls at the end into jumps; the fast one
  /// cannot
  /// @param standalone whether the code must never continue in the interpreter
  ModuleLowering(llvm::LLVMContext& context, const Program& program, const std::string& name,
                 const llvm::DataLayout& layout, const std::string& triple, bool tail_calls, bool standalone);

  /// Adds one predicate's function.
  void add(uint32_t predicate);
  /// Adds the function of the batch of rules that begins at an entry of the rule list.
  void add_batch(uint32_t entry);
  /// Adds the function for the whole answer to some calls, if that is possible.
  void add_answer(uint32_t calls);

  llvm::FunctionCallee helper(const char* name);
  llvm::FunctionCallee overload(const Overload& overload);
  /// @returns a private constant array of bytes
  llvm::Constant* bytes(llvm::StringRef data);

  llvm::LLVMContext& context;
  const ProgramData& data;
  const LinkTables& link;
  std::unique_ptr<llvm::Module> module;
  bool tail_calls;
  bool standalone;
  llvm::MDNode* unlikely;   ///< branch weights: the true side hardly ever runs
  llvm::MDNode* invariant;  ///< for loads of memory that does not change while a predicate runs

 private:
  llvm::FunctionType* function_type(const char* signature);
  std::unordered_map<std::string, llvm::FunctionCallee> declared_;
  std::unordered_map<std::string, llvm::Constant*> texts_;
};

class PredicateLowering {
 public:
  /// How the function is used: called by anyone, or inlined into a batch or an answer, where only
  /// its truth value matters. In an answer it receives FactBanks instead of a Frame, and it reports
  /// every fault, even one that would be handled, without any details.
  enum class Use { everyone, run, answer };

  PredicateLowering(ModuleLowering& module, uint32_t predicate, Use use = Use::everyone,
                    uint64_t budget = Budget().cost);
  llvm::Function* run();

  /// Valid after lowering: the code spends no budget, takes no memory, and leaves no fault behind
  /// but its own.
  bool is_pure() const { return pure_; }

 private:
  using V = llvm::Value*;
  using Block = llvm::BasicBlock*;

  /// The halves of a Value: kind, flags, labels and aux; payload.
  struct Pair {
    V meta;
    V payload;
  };
  struct Storage {
    llvm::AllocaInst* meta = nullptr;  ///< nullptr for scalars
    llvm::AllocaInst* payload = nullptr;
  };

  // lower.cc: control flow
  void find_blocks();
  bool may_restart() const;
  void find_reachable();
  void instruction(const Insn& insn);
  void control(const Insn& insn);
  void start_block(Block block);
  Block new_block(const char* name);
  void branch(V condition, Block if_true, Block if_false, bool true_is_unlikely = false);
  void finish(const Insn& insn);
  void return_boolean(V value);
  void charge(V steps);
  void cost_to_frame();
  void cost_from_frame();

  // lower_fault.cc
  Block fault_exit(FaultCode code);  ///< none: the fault is set, except for its location
  Block absent_exit(SlotId slot);
  Block exhausted_exit();
  Block restart();
  Block exit(uint32_t what, const char* helper, std::initializer_list<V> args);
  void leave(const char* helper, std::initializer_list<V> args);
  void fault_if(V condition, Block exit);
  void fault_unless(V ok);
  void saved_faults(const Insn& insn);
  void raise();
  llvm::AllocaInst* saved_flag(uint32_t saved);
  V location() { return b_.getInt32(locations_[pc_]); }

  // lower_value.cc: registers and memory
  Storage& storage(uint32_t reg);
  uint8_t kind(uint32_t reg) const { return m_.data.register_kinds[p_.registers.first + reg]; }
  V boolean(uint32_t reg);
  V integer(uint32_t reg);
  V floating(uint32_t reg);
  Pair pair(uint32_t reg);
  void set_boolean(uint32_t reg, V value);
  void set_integer(uint32_t reg, V value);
  void set_floating(uint32_t reg, V value);
  void set(uint32_t reg, Pair value);
  Pair constant_pair(uint32_t constant);
  Pair load_pair(V address, bool invariant);
  void store_pair(V address, Pair value);
  void take_result(uint32_t reg);
  V result_payload();
  V in_memory(uint32_t reg);  ///< address of a copy of the register
  V register_address(uint32_t reg);
  V at(V base, uint64_t offset);
  V frame_pointer(size_t offset);
  V kind_of(V meta);
  V size_of(V meta);
  V number(uint64_t value) { return b_.getInt64(value); }
  V call_helper(const char* name, std::initializer_list<V> args);
  const Value* known(uint32_t reg) const;

  // lower_data.cc: constants, slots, comparison
  void data(const Insn& insn);
  void load(const Insn& insn);
  void load_optional(const Insn& insn);
  void slot_test(const Insn& insn);
  V slot_address(SlotId slot);
  V slot_is_absent(SlotId slot);
  V symbol_of(SlotId slot);
  V symbol_in(V symbol, uint32_t set);
  void arithmetic(const Insn& insn);
  void checked(const Insn& insn, llvm::Intrinsic::ID intrinsic);
  void division(const Insn& insn, bool is_signed, bool remainder);
  void comparison(const Insn& insn);
  V equal_text(Pair a, Pair b, const Value* literal);
  V equal_bytes(V text, const Value& literal);
  V equal_any(const Insn& insn);
  V equal_deep(uint32_t left, uint32_t right);
  V equal_typed(uint32_t any, uint32_t typed, Kind kind);
  V guarded(V condition, llvm::function_ref<V()> then, llvm::function_ref<V()> otherwise);
  V is_list(uint32_t reg, V meta);

  // lower_intrinsic.cc: calls computed in place
  void intrinsic(const Insn& insn, Intrinsic which, const Value* list);
  V has_affix(uint32_t first, bool at_end);
  V contains_text(uint32_t first);
  void in_constant_list(const Insn& insn, const Value& list);
  V member_of(V value, const std::vector<int64_t>& set);
  V bit_of_table(V offset, const std::vector<int64_t>& set);
  V tree_of(V value, const std::vector<int64_t>& set);
  V found_in_sorted(V value, const std::vector<int64_t>& set);

  // lower_call.cc: calls, containers
  void call(const Insn& insn);
  void call_function(const Insn& insn);  ///< the result is in the frame
  void container(const Insn& insn);
  bool find_by_name(const Insn& insn);
  Block missing_exit(uint32_t key);

  // lower_iterate.cc
  void iteration(const Insn& insn);
  void iterate(const Insn& insn);
  void element(const Insn& insn, Pair range, V index);
  void find_writers();
  bool is_size_of(uint32_t size, uint32_t list) const;
  bool counts_up(uint32_t reg) const;
  const Insn* only_way_to(uint32_t pc) const;
  bool within_list(const Insn& insn);

  // lower_shared_let.cc
  void shared_let(const Insn& insn);
  void recall(const Insn& insn);

  ModuleLowering& m_;
  const uint32_t predicate_;
  const Predicate& p_;
  const Insn* code_;
  uint32_t pc_ = 0;
  llvm::Function* function_;
  llvm::IRBuilder<> b_;
  llvm::IRBuilder<> entry_;  ///< before the terminator of the first block, for allocas
  V frame_;
  const Use use_;
  const uint64_t budget_;  ///< of an answer's condition; all others find theirs in the frame
  bool pure_ = false;
  bool restarts_ = false;  ///< a handled fault makes the interpreter or the caller start again
  Block restart_ = nullptr;
  Block return_ = nullptr;       ///< of a predicate of kind bool, with a phi of the returned value
  std::vector<bool> reachable_;  ///< by pc
  bool charges_ = false;
  llvm::AllocaInst* cost_left_ = nullptr;  ///< the budget, if code may loop or has no frame
  std::vector<Block> blocks_;              ///< by pc, if a block begins there
  std::vector<uint32_t> handlers_;         ///< by pc: target of a fault, or kNone
  std::vector<uint32_t> locations_;        ///< by pc
  std::vector<Storage> registers_;
  /// How many instructions write a register, except `inc`, and the last of them.
  struct Writer {
    uint32_t count = 0;
    uint32_t pc = 0;
  };
  std::vector<Writer> writers_;  ///< only if code may loop
  std::vector<uint32_t> known_;  ///< by register: its constant in this block, or kNone
  std::vector<llvm::AllocaInst*> saved_;
  std::map<std::tuple<uint32_t, uint32_t, uint32_t>, Block> exits_;  ///< by handler, kind, location
};

}  // namespace ordain::native
