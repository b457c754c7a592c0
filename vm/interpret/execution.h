// Execution: what running a program's predicates on one call's facts takes: a frame, a budget, and the choice between
// native code and the interpreter.
#pragma once

#include <string_view>

#include "ordain/evaluate.h"
#include "vm/interpret/frame.h"
#include "vm/program/linked_program.h"

namespace ordain::vm {

/// What a condition came to.
enum class Truth : uint8_t { no = 0, yes = 1, fault = 2 };

/// Lives on the stack of its caller; its memory is the scratch's arena, which it resets.
struct Execution {
  const Program& program;
  const ProgramData& data;
  Arena& arena;
  const bool interpret_only;
  Frame frame;

  Execution(const Call& call, const Context& context, Scratch& scratch, const Budget& budget, bool interpret_only);

  /// Takes registers from the scratch. False if it is too small.
  bool prepare();

  /// Runs a predicate under a fresh budget: its value is in frame.result, its fault in frame.eval.fault.
  Truth run(uint32_t predicate) {
    frame.renew();
    const NativePredicate native = interpret_only ? nullptr : native_code_of(program).predicate(predicate);
    return static_cast<Truth>(native != nullptr ? native(&frame) : interpret(frame, predicate));
  }

  /// The text, copied to where it lives as long as the scratch is not reset; its data is nullptr if that is exhausted.
  std::string_view keep(std::string_view text);
};

}  // namespace ordain::vm
