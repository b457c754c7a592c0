// Runtime governs calls: it decides before the call, asks a human if a rule demands it, records,
// executes, and decides after.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "ordain/audit.h"
#include "ordain/call_options.h"
#include "ordain/decide.h"
#include "ordain/export.h"
#include "ordain/freeze.h"
#include "ordain/handlers.h"
#include "ordain/host_rules.h"
#include "ordain/identity.h"
#include "ordain/json.h"
#include "ordain/outcome.h"
#include "ordain/remote.h"
#include "ordain/sink.h"
#include "ordain/telemetry.h"
#include "ordain/value_codec.h"
#include "ordain/wrap.h"

namespace ordain {

enum class Mode : uint8_t {
  enforce,
  observe,  ///< decides and records what would happen, but asks, redacts and blocks nothing
};

/// What happens while the audit log cannot be written. It never replaces a human's approval.
enum class FailMode : uint8_t {
  closed,  ///< calls are denied; outputs that could not be recorded are withheld
  open,    ///< calls go on unrecorded
};

/// A key that is permitted in `metadata`.
struct MetadataKey {
  std::string name;
  Kind kind = Kind::string;
  bool required = false;
};

struct RuntimeOptions {
  // The identity of calls that do not bring another one; see Who.
  std::string agent = {};
  std::string principal = {};
  std::string tenant = {};
  std::string environment = {};
  std::string session = {};  ///< generated if empty

  /// Directory of audit.db and approvals.db, created (mode 0700) if missing. If empty, approvals
  /// live in memory and nothing is recorded.
  std::string database = {};
  Document attributes = {};  ///< see Who

  Mode mode = Mode::enforce;
  FailMode fail_mode = FailMode::closed;
  ApprovalHandler approvals = queue_handler();
  std::chrono::seconds approval_expires{3600};  ///< if the asking rules have no `expires`
  /// With keys, approvals and grants count only if one of them signed them. A handler that answers
  /// at once needs the private key.
  OperatorKeys operator_keys = {};
  std::vector<HostRule> rules = {};  ///< rules that the host writes in C++; see also Runtime::add_rule
  RemoteOptions remote = {};         ///< a decision point elsewhere, asked as well
  /// If not empty, `metadata` may have only these keys; any other is invalid input. Policies can
  /// declare metadata too.
  std::vector<MetadataKey> metadata = {};
  std::vector<std::shared_ptr<AuditSink>> sinks = {};  ///< receive all records; need no database
  std::shared_ptr<Telemetry> telemetry = {};           ///< receives events for the host's monitoring
  AuditOptions audit = {};
  DecideOptions decide = {};

  /// Returns nanoseconds since 1970-01-01T00:00:00Z, for `now` in rules, expiry and records. Must
  /// be thread-safe. Default: the system's clock.
  std::function<int64_t()> clock = {};
  /// Returns nanoseconds of a monotonic clock, for `action.elapsed`. Must be thread-safe. Default:
  /// std::chrono::steady_clock.
  std::function<int64_t()> stopwatch = {};
};

/// An obligation that owns its texts.
struct DetachedObligation {
  RuleKind kind = RuleKind::warn;
  std::string rule, path, reason;
  Document with;
};

/// A decision that owns its texts.
struct DetachedDecision {
  Effect effect = Effect::deny;
  DecisionCode code = DecisionCode::default_effect;
  std::string rule, reason, fault;
  std::string policy;                ///< of the rule; "" for a host rule, or if no rule decided
  std::string policy_version;        ///< as that policy declares it; "" if it does not
  Digest version{};                  ///< of that rule and its references: the content itself
  std::string id;                    ///< of this decision: the action's, 32 hex digits
  int64_t time_ns = 0;               ///< `now` of the decision
  double confidence = 0;             ///< see ActionRisk::confidence
  std::vector<std::string> matched;  ///< every matching rule
  std::vector<std::string> from;
  std::vector<AskingRule> approvals;  ///< what each rule that requires approval needs
  std::vector<DetachedObligation> obligations;
  std::string remote;  ///< the remote decision point's answer or its substitute; "" if not asked
  Digest program{};
};

namespace detail {
struct OpenAction;
}  // namespace detail

/// The answer about an action that the host itself executes.
struct Authorization {
  bool authorized = false;    ///< the host may execute it now, once, with `input`
  DetachedDecision decision;  ///< the rules' own; under observe it may deny although `authorized`
  std::string approval_id;    ///< that it waits for, or that it used
  std::string grant_id;       ///< used instead of an approval
  Outcome<void> outcome;      ///< why it is not authorized: denied() or pending()
  Document input;             ///< the input after `redact`
  std::shared_ptr<detail::OpenAction> open =
      {};  ///< what Runtime::report needs; nullptr if nothing is remembered or recorded
};

/// How an action ended that the host itself executed.
enum class ActionEnd : uint8_t {
  done,
  failed,        ///< it may have had an effect
  not_executed,  ///< it had none
};

struct Action;
class BegunCall;

/// Governs calls. It is a handle: copies share one runtime, and so do the functions that `wrap`
/// returns. Thread-safe. When the last handle is destroyed, the queued records are written and the
/// database is closed.
class ORDAIN_API Runtime {
 public:
  using LendsViews = void;  ///< approvals() lives as long as a copy of the runtime

  /// @returns error "invalid_identity", "invalid_options", a "database_..." error, "no_memory", or
  /// "no_thread" if the thread that writes the audit log cannot be started.
  static Result<Runtime> open(std::shared_ptr<const Program> program, RuntimeOptions options = {});

  /// Binds a C++ function as the capability: the names are its parameters' names in `input`, in
  /// order. The result takes the same arguments and returns Outcome<R>; `.as(identity, args...)`
  /// and `.as(call_options, args...)` act for another identity. ValueCodec must know the types of
  /// parameters and result; the function may return R, void, or Result<R>. It may be called from
  /// many threads at once, receives the arguments after `redact`, and its exceptions become Failed.
  /// Names and types are compared with the capability's declaration at once, and the result's
  /// `check_binding()` says what is wrong. A function that does not fit never runs: its calls are
  /// denied with code invalid_input.
  template <size_t N, typename F>
  auto wrap(std::string capability, const char* const (&names)[N], F function) const {
    using Wrapped = detail::Wrapped<std::decay_t<F>, typename detail::Signature<std::decay_t<F>>::Args>;
    static_assert(Wrapped::kArity == N, "wrap: one name for each parameter of the function");
    return Wrapped(core_, std::move(capability), std::vector<std::string>(names, names + N), std::move(function));
  }
  /// Like above, for a function without parameters.
  template <typename F>
  auto wrap(std::string capability, F function) const {
    using Wrapped = detail::Wrapped<std::decay_t<F>, typename detail::Signature<std::decay_t<F>>::Args>;
    static_assert(Wrapped::kArity == 0, "wrap: name the function's parameters");
    return Wrapped(core_, std::move(capability), {}, std::move(function));
  }

  /// Governs one call of a tool that takes and returns documents. `tool` is called as
  /// `Result<Document>(const Value& input)`, at most once, with the input after `redact`. `input`
  /// must live until the call returns.
  template <typename Tool>
  Outcome<Document> call(std::string_view capability, const Value& input, Tool&& tool,
                         const CallOptions& options = {}) const {
    static_assert(std::is_invocable_r_v<Result<Document>, Tool&, const Value&>,
                  "call: the tool must be callable as Result<Document>(const Value&)");
    detail::DocumentTool<std::remove_reference_t<Tool>> governed(tool);
    return governed.finish(detail::govern(*core_, capability, input, options, governed));
  }
  template <typename Tool>
  Outcome<Document> call(std::string_view capability, const Document& input, Tool&& tool,
                         const CallOptions& options = {}) const {
    return call(capability, input.root(), std::forward<Tool>(tool), options);
  }

  /// Begins a call that the host executes by itself, on whatever thread and however long it takes: decides, asks for
  /// approval if a rule demands it, and records the intent. Ask the result whether the call may execute, and finish
  /// it. See ordain/begun_call.h.
  /// @param flaw what is known to be wrong with what the agent sent, such as input that is not JSON; if it is not
  /// empty, the call is denied with code invalid_input, and recorded
  BegunCall begin(Action action, std::string flaw = {}) const;

  /// Makes only the before decision: nothing is executed, asked or recorded. Rules read what is
  /// remembered with this call added, and nothing is remembered of it.
  DetachedDecision evaluate(std::string_view capability, const Value& input, const CallOptions& options = {}) const;
  DetachedDecision evaluate(std::string_view capability, const Document& input, const CallOptions& options = {}) const {
    return evaluate(capability, input.root(), options);
  }
  /// Makes only the after decision, for an output that the host already has.
  DetachedDecision evaluate_after(std::string_view capability, const Value& input, const Value& output,
                                  std::chrono::nanoseconds elapsed, const CallOptions& options = {}) const;

  /// Decides about an action that the host executes by itself: asks for approval if a rule demands
  /// it, uses the approval or grant, and records the decision (kind `decision`). The runtime sees
  /// neither what the host then does nor its output, so no after rule applies. Prefer `wrap` and
  /// `call`, which cannot be bypassed.
  Authorization authorize(std::string_view capability, const Value& input, const CallOptions& options = {}) const;
  Authorization authorize(std::string_view capability, const Document& input, const CallOptions& options = {}) const {
    return authorize(capability, input.root(), options);
  }

  /// Reports how an action ended that `authorize` let the host execute, as what is remembered of it
  /// depends on that: histories of done and failed calls, what a budget holds, and labels of the
  /// session. Without a report the action stays begun, and holds what it took until its process ends;
  /// an irreversible one for good. The record gets an outcome, without the output, because no rule decided what of it
  /// may be shown.
  /// @param output what a done action gave, before anybody else sees it; nullptr if it is not known
  /// @returns error "not_authorized", "already_reported", a code of the state ("state_full",
  /// "state_unavailable"), or "audit_unavailable" if the outcome could not be recorded; the output must then not be
  /// used
  Result<void> report(const Authorization& authorization, ActionEnd end, const Value* output = nullptr) const;

  /// Adds a host rule; calls that begin afterwards ask it. @returns error "invalid_options" (no
  /// name, no target, no function, or a name that is already used).
  Result<void> add_rule(HostRule rule) const;
  /// Shorthands for add_rule: a rule of the before or of the after stage.
  Result<void> before(std::string target, std::string name, std::function<HostVerdict(const HostCall&)> decide) const;
  Result<void> after(std::string target, std::string name, std::function<HostVerdict(const HostCall&)> decide) const;

  /// Makes another identity over the same program; the runtime's own texts replace those that `who`
  /// leaves empty.
  Result<Identity> identity(Who who) const;
  Identity identity() const;  ///< the one of the options

  /// Begins a session below another, as for a sub-agent: it has the labels of its parent, and what it
  /// raises is raised in the parent too. Sessions without a parent need not be begun.
  /// @returns a code of the state; "invalid_identity" for an empty or malformed name
  Result<void> start_session(const std::string& session, const std::string& parent) const;
  /// Forgets the labels of a session that will not go on, and what is kept by session without a window.
  Result<void> end_session(const std::string& session) const;

  /// Swaps the program. What is remembered stays, by the name and the definition of each history,
  /// rate and budget. Calls in progress finish with the program that they began with; a call that
  /// waits for approval is decided again with the new one. Neither waits for the other: the old
  /// program is freed in the background once nothing uses it. @returns error "invalid_options" for
  /// nullptr.
  Result<void> reload(std::shared_ptr<const Program> program) const;
  std::shared_ptr<const Program> program() const;

  /// Stops calls before they run, at once in this process and within a second in all others that use the database
  /// directory: they are denied with code `frozen`, under observe too. Calls that run already go on. Without a
  /// directory, calls of this runtime alone are stopped. @returns an error of freeze_calls
  Result<void> freeze(const Freeze& freeze) const;
  /// Lifts a freeze. @returns an error of thaw_calls
  Result<void> thaw(const Thaw& thaw) const;
  /// @returns what is frozen, as calls of this runtime see it
  std::vector<Freeze> frozen() const;

  /// @returns the present time by the clock of the options
  int64_t now_ns() const;

  /// The approvals of this runtime's database, for answering requests in the process.
  ApprovalStore& approvals() const&;
  ApprovalStore& approvals() const&& = delete;
  /// Waits until every record taken so far is committed. @returns error "audit_unavailable".
  Result<void> flush() const;
  RuntimeHealth health() const;

 private:
  explicit Runtime(std::shared_ptr<detail::Core> core) : core_(std::move(core)) {}
  std::shared_ptr<detail::Core> core_;
};

}  // namespace ordain
