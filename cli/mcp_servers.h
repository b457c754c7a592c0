// The servers that `ordain mcp --listen` stands before, from a file in the form of the clients' own configurations.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/result.h"

namespace ordain::cli {

/// Reads `{"mcpServers": {NAME: {"command": "...", "args": [...], "env": {...}}}}`. A name is that in capabilities.
/// @returns name -> the command with its arguments; error "bad_servers", which names the file
Result<std::map<std::string, std::vector<std::string>>> parse_mcp_servers(std::string_view text,
                                                                          const std::string& file);

}  // namespace ordain::cli
