// Execution is what running a program's predicates on the facts of one call needs: a frame, a
// budget, and the choice between native code and the interpreter.
#pragma once

#include <string_view>

#include "ordain/evaluate.h"
#include "vm/interpret/frame.h"
#include "vm/program/linked_program.h"

namespace ordain::vm {

/// The outcome of a condition.
enum class Truth : uint8_t { no = 0, yes = 1, fault = 2 };

/// Lives on the stack of its caller. Its memory is the arena of the scratch, which it resets.
struct Execution {
  const Program& program;
  const ProgramData& data;
  Arena& arena;
  const bool interpret_only;
  Frame frame;

  Execution(const Call& call, const Context& context, Scratch& scratch, const Budget& budget, bool interpret_only);

  /// Takes registers from the scratch. @returns false if the scratch is too small.
  bool prepare();

  /// Runs a predicate under a fresh budget. Its value is then in frame.result, and its fault in
  /// frame.eval.fault.
  Truth run(uint32_t predicate) {
    frame.renew();
    const NativePredicate native = interpret_only ? nullptr : native_code_of(program).predicate(predicate);
    return static_cast<Truth>(native != nullptr ? native(&frame) : interpret(frame, predicate));
  }

  /// Copies the text to memory that lives until the scratch is reset. The result's data is nullptr
  /// if the scratch is exhausted.
  std::string_view keep(std::string_view text);
};

}  // namespace ordain::vm
