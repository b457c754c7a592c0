// One run of the hook: from the bytes on standard input to the answer.
#pragma once

#include <string>
#include <string_view>

#include "agents/hook/answers.h"
#include "agents/hook/daemon.h"

namespace ordain::agents {

/// The most that a client may write to the hook.
inline constexpr size_t kMostInputBytes = 16 * 1024 * 1024;

/// Answers one call of a hook.
/// @param input all of standard input
/// @param kept the directory of kept calls (see kept_calls.h)
Answer run_hook(Client client, std::string_view input, const DaemonAddress& address, const std::string& kept,
                Deadline deadline);

}  // namespace ordain::agents
