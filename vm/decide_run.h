// Running a program's predicates on one call's facts: the frame, the budget, native code or the interpreter.
#pragma once

#include "ordain/decide.h"
#include "vm/frame.h"

namespace ordain {

/// What a rule's condition came to.
enum class Truth : uint8_t { no = 0, yes = 1, fault = 2 };

/// One decision's run. Lives on the stack of decide; its memory is the scratch's arena.
struct Run {
  const Program& program;
  const ProgramData& data;
  const DecideOptions& options;
  const CapabilityRef& capability;
  Arena& arena;
  Frame frame;

  Run(const Call& call, const Context& context, Scratch& scratch, const DecideOptions& options);

  /// Takes registers from the scratch. False if it is too small.
  bool prepare();

  /// Runs a predicate under a fresh budget: its value is in frame.result, its fault in frame.eval.fault.
  Truth run(uint32_t predicate);

  /// Runs a run's rules, each under a fresh budget; memory is freed but for the detail of a fault that is returned.
  uint32_t run(NativeRun code);

  /// Whether the rule applies to the capability, and if so its condition. Frees what the condition allocated, except
  /// for a fault's detail.
  Truth test(const RuleCode& rule);

  /// The text, copied to where it lives as long as the decision; its data is nullptr if the scratch is exhausted.
  std::string_view keep(std::string_view text);
};

}  // namespace ordain
