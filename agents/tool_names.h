// The one table of the tools of coding agents: which capability a tool of a client is, and how the
// fields of its input are called there.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ordain/result.h"

namespace ordain::agents {

/// The coding agents whose hooks are known.
enum class Client { claude, codex, gemini };

std::string_view to_string(Client client);  ///< "claude", "codex", "gemini"
std::optional<Client> find_client(std::string_view name);

/// A field of a tool's input: its name at the client, and in the capability's declaration.
struct FieldName {
  std::string_view theirs, ours;
};

/// One row of the table.
struct ToolName {
  Client client;
  std::string_view name;
  std::string_view capability;
  FieldName fields[2] = {};  ///< the fields that are renamed; the others keep their names
};

std::span<const ToolName> all_tool_names();

/// What a client says beside the name of an MCP tool. Either may be empty, if the client does not
/// say.
struct McpOrigin {
  std::string_view server, tool;
};

/// A tool, as policies know it.
struct Tool {
  std::string capability;
  std::span<const FieldName> fields = {};  ///< to be renamed
};

/// The capability of a client's tool: a built-in tool is in the table, and an unknown one becomes
/// `agent.other.NAME`, so that nothing allows it by accident. A tool of an MCP server is
/// `mcp.SERVER.TOOL`. The origin is used only where it fits the name.
/// @returns error "ambiguous_tool" if two servers or tools could have the name, or "bad_tool" if it
/// is not a name; the call must then be denied
Result<Tool> find_tool(Client client, std::string_view name, const McpOrigin& origin = {});

/// `mcp.SERVER.TOOL`. Different pairs give different capabilities.
/// @returns error "bad_tool" if the server's or the tool's name has characters that would make two
/// pairs alike
Result<std::string> mcp_capability(std::string_view server, std::string_view tool);

}  // namespace ordain::agents
