// SharedLets remembers, for the length of one decision, what lets gave that several rules use. What
// is remembered stands for the work, never for its price: whoever recalls a let spends what it cost,
// so that each evaluation ends as if it had computed the let itself.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ordain/arena.h"
#include "ordain/eval.h"
#include "vm/value/private_api.h"

namespace ordain::vm {

/// What `recall` found.
enum class Recalled : uint32_t {
  nothing = 0,  ///< the let must be computed
  value = 1,
  fault = 2,  ///< the let's fault is set, with its location
};

/// A part of a Frame. Lets are numbered as in ProgramData::shared_lets.
struct SharedLets {
  struct Outcome {
    uint64_t cost;    ///< while it is computed: the budget at its beginning
    uint64_t memory;  ///< likewise
    Value value;      ///< or the detail of the fault
    FaultCode code;   ///< none: there is a value
    uint32_t location;
  };
  enum class State : uint8_t { unknown = 0, begun = 1, known = 2 };

  State* states = nullptr;
  Outcome* outcomes = nullptr;
  Arena::Mark kept = {nullptr, 0};  ///< what is remembered may lie below this mark, so that memory is not freed
  size_t most_kept = 0;             ///< `kept` never passes this, so that enough is left for each rule

  /// Takes memory for `count` lets, and forgets all. @returns false if the arena is too small.
  bool prepare(Arena& arena, uint32_t count);
};

// Native code calls these by address.

/// Spends what the let cost and gives its value, or its fault. If that is not known, or if the
/// budget does not suffice (computing it again then finds the place where it ends), computing begins.
ORDAIN_PRIVATE_API Recalled recall_let(SharedLets& lets, Eval& eval, uint32_t let, Value* value);
/// Computing the let has given this value.
ORDAIN_PRIVATE_API void remember_value(SharedLets& lets, const Eval& eval, uint32_t let, const Value& value);
/// Computing the let has given the fault in `eval`.
ORDAIN_PRIVATE_API void remember_fault(SharedLets& lets, const Eval& eval, uint32_t let);

}  // namespace ordain::vm
