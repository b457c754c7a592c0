// govern: the one path of a governed call: before, approval, intent, execute, after, outcome.
#include <algorithm>
#include <exception>

#include "runtime/binding.h"
#include "runtime/core.h"
#include "runtime/redact.h"
#include "runtime/ruling.h"
#include "runtime/scopes.h"
#include "runtime/text.h"
#include "runtime/value_bytes.h"

namespace ordain::detail {
namespace {

/// A call that was approved and finds another rule asking starts over; not for ever.
constexpr int kMaxAsks = 3;

class GovernedCall {
 public:
  GovernedCall(Core& core, Worker& worker, std::string_view capability, const Value& input, const CallOptions& options,
               GovernedTool& tool)
      : core_(core),
        worker_(worker),
        who_(options.identity != nullptr ? *options.identity : core.identity),
        action_(describe_action(core, capability, input, options)),
        tool_(tool),
        observe_(core.options.mode == Mode::observe) {
    out_.action = action_.id;
  }

  Governed run() {
    if (clear() && begin()) execute();
    return std::move(out_);
  }

  /// The call as far as its decision.
  Authorization authorize() {
    decide_only_ = true;
    bool clears = clear() && record_decision();
    if (auto* pending = std::get_if<Pending>(&out_.state)) approval_ = pending->approval_id;
    Document input = clears ? Document::copy_of(effective_) : Document();
    return {clears, std::move(decided_), approval_, grant_, to_outcome<void>(std::move(out_), Nothing()), input};
  }

 private:
  // --- before ---

  /// Decides, and asks where a rule says so. @returns whether the call may go on; otherwise what stopped it is
  /// recorded.
  bool clear() {
    for (int asked = 0;; ++asked) {
      const Ruling& decision = decide_before();
      if (observe_) return true;
      if (decision.effect == Effect::deny) return deny(denied(decision), "");
      if (!scope_.empty()) return deny({"", missing_scope_reason(who_.who(), scope_), "missing_scope", ""}, "");
      if (!redact_input(decision)) return false;
      if (decision.effect == Effect::allow) return true;
      Step step = ask(decision, asked + 1 >= kMaxAsks);
      if (step != Step::again) return step == Step::go;
    }
  }

  NativeCall seen(Stage stage, const Value& output) const {
    return {stage,   action_.capability, *action_.input,         output,         who_.who(), *action_.options,
            now_ns_, elapsed_ns_,        action_.id_text.view(), action_.trace()};
  }

  const Ruling& decide_before() {
    worker_.refresh(core_, who_);
    now_ns_ = core_.now();
    worker_.bind(*worker_.call, Stage::before, action_, now_ns_, nullptr, 0);
    const Value nothing{};
    judge(*worker_.call, seen(Stage::before, nothing));
    const Ruling& decision = ruling_;
    effective_ = *action_.input;
    recorded_ = effective_;
    note(decision, RecordKind::intent);
    scope_ = missing_scope(*worker_.program, worker_.call->capability().id, who_.who());
    if (observe_ && (decision.effect != Effect::allow || !scope_.empty())) {
      out_.would = "would_" + std::string(to_string(scope_.empty() ? decision.effect : Effect::deny));
    }
    if (!scope_.empty() && decision.effect != Effect::deny) {
      draft_.effect = Effect::deny;
      draft_.cause = "missing_scope";
    }
    if (observe_) observe_input(decision);
    if (decide_only_) decided_ = detach(*worker_.program, decision, action_, now_ns_);
    return decision;
  }

  /// What the tool receives, and what is recorded, from here on.
  bool redact_input(const Ruling& decision) {
    digest_redacted(decision, "input", *action_.input);
    if (!apply(decision, "input", effective_)) {
      return deny({draft_.rule.empty() ? "" : std::string(draft_.rule), "a redaction could not be applied",
                   "evaluation_error", ""},
                  "");
    }
    recorded_ = effective_;
    return true;
  }

  /// Under observe the tool receives the original, but the record is as it would be under enforce: a trial must not
  /// spread secrets.
  void observe_input(const Ruling& decision) {
    if (decision.effect == Effect::deny) return;
    digest_redacted(decision, "input", *action_.input);
    if (!apply(decision, "input", recorded_)) recorded_ = Value::null();
  }

  /// Keeps what may be known of the values that are about to be replaced: whether they are the same as others.
  void digest_redacted(const Ruling& decision, std::string_view root, const Value& value) {
    if (core_.audit == nullptr || !decision.redacts()) return;
    std::vector<FoundValue> found;
    for (const RulingObligation& obligation : decision.obligations) {
      if (obligation.kind == RuleKind::redact) find_values(value, root, obligation.path, &found);
    }
    for (const FoundValue& one : found) digest_value(one);
  }

  void digest_value(const FoundValue& found) {
    for (const DraftRedacted& known : redacted_) {
      if (known.path == found.path) return;
    }
    std::string bytes;
    append_value(bytes, found.value);
    redacted_.push_back({found.path, core_.digest_key.digest(bytes)});
    draft_.redacted = redacted_;
    draft_.digest_key = &core_.digest_key_id;
  }

  bool apply(const Ruling& decision, std::string_view root, Value& value) {
    for (const RulingObligation& obligation : decision.obligations) {
      if (obligation.kind != RuleKind::redact) continue;
      Value with = copy_value(worker_.arena, obligation.with);
      if (!redact(worker_.arena, value, root, obligation.path, with, &value)) return false;
    }
    return true;
  }

  // --- approval ---

  enum class Step { go, stop, again };

  Step ask(const Ruling& decision, bool last) {
    auto made = make_request(*worker_.program, decision, action_, who_.who(), effective_);
    if (!made) {
      deny({"", "the input is nested too deep", "invalid_input", ""}, "");
      return Step::stop;
    }
    ApprovalRequest& request = *made;
    request.now_ns = now_ns_;
    int64_t seconds = decision.expires_seconds > 0 ? decision.expires_seconds : core_.options.approval_expires.count();
    request.expires_ns = expiry(now_ns_, seconds);
    auto claimed = core_.approvals.claim(request);
    if (!claimed.ok()) return unavailable(request, claimed.error());
    const Approval& approval = claimed->approval;
    switch (claimed->claim) {
      case ApprovalStore::Claim::consumed:
        approval_ = approval.id;
        return Step::go;
      case ApprovalStore::Claim::granted:
        grant_ = claimed->grant.id;
        return Step::go;
      case ApprovalStore::Claim::rejected:
        return rejected(request, approval);
      case ApprovalStore::Claim::pending:
        break;
    }
    return last ? wait_for(request, approval) : answer(request, approval);
  }

  Step answer(const ApprovalRequest& request, const Approval& approval) {
    ApprovalAnswer said;
    try {
      said = core_.options.approvals(approval);
    } catch (const std::exception& e) {
      return unavailable(request, Error{"handler", std::string("the approval handler failed: ") + e.what()});
    } catch (...) {
      return unavailable(request, Error{"handler", "the approval handler failed"});
    }
    if (said.verdict == Verdict::wait) return wait_for(request, approval);
    if (said.approver.empty()) said.approver = "handler";
    return said.verdict == Verdict::approve ? approve(request, approval, said) : reject(request, approval, said);
  }

  /// Whatever the votes come to, the next claim finds it: another thread or a person may have been quicker.
  Step approve(const ApprovalRequest& request, const Approval& approval, const ApprovalAnswer& said) {
    auto groups = approval.missing();
    if (groups.empty()) groups.emplace_back();
    for (const std::string& group : groups) {
      auto voted = core_.approvals.approve(approval.id, said.approver, group, said.note, core_.now());
      bool settled = voted.ok() || voted.error().code == "not_pending" || voted.error().code == "already_approved";
      if (!settled) return unavailable(request, voted.error());
    }
    return Step::again;
  }

  Step reject(const ApprovalRequest& request, const Approval& approval, const ApprovalAnswer& said) {
    auto voted = core_.approvals.reject(approval.id, said.approver, "", said.note, core_.now());
    if (voted.ok()) return rejected(request, *voted);
    deny({request.rule, "rejected by " + said.approver, "approval_rejected", ""}, approval.id);
    return Step::stop;
  }

  Step rejected(const ApprovalRequest& request, const Approval& approval) {
    std::string reason = request.reason + " (rejected";
    if (!approval.votes.empty()) {
      const ApprovalVote& vote = approval.votes.back();
      reason += " by " + vote.approver + (vote.note.empty() ? "" : ": " + vote.note);
    }
    deny({request.rule, reason + ")", "approval_rejected", ""}, approval.id);
    return Step::stop;
  }

  Step unavailable(const ApprovalRequest& request, const Error& error) {
    deny({request.rule, request.reason + " (approval could not be asked for: " + error.message + ")",
          "approval_unavailable", ""},
         "");
    return Step::stop;
  }

  Step wait_for(const ApprovalRequest& request, const Approval& approval) {
    draft_.kind = RecordKind::pending;
    draft_.approval = approval.id;
    append(RecordRole::single, waits_always());
    out_.state = Pending{approval.id, request.rule, request.reason, approval.groups, approval.expires_ns};
    return Step::stop;
  }

  static int64_t expiry(int64_t now_ns, int64_t seconds) {
    constexpr int64_t kSecond = 1'000'000'000;
    int64_t room = (INT64_MAX - std::max<int64_t>(now_ns, 0)) / kSecond;
    return now_ns + std::min(seconds, room) * kSecond;
  }

  // --- denied ---

  Denied denied(const Ruling& decision) const {
    return {std::string(draft_.rule), std::string(decision.reason), std::string(to_string(decision.code)), fault_};
  }

  /// Records and returns a denial. @returns false.
  bool deny(Denied denied, std::string_view approval) {
    draft_.kind = RecordKind::denied;
    draft_.approval = approval;
    if (denied.code != to_string(draft_.code)) draft_.cause = denied.code;
    draft_.reason = denied.reason;
    append(RecordRole::single, waits_always());
    out_.state = std::move(denied);
    return false;
  }

  // --- intent ---

  /// Records that the call is about to execute. @returns whether it may.
  bool begin() {
    draft_.approval = approval_;
    draft_.grant = grant_;
    irreversible_ = is_irreversible();
    bool waits = waits_always() || (core_.options.audit.durability == Durability::group &&
                                    core_.options.audit.wait_for_irreversible && irreversible_);
    Admission admission = append(RecordRole::intent, waits);
    reserved_ = core_.audit != nullptr && admission == Admission::taken;
    if (admission == Admission::taken && committed_) return true;
    if (observe_ || core_.options.fail_mode == FailMode::open) return true;
    if (reserved_) core_.audit->release();
    bool full = admission == Admission::full;
    if (!approval_.empty()) (void)core_.approvals.finish(approval_, "not executed");
    out_.state = Denied{std::string(draft_.rule), full ? "the audit queue is full" : "the audit log cannot be written",
                        full ? "audit_full" : "audit_unavailable", ""};
    return false;
  }

  /// Records a decision that the host acts on by itself. @returns whether it may.
  bool record_decision() {
    draft_.kind = RecordKind::decision;
    draft_.approval = approval_;
    draft_.grant = grant_;
    bool recorded = append(RecordRole::single, waits_always() || core_.options.audit.durability == Durability::group) ==
                        Admission::taken &&
                    committed_;
    bool goes_on = recorded || observe_ || core_.options.fail_mode == FailMode::open;
    if (!approval_.empty()) (void)core_.approvals.finish(approval_, goes_on ? "authorized" : "not executed");
    if (!goes_on)
      out_.state = Denied{std::string(draft_.rule), "the audit log cannot be written", "audit_unavailable", ""};
    return goes_on;
  }

  bool is_irreversible() const {
    CapabilityId id = worker_.call->capability().id;
    return id != kNone && worker_.program->schema().capabilities[id].has_effect("irreversible");
  }

  // --- execute, after ---

  void execute() {
    Value output;
    bool entered = false;
    int64_t start = core_.stopwatch();
    std::optional<Error> error;
    try {
      error = tool_.execute(worker_.arena, effective_, &output, &entered);
    } catch (const std::exception& e) {
      error = Error{"exception", e.what()};
    } catch (...) {
      error = Error{"exception", "an exception that is no std::exception"};
    }
    elapsed_ns_ = std::max<int64_t>(core_.stopwatch() - start, 0);
    if (error) return fail(std::move(*error), entered);
    if (!output.present()) output = Value::null();
    decide_after(output);
  }

  void fail(Error error, bool entered) {
    std::string text = mended(error.code + ": " + error.message);
    begin_outcome();
    draft_.time_ns = core_.now();
    draft_.decided = false;
    draft_.status = OutcomeStatus::failed;
    draft_.error = text;
    finish();
    out_.state = Failed{std::move(error.code), std::move(error.message), entered};
  }

  void decide_after(const Value& output) {
    now_ns_ = core_.now();
    worker_.bind(*worker_.after, Stage::after, action_, now_ns_, &output, elapsed_ns_);
    judge(*worker_.after, seen(Stage::after, output));
    const Ruling& decision = ruling_;
    note(decision, RecordKind::outcome);
    if (observe_ && decision.effect != Effect::allow && out_.would.empty()) out_.would = "would_withhold";
    begin_outcome();
    digest_redacted(decision, "output", output);
    Value released = output;
    bool withheld = decision.effect != Effect::allow;
    if (!withheld && !apply(decision, "output", released)) {
      withheld = true;
      draft_.cause = "evaluation_error";
    }
    bool redacted = decision.redacts();
    draft_.output = withheld ? nullptr : &released;
    if (withheld) digest_withheld(output);
    if (observe_) return release(output, false, OutcomeStatus::released);
    if (withheld) return withhold(decision);
    release(released, redacted, redacted ? OutcomeStatus::redacted : OutcomeStatus::released);
  }

  /// Nothing of a withheld output is recorded but that it was there.
  void digest_withheld(const Value& output) {
    if (core_.audit == nullptr) return;
    redacted_.clear();
    digest_value({"output", output});
  }

  void withhold(const Ruling& decision) {
    std::string_view code = draft_.cause.empty() ? to_string(decision.code) : draft_.cause;
    Withheld withheld{std::string(draft_.rule), std::string(decision.reason), std::string(code), fault_};
    draft_.status = OutcomeStatus::withheld;
    finish();
    out_.state = std::move(withheld);
  }

  void release(const Value& output, bool redacted, OutcomeStatus status) {
    bool fits = false;
    try {
      fits = tool_.deliver(output, redacted);
    } catch (...) {  // of a codec of the host: the same as not fitting
    }
    draft_.status = fits ? status : OutcomeStatus::withheld;
    if (!fits) draft_.cause = "redacted_type";
    bool recorded = finish();
    if (!fits) {
      out_.state =
          Withheld{std::string(draft_.rule), "the redacted output is not of the expected type", "redacted_type", ""};
    } else if (!recorded && !observe_ && core_.options.fail_mode == FailMode::closed) {
      out_.state = Withheld{"", "the outcome could not be recorded", "audit_unavailable", ""};
    }
  }

  // --- records ---

  void begin_outcome() {
    draft_.kind = RecordKind::outcome;
    draft_.elapsed_ns = elapsed_ns_;
    // The intent record has these.
    draft_.input = draft_.resource = draft_.metadata = nullptr;
    draft_.context = draft_.type = draft_.target = draft_.description = {};
    draft_.risk.reset();
    if (!draft_.decided || draft_.stage == Stage::before) clear_redacted();
  }

  void clear_redacted() {
    redacted_.clear();
    draft_.redacted = {};
    draft_.digest_key = nullptr;
  }

  /// Records the outcome. @returns false if a commit that was waited for failed.
  bool finish() {
    if (!approval_.empty()) (void)core_.approvals.finish(approval_, to_string(draft_.status));
    if (core_.options.telemetry != nullptr) {
      core_.options.telemetry->executed({draft_.status, action_.capability, std::chrono::nanoseconds(elapsed_ns_)});
    }
    // Without an intent on record (fail_mode open) the outcome has no room kept for it.
    Admission admission = append(reserved_ ? RecordRole::outcome : RecordRole::single, waits_always());
    return admission == Admission::taken && committed_;
  }

  /// Takes down what the decision says. The views live until the next one.
  void note(const Ruling& decision, RecordKind kind) {
    const Program& program = *worker_.program;
    const Who& who = who_.who();
    draft_ = RecordDraft{};
    redacted_.clear();
    draft_.kind = kind;
    draft_.time_ns = now_ns_;
    draft_.action = action_.id;
    draft_.trace = action_.problem.empty() ? action_.trace() : "";
    draft_.parent = action_.problem.empty() ? action_.options->parent : "";
    draft_.session = who.session;
    draft_.capability = action_.problem.empty() ? action_.capability : "(invalid)";
    draft_.agent = who.agent;
    draft_.principal = who.principal;
    draft_.tenant = who.tenant;
    draft_.environment = who.environment;
    draft_.decided = true;
    draft_.stage = kind == RecordKind::outcome ? Stage::after : Stage::before;
    draft_.effect = decision.effect;
    draft_.observed = observe_;
    draft_.code = decision.code;
    draft_.rule = decision.rule;
    note_policy(program, decision.policy_rule, draft_);
    draft_.reason = decision.reason;
    fault_ = decision.fault;
    draft_.fault = fault_;
    if (decision.native != nullptr) draft_.remote = decision.native->remote;
    draft_.program = &program.digest();
    draft_.input = &recorded_;
    if (!action_.options->resource.is(Kind::null)) draft_.resource = &action_.options->resource;
    if (!action_.options->metadata.is(Kind::null)) draft_.metadata = &action_.options->metadata;
    draft_.context = worker_.attributes;
    draft_.rejected = action_.problem;
    if (action_.problem.empty()) {
      draft_.type = action_.options->type;
      draft_.target = action_.options->target;
      draft_.description = action_.options->description;
      if (action_.options->risk) draft_.risk = action_.options->risk->value;
    }
    note_obligations(decision);
  }

  void note_obligations(const Ruling& decision) {
    obligations_.clear();
    if (draft_.stage == Stage::before) out_.warnings.clear();  // a decision that was taken again
    for (const RulingObligation& obligation : decision.obligations) {
      obligations_.push_back({obligation.kind, obligation.rule, obligation.path, obligation.reason});
      if (obligation.kind == RuleKind::warn) out_.warnings.emplace_back(obligation.reason);
    }
    draft_.obligations = obligations_;
  }

  bool waits_always() const { return core_.options.audit.durability == Durability::sync; }

  /// Queues the draft; waits for its commit if asked. `committed_` is false only if that failed.
  Admission append(RecordRole role, bool waits) {
    committed_ = true;
    if (core_.audit == nullptr && core_.options.sinks.empty()) return Admission::taken;
    encode_record(draft_, worker_.record);
    bool sunk = core_.options.sinks.empty() || sink();
    // A call that some sink does not know of must not execute; what was executed is recorded wherever it can be.
    bool closed = !observe_ && core_.options.fail_mode == FailMode::closed;
    if (!sunk && closed && role == RecordRole::intent) return Admission::unavailable;
    if (core_.audit != nullptr) {
      Ticket ticket;
      Admission admission = core_.audit->append(worker_.record, action_.id, role, waits ? &ticket : nullptr);
      if (admission == Admission::taken && waits) committed_ = core_.audit->wait(ticket);
      bool failed = admission != Admission::taken || !committed_;
      if (failed && core_.options.telemetry != nullptr) core_.options.telemetry->write_failed("audit");
      if (admission != Admission::taken) return admission;
    }
    committed_ = committed_ && sunk;
    return Admission::taken;
  }

  /// Gives the record to the sinks. @returns false if one of them failed.
  bool sink() {
    AuditRecord record;
    bool ok = decode_record(worker_.record, &record);
    for (const auto& one : core_.options.sinks) {
      bool written = false;
      try {
        written = one->write(record).ok();
      } catch (...) {  // the same as an error
      }
      if (!written && core_.options.telemetry != nullptr) core_.options.telemetry->write_failed("sink");
      ok = ok && written;
    }
    return ok;
  }

  /// Decides one stage, and tells the telemetry.
  void judge(const Call& call, const NativeCall& seen) {
    Telemetry* telemetry = core_.options.telemetry.get();
    if (telemetry == nullptr) {
      ruling_ = rule(core_, worker_, {call, seen});
      return;
    }
    auto start = std::chrono::steady_clock::now();
    ruling_ = rule(core_, worker_, {call, seen});
    auto elapsed = std::chrono::steady_clock::now() - start;
    telemetry->decided({seen.stage, ruling_.effect, ruling_.code, ruling_.rule, action_.capability, observe_, elapsed});
  }

  Core& core_;
  Worker& worker_;
  const Identity& who_;
  const ActionFacts action_;
  GovernedTool& tool_;
  const bool observe_;
  Governed out_;
  int64_t now_ns_ = 0, elapsed_ns_ = 0;
  Value effective_ = Value::null();  ///< what the tool receives
  Value recorded_ = Value::null();   ///< what the record shows
  std::string scope_;                ///< that the agent lacks
  std::string approval_;             ///< consumed for this call
  std::string grant_;                ///< that stood in for an approval
  bool decide_only_ = false;
  DetachedDecision decided_;
  bool irreversible_ = false, reserved_ = false, committed_ = true;
  Ruling ruling_;  ///< the latest; the draft views it
  RecordDraft draft_;
  std::vector<DraftObligation> obligations_;
  std::vector<DraftRedacted> redacted_;
  std::string fault_;
};

}  // namespace

Governed govern(Core& core, std::string_view capability, const Value& input, const CallOptions& options,
                GovernedTool& tool) {
  Lease worker(core);
  return GovernedCall(core, *worker, capability, input, options, tool).run();
}

Authorization authorize(Core& core, std::string_view capability, const Value& input, const CallOptions& options) {
  struct NoTool final : GovernedTool {
    std::optional<Error> execute(Arena&, const Value&, Value*, bool*) override { return Error{"none", "no tool"}; }
    bool deliver(const Value&, bool) override { return false; }
  } tool;
  Lease worker(core);
  return GovernedCall(core, *worker, capability, input, options, tool).authorize();
}

}  // namespace ordain::detail
