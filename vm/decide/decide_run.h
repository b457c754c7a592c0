// One decision under way: which conditions it runs, one by one or in batches.
#pragma once

#include "ordain/decide.h"
#include "vm/interpret/execution.h"

namespace ordain::vm {

/// Puts a decision into `out`, which is fresh: that of a call that no rule matches.
void decide_by_default(const Call& call, const DecideOptions& options, Decision* out);
void refuse(DecisionCode code, std::string_view reason, Decision* out);

/// Whether what the planner and the native tier proved of conditions under the default budget holds.
inline bool is_ample(const Budget& budget) { return budget.cost >= Budget().cost && budget.memory >= Budget().memory; }

/// One decision under way.
struct Run : Execution {
  const DecideOptions& options;
  const CapabilityRef& capability;

  Run(const Call& call, const Context& context, Scratch& scratch, const DecideOptions& options)
      : Execution(call, context, scratch, options.budget, options.interpret_only),
        options(options),
        capability(call.capability()) {}

  /// Runs the conditions of up to kBatchRules rules that have no target set, each under a fresh budget, natively or
  /// not; memory is freed but for the detail of a fault.
  /// @param entry the first, of the rule list; `end` the list's end
  /// @returns as a NativeBatch, or kOneByOne where only predicates are native
  uint32_t try_batch(uint32_t entry, uint32_t end, uint32_t* count);
  static constexpr uint32_t kOneByOne = UINT32_MAX;

  /// Whether the rule applies to the capability, and if so its condition. Frees what the condition allocated, except
  /// for a fault's detail.
  Truth test(const RuleCode& rule);
};

/// Decides by trying the rules that can match, one by one. @param out a fresh Decision @param all also lists every rule
/// that matches
void try_rules(const Call& call, const Context& context, Scratch& scratch, const DecideOptions& options, bool all,
               Decision* out);

}  // namespace ordain::vm
