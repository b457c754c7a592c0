// report.cc settles the state of an action that the host executed by itself.
#include <mutex>

#include "ordain/runtime.h"
#include "ordain/time_text.h"
#include "runtime/govern/core.h"
#include "runtime/govern/open_action.h"

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
  if (end == ActionEnd::failed) return action.call->end(state::Ending::failed, nullptr);
  if (end == ActionEnd::not_executed) return action.call->end(state::Ending::not_executed, nullptr);
  Call facts(action.program);
  bind_reported(action, core.now(), output, facts);
  const std::shared_ptr<const Context> context = action.who.context(action.program);
  Scratch scratch;
  const state::CallFacts after{facts, *context, scratch, action.who.who().session, core.options.decide};
  return action.call->release(after, {output, action.approved_by});
}

}  // namespace
}  // namespace detail

Result<void> Runtime::report(const Authorization& authorization, ActionEnd end, const Value* output) const {
  if (!authorization.authorized) return Error{"not_authorized", "the action was not authorized"};
  if (authorization.open == nullptr) return {};  // nothing is remembered of it
  detail::OpenAction& action = *authorization.open;
  if (action.core != core_->serial) return Error{"not_authorized", "another runtime authorized the action"};
  const std::lock_guard lock(action.mutex);
  if (action.reported) return Error{"already_reported", "the outcome of this action was reported before"};
  auto settled = detail::settle_reported(*core_, action, end, output);
  if (!settled.ok()) return Error{std::string(detail::state_code(settled.error())), settled.error().message};
  action.reported = true;
  return {};
}

}  // namespace ordain
