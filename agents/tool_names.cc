#include "agents/tool_names.h"

#include <algorithm>
#include <array>
#include <vector>

#include "ordain/terminal_text.h"

namespace ordain::agents {
namespace {

using enum Client;

constexpr std::string_view kClients[] = {"claude", "codex", "gemini"};

constexpr FieldName kPath = {"file_path", "path"};
constexpr FieldName kOldPath = {"absolute_path", "path"};
constexpr FieldName kNotebook = {"notebook_path", "path"};
constexpr FieldName kDirectory = {"dir_path", "path"};

constexpr ToolName kTools[] = {
    // Claude Code
    {claude, "Bash", "agent.shell"},
    {claude, "BashOutput", "agent.shell_output"},
    {claude, "TaskOutput", "agent.shell_output"},
    {claude, "KillShell", "agent.shell_stop"},
    {claude, "KillBash", "agent.shell_stop"},
    {claude, "TaskStop", "agent.shell_stop"},
    {claude, "PowerShell", "agent.powershell"},
    {claude, "Read", "agent.read", {kPath}},
    {claude, "NotebookRead", "agent.read", {kNotebook}},
    {claude, "Write", "agent.write", {kPath}},
    {claude, "Edit", "agent.edit", {kPath}},
    {claude, "MultiEdit", "agent.edit", {kPath}},
    {claude, "NotebookEdit", "agent.edit", {kNotebook}},
    {claude, "LS", "agent.list"},
    {claude, "Glob", "agent.find"},
    {claude, "Grep", "agent.search"},
    {claude, "WebFetch", "agent.fetch"},
    {claude, "WebSearch", "agent.web_search"},
    {claude, "Task", "agent.spawn"},
    {claude, "Agent", "agent.spawn"},
    {claude, "TodoWrite", "agent.plan"},
    {claude, "TaskCreate", "agent.plan"},
    {claude, "TaskUpdate", "agent.plan"},
    {claude, "TaskGet", "agent.plan"},
    {claude, "TaskList", "agent.plan"},
    {claude, "EnterPlanMode", "agent.plan"},
    {claude, "ExitPlanMode", "agent.plan"},
    {claude, "AskUserQuestion", "agent.ask_user"},
    {claude, "Skill", "agent.skill"},
    {claude, "SlashCommand", "agent.skill"},
    {claude, "ToolSearch", "agent.tool_search"},
    {claude, "ListMcpResourcesTool", "agent.mcp_resources"},
    {claude, "ReadMcpResourceTool", "agent.mcp_read"},
    // Codex
    {codex, "Bash", "agent.shell"},
    {codex, "shell", "agent.shell"},
    {codex, "shell_command", "agent.shell"},
    {codex, "exec_command", "agent.shell", {{"cmd", "command"}}},
    {codex, "write_stdin", "agent.shell_input"},
    {codex, "apply_patch", "agent.patch", {{"command", "patch"}, {"input", "patch"}}},
    {codex, "read_file", "agent.read", {kPath}},
    {codex, "view_image", "agent.read"},
    {codex, "list_dir", "agent.list", {kDirectory}},
    {codex, "grep_files", "agent.search"},
    {codex, "web_search", "agent.web_search"},
    {codex, "update_plan", "agent.plan"},
    {codex, "request_user_input", "agent.ask_user"},
    {codex, "spawn_agent", "agent.spawn"},
    // Gemini CLI
    {gemini, "run_shell_command", "agent.shell"},
    {gemini, "read_file", "agent.read", {kPath, kOldPath}},
    {gemini, "read_many_files", "agent.read_many"},
    {gemini, "write_file", "agent.write", {kPath}},
    {gemini, "replace", "agent.edit", {kPath}},
    {gemini, "list_directory", "agent.list", {kDirectory}},
    {gemini, "glob", "agent.find", {kDirectory}},
    {gemini, "grep_search", "agent.search", {kDirectory}},
    {gemini, "search_file_content", "agent.search", {kDirectory}},
    {gemini, "web_fetch", "agent.fetch_prompt"},  // its URLs stand somewhere in the prompt
    {gemini, "google_web_search", "agent.web_search"},
    {gemini, "save_memory", "agent.memory"},
    {gemini, "write_todos", "agent.plan"},
    {gemini, "update_topic", "agent.plan"},
    {gemini, "enter_plan_mode", "agent.plan"},
    {gemini, "exit_plan_mode", "agent.plan"},
    {gemini, "ask_user", "agent.ask_user"},
    {gemini, "activate_skill", "agent.skill"},
    {gemini, "get_internal_docs", "agent.docs"},
};

constexpr size_t kLongestName = 256;

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName && std::all_of(text.begin(), text.end(), is_word_character);
}

// Words with single dots between them.
bool is_dotted_word(std::string_view text) {
  while (true) {
    const size_t dot = text.find('.');
    if (!is_word(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

// Clients put `_` in place of characters that a name of a tool may not have.
std::string tool_text(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (!is_word_character(c) && c != '.') c = '_';
  }
  return out;
}

Error bad(std::string_view name) {
  return {"bad_tool", "the tool has a name that no capability can have: " + terminal_text(name.substr(0, 80))};
}

Result<Tool> mcp_tool(std::string_view server, std::string_view tool) {
  Result<std::string> capability = mcp_capability(server, tool);
  if (!capability) return capability.error();
  return Tool{*std::move(capability)};
}

// Finds the one way to divide `rest` into a server and a tool; both must have a name.
Result<Tool> divide(std::string_view name, std::string_view rest, std::string_view separator) {
  std::vector<size_t> places;
  for (size_t at = rest.find(separator, 1); at != std::string_view::npos; at = rest.find(separator, at + 1)) {
    if (at + separator.size() < rest.size()) places.push_back(at);
  }
  if (places.empty()) return bad(name);
  if (places.size() > 1) {
    return Error{"ambiguous_tool", "the name " + terminal_text(name.substr(0, 80)) +
                                       " could belong to tools of different MCP servers; rename the server or the "
                                       "tool, so that only one reading remains"};
  }
  return mcp_tool(rest.substr(0, places[0]), rest.substr(places[0] + separator.size()));
}

/// Claude Code and Codex: mcp__SERVER__TOOL. `rest` follows the first `mcp__`.
Result<Tool> by_double_underscore(std::string_view name, std::string_view rest, const McpOrigin& origin) {
  const std::string start = tool_text(origin.server) + "__";
  if (!origin.server.empty() && rest.size() > start.size() && rest.starts_with(start)) {
    return mcp_tool(rest.substr(0, start.size() - 2), rest.substr(start.size()));
  }
  return divide(name, rest, "__");
}

/// Gemini CLI: mcp_SERVER_TOOL, where both may contain `_`, and mcp__SERVER__TOOL in some versions.
Result<Tool> by_single_underscore(std::string_view name, const McpOrigin& origin) {
  const std::string server = tool_text(origin.server), tool = tool_text(origin.tool);
  if (!server.empty() && !tool.empty()) {
    for (const std::string_view mark : {"_", "__"}) {
      std::string whole = "mcp";
      whole.append(mark).append(server).append(mark).append(tool);
      if (whole == name) return mcp_tool(server, tool);
    }
  }
  if (name.starts_with("mcp__")) return divide(name, name.substr(5), "__");
  return divide(name, name.substr(4), "_");
}

}  // namespace

std::string_view to_string(Client client) { return kClients[static_cast<size_t>(client)]; }

std::optional<Client> find_client(std::string_view name) {
  for (const Client each : {claude, codex, gemini}) {
    if (to_string(each) == name) return each;
  }
  return std::nullopt;
}

std::span<const ToolName> all_tool_names() { return kTools; }

Result<std::string> mcp_capability(std::string_view server, std::string_view tool) {
  // A server's name has no dot, so the second dot of the capability ends it.
  if (!is_word(server) || tool.size() > kLongestName || !is_dotted_word(tool)) {
    return bad(std::string(server.substr(0, 40)) + "/" + std::string(tool.substr(0, 40)));
  }
  return "mcp." + std::string(server) + "." + std::string(tool);
}

Result<Tool> find_tool(Client client, std::string_view name, const McpOrigin& origin) {
  if (name.empty() || name.size() > kLongestName) return bad(name);
  if (client == gemini && name.starts_with("mcp_")) return by_single_underscore(name, origin);
  if (client != gemini && name.starts_with("mcp__")) return by_double_underscore(name, name.substr(5), origin);
  for (const ToolName& row : kTools) {
    if (row.client == client && row.name == name) return Tool{std::string(row.capability), row.fields};
  }
  if (!is_word(name)) return bad(name);
  return Tool{"agent.other." + std::string(name)};
}

}  // namespace ordain::agents
