// Asks an MCP server for its tools, as a client would.
#pragma once

#include <chrono>
#include <vector>

#include "cli/child_process.h"
#include "ordain/json.h"

namespace ordain::cli {

/// Connects to the server and reads its whole list of tools, each as it is listed.
/// @param limit how long the server may take for all of it
/// @returns error "bad_server" if it does not answer as a server should
Result<std::vector<Document>> ask_for_tools(ChildProcess& server, std::chrono::seconds limit);

}  // namespace ordain::cli
