// Eval: what a function of the expression language may use while it runs: memory, budget, faults.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "ordain/arena.h"
#include "ordain/fault.h"
#include "ordain/value.h"

namespace ordain {

/// What one evaluation (one rule's condition, say) may spend. Cost is counted in steps: an iteration of a
/// comprehension costs the nodes of its body, a function its row's cost; code without loops costs nothing.
struct Budget {
  uint64_t cost = 1'000'000;
  uint64_t memory = 1 << 20;  ///< bytes of strings, lists and maps that the evaluation makes
};

/// The state of one evaluation, shared by every engine. Functions return false after setting a fault.
struct Eval {
  Arena* arena = nullptr;
  uint64_t cost_left = 0;
  uint64_t memory_left = 0;
  Fault fault;  ///< the current fault, if a call has returned false; the engine fills in the location

  /// Spends `steps`; on exhaustion sets cost_budget and stays exhausted.
  bool charge(uint64_t steps) {
    if (steps <= cost_left) [[likely]] {
      cost_left -= steps;
      return true;
    }
    cost_left = 0;
    return fail(FaultCode::cost_budget);
  }

  /// Memory for a value, charged to the budget: nullptr, with the fault set, past it. 8-byte aligned.
  void* allocate(size_t bytes) {
    if (bytes > memory_left) {
      memory_left = 0;
      fail(FaultCode::memory_budget);
      return nullptr;
    }
    memory_left -= bytes;
    void* out = arena->allocate(bytes, 8);
    if (out == nullptr) fail(FaultCode::memory_budget);
    return out;
  }
  template <typename T>
  T* array(size_t count) {
    return static_cast<T*>(count > SIZE_MAX / sizeof(T) ? allocate(SIZE_MAX) : allocate(count * sizeof(T)));
  }

  /// Copies `text` into charged memory. @returns false on exhaustion.
  bool make_string(std::string_view text, Value* out);
  bool make_bytes(std::string_view data, Value* out);

  /// Spends what walking a text costs: a step for every ten bytes of a string or of bytes, nothing for other values.
  bool charge_text(const Value& value) {
    return (!value.is(Kind::string) && !value.is(Kind::bytes)) || charge(value.aux / 10);
  }

  bool fail(FaultCode code, Value detail = {}) {
    fault.code = code;
    fault.detail = detail;
    return false;
  }
  /// A fault whose message is made here. The copy is not charged; an exhausted arena drops the message.
  bool fail(FaultCode code, std::string_view message);
};

/// `equal`, charged: a step for each element or optional's value that is compared, eight for each entry of a map, and
/// texts of the same size as `charge_text` says. So values that share their parts, whose size is exponential, are
/// compared within the budget.
/// @returns false on exhaustion.
bool equal(Eval& eval, const Value& a, const Value& b, bool* out);

}  // namespace ordain
