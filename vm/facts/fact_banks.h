// FactBanks points to the facts of a call and its context. Engines read facts only through these
// pointers.
#pragma once

#include <cstdint>

#include "ordain/call.h"
#include "vm/program/linked_program.h"

namespace ordain::vm {

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
          data_of(call.program()).constants.data()};
}

}  // namespace ordain::vm
