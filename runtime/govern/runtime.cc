// runtime.cc opens and reloads a runtime, evaluates without executing, and makes identities.
#include "ordain/runtime.h"

#include <atomic>
#include <new>
#include <optional>
#include <utility>

#include "runtime/audit/secrets.h"
#include "runtime/govern/core.h"
#include "runtime/govern/ruling.h"
#include "runtime/identity/identity_fields.h"
#include "runtime/identity/scopes.h"
#include "runtime/identity/text.h"
#include "runtime/sqlite/sqlite.h"

namespace ordain {
namespace detail {

uint64_t Core::next_serial() {
  static std::atomic<uint64_t> serials{0};
  return ++serials;
}

int64_t Core::stopwatch() const {
  if (options.stopwatch) return options.stopwatch();
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

DetachedDecision detach(const Program& program, const Ruling& ruling, const ActionFacts& action, int64_t now_ns) {
  DetachedDecision out;
  const Decision& decision = ruling.decision;
  out.effect = ruling.effect;
  out.code = ruling.code;
  out.rule = ruling.rule;
  out.reason = ruling.reason;
  out.fault = ruling.fault;
  if (ruling.policy_rule != kNone) {
    const RuleInfo& info = program.rules()[ruling.policy_rule];
    out.policy = info.policy;
    out.policy_version = program.policy_version(ruling.policy_rule);
    out.version = info.digest;
  }
  out.id = action.id_text.view();
  out.time_ns = now_ns;
  CapabilityId capability = program.resolve(action.capability).id;
  double declared = capability != kNone ? program.schema().capabilities[capability].risk : 0;
  out.confidence = action.options->risk.value_or(ActionRisk(declared)).confidence();
  for (RuleId rule : decision.matched) out.matched.push_back(program.rules()[rule].name);
  if (ruling.host != nullptr) {
    out.remote = ruling.host->remote;
    for (const auto& [rule, verdict] : ruling.host->verdicts) {
      if (verdict.effect) out.matched.push_back(rule);
    }
  }
  for (std::string_view group : ruling.from) out.from.emplace_back(group);
  out.approvals = ruling.approvals;
  for (const RulingObligation& one : ruling.obligations) {
    out.obligations.push_back(
        {one.kind, std::string(one.rule), std::string(one.path), std::string(one.reason), Document::copy_of(one.with)});
  }
  out.program = program.digest();
  return out;
}

namespace {

/// Fills the slots for state, and changes nothing. @returns why the call must be denied, if so
std::optional<Error> preview_state(Core& core, Worker& worker, const Identity& who, const Id128& action) {
  if (!worker.is_metered()) return std::nullopt;
  auto store = worker.prepare_meter(core);
  if (!store.ok()) return store.error();
  state::MeteredCall call(*worker.meter, **store, action);
  auto seen = call.preview(worker.facts_for_meter(core, *worker.call, who));
  return seen.ok() ? std::nullopt : std::optional<Error>(seen.error());
}

/// Turns the decision of the rules into a denial that the runtime itself makes.
void deny_apart_from_rules(std::string reason, DetachedDecision& out) {
  out.effect = Effect::deny;
  out.rule = out.policy = out.policy_version = "";
  out.reason = std::move(reason);
  out.obligations.clear();
  out.from.clear();
  out.approvals.clear();
}

DetachedDecision evaluate_alone(Core& core, Stage stage, std::string_view capability, const Value& input,
                                const Value* output, int64_t elapsed_ns, const CallOptions& options) {
  Lease worker(core);
  const Identity& who = options.identity != nullptr ? *options.identity : core.identity;
  ActionFacts action = describe_action(core, capability, input, options);
  worker->refresh(core, who);
  int64_t now_ns = core.now();
  worker->bind(*worker->call, stage, action, now_ns, output, elapsed_ns);
  const Value nothing{};
  HostCall seen{stage,
                capability,
                input,
                output != nullptr ? *output : nothing,
                who.who(),
                options,
                now_ns,
                elapsed_ns,
                action.id_text.view(),
                action.trace()};
  Ruling ruling;
  const std::optional<Error> unread = preview_state(core, *worker, who, action.id);
  if (unread) {
    deny_for_state(*unread, ruling);
  } else {
    rule(core, *worker, {*worker->call, seen, true}, ruling);
  }
  DetachedDecision out = detach(*worker->program, ruling, action, now_ns);
  if (stage == Stage::after) return out;
  const std::string scope = missing_scope(*worker->program, worker->call->capability().id, who.who());
  if (const auto freeze = core.freezes->find(capability, who.who().agent)) {
    deny_apart_from_rules(freeze->because, out);
  } else if (!scope.empty() && out.effect != Effect::deny) {
    deny_apart_from_rules(missing_scope_reason(who.who(), scope), out);
  }
  return out;
}

std::optional<Error> check_options(const RuntimeOptions& options) {
  if (!options.approvals)
    return Error{"invalid_options", "approvals: a handler is needed; queue_handler() is the default"};
  if (options.approval_expires.count() <= 0) return Error{"invalid_options", "approval_expires: must be positive"};
  for (const auto& sink : options.sinks) {
    if (sink == nullptr) return Error{"invalid_options", "sinks: one of them is nullptr"};
  }
  if (options.remote.timeout.count() <= 0) return Error{"invalid_options", "remote.timeout: must be positive"};
  if (options.audit.queue_records < 2) return Error{"invalid_options", "audit.queue_records: at least 2"};
  if (options.audit.checkpoint_records == 0) return Error{"invalid_options", "audit.checkpoint_records: at least 1"};
  if (options.audit.retry.count() <= 0) return Error{"invalid_options", "audit.retry: must be positive"};
  if (options.decide.default_after == Effect::require_approval) {
    return Error{"invalid_options", "decide.default_after: nothing can be approved after the fact"};
  }
  return std::nullopt;
}

}  // namespace
}  // namespace detail

Result<Runtime> Runtime::open(std::shared_ptr<const Program> program, RuntimeOptions options) {
  try {
    if (program == nullptr) return Error{"invalid_options", "there is no program; were there errors in the policies?"};
    if (auto error = detail::check_options(options)) return *error;
    Who who{options.agent, options.principal, options.tenant, options.environment, options.session, options.attributes};
    if (who.session.empty() && detail::attributes_of(who, "session") == nullptr) who.session = Id128::random().hex();
    auto identity = Identity::make(std::move(who), program);
    if (!identity.ok()) return identity.error();
    auto approvals = ApprovalStore::open(options.database, OpenMode::read_write, options.operator_keys);
    if (!approvals.ok()) return approvals.error();
    auto core = std::make_shared<detail::Core>(std::move(program), std::move(options), std::move(*identity),
                                               std::move(*approvals));
    if (!core->options.database.empty()) {
      auto key = detail::open_secret_key(core->options.database);
      if (!key.ok()) return key.error();
      core->secret_key = std::move(*key);
      auto audit = detail::AuditWriter::open(core->options.database, core->options.audit);
      if (!audit.ok()) return audit.error();
      core->audit = std::move(*audit);
    }
    if (auto watching = core->freezes->start(); !watching.ok()) return watching.error();
    if (history_tables(*core->live.current()).any()) {
      if (auto state = core->state->open(*core->live.current()); !state.ok()) return state.error();
    }
    Runtime runtime(std::move(core));
    std::vector<HostRule> rules = std::exchange(runtime.core_->options.rules, {});
    for (HostRule& rule : rules) {
      if (auto added = runtime.add_rule(std::move(rule)); !added.ok()) return added.error();
    }
    return runtime;
  } catch (const std::bad_alloc&) {
    return Error{"no_memory", "out of memory"};  // short enough to need none
  }
}

DetachedDecision Runtime::evaluate(std::string_view capability, const Value& input, const CallOptions& options) const {
  return detail::evaluate_alone(*core_, Stage::before, capability, input, nullptr, 0, options);
}

DetachedDecision Runtime::evaluate_after(std::string_view capability, const Value& input, const Value& output,
                                         std::chrono::nanoseconds elapsed, const CallOptions& options) const {
  return detail::evaluate_alone(*core_, Stage::after, capability, input, &output, elapsed.count(), options);
}

Authorization Runtime::authorize(std::string_view capability, const Value& input, const CallOptions& options) const {
  return detail::authorize(*core_, capability, input, options);
}

Result<Identity> Runtime::identity(Who who) const {
  return Identity::make(detail::inherit(std::move(who), core_->identity.who()), core_->live.current());
}

Identity Runtime::identity() const { return core_->identity; }

Result<void> Runtime::reload(std::shared_ptr<const Program> program) const {
  if (program == nullptr) return Error{"invalid_options", "there is no new program; the old one stays in use"};
  core_->live.publish(std::move(program));
  return {};
}

Result<void> Runtime::start_session(const std::string& session, const std::string& parent) const {
  for (const std::string* name : {&session, &parent}) {
    const std::string problem = name->empty() ? "empty" : detail::text_problem(*name);
    if (!problem.empty()) return Error{"invalid_identity", "session.id is " + problem};
  }
  auto store = core_->state->open(*core_->live.current());
  if (!store.ok()) return Error{std::string(detail::state_code(store.error())), store.error().message};
  auto started = (*store)->start_session(session, parent);
  return started.ok() ? started : Error{std::string(detail::state_code(started.error())), started.error().message};
}

Result<void> Runtime::end_session(const std::string& session) const {
  const std::string problem = session.empty() ? "empty" : detail::text_problem(session);
  if (!problem.empty()) return Error{"invalid_identity", "session.id is " + problem};
  auto store = core_->state->open(*core_->live.current());
  if (!store.ok()) return Error{std::string(detail::state_code(store.error())), store.error().message};
  auto ended = (*store)->end_session(session);
  return ended.ok() ? ended : Error{std::string(detail::state_code(ended.error())), ended.error().message};
}

std::shared_ptr<const Program> Runtime::program() const { return core_->live.current(); }

int64_t Runtime::now_ns() const { return core_->now(); }

ApprovalStore& Runtime::approvals() const& { return core_->approvals; }

Result<void> Runtime::flush() const {
  if (core_->audit != nullptr && !core_->audit->flush()) {
    return Error{"audit_unavailable", "records were lost: " + core_->audit->health().error};
  }
  return {};
}

RuntimeHealth Runtime::health() const {
  RuntimeHealth out;
  if (core_->audit == nullptr) return out;
  auto health = core_->audit->health();
  out.audit_available = health.available;
  out.audit_error = health.error;
  out.records_written = health.written;
  out.records_lost = health.lost;
  out.queue_depth = health.depth;
  out.checkpoint_error = health.checkpoint_error;
  return out;
}

}  // namespace ordain
