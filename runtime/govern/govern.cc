// govern is the one path of a governed call: before, approval, intent, execute, after, outcome.
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "runtime/approvals/votes.h"
#include "runtime/govern/binding.h"
#include "runtime/govern/call_record.h"
#include "runtime/govern/held_call.h"
#include "runtime/govern/open_action.h"
#include "runtime/identity/scopes.h"
#include "runtime/identity/text.h"

namespace ordain::detail {
namespace {

/// The facts of a call. A tool that does not fit its capability makes the call invalid.
ActionFacts describe_call(const Core& core, std::string_view capability, const Value& input, const CallOptions& options,
                          const GovernedTool& tool) {
  ActionFacts out = describe_action(core, capability, input, options);
  if (out.problem.empty()) out.problem = tool.mistake();
  return out;
}

/// If an approved call meets another rule that asks for approval, it starts over, at most this
/// often.
constexpr int kMaxAsks = 3;

class GovernedCall {
 public:
  GovernedCall(Core& core, Worker& worker, std::string_view capability, const Value& input, const CallOptions& options,
               GovernedTool& tool)
      : core_(core),
        worker_(worker),
        who_(options.identity != nullptr ? *options.identity : core.identity),
        action_(describe_call(core, capability, input, options, tool)),
        tool_(tool),
        observe_(core.options.mode == Mode::observe) {
    out_.action = action_.id;
  }

  Governed run() {
    try {
      if (clear()) {
        if (begin()) {
          execute();
        } else {
          end_state(state::Ending::not_executed, nullptr);
        }
      }
    } catch (const std::bad_alloc&) {
      record_.abandon();
      abandon_state();
      out_.state = executed_ ? State(Withheld{"", "out of memory", "no_memory", ""})
                             : State(Denied{"", "out of memory", "no_memory", ""});
    }
    return std::move(out_);
  }

  /// Runs the call up to its execution, which the host does by itself. @returns nothing if it may; else why not
  std::optional<Governed> start() {
    held_ = true;
    Governed so_far = run();
    if (!begun_to_execute_) return so_far;
    out_ = std::move(so_far);
    return std::nullopt;
  }

  const Value& effective_input() const { return effective_; }
  const Governed& progress() const { return out_; }

  /// Goes on after the host has executed the call that `start` let begin. `output` must live as long as the call.
  Governed settle_held(std::optional<Error> error, bool entered, const Value& output) {
    try {
      settle(std::move(error), entered, output);
    } catch (const std::bad_alloc&) {
      record_.abandon();
      abandon_state();
      out_.state = Withheld{"", "out of memory", "no_memory", ""};
    }
    return std::move(out_);
  }

  /// Runs the call up to its decision.
  Authorization authorize() {
    DetachedDecision decided;
    decided_ = &decided;
    bool clears = clear();
    if (clears && !record_decision()) {
      end_state(state::Ending::not_executed, nullptr);
      clears = false;
    }
    if (auto* pending = std::get_if<Pending>(&out_.state)) approval_ = pending->approval_id;
    Document input = clears ? Document::copy_of(effective_) : Document();
    const bool followed = metered_ || core_.audit != nullptr || !core_.options.sinks.empty();
    std::shared_ptr<OpenAction> open = clears && followed ? open_action() : nullptr;
    return {clears, std::move(decided), approval_, grant_, to_outcome<void>(std::move(out_), Nothing()),
            input,  std::move(open)};
  }

 private:
  using State = decltype(Governed::state);

  // --- before ---

  /// Decides, and asks for approval if a rule demands it. @returns whether the call may continue;
  /// if not, the reason has been recorded.
  /// What an approval is used for is decided once more with the state of then: the call begins only if that decision
  /// needs no other approval.
  bool clear() {
    for (int asked = 0;; ++asked) {
      const Ruling& decision = decide_before();
      if (frozen_) {
        if (!observe_) observe_input(decision);
        return deny_frozen();
      }
      if (observe_) return true;
      if (state_error_) return deny({"", state_error_->message, std::string(state_code(*state_error_)), ""}, "");
      if (decision.effect == Effect::deny) return deny(denied(decision), "");
      if (!scope_.empty()) return deny({"", missing_scope_reason(who_.who(), scope_), "missing_scope", ""}, "");
      if (!redact_input(decision)) return false;
      if (decision.effect == Effect::allow || begun_) return true;
      give_up_approval();
      Step step = ask(decision, asked + 1 >= kMaxAsks);
      if (step == Step::go && metered_) step = Step::again;
      if (step == Step::go && look_for_freeze()) return deny_frozen();  // asking may have taken long
      if (step != Step::again) return step == Step::go;
    }
  }

  bool look_for_freeze() {
    frozen_ = core_.freezes->find(action_.capability, who_.who().agent);
    return frozen_.has_value();
  }

  /// A freeze is an order of an operator, so it holds under observe too.
  bool deny_frozen() {
    out_.would.clear();
    draft_.observed = false;
    return deny({"", frozen_->because, "frozen", ""}, "");
  }

  HostCall seen(Stage stage, const Value& output) const {
    return {stage,   action_.capability, *action_.input,         output,         who_.who(), *action_.options,
            now_ns_, elapsed_ns_,        action_.id_text.view(), action_.trace()};
  }

  const Ruling& decide_before() {
    worker_.refresh(core_, who_);
    now_ns_ = core_.now();
    worker_.bind(*worker_.call, Stage::before, action_, now_ns_, nullptr, 0);
    const Value nothing{};
    out_.warnings.clear();  // they belong to a decision that is taken again
    scope_ = missing_scope(*worker_.program, worker_.call->capability().id, who_.who());
    look_for_freeze();
    unfinished_.clear();
    judge(*worker_.call, seen(Stage::before, nothing));
    const Ruling& decision = ruling_;
    effective_ = *action_.input;
    record_.input = record_.conceal("input", effective_);
    if (observe_ && (decision.effect != Effect::allow || !scope_.empty())) {
      out_.would = "would_" + std::string(to_string(scope_.empty() ? decision.effect : Effect::deny));
    }
    if (!scope_.empty() && decision.effect != Effect::deny) {
      draft_.effect = Effect::deny;
      draft_.cause = "missing_scope";
    }
    if (observe_) observe_input(decision);
    for (DetachedDecision* wanted : {decided_, action_.options->before}) {
      if (wanted != nullptr) *wanted = detach(*worker_.program, decision, action_, now_ns_);
    }
    return decision;
  }

  /// Redacts the input that the tool receives and that is recorded from here on.
  bool redact_input(const Ruling& decision) {
    record_.digest_redacted(decision, "input", *action_.input);
    if (!apply(decision, "input", effective_)) {
      return deny({std::string(draft_.rule), "a redaction could not be applied", "evaluation_error", ""}, "");
    }
    keep_effective(decision);
    return true;
  }

  /// Records the input as the tool receives it, without its secrets.
  void keep_effective(const Ruling& decision) {
    if (!record_.conceals()) {
      record_.input = effective_;
    } else if (!apply(decision, "input", record_.input)) {
      record_.input = Value::null();
    }
  }

  /// Redacts only what is recorded. Under observe the tool receives the original input, but a trial must not spread
  /// secrets; nor must a call that is stopped for another reason.
  void observe_input(const Ruling& decision) {
    if (decision.effect == Effect::deny) return;
    record_.digest_redacted(decision, "input", *action_.input);
    if (!apply(decision, "input", record_.input)) record_.input = Value::null();
  }

  bool apply(const Ruling& decision, std::string_view root, Value& value) {
    for (const RulingObligation& obligation : decision.obligations) {
      if (obligation.kind == RuleKind::redact && !fits_redaction(value, root, obligation.path)) return false;
    }
    for (const RulingObligation& obligation : decision.obligations) {
      if (obligation.kind != RuleKind::redact) continue;
      Value with = copy_value(worker_.arena, obligation.with);
      if (!redact(worker_.arena, value, root, obligation.path, with, &value)) return false;
    }
    return true;
  }

  // --- state ---

  /// Decides the before stage of a metered call in a turn of the store. What is slow is done outside of it: if the
  /// policies do not deny, the host is asked, and the policies decide again.
  void rule_with_state(const RulingFacts& facts) {
    begun_ = false;
    denial_counted_ = false;
    state_error_.reset();
    metered_.reset();
    auto store = worker_.prepare_meter(core_);
    if (!store.ok()) return fail_for_state(store.error());
    metered_ = std::make_unique<state::MeteredCall>(*worker_.meter, **store, action_.id);
    const HostRules host(core_, facts);
    std::unique_ptr<HostRuling> said;
    for (bool again = true; again;) {
      again = false;
      auto verdict = metered_->start(worker_.facts_for_meter(core_, *worker_.call, who_), [&] {
        rule_by_policies(core_, worker_, facts, host.any(), ruling_);
        if (ruling_.effect == Effect::deny) look_for_unfinished(facts, host.any());
        if (ruling_.effect == Effect::deny || !host.any()) return verdict_of_ruling();
        again = said == nullptr;
        if (again) return state::Verdict::leave;
        add_host_ruling(core_, facts, std::move(said), ruling_);
        return verdict_of_ruling();
      });
      if (!verdict.ok()) return fail_for_state(verdict.error());
      if (again) said = host.ask();
      begun_ = *verdict == state::Verdict::proceed;
      denial_counted_ = *verdict == state::Verdict::deny;
    }
    note_full_memory();
  }

  /// Finds out whether the rules deny only because a call that runs is not done yet.
  void look_for_unfinished(const RulingFacts& facts, bool asks_host) {
    unfinished_.clear();
    if (observe_ || ruling_.code != DecisionCode::rule) return;
    bool tried = false;
    const auto denies = [&] {
      tried = true;
      rule_by_policies(core_, worker_, facts, asks_host, ruling_);
      return ruling_.effect == Effect::deny;
    };
    unfinished_ = metered_->find_unfinished(worker_.facts_for_meter(core_, *worker_.call, who_), denies);
    if (tried) rule_by_policies(core_, worker_, facts, asks_host, ruling_);  // with what is so
  }

  void fail_for_state(const Error& error) {
    state_error_ = error;
    deny_for_state(*state_error_, ruling_);
  }

  /// Keeps what a report of the host's outcome will need.
  std::shared_ptr<OpenAction> open_action() {
    auto out = std::make_shared<OpenAction>(who_, core_.serial);
    out->meter = worker_.meter;
    out->call = std::move(metered_);
    out->id = action_.id;
    out->trace = action_.trace();
    out->observed = observe_;
    out->hides_keys = record_.conceals() || ruling_.redacts();
    out->program = worker_.program;
    out->capability = action_.capability;
    out->input = Document::copy_of(*action_.input);
    out->resource = Document::copy_of(action_.options->resource);
    out->metadata = Document::copy_of(action_.options->metadata);
    for (const RecordedApprover& one : approvers_) out->approved_by.push_back(one.group);
    return out;
  }

  /// What follows for the state from the ruling. It runs in a turn.
  state::Verdict verdict_of_ruling() {
    if (frozen_) return state::Verdict::deny;
    if (observe_) return state::Verdict::proceed;
    Value effective = *action_.input;
    if (ruling_.effect == Effect::deny || !scope_.empty() || !apply(ruling_, "input", effective))
      return state::Verdict::deny;
    if (ruling_.effect == Effect::allow) return state::Verdict::proceed;
    if (!approved_) return state::Verdict::leave;
    auto request = make_request(worker_.arena, *worker_.program, ruling_, action_, who_.who(), {effective, effective});
    return request && request->binding == *approved_ ? state::Verdict::proceed : state::Verdict::leave;
  }

  void note_full_memory() {
    if (!metered_->label_memory_full() || ruling_.effect == Effect::allow) return;
    reason_ = std::string(ruling_.reason) + " (label_memory_full)";
    ruling_.reason = reason_;
  }

  /// Forgets an approval that was used for a decision which did not stand.
  void give_up_approval() {
    if (!approval_.empty()) (void)core_.approvals.finish(approval_, "not executed");
    approval_.clear();
    grant_.clear();
    approvers_.clear();
    approved_.reset();
  }

  state::CallFacts facts_after() { return worker_.facts_for_meter(core_, *worker_.after, who_); }

  /// Ends the call for the state. What cannot be written stays held.
  void end_state(state::Ending ending, const state::CallFacts* after) {
    if (metered_) (void)metered_->end(ending, after);
  }

  void abandon_state() {
    try {
      end_state(executed_ ? state::Ending::failed : state::Ending::not_executed, nullptr);
    } catch (const std::bad_alloc&) {  // it stays open until the lease ends
    }
  }

  // --- approval ---

  enum class Step { go, stop, again };

  Step ask(const Ruling& decision, bool last) {
    auto made =
        make_request(worker_.arena, *worker_.program, decision, action_, who_.who(), {effective_, record_.input});
    if (!made) {
      deny({"", "the input is nested too deep", "invalid_input", ""}, "");
      return Step::stop;
    }
    ApprovalRequest& request = *made;
    request.now_ns = now_ns_;
    int64_t seconds = decision.expires_seconds > 0 ? decision.expires_seconds : core_.options.approval_expires.count();
    request.expires_ns = expiry(now_ns_, seconds);
    request.recorded = core_.audit != nullptr ? core_.audit->recorded() : 0;
    auto claimed = core_.approvals.claim(request);
    if (!claimed.ok()) return unavailable(request, claimed.error());
    const Approval& approval = claimed->approval;
    switch (claimed->claim) {
      case ApprovalStore::Claim::consumed:
        approval_ = approval.id;
        approved_ = request.binding;
        record_.approval_since = approval.recorded;
        keep_approvers(approval);
        return Step::go;
      case ApprovalStore::Claim::granted:
        grant_ = claimed->grant.id;
        approved_ = request.binding;
        approvers_.push_back({"", claimed->grant.granted_by, key_text(claimed->grant.signed_by, claimed->grant.key)});
        return Step::go;
      case ApprovalStore::Claim::rejected:
        return rejected(request, approval);
      case ApprovalStore::Claim::pending:
        break;
    }
    return last ? wait_for(request, approval) : answer(request, approval);
  }

  void keep_approvers(const Approval& approval) {
    for (const ApprovalVote& vote : approval.votes) {
      if (may_count(approval, vote)) {
        approvers_.push_back({vote.group, vote.approver, key_text(vote.signed_by, vote.key)});
      }
    }
  }

  static std::string key_text(const std::string& name, uint32_t id) {
    return name.empty() ? "" : fmt::format("{}+{:08x}", name, id);
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

  /// An answer is that of one person, so several groups may need several answers; until then the call waits. The
  /// next claim reads the result of the votes: another thread or a person may have been quicker.
  Step approve(const ApprovalRequest& request, const Approval& approval, const ApprovalAnswer& said) {
    std::vector<std::string> groups = said.group.empty() ? approval.missing() : std::vector{said.group};
    if (groups.empty()) groups.emplace_back();
    for (const std::string& group : groups) {
      auto voted = core_.approvals.approve(approval, said.approver, group, said.note, core_.now());
      if (voted.ok() && voted->state == ApprovalState::approved) return Step::again;
      if (!voted.ok() && voted.error().code == "not_pending") return Step::again;
      if (!voted.ok() && !is_of_no_use(voted.error())) return unavailable(request, voted.error());
    }
    return wait_for(request, approval);
  }

  static bool is_of_no_use(const Error& error) {
    return error.code == "already_approved" || error.code == "already_voted" || error.code == "not_eligible";
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
    record_.append();
    out_.state = Pending{approval.id, request.rule, request.reason, approval.groups(), approval.expires_ns};
    return Step::stop;
  }

  static int64_t expiry(int64_t now_ns, int64_t seconds) {
    constexpr int64_t kSecond = 1'000'000'000;
    int64_t room = (INT64_MAX - std::max<int64_t>(now_ns, 0)) / kSecond;
    return now_ns + std::min(seconds, room) * kSecond;
  }

  // --- denied ---

  Denied denied(const Ruling& decision) const {
    if (!unfinished_.empty()) {
      const std::string why = fmt::format("not yet: a call that {} counts is still running", unfinished_);
      const std::string reason = decision.reason.empty() ? why : fmt::format("{} ({})", decision.reason, why);
      return {std::string(draft_.rule), reason, "not_yet", ""};
    }
    return {std::string(draft_.rule), std::string(decision.reason), std::string(to_string(decision.code)),
            decision.fault};
  }

  /// Records a denial and sets it as the result. @returns false.
  bool deny(Denied denied, std::string_view approval) {
    if (begun_) {
      end_state(state::Ending::not_executed, nullptr);
    } else if (metered_ && !denial_counted_) {
      metered_->deny(worker_.facts_for_meter(core_, *worker_.call, who_));
      record_.keep_state(*worker_.meter, *metered_);
    }
    give_up_approval();
    draft_.kind = RecordKind::denied;
    draft_.approval = approval;
    if (denied.code != to_string(draft_.code)) draft_.cause = denied.code;
    draft_.reason = denied.reason;
    record_.append();
    out_.state = std::move(denied);
    return false;
  }

  // --- intent ---

  void name_approval() {
    draft_.approval = approval_;
    draft_.grant = grant_;
    drafted_.clear();
    for (const RecordedApprover& one : approvers_) drafted_.push_back({one.group, one.name, one.key});
    draft_.approvers = drafted_;
  }

  /// Denies the call: its approval served another call, and someone set the approval's row back.
  bool refuse_used() {
    record_.abandon();
    (void)core_.approvals.finish(approval_, "not executed");
    const std::string used = std::exchange(approval_, "");
    draft_.approvers = {};
    return deny({std::string(draft_.rule), "approval " + used + " was already used; the audit log says for which call",
                 "approval_unavailable", ""},
                used);
  }

  /// Records that the call is about to execute. @returns whether it may.
  bool begin() {
    name_approval();
    const Recorded recorded = record_.append();
    if (recorded == Recorded::refused) return refuse_used();
    if (recorded == Recorded::yes || observe_ || core_.options.fail_mode == FailMode::open) return true;
    record_.abandon();
    const bool full = recorded == Recorded::full;
    if (!approval_.empty()) (void)core_.approvals.finish(approval_, "not executed");
    out_.state = Denied{std::string(draft_.rule), full ? "the audit queue is full" : "the audit log cannot be written",
                        full ? "audit_full" : "audit_unavailable", ""};
    return false;
  }

  /// Records a decision that the host itself acts on. @returns whether the host may act.
  bool record_decision() {
    draft_.kind = RecordKind::decision;
    name_approval();
    const Recorded recorded = record_.append();
    if (recorded == Recorded::refused) return refuse_used();
    const bool goes_on = recorded == Recorded::yes || observe_ || core_.options.fail_mode == FailMode::open;
    if (!approval_.empty()) (void)core_.approvals.finish(approval_, goes_on ? "authorized" : "not executed");
    if (!goes_on) {
      out_.state = Denied{std::string(draft_.rule), "the audit log cannot be written", "audit_unavailable", ""};
    }
    return goes_on;
  }

  // --- execute, after ---

  void execute() {
    start_ns_ = core_.stopwatch();
    if (held_) {
      begun_to_execute_ = true;
      return;
    }
    Value output;
    bool entered = false;
    std::optional<Error> error;
    try {
      error = tool_.execute(worker_.arena, effective_, &output, &entered);
    } catch (const std::exception& e) {
      error = Error{"exception", e.what()};
    } catch (...) {
      error = Error{"exception", "an exception that is not a std::exception"};
    }
    settle(std::move(error), entered, output.present() ? output : Value::null());
  }

  void settle(std::optional<Error> error, bool entered, const Value& output) {
    elapsed_ns_ = std::max<int64_t>(core_.stopwatch() - start_ns_, 0);
    executed_ = entered || !error;
    if (error) return fail(std::move(*error), entered);
    decide_after(output);
  }

  void fail(Error error, bool entered) {
    const bool never = !entered || error.code == "not_executed";
    end_state(never ? state::Ending::not_executed : state::Ending::failed, nullptr);
    std::string text = mend_utf8(error.code + ": " + error.message);
    record_.begin_outcome(elapsed_ns_);
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
    state_error_.reset();
    if (metered_) {
      if (auto read = metered_->read_after(facts_after()); !read.ok()) state_error_ = read.error();
    }
    judge(*worker_.after, seen(Stage::after, output));
    const Ruling& decision = ruling_;
    if (DetachedDecision* wanted = action_.options->after; wanted != nullptr) {
      *wanted = detach(*worker_.program, decision, action_, now_ns_);
    }
    if (observe_ && decision.effect != Effect::allow && out_.would.empty()) out_.would = "would_withhold";
    record_.begin_outcome(elapsed_ns_);
    record_.digest_redacted(decision, "output", output);
    Value released = output;
    bool withheld = decision.effect != Effect::allow;
    if (!withheld && !apply(decision, "output", released)) {
      withheld = true;
      draft_.cause = "evaluation_error";
    }
    bool redacted = decision.redacts();
    Value shown = released;
    if (!withheld && record_.conceals()) {
      shown = record_.conceal("output", output);
      if (!apply(decision, "output", shown)) shown = Value::null();
    }
    draft_.output = withheld ? nullptr : &shown;
    if (withheld) record_.digest_withheld(output);
    if (observe_) return release(output, false, OutcomeStatus::released);
    if (withheld) return withhold(decision);
    release(released, redacted, redacted ? OutcomeStatus::redacted : OutcomeStatus::released);
  }

  void withhold(const Ruling& decision) {
    if (metered_) {
      const state::CallFacts facts = facts_after();
      end_state(state::Ending::executed, &facts);
    }
    if (state_error_ && state_code(*state_error_) != to_string(decision.code)) draft_.cause = state_code(*state_error_);
    std::string_view code = draft_.cause.empty() ? to_string(decision.code) : draft_.cause;
    Withheld withheld{std::string(draft_.rule), std::string(decision.reason), std::string(code), decision.fault};
    draft_.status = OutcomeStatus::withheld;
    finish();
    out_.state = std::move(withheld);
  }

  void release(const Value& output, bool redacted, OutcomeStatus status) {
    bool fits = false;
    try {
      fits = tool_.deliver(output, redacted);
    } catch (...) {  // a codec of the host threw: treated like output that does not fit
    }
    std::optional<Error> unsettled = fits ? release_state(output) : std::nullopt;
    if (!fits && metered_) {
      const state::CallFacts facts = facts_after();
      end_state(state::Ending::executed, &facts);
    }
    if (observe_) unsettled.reset();
    draft_.status = fits && !unsettled ? status : OutcomeStatus::withheld;
    if (!fits) draft_.cause = "redacted_type";
    if (unsettled) {
      draft_.cause = state_code(*unsettled);
      draft_.output = nullptr;
      record_.digest_withheld(output);
    }
    bool recorded = finish();
    if (unsettled) {
      out_.state = Withheld{"", unsettled->message, std::string(state_code(*unsettled)), ""};
    } else if (!fits) {
      out_.state =
          Withheld{std::string(draft_.rule), "the redacted output is not of the expected type", "redacted_type", ""};
    } else if (!recorded && !observe_ && core_.options.fail_mode == FailMode::closed) {
      out_.state = Withheld{"", "the outcome could not be recorded", "audit_unavailable", ""};
    }
  }

  /// Raises and clears labels and settles, before the output is released. @returns why it must be withheld, if so
  std::optional<Error> release_state(const Value& output) {
    if (!metered_) return std::nullopt;
    std::vector<std::string> groups;
    for (const RecordedApprover& one : approvers_) groups.push_back(one.group);
    const state::CallFacts facts = facts_after();
    auto released = metered_->release(facts, {&output, groups});
    if (released.ok()) return std::nullopt;
    end_state(state::Ending::executed, &facts);
    return released.error();
  }

  // --- records ---

  /// Records the outcome. @returns false if it waited for a commit that failed.
  bool finish() {
    if (metered_) record_.keep_state(*worker_.meter, *metered_);
    if (!approval_.empty()) (void)core_.approvals.finish(approval_, to_string(draft_.status));
    if (core_.options.telemetry != nullptr) {
      core_.options.telemetry->executed({draft_.status, action_.capability, std::chrono::nanoseconds(elapsed_ns_)});
    }
    return record_.append() == Recorded::yes;
  }

  void rule_stage(const RulingFacts& facts) {
    if (facts.seen.stage == Stage::before && worker_.is_metered()) return rule_with_state(facts);
    if (facts.seen.stage == Stage::before) metered_.reset();
    if (facts.seen.stage == Stage::after && state_error_ && !observe_) return deny_for_state(*state_error_, ruling_);
    rule(core_, worker_, facts, ruling_);
    if (facts.seen.stage == Stage::after && metered_) note_full_memory();
  }

  /// Decides one stage, informs the telemetry, and begins the record.
  void judge(const Call& call, const HostCall& seen) {
    if (Telemetry* telemetry = core_.options.telemetry.get(); telemetry == nullptr) {
      rule_stage({call, seen});
    } else {
      const auto start = std::chrono::steady_clock::now();
      rule_stage({call, seen});
      const auto took = std::chrono::steady_clock::now() - start;
      telemetry->decided({seen.stage, ruling_.effect, ruling_.code, ruling_.rule, action_.capability, observe_, took});
    }
    record_.note(ruling_, seen.stage, now_ns_);
    if (metered_) record_.keep_state(*worker_.meter, *metered_);
    for (const RulingObligation& obligation : ruling_.obligations) {
      if (obligation.kind == RuleKind::warn) out_.warnings.emplace_back(obligation.reason);
    }
  }

  Core& core_;
  Worker& worker_;
  const Identity& who_;
  const ActionFacts action_;
  GovernedTool& tool_;
  const bool observe_;
  bool executed_ = false;  ///< the tool was entered
  bool held_ = false;      ///< the host executes the call by itself
  bool begun_to_execute_ = false;
  int64_t start_ns_ = 0;  ///< of the execution, by the stopwatch
  Governed out_;
  int64_t now_ns_ = 0, elapsed_ns_ = 0;
  Value effective_ = Value::null();              ///< what the tool receives
  std::string scope_;                            ///< that the agent lacks
  std::string unfinished_;                       ///< the history of done calls that a denial waits for
  std::optional<Freeze> frozen_;                 ///< what stops the call
  std::unique_ptr<state::MeteredCall> metered_;  ///< if the call has to do with state
  std::optional<Error> state_error_;             ///< why the state could not be read
  bool begun_ = false;                           ///< the state counts the call
  bool denial_counted_ = false;                  ///< or its denial
  std::optional<Digest> approved_;               ///< what the approval or grant in use was given for
  std::string reason_;                           ///< of the ruling, if it was added to
  std::string approval_;                         ///< consumed for this call
  std::string grant_;                            ///< used instead of an approval
  std::vector<RecordedApprover> approvers_;      ///< of the one or the other
  std::vector<DraftApprover> drafted_;           ///< views of them
  DetachedDecision* decided_ = nullptr;          ///< set if `authorize` wants the decision
  Ruling ruling_;                                ///< the latest; the record views it
  CallRecord record_{core_, worker_, who_, action_, observe_};
  RecordDraft& draft_ = record_.draft;
};

class HeldGovernedCall final : public HeldCall {
 public:
  HeldGovernedCall(Core& core, std::string_view capability, const Value& input, const CallOptions& options,
                   GovernedTool& tool)
      : worker_(core, LeaseKind::held), call_(core, *worker_, capability, input, options, tool) {}
  std::optional<Governed> start() override { return call_.start(); }
  const Value& input() const override { return call_.effective_input(); }
  const Governed& progress() const override { return call_.progress(); }
  Governed settle(std::optional<Error> error, bool entered, const Value& output) override {
    return call_.settle_held(std::move(error), entered, output);
  }

 private:
  Lease worker_;
  GovernedCall call_;
};

}  // namespace

std::unique_ptr<HeldCall> hold_call(Core& core, std::string_view capability, const Value& input,
                                    const CallOptions& options, GovernedTool& tool) {
  return std::make_unique<HeldGovernedCall>(core, capability, input, options, tool);
}

Governed govern(Core& core, std::string_view capability, const Value& input, const CallOptions& options,
                GovernedTool& tool) {
  try {
    Lease worker(core);
    return GovernedCall(core, *worker, capability, input, options, tool).run();
  } catch (const std::bad_alloc&) {  // before the call had begun
    return {{}, {}, {}, Denied{"", "out of memory", "no_memory", ""}};
  }
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
