// report.cc settles the state of an action that the host executed by itself, and records how it ended.
#include <mutex>

#include "ordain/runtime.h"
#include "ordain/time_text.h"
#include "runtime/audit/record.h"
#include "runtime/govern/core.h"
#include "runtime/govern/open_action.h"
#include "runtime/state/state_record.h"

namespace ordain {
namespace detail {
namespace {

/// Binds what is known of an action after it ran. Facts that only describe it (`action`) are not.
void bind_reported(const OpenAction& action, int64_t now_ns, const Value* output, Call& facts) {
  facts.begin(action.program->resolve(action.capability), Stage::after);
  const auto [seconds, nanos] = timestamp_of_nanos(now_ns);
  facts.set_now(seconds, nanos);
  if (!action.resource.root().is(Kind::null)) facts.bind_root("resource", action.resource.root());
  if (!action.metadata.root().is(Kind::null)) facts.bind_root("metadata", action.metadata.root());
  facts.bind_input(action.input.root());
  if (output != nullptr) facts.bind_output(*output);
}

Result<void> settle_reported(Core& core, OpenAction& action, ActionEnd end, const Value* output) {
  if (action.call == nullptr) return {};
  if (end == ActionEnd::failed) return action.call->end(state::Ending::failed, nullptr);
  if (end == ActionEnd::not_executed) return action.call->end(state::Ending::not_executed, nullptr);
  Call facts(action.program);
  bind_reported(action, core.now(), output, facts);
  const std::shared_ptr<const Context> context = action.who.context(action.program);
  Scratch scratch;
  const state::CallFacts after{facts, *context, scratch, action.who.who().session, core.options.decide};
  return action.call->release(after, {output, action.approved_by});
}

/// The output is left out, because no rule decided what of it may be shown.
RecordDraft draft_reported(const Core& core, const OpenAction& action, ActionEnd end) {
  const Who& who = action.who.who();
  RecordDraft draft;
  draft.kind = RecordKind::outcome;
  draft.time_ns = core.now();
  draft.action = action.id;
  draft.trace = action.trace;
  draft.session = who.session;
  draft.capability = action.capability;
  draft.agent = who.agent;
  draft.principal = who.principal;
  draft.tenant = who.tenant;
  draft.environment = who.environment;
  draft.observed = action.observed;
  draft.status = end == ActionEnd::done ? OutcomeStatus::released : OutcomeStatus::failed;
  if (end == ActionEnd::failed) draft.error = "failed: reported by the host";
  if (end == ActionEnd::not_executed) draft.error = "not_executed: reported by the host";
  draft.program = &action.program->digest();
  return draft;
}

/// @returns whether the record was taken by the log and the sinks
bool record_reported(Core& core, const OpenAction& action, ActionEnd end) {
  RecordDraft draft = draft_reported(core, action, end);
  Arena arena;
  Value remembered = Value::null();
  if (action.call != nullptr) {
    const DigestKey* hide = action.hides_keys ? &core.secret_key : nullptr;
    remembered = describe_state(arena, *action.meter, *action.call, hide);
    if (!remembered.is(Kind::null)) draft.state = &remembered;
  }
  std::string buffer;
  const std::string_view body = encode_record(draft, buffer);
  const bool sunk = core.options.sinks.empty() || pass_to_sinks(core, body);
  if (core.audit == nullptr) return sunk;
  Ticket ticket;
  const bool waits = core.options.audit.durability == Durability::sync;
  if (core.audit->append(body, action.id, RecordRole::single, waits ? &ticket : nullptr) != Admission::taken)
    return false;
  return sunk && (!waits || core.audit->wait(ticket) == Written::yes);
}

}  // namespace
}  // namespace detail

Result<void> Runtime::report(const Authorization& authorization, ActionEnd end, const Value* output) const {
  if (!authorization.authorized) return Error{"not_authorized", "the action was not authorized"};
  if (authorization.open == nullptr) return {};  // nothing is remembered of it or recorded
  detail::OpenAction& action = *authorization.open;
  if (action.core != core_->serial) return Error{"not_authorized", "another runtime authorized the action"};
  const std::lock_guard lock(action.mutex);
  if (action.reported) return Error{"already_reported", "the outcome of this action was reported before"};
  auto settled = detail::settle_reported(*core_, action, end, output);
  if (!settled.ok()) return Error{std::string(detail::state_code(settled.error())), settled.error().message};
  action.reported = true;
  const bool recorded = detail::record_reported(*core_, action, end);
  const bool goes_on = recorded || action.observed || core_->options.fail_mode == FailMode::open;
  return goes_on ? Result<void>() : Error{"audit_unavailable", "the outcome could not be recorded"};
}

}  // namespace ordain
