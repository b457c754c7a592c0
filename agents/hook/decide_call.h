// What the daemon says of a call of a hook.
#pragma once

#include <string>
#include <string_view>

#include "agents/hook/answers.h"
#include "agents/hook/daemon.h"
#include "agents/hook/hook_call.h"
#include "ordain/result.h"

namespace ordain::agents {

/// An answer of the daemon to a call or to its outcome.
struct DaemonAnswer {
  std::string id = {};        ///< of the call; "" if the daemon gave none
  std::string approval = {};  ///< of the approval that the call waits for; "" if the daemon gave none
  ParsedDecision decision = {};
};

/// Reads `{"id", "decision"}`, or a bare decision, which may have an `approval_id`. The decision must
/// be about this capability and stage, as far as it names them.
/// @returns error "daemon"
Result<DaemonAnswer> read_daemon_answer(std::string_view json, std::string_view capability, Stage stage);

/// Asks about a call that has no flaw. Where no answer comes, the verdict is a denial that says why.
/// @param kept the directory of kept calls (see kept_calls.h)
Verdict decide_call(const HookCall& call, const DaemonAddress& address, const std::string& kept, Deadline deadline);

}  // namespace ordain::agents
