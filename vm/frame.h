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

/// Where a slot's value, symbol and bits are: what engines need of a Slot.
struct SlotPlace {
  uint32_t bank = 0;
  uint32_t index = 0;
  uint32_t first_bit = 0;
};

/// Imports and prepared calls, resolved. By index of ProgramData::imports and ::prepared.
struct LinkTables {
  std::vector<const Overload*> overloads;  ///< nullptr for a dynamic import
  std::vector<const Function*> functions;
  std::vector<LinkedPrepared> prepared;
  std::vector<SlotPlace> slots;  ///< by SlotId
  uint32_t max_registers = 0;
  uint32_t max_saved_faults = 0;
};
const LinkTables& link_tables(const Program& program);

/// Set up by decide once a decision, reset per predicate. Native code reads it by offset.
struct Frame {
  Eval eval;
  const Value* slots[2];       ///< by Bank
  const SymbolId* symbols[2];  ///< by Bank
  const uint64_t* bits[2];     ///< by Bank
  const Value* constants;
  Value* registers;  ///< the interpreter's, and native code's memory for values that are not scalars
  Fault* saved;
  Value result;
  const ProgramData* data;
  const LinkTables* link;
};

/// Runs a predicate. 0 false, 1 true or (if its result is not bool) a value in frame.result, 2 a fault in
/// frame.eval.fault, its location filled in. A bool result is in frame.result too.
uint32_t interpret(Frame& frame, uint32_t predicate);

/// Size that `registers` and `saved` must have for any predicate of the program.
uint32_t max_registers(const ProgramData& data);
uint32_t max_saved_faults(const ProgramData& data);

}  // namespace ordain
