// Frame: what an engine needs to run one predicate. Interpreter and native code share its layout.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ordain/call.h"
#include "ordain/eval.h"
#include "vm/program_data.h"

namespace ordain {

/// Prepared argument with the call that uses it.
struct LinkedPrepared {
  const Overload* overload = nullptr;
  std::shared_ptr<const void> object;
};

/// Where a slot's value, symbol and bits are: what engines, and those who fill it, need of a Slot.
struct SlotPlace {
  uint32_t bank = 0;
  uint32_t index = 0;
  uint32_t first_bit = 0;
  Kind kind = Kind::absent;  ///< of every value that the slot may hold; absent: any
  bool compared = false;
  bool builtin = false;
  bool has_bits = false;
};

class LiteralIndex;

/// A PlanNode, ready to be walked. Which members count depends on the test.
struct PlanStep {
  PlanTest test;
  bool absent;
  uint8_t bank;
  uint32_t slot;  ///< index within the bank
  uint32_t next;
  uint32_t
      first;      ///< leaf: of plan_leaves; symbol, number: of plan_cells; member: of plan_members; text: of plan_texts
  uint32_t mask;  ///< symbol, number: cells less one; member: words less one
  uint32_t edges;         ///< first of plan_edges
  uint32_t count;         ///< of edges, or of leaves
  uint32_t below, above;  ///< threshold, present: edges 0 and 1, kNone where there is none
  uint64_t bound;         ///< threshold, text: the node's; member: the slot's first word of bits
};

/// Of an open-addressing hash table.
struct PlanCell {
  uint64_t key = 0;
  uint32_t node = kNone;  ///< kNone: empty
};
inline uint64_t hash_plan_key(uint64_t key) { return (key ^ key >> 29) * 0x9E3779B97F4A7C15u >> 32; }

/// The members among the edges of one word of a slot's bits; `rank`: edges before them.
struct PlanMembers {
  uint64_t mask = 0;
  uint32_t word = 0;
  uint32_t rank = 0;
};

/// Imports and prepared calls, resolved, by index of ProgramData::imports and ::prepared; and the plan, ready to be
/// walked.
struct LinkTables {
  std::vector<const Overload*> overloads;  ///< nullptr for a dynamic import
  std::vector<const Function*> functions;
  std::vector<LinkedPrepared> prepared;
  std::vector<SlotPlace> slots;  ///< by SlotId
  uint32_t max_registers = 0;
  uint32_t max_saved_faults = 0;
  std::vector<uint8_t> run_sizes;  ///< by entry of the plan that begins a run: its rules; else 0
  std::vector<uint8_t> steps;      ///< by instruction: what the interpreter runs there, a Step

  std::vector<PlanStep> plan_steps;  ///< by index of ProgramData::plan_nodes
  std::vector<PlanCell> plan_cells;
  std::vector<PlanMembers> plan_members;
  std::vector<std::shared_ptr<const LiteralIndex>> plan_texts;
  const PlanEdge* plan_edges = nullptr;   ///< the ProgramData's
  const PlanLeaf* plan_leaves = nullptr;  ///< the same
};
const LinkTables& link_tables(const Program& program);

/// What a rule may read. Native code reads it by offset.
struct FactBanks {
  const Value* slots[2];       ///< by Bank
  const SymbolId* symbols[2];  ///< by Bank
  const uint64_t* bits[2];     ///< by Bank
  const Value* constants;
};
inline FactBanks facts_of(const Call& call, const Context& context) {
  const SlotValues &outer = context.slots(), &own = call.slots();
  return {{outer.values.data(), own.values.data()},
          {outer.symbols.data(), own.symbols.data()},
          {outer.bits.data(), own.bits.data()},
          call.program().data().constants.data()};
}

/// What native code answers for all rules, packed so that it comes in a register.
struct PackedRuling {
  RuleId rule;
  uint32_t text;  ///< the reason, a constant; kNone: the rule's name
  bool denies;    ///< else it allows

  uint64_t packed() const { return uint64_t{denies} << 63 | ((uint64_t{text} + 1) & 0x7FFFFFFF) << 32 | rule; }
  static PackedRuling unpack(uint64_t packed) {
    return {static_cast<RuleId>(packed), static_cast<uint32_t>(packed >> 32 & 0x7FFFFFFF) - 1, packed >> 63 != 0};
  }
};

/// Set up by decide once a decision, reset per predicate. Native code reads it by offset.
struct Frame {
  FactBanks facts;  ///< first: code that needs no more is given only this
  Eval eval;
  Value* registers;  ///< the interpreter's, and native code's memory for values that are not scalars
  Fault* saved;
  Value result;
  const ProgramData* data;
  const LinkTables* link;
  Budget budget;     ///< of each predicate
  Arena::Mark mark;  ///< what a run's predicates allocate is freed back to here

  /// Makes ready for the next predicate: its own budget, no fault.
  void renew() {
    eval.cost_left = budget.cost;
    eval.memory_left = budget.memory;
    forget_fault();
  }
  /// Its detail stays, for nobody reads it without a code; to clear all of it in one assignment takes longer than a
  /// short predicate.
  void forget_fault() {
    eval.fault.code = FaultCode::none;
    eval.fault.location = UINT32_MAX;
  }
};

/// Rules of a range that no DAG leads through are tried in runs of so many: one native function each.
inline constexpr uint32_t kRunRules = 32;

/// Runs a predicate. 0 false, 1 true or (if its result is not bool) a value in frame.result, 2 a fault in
/// frame.eval.fault, its location filled in. A bool result is in frame.result too.
uint32_t interpret(Frame& frame, uint32_t predicate);

/// Runs the conditions of rules without target sets, each under a fresh budget, until one is not false. What it
/// returns, and what becomes of memory, is as for a NativeRun. @param entry of the plan, the first of `count`
uint32_t interpret_run(Frame& frame, uint32_t entry, uint32_t count);

/// Size that `registers` and `saved` must have for any predicate of the program.
uint32_t max_registers(const ProgramData& data);
uint32_t max_saved_faults(const ProgramData& data);

}  // namespace ordain
