#include "cli/mcp_servers.h"

#include <utility>

#include "agents/mcp/message.h"
#include "agents/mcp/pins.h"
#include "ordain/json.h"

namespace ordain::cli {
namespace {

/// @returns the command of one server; an error without the name
Result<std::vector<std::string>> read_command(const Value& server) {
  std::vector<std::string> out;
  if (const Value* variables = mcp::member(server, "env"); variables != nullptr) {
    if (!variables->is(Kind::map)) return Error{"bad_servers", "`env` must be an object"};
    out.emplace_back("env");
    for (const MapEntry& entry : variables->map->all()) {
      const std::string name(entry.key.as_text());
      if (!entry.value.is(Kind::string) || name.empty() || name.front() == '-' || name.find('=') != std::string::npos) {
        return Error{"bad_servers", "`env` must have names of variables and their texts"};
      }
      out.push_back(name + "=" + std::string(entry.value.as_text()));
    }
  }
  const std::string command(mcp::text_member(server, "command"));
  // `env` would take the first for a variable.
  if (command.empty() || (!out.empty() && command.find('=') != std::string::npos)) {
    return Error{"bad_servers", "`command` must be the program that runs the server"};
  }
  out.push_back(command);
  if (const Value* arguments = mcp::member(server, "args"); arguments != nullptr) {
    if (!arguments->is(Kind::list)) return Error{"bad_servers", "`args` must be a list of strings"};
    for (const Value& argument : arguments->as_list()) {
      if (!argument.is(Kind::string)) return Error{"bad_servers", "`args` must be a list of strings"};
      out.emplace_back(argument.as_text());
    }
  }
  return out;
}

}  // namespace

Result<std::map<std::string, std::vector<std::string>>> parse_mcp_servers(std::string_view text,
                                                                          const std::string& file) {
  const auto bad = [&](const std::string& why) { return Error{"bad_servers", file + ": " + why}; };
  Arena arena;
  const Result<Value> value = parse_json(arena, text);
  if (!value) return bad(value.error().message);
  const Value* servers = mcp::member(*value, "mcpServers");
  if (servers == nullptr || !servers->is(Kind::map) || servers->map->count == 0) {
    return bad("`mcpServers` must be an object with at least one server");
  }
  std::map<std::string, std::vector<std::string>> out;
  for (const MapEntry& entry : servers->map->all()) {
    const std::string name(entry.key.as_text());
    if (!mcp::is_server_name(name)) {
      return bad("a server's name has letters, digits, `_` and `-`, at most 64 of them: " + name);
    }
    auto command = read_command(entry.value);
    if (!command) return bad("the server " + name + ": " + command.error().message);
    out.emplace(name, std::move(*command));
  }
  return out;
}

}  // namespace ordain::cli
