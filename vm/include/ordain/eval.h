// Eval is what a function of the expression language works with: memory, a budget, and the fault
// it may set.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "ordain/arena.h"
#include "ordain/export.h"
#include "ordain/fault.h"
#include "ordain/value.h"

namespace ordain {

/// What one evaluation (of a rule's condition, for example) may spend. Cost is counted in steps: an
/// iteration of a comprehension costs the number of nodes in its body, a function costs what its
/// row says, and code without loops costs nothing.
struct Budget {
  uint64_t cost = 1'000'000;
  uint64_t memory = 1 << 20;  ///< bytes of the strings, lists and maps that it makes
};

/// The most steps that policies, hosts and commands let people set as the budget of a condition: some
/// tens of seconds.
inline constexpr uint64_t kMaxBudgetCost = 1'000'000'000;

/// The state of one evaluation, which all engines share. Its functions set a fault and return false
/// on failure.
struct ORDAIN_API Eval {
  Arena* arena = nullptr;
  uint64_t cost_left = 0;
  uint64_t memory_left = 0;
  Fault fault;  ///< the current fault, if a call has returned false; the engine fills in the location

  /// Spends `steps`. When they are exhausted, sets cost_budget, and every further charge fails.
  bool charge(uint64_t steps) {
    if (steps <= cost_left) [[likely]] {
      cost_left -= steps;
      return true;
    }
    cost_left = 0;
    return fail(FaultCode::cost_budget);
  }

  /// Allocates memory for a value, 8-byte aligned, and charges it to the budget. Past the budget,
  /// sets the fault and returns nullptr.
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

  /// Spends the steps of reading a text: one for every ten bytes of a string or bytes, none for
  /// other values.
  bool charge_text(const Value& value) {
    return (!value.is(Kind::string) && !value.is(Kind::bytes)) || charge(value.aux / 10);
  }

  bool fail(FaultCode code, Value detail = {}) {
    fault.code = code;
    fault.detail = detail;
    return false;
  }
  /// Sets a fault with a message made at run time. The copy is not charged; an exhausted arena
  /// drops the message.
  bool fail(FaultCode code, std::string_view message);
};

/// `equal`, charged: a step for each element or optional's value that is compared, eight for each entry of a map, and
/// texts of the same size as `charge_text` says. So values that share their parts, whose size is exponential, are
/// compared within the budget.
/// @returns false on exhaustion.
ORDAIN_API bool equal(Eval& eval, const Value& a, const Value& b, bool* out);

}  // namespace ordain
