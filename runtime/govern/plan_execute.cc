// plan_execute carries out a plan. Every action, every retry and every compensation is a governed
// call.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <new>
#include <thread>

#include "ordain/plan.h"
#include "runtime/govern/plan_call.h"
#include "vm/value/start_thread.h"

namespace ordain {

using namespace detail;  // NOLINT(google-build-using-namespace): our own internals

namespace {

/// Runs the setup, and the teardown when execution ends, however it ends.
class ExecutorScope {
 public:
  explicit ExecutorScope(Executor& executor) : executor_(executor) {
    try {
      ready_ = executor_.setup();
    } catch (const std::exception& e) {
      ready_ = Error{"setup", e.what()};
    } catch (...) {
      ready_ = Error{"setup", "an exception that is not a std::exception"};
    }
  }
  ~ExecutorScope() { executor_.teardown(); }
  ExecutorScope(const ExecutorScope&) = delete;
  ExecutorScope& operator=(const ExecutorScope&) = delete;
  const Result<void>& ready() const { return ready_; }

 private:
  Executor& executor_;
  Result<void> ready_;
};

class Run {
 public:
  Run(const Runtime& runtime, Executor& executor, const PlanOptions& options, const Result<void>& ready)
      : runtime_(runtime), executor_(executor), options_(options), ready_(ready) {}

  ActionResult action(const PlannedAction& planned) const {
    ActionResult out;
    out.action = planned.action;
    auto start = std::chrono::steady_clock::now();
    attempt(planned, out);
    out.elapsed = std::chrono::steady_clock::now() - start;
    after(out);
    return out;
  }

  void undo(ActionResult& result) const {
    std::optional<Action> undoing;
    try {
      undoing = executor_.undo(result.action, result.outcome->value().root());
    } catch (const std::exception& e) {
      result.rollback = std::string("could not be undone: ") + e.what();
      return;
    } catch (...) {
      result.rollback = "could not be undone: an exception that is not a std::exception";
      return;
    }
    if (!undoing) return;
    if (undoing->parent.empty()) undoing->parent = result.outcome->action().hex();
    auto outcome = call({*undoing, {}, {}});
    result.rolled_back = outcome.has_value();
    result.rollback = outcome.describe();
  }

 private:
  void attempt(const PlannedAction& planned, ActionResult& out) const {
    auto delay = std::chrono::duration<double, std::milli>(options_.retry.delay);
    for (out.attempts = 1;; ++out.attempts) {
      out.outcome = call(planned);
      const Failed* failed = out.outcome->failed();
      if (failed == nullptr || out.attempts >= options_.retry.attempts || !wants_retry(planned.action, *failed, out))
        break;
      std::this_thread::sleep_for(delay);
      delay *= options_.retry.backoff;
    }
    out.message = out.outcome->describe();
    out.status = status_of(*out.outcome);
  }

  /// Asks the host's predicate and calls its hook. If one of them throws, there are no more
  /// attempts.
  bool wants_retry(const Action& action, const Failed& failed, ActionResult& out) const {
    try {
      if (options_.retry.retry && !options_.retry.retry(failed)) return false;
      if (options_.hooks.on_retry) options_.hooks.on_retry(action, failed, out.attempts);
      return true;
    } catch (const std::exception& e) {
      out.hook_error = e.what();
    } catch (...) {
      out.hook_error = "an exception that is not a std::exception";
    }
    return false;
  }

  /// The tool of the governed call. Hooks and verification run inside it, so that their findings
  /// are recorded.
  Outcome<Document> call(const PlannedAction& planned) const {
    const Action& action = planned.action;
    auto tool = [&](const Value& input) -> Result<Document> {
      if (!ready_.ok()) return ready_.error();
      if (options_.hooks.before_action) options_.hooks.before_action(action);
      auto output = executor_.execute(action, input);
      if (!output.ok()) return output;
      if (auto verified = executor_.verify(action, output->root()); !verified.ok()) {
        return Error{"not_verified", verified.error().message};
      }
      return output;
    };
    return runtime_.call(action.capability, action.input, tool, call_options(action, &planned.rules));
  }

  static ActionStatus status_of(const Outcome<Document>& outcome) {
    if (outcome.has_value()) return ActionStatus::success;
    if (outcome.pending() != nullptr) return ActionStatus::denied;
    if (const Denied* denied = outcome.denied()) {
      bool approval = denied->code == "approval_rejected" || denied->code == "approval_unavailable";
      return approval ? ActionStatus::denied : ActionStatus::blocked;
    }
    return ActionStatus::failed;
  }

  void after(ActionResult& out) const {
    if (!options_.hooks.after_action) return;
    try {
      options_.hooks.after_action(out);
    } catch (const std::exception& e) {
      out.hook_error = e.what();
    } catch (...) {
      out.hook_error = "an exception that is not a std::exception";
    }
  }

  const Runtime& runtime_;
  Executor& executor_;
  const PlanOptions& options_;
  const Result<void>& ready_;
};

bool stops(const ActionResult& result) {
  return result.status == ActionStatus::failed || result.status == ActionStatus::denied;
}

ActionResult skipped(const PlannedAction& planned, std::string why) {
  ActionResult out;
  out.action = planned.action;
  out.message = std::move(why);
  return out;
}

ActionResult tried(const Runtime& runtime, const PlannedAction& planned) {
  const Action& action = planned.action;
  auto decision = runtime.evaluate(action.capability, action.input, call_options(action, &planned.rules));
  ActionResult out = skipped(planned, fmt::format("dry run: {}: {}", to_string(decision.effect), decision.reason));
  if (decision.effect == Effect::deny) out.status = ActionStatus::blocked;
  return out;
}

std::vector<ActionResult> in_sequence(const Run& run, const Plan& plan, const PlanOptions& options) {
  std::vector<ActionResult> out;
  bool stopped = false;
  for (const PlannedAction& planned : plan.actions) {
    out.push_back(stopped ? skipped(planned, "skipped: an earlier action failed or was denied") : run.action(planned));
    stopped = stopped || (options.fail_fast && stops(out.back()));
  }
  return out;
}

std::vector<ActionResult> side_by_side(const Run& run, const Plan& plan, const PlanOptions& options) {
  std::vector<ActionResult> out(plan.size());
  std::atomic<size_t> next{0};
  auto work = [&] {
    for (size_t i = next++; i < plan.size(); i = next++) {
      try {
        out[i] = run.action(plan.actions[i]);
      } catch (const std::bad_alloc&) {
        out[i].status = ActionStatus::failed;
        out[i].message = "out of memory";  // short enough to need none
      }
    }
  };
  {
    std::vector<vm::JoinedThread> threads(std::min(std::max<size_t>(options.threads, 1), plan.size()));
    const bool all = std::all_of(threads.begin(), threads.end(), [&](auto& thread) { return thread.start(work); });
    if (!all) work();  // the calling thread makes up for those that could not be started
  }
  return out;
}

class FunctionExecutor final : public Executor {
 public:
  using Function = std::function<Result<Document>(const Action&, const Value&)>;
  explicit FunctionExecutor(Function function) : function_(std::move(function)) {}
  Result<Document> execute(const Action& action, const Value& input) override { return function_(action, input); }

 private:
  Function function_;
};

}  // namespace

std::unique_ptr<Executor> make_executor(std::function<Result<Document>(const Action&, const Value& input)> execute) {
  return std::make_unique<FunctionExecutor>(std::move(execute));
}

std::vector<ActionResult> execute(const Runtime& runtime, Executor& executor, const Plan& plan,
                                  const PlanOptions& options) {
  std::vector<ActionResult> out;
  if (options.dry_run) {
    for (const PlannedAction& planned : plan.actions) out.push_back(tried(runtime, planned));
    return out;
  }
  ExecutorScope scope(executor);
  Run run(runtime, executor, options, scope.ready());
  out = options.parallel ? side_by_side(run, plan, options) : in_sequence(run, plan, options);
  if (options.rollback && std::any_of(out.begin(), out.end(), stops)) {
    for (auto result = out.rbegin(); result != out.rend(); ++result) {
      if (result->ok()) run.undo(*result);
    }
  }
  return out;
}

ActionResult run_one(const Runtime& runtime, Executor& executor, const Action& action, const PlanOptions& options) {
  return std::move(execute(runtime, executor, make_plan(runtime, {action}), options).front());
}

}  // namespace ordain
