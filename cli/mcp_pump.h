// The pump of `ordain mcp` moves bytes between the client on our standard streams, the proxy, and the server.
#pragma once

#include "agents/mcp/proxy.h"
#include "cli/child_process.h"
#include "cli/command_line.h"

namespace ordain::cli {

/// Runs until the client or the server ends, or a signal asks us to end. @param most the most bytes of a message
/// @returns kFindings if the server ended before the client
ExitCode pump_messages(mcp::Proxy& proxy, ChildProcess& server, size_t most);

}  // namespace ordain::cli
