// evaluate runs one predicate of a program on the facts of a call; Scratch is the memory that
// this takes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ordain/arena.h"
#include "ordain/call.h"
#include "ordain/eval.h"
#include "ordain/export.h"
#include "ordain/fault.h"
#include "ordain/program.h"

namespace ordain {

/// Memory for evaluations and decisions, owned by the caller. Use one per thread. It is allocated
/// at construction and never grows.
class ORDAIN_API Scratch {
 public:
  static constexpr size_t kUsualBytes = 4 << 20;

  /// @param map_now whether the system provides the memory now, so that no decision waits for it. Otherwise it provides
  /// each page when it is first used, which suits a process that decides little.
  explicit Scratch(size_t bytes = kUsualBytes, bool map_now = true);
  Arena& arena() & { return arena_; }

 private:
  Arena arena_;
};

struct EvaluateOptions {
  Budget budget;
  bool interpret_only = false;  ///< do not use native code, even if it is ready
};

/// Evaluates one predicate for its value (for programs that are expressions, and for tests).
/// @returns false on a fault, which is stored in `*fault`.
ORDAIN_API bool evaluate(const Program& program, uint32_t predicate, const Call& call, const Context& context,
                         Scratch& scratch, const EvaluateOptions& options, Value* result, Fault* fault);

}  // namespace ordain
