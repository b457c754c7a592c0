// freeze.cc stops and lifts through a runtime, and records it in the runtime's own log and sinks.
#include "ordain/freeze.h"

#include "ordain/runtime.h"
#include "runtime/audit/act.h"
#include "runtime/govern/core.h"
#include "runtime/state/freeze_act.h"

namespace ordain {
namespace detail {
namespace {

Result<void> record_by_runtime(Core& core, const Act& act) {
  std::string buffer;
  const bool sunk = core.options.sinks.empty() || pass_to_sinks(core, encode_act(act, Id128::random(), buffer));
  if (core.audit != nullptr) {
    if (auto recorded = record_act(*core.audit, act); !recorded.ok()) return recorded;
  }
  return sunk ? Result<void>() : Error{"audit_unavailable", "a sink did not take the record"};
}

}  // namespace
}  // namespace detail

Result<void> Runtime::freeze(const Freeze& freeze) const {
  Freeze made = freeze;
  if (made.since_ns == 0) made.since_ns = core_->now();
  if (const std::string problem = state::freeze_problem(made); !problem.empty())
    return Error{"invalid_freeze", problem};
  auto changed = core_->freezes->change([&](std::vector<Freeze>& all) { return state::put_freeze(all, made); });
  if (!changed.ok()) return changed;
  auto recorded = detail::record_by_runtime(*core_, state::act_of(made));
  if (recorded.ok()) return recorded;
  return Error{recorded.error().code,
               "the calls are frozen, but that could not be recorded: " + recorded.error().message};
}

Result<void> Runtime::thaw(const Thaw& thaw) const {
  if (const std::string problem = state::thaw_problem(thaw); !problem.empty()) return Error{"invalid_freeze", problem};
  return core_->freezes->change([&](std::vector<Freeze>& all) -> Result<void> {
    if (auto taken = state::take_freeze(all, thaw); !taken.ok()) return taken;
    return detail::record_by_runtime(*core_, state::act_of(thaw, core_->now()));
  });
}

std::vector<Freeze> Runtime::frozen() const { return core_->freezes->all(); }

}  // namespace ordain
