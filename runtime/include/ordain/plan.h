// Plans: several actions decided ahead, then executed one after another or side by side, each as a governed call.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ordain/runtime.h"

namespace ordain {

/// `{}`.
Document empty_object();

/// One action of a plan. Owns its texts.
struct Action {
  std::string capability;
  Document input = empty_object();
  std::string type = {}, target = {}, description = {};
  std::optional<ActionRisk> risk = {};
  Document resource = {}, metadata = {};  ///< null: none
  std::optional<Identity> identity = {};  ///< the runtime's own if empty
  std::string trace = {}, parent = {};
};

/// What carries actions out. Used by several threads at once only under PlanOptions::parallel.
class Executor {
 public:
  virtual ~Executor() = default;
  /// Carries one action out; `input` is what remains after `redact`. May throw.
  virtual Result<Document> execute(const Action& action, const Value& input) = 0;
  /// Whether it did what it should; an error makes the action failed. May throw.
  virtual Result<void> verify(const Action&, const Value& /*output*/) { return {}; }
  /// Before the first action of a run, and after the last, whatever happened in between. An error of setup fails the
  /// run's actions without executing any.
  virtual Result<void> setup() { return {}; }
  virtual void teardown() noexcept {}
  /// The action that undoes one that succeeded; none if it cannot be undone.
  virtual std::optional<Action> undo(const Action&, const Value& /*output*/) { return std::nullopt; }
};

/// An executor of one function.
std::unique_ptr<Executor> make_executor(std::function<Result<Document>(const Action&, const Value& input)> execute);

/// Actions in this order, with others in between or not: what the last one then comes to. Names or globs of
/// capabilities.
struct SequenceRule {
  std::string name;
  std::vector<std::string> capabilities;
  Effect effect = Effect::deny;  ///< deny or require_approval
  std::string reason = {};
};

/// The risks of all actions so far and of this one, added up, are above `limit`.
struct CumulativeRiskRule {
  std::string name = "cumulative_risk";
  double limit = 0;
  Effect effect = Effect::require_approval;
  std::string reason = {};
};

/// Rules about the whole plan. They stand beside the policies' and never lift what those say.
struct PlanRules {
  std::vector<SequenceRule> sequences = {};
  std::vector<CumulativeRiskRule> risks = {};
};

struct PlannedAction {
  Action action;
  DetachedDecision decision;
  std::vector<HostRule> rules = {};  ///< what the plan's rules say of it; see CallOptions::rules
};

/// What would happen, as of now. Executing decides each action again.
struct Plan {
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
  blocked,  ///< by a rule
  denied,   ///< approval was refused, or is still waited for
  skipped,  ///< not tried: an earlier one failed or was denied, or it was a dry run
};
std::string_view to_string(ActionStatus status);

struct ActionResult {
  ActionStatus status = ActionStatus::skipped;
  Action action;
  std::optional<Outcome<Document>> outcome = {};  ///< of the last attempt; nothing if skipped
  std::string message = {};                       ///< one line for people
  int attempts = 0;
  std::chrono::nanoseconds elapsed{0};
  std::string hook_error = {};  ///< an `after_action` hook threw this
  bool rolled_back = false;     ///< its undoing succeeded
  std::string rollback = {};    ///< what became of undoing it; "" if that was not tried
  bool ok() const { return status == ActionStatus::success; }
};

/// Which failures are tried again. Each attempt is a governed call of its own, decided and recorded; one that was
/// approved needs another approval. Withheld outputs are never retried: the side effect happened.
struct RetryPolicy {
  int attempts = 1;
  std::chrono::milliseconds delay{100};
  double backoff = 2;                             ///< factor of the delay after each attempt
  std::function<bool(const Failed&)> retry = {};  ///< which failures; all where empty
};

/// Called on the executing thread. What `before_action` throws fails the action without executing it.
struct PlanHooks {
  std::function<void(const Action&)> before_action = {};
  std::function<void(const ActionResult&)> after_action = {};
  std::function<void(const Action&, const Failed&, int attempt)> on_retry = {};
};

struct PlanOptions {
  bool parallel = false;  ///< all actions side by side; nothing is skipped
  size_t threads = 4;     ///< of a parallel run
  bool fail_fast = true;  ///< sequential: a failed or denied action skips the rest; a blocked one does not
  bool dry_run = false;   ///< decide only: nothing is executed, asked or recorded
  bool rollback = false;  ///< where one failed or was denied: undo those that succeeded, last first, each governed too
  RetryPolicy retry = {};
  PlanHooks hooks = {};
};

/// Decides the actions without executing, asking or recording.
Plan make_plan(const Runtime& runtime, std::vector<Action> actions, const PlanRules& rules = {});

/// One result for each action, in the plan's order.
std::vector<ActionResult> execute(const Runtime& runtime, Executor& executor, const Plan& plan,
                                  const PlanOptions& options = {});

/// Plans and executes one action.
ActionResult run_one(const Runtime& runtime, Executor& executor, const Action& action, const PlanOptions& options = {});

}  // namespace ordain
