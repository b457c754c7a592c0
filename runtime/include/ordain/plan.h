// Plans are lists of actions that are decided ahead, then executed in sequence or in parallel, each
// as a governed call.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ordain/export.h"
#include "ordain/runtime.h"

namespace ordain {

/// @returns the document `{}`
ORDAIN_API Document empty_object();

/// One action of a plan. Owns its texts.
struct Action {
  std::string capability;
  Document input = empty_object();
  std::string type = {}, target = {}, description = {};
  std::optional<ActionRisk> risk = {};
  Document resource = {}, metadata = {};  ///< null if absent
  std::optional<Identity> identity = {};  ///< if empty, the runtime's own
  std::string trace = {}, parent = {};
};

/// Carries out actions. Several threads use it at once only under PlanOptions::parallel.
class ORDAIN_API Executor {
 public:
  virtual ~Executor() = default;
  /// Executes one action; `input` is the input after `redact`. May throw.
  virtual Result<Document> execute(const Action& action, const Value& input) = 0;
  /// Checks that the action did what it should; an error makes it failed. May throw.
  virtual Result<void> verify(const Action&, const Value& /*output*/) { return {}; }
  /// Called before the first action of a run and after the last, whatever happened in between. If
  /// setup returns an error, the run's actions fail without executing.
  virtual Result<void> setup() { return {}; }
  virtual void teardown() noexcept {}
  /// @returns the action that undoes the given one, which succeeded; nothing if it cannot be undone
  virtual std::optional<Action> undo(const Action&, const Value& /*output*/) { return std::nullopt; }
};

/// Makes an executor from one function.
ORDAIN_API std::unique_ptr<Executor> make_executor(
    std::function<Result<Document>(const Action&, const Value& input)> execute);

/// Applies when actions occur in the order of `capabilities` (names or globs), even with others in
/// between. The effect is that of the last of these actions.
struct SequenceRule {
  std::string name;
  std::vector<std::string> capabilities;
  Effect effect = Effect::deny;  ///< deny or require_approval
  std::string reason = {};
};

/// Applies when the sum of the risks of this action and all earlier ones is above `limit`.
struct CumulativeRiskRule {
  std::string name = "cumulative_risk";
  double limit = 0;
  Effect effect = Effect::require_approval;
  std::string reason = {};
};

/// Rules about the plan as a whole. They apply beside the policies' rules and never override them.
struct PlanRules {
  std::vector<SequenceRule> sequences = {};
  std::vector<CumulativeRiskRule> risks = {};
};

struct PlannedAction {
  Action action;
  DetachedDecision decision;
  std::vector<HostRule> rules = {};  ///< the verdicts of the plan's rules; see CallOptions
};

/// A forecast: what would happen now. Executing decides each action again.
struct ORDAIN_API Plan {
  std::vector<PlannedAction> actions;

  size_t size() const { return actions.size(); }
  size_t count(Effect effect) const;
  bool has_blocked() const { return count(Effect::deny) > 0; }
  bool requires_approval() const { return count(Effect::require_approval) > 0; }
  /// "3 actions: 1 allow, 1 require_approval, 1 deny" and a line for each.
  std::string summary() const;
};

enum class ActionStatus : uint8_t {
  success,
  failed,   ///< the executor failed, its result did not verify, or the output was withheld
  blocked,  ///< stopped by a rule
  denied,   ///< approval was refused or is still pending
  skipped,  ///< not tried: an earlier action failed or was denied, or it was a dry run
};
ORDAIN_API std::string_view to_string(ActionStatus status);

struct ActionResult {
  ActionStatus status = ActionStatus::skipped;
  Action action;
  std::optional<Outcome<Document>> outcome = {};  ///< of the last attempt; empty if skipped
  std::string message = {};                       ///< one line for people
  int attempts = 0;
  std::chrono::nanoseconds elapsed{0};
  std::string hook_error = {};  ///< what an `after_action` hook threw
  bool rolled_back = false;     ///< undoing it succeeded
  std::string rollback = {};    ///< the result of undoing it; "" if that was not tried
  bool ok() const { return status == ActionStatus::success; }
};

/// Selects the failures that are tried again. Each attempt is a governed call of its own, decided
/// and recorded; if the first one needed approval, so does the next. Withheld outputs are never
/// retried: the side effect has happened.
struct RetryPolicy {
  int attempts = 1;
  std::chrono::milliseconds delay{100};
  double backoff = 2;                             ///< factor of the delay after each attempt
  std::function<bool(const Failed&)> retry = {};  ///< selects failures; empty: all
};

/// Called on the executing thread. An exception from `before_action` fails the action without
/// executing it.
struct PlanHooks {
  std::function<void(const Action&)> before_action = {};
  std::function<void(const ActionResult&)> after_action = {};
  std::function<void(const Action&, const Failed&, int attempt)> on_retry = {};
};

struct PlanOptions {
  bool parallel = false;  ///< run all actions at once; nothing is skipped
  size_t threads = 4;     ///< of a parallel run
  bool fail_fast = true;  ///< sequential: a failure or denial, but not a block, skips the rest
  bool dry_run = false;   ///< decide only: nothing is executed, asked or recorded
  bool rollback = false;  ///< after a failure or denial, undo what succeeded, last first
  RetryPolicy retry = {};
  PlanHooks hooks = {};
};

/// Decides the actions without executing, asking or recording anything.
ORDAIN_API Plan make_plan(const Runtime& runtime, std::vector<Action> actions, const PlanRules& rules = {});

/// One result for each action, in the plan's order.
ORDAIN_API std::vector<ActionResult> execute(const Runtime& runtime, Executor& executor, const Plan& plan,
                                             const PlanOptions& options = {});

/// Plans and executes one action.
ORDAIN_API ActionResult run_one(const Runtime& runtime, Executor& executor, const Action& action,
                                const PlanOptions& options = {});

}  // namespace ordain
