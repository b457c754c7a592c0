// evaluate: one predicate of a program on a call's facts; and the memory that evaluating takes.
#pragma once

#include <cstddef>

#include "ordain/arena.h"
#include "ordain/call.h"
#include "ordain/eval.h"
#include "ordain/fault.h"
#include "ordain/program.h"

namespace ordain {

/// Caller-owned memory of evaluations and decisions: one per thread. Constructed once, never grows.
class Scratch {
 public:
  explicit Scratch(size_t bytes = 4 << 20);
  Arena& arena() { return arena_; }

 private:
  Arena arena_;
};

struct EvaluateOptions {
  Budget budget;
  bool interpret_only = false;  ///< do not use native code even where it exists
};

/// Evaluates one predicate for its value (expression programs, tests). @returns false on a fault, which is in `*fault`.
bool evaluate(const Program& program, uint32_t predicate, const Call& call, const Context& context, Scratch& scratch,
              const EvaluateOptions& options, Value* result, Fault* fault);

}  // namespace ordain
