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
  explicit Scratch(size_t bytes = 4 << 20);
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
