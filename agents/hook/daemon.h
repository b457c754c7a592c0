// Asks the daemon over its UNIX socket, within a deadline. A socket that somebody else could have put
// there is not asked.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "agents/hook/http_message.h"
#include "ordain/result.h"

namespace ordain::agents {

using Deadline = std::chrono::steady_clock::time_point;

/// Which daemon to ask.
struct DaemonAddress {
  std::string socket;  ///< an absolute path
  /// Who must own the socket, and listen on it. If empty: this process's user or root.
  std::optional<uid_t> owner = {};
};

/// Milliseconds until the deadline, at least 0, for poll().
int milliseconds_until(Deadline deadline);

/// Posts one request and reads the answer, whatever its status.
/// @returns error "daemon", whose message completes "Ordain could not decide: "
Result<HttpReply> ask_daemon(const DaemonAddress& address, std::string_view path, std::string_view json,
                             Deadline deadline);

}  // namespace ordain::agents
