// Frame: what an engine needs to run one predicate. Interpreter and native code share its layout.
#pragma once

#include <cstdint>

#include "ordain/eval.h"
#include "vm/facts/fact_banks.h"
#include "vm/program/linked_program.h"

namespace ordain::vm {

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

/// Runs a predicate. 0 false, 1 true or (if its result is not bool) a value in frame.result, 2 a fault in
/// frame.eval.fault, its location filled in. A bool result is in frame.result too.
uint32_t interpret(Frame& frame, uint32_t predicate);

/// Runs the conditions of rules without target sets, each under a fresh budget, until one is not false. What it
/// returns, and what becomes of memory, is as for a NativeBatch. @param entry of the plan, the first of `count`
uint32_t interpret_batch(Frame& frame, uint32_t entry, uint32_t count);

}  // namespace ordain::vm
