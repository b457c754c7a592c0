// Run is one decision in progress: it runs conditions, one by one or in batches.
#pragma once

#include "ordain/decide.h"
#include "vm/interpret/execution.h"

namespace ordain::vm {

/// Puts the decision for a call that no rule matches into `out`, which must be fresh.
void decide_by_default(const Call& call, const DecideOptions& options, Decision* out);
void refuse(DecisionCode code, std::string_view reason, Decision* out);

/// Whether the budget is large enough for what the compiler and native code assume about conditions
/// under the default budget.
inline bool is_ample(const Budget& budget) { return budget.cost >= Budget().cost && budget.memory >= Budget().memory; }

/// The budget of a rule's clauses: that of its package, or else the host's.
inline Budget budget_of_rule(const Program& program, RuleId rule, Budget host) {
  const std::vector<uint32_t>& budgets = link_tables(program).budgets;
  if (!budgets.empty() && budgets[rule] != 0) host.cost = budgets[rule];
  return host;
}

/// How a single clause of a rule is evaluated.
inline EvaluateOptions options_of_rule(const Program& program, RuleId rule, EvaluateOptions options) {
  options.budget = budget_of_rule(program, rule, options.budget);
  return options;
}

/// One decision in progress.
struct Run : Execution {
  const DecideOptions& options;
  const CapabilityRef& capability;

  Run(const Call& call, const Context& context, Scratch& scratch, const DecideOptions& options)
      : Execution(call, context, scratch, options.budget, options.interpret_only),
        options(options),
        capability(call.capability()) {}

  /// Runs the conditions of up to kBatchRules rules without target sets, each under a fresh budget,
  /// as native code or in the interpreter. Memory is freed, except for the detail of a fault.
  /// @param entry the first entry of the rule list; `end` is the end of the list.
  /// @returns what a NativeBatch returns, or kOneByOne if only single predicates are native.
  uint32_t try_batch(uint32_t entry, uint32_t end, uint32_t* count);
  static constexpr uint32_t kOneByOne = UINT32_MAX;

  /// Tests whether the rule applies to the capability and, if so, its condition. Frees what the
  /// condition allocated, except for the detail of a fault.
  Truth test(const RuleCode& rule);
};

/// Decides by trying the rules that can match, one by one.
/// @param all also list every rule that matches.
/// @param out a fresh Decision.
void try_rules(const Call& call, const Context& context, Scratch& scratch, const DecideOptions& options, bool all,
               Decision* out);

}  // namespace ordain::vm
