// Running a program's predicates on one call's facts: the frame, the budget, native code or the interpreter.
#pragma once

#include "ordain/decide.h"
#include "vm/frame.h"

namespace ordain {

/// What a rule's condition came to.
enum class Truth : uint8_t { no = 0, yes = 1, fault = 2 };

/// Puts a decision into `out`, which is fresh: that of a call that no rule matches.
void decide_by_default(const Call& call, const DecideOptions& options, Decision* out);
void refuse(DecisionCode code, std::string_view reason, Decision* out);

/// Whether what the planner and the native tier proved of conditions under the default budget holds.
inline bool is_ample(const Budget& budget) { return budget.cost >= Budget().cost && budget.memory >= Budget().memory; }

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

  /// Runs the conditions of up to kRunRules rules that have no target set, each under a fresh budget, natively or not;
  /// memory is freed but for the detail of a fault.
  /// @param entry the first, of the plan; `end` the list's end
  /// @returns as a NativeRun, or kOneByOne where only predicates are native
  uint32_t run_rules(uint32_t entry, uint32_t end, uint32_t* count);
  static constexpr uint32_t kOneByOne = UINT32_MAX;

  /// Whether the rule applies to the capability, and if so its condition. Frees what the condition allocated, except
  /// for a fault's detail.
  Truth test(const RuleCode& rule);

  /// The text, copied to where it lives as long as the decision; its data is nullptr if the scratch is exhausted.
  std::string_view keep(std::string_view text);
};

/// Decides by trying the rules that can match, one by one. @param out a fresh Decision @param all also lists every rule
/// that matches
void try_rules(const Call& call, const Context& context, Scratch& scratch, const DecideOptions& options, bool all,
               Decision* out);

}  // namespace ordain
