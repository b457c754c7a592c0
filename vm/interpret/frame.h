// Frame holds what an engine needs to run one predicate. The interpreter and native code share
// its layout.
#pragma once

#include <cstdint>

#include "ordain/eval.h"
#include "vm/facts/fact_banks.h"
#include "vm/interpret/shared_lets.h"
#include "vm/program/linked_program.h"
#include "vm/value/private_api.h"

namespace ordain::vm {

/// Set up once for a decision, and reset for each predicate. Native code reads it by offset.
struct Frame {
  FactBanks facts;  ///< comes first: code that needs nothing else gets only this
  Eval eval;
  Value* registers;  ///< of the interpreter; native code keeps values here that are not scalars
  Fault* saved;
  Value result;
  const ProgramData* data;
  const LinkTables* link;
  Budget budget;     ///< for each predicate
  Arena::Mark mark;  ///< memory that a batch's predicates allocate is freed back to here
  SharedLets lets;

  /// Prepares for the next predicate: gives it its own budget, and clears the fault.
  void renew() {
    eval.cost_left = budget.cost;
    eval.memory_left = budget.memory;
    forget_fault();
  }
  /// The detail stays, because nobody reads it without a code, and clearing the whole fault in one
  /// assignment takes longer than a short predicate.
  void forget_fault() {
    eval.fault.code = FaultCode::none;
    eval.fault.location = UINT32_MAX;
  }
  /// Frees what was allocated since `to`, except what shared lets keep.
  void rewind(Arena::Mark to) { eval.arena->rewind(to.used < lets.kept.used ? lets.kept : to); }
};

/// Runs a predicate. Returns 0 for false, 1 for true or (if its result is not a bool) for a value
/// in frame.result, and 2 for a fault in frame.eval.fault with its location. A bool result is in
/// frame.result too.
ORDAIN_PRIVATE_API uint32_t interpret(Frame& frame, uint32_t predicate);

/// Runs the conditions of rules without target sets, each under a fresh budget, until one is not
/// false. It returns what a NativeBatch returns, and treats memory in the same way.
/// @param entry the first of `count` entries of ProgramData::rule_list.
uint32_t interpret_batch(Frame& frame, uint32_t entry, uint32_t count);

}  // namespace ordain::vm
