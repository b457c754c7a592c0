// These tests cover the table of tools: each name of a client means one capability, or none.
#include "agents/tool_names.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace ordain::agents {
namespace {

using enum Client;

std::string capability(Client client, std::string_view name, const McpOrigin& origin = {}) {
  const Result<Tool> tool = find_tool(client, name, origin);
  return tool ? tool->capability : tool.error().code;
}

TEST(ToolNames, EachRowIsUniqueAndItsFieldsGoToOneName) {
  std::set<std::pair<Client, std::string_view>> seen;
  for (const ToolName& row : all_tool_names()) {
    EXPECT_TRUE(seen.emplace(row.client, row.name).second) << row.name;
    EXPECT_TRUE(row.capability.starts_with("agent.")) << row.name;
    EXPECT_FALSE(row.capability.starts_with("agent.other.")) << row.name;
    EXPECT_EQ(capability(row.client, row.name), row.capability);
    for (const FieldName& field : row.fields) {
      EXPECT_EQ(field.theirs.empty(), field.ours.empty()) << row.name;
      EXPECT_TRUE(field.ours.empty() || field.ours == row.fields[0].ours) << row.name;
    }
  }
}

TEST(ToolNames, TheSameToolIsOneCapabilityInAllClients) {
  for (const auto& [shown, names] : std::map<std::string, std::map<Client, std::string>>{
           {"agent.shell", {{claude, "Bash"}, {codex, "Bash"}, {gemini, "run_shell_command"}}},
           {"agent.read", {{claude, "Read"}, {codex, "read_file"}, {gemini, "read_file"}}},
           {"agent.write", {{claude, "Write"}, {gemini, "write_file"}}},
           {"agent.edit", {{claude, "Edit"}, {gemini, "replace"}}},
           {"agent.fetch", {{claude, "WebFetch"}}}}) {
    for (const auto& [client, name] : names) EXPECT_EQ(capability(client, name), shown) << name;
  }
  EXPECT_EQ(capability(gemini, "Bash"), "agent.other.Bash") << "another client's name means nothing";
  EXPECT_EQ(capability(claude, "bash"), "agent.other.bash") << "names are exact";
}

TEST(ToolNames, UnknownToolsAreNobodysBusinessButTheirOwn) {
  EXPECT_EQ(capability(claude, "NewTool"), "agent.other.NewTool");
  EXPECT_EQ(capability(gemini, "discovered_tool_x"), "agent.other.discovered_tool_x");
  for (const char* name : {"", "a b", "a.b", "a\nb", "\xc3\xa4", "x/../y", "*"}) {
    EXPECT_EQ(capability(claude, name), "bad_tool") << name;
  }
  EXPECT_EQ(capability(claude, std::string(257, 'a')), "bad_tool");
  EXPECT_EQ(capability(claude, std::string_view("a\0b", 3)), "bad_tool");
}

TEST(ToolNames, McpToolsOfClaudeAndCodex) {
  for (const Client client : {claude, codex}) {
    EXPECT_EQ(capability(client, "mcp__github__create_issue"), "mcp.github.create_issue");
    EXPECT_EQ(capability(client, "mcp__my-server__read.file"), "mcp.my-server.read.file");
    for (const char* name : {"mcp__a__b__c", "mcp__a___b", "mcp__a____b"}) {
      EXPECT_EQ(capability(client, name), "ambiguous_tool") << name;
    }
    for (const char* name : {"mcp__", "mcp__a", "mcp__a__", "mcp____b", "mcp__a.b__c", "mcp__a__.b", "mcp__a__b..c"}) {
      EXPECT_EQ(capability(client, name), "bad_tool") << name;
    }
  }
}

TEST(ToolNames, TheClientsServerSettlesWhatIsAmbiguous) {
  EXPECT_EQ(capability(claude, "mcp__a__b__c", {.server = "a"}), "mcp.a.b__c");
  EXPECT_EQ(capability(claude, "mcp__a__b__c", {.server = "a__b"}), "mcp.a__b.c");
  EXPECT_EQ(capability(claude, "mcp__my_files__read", {.server = "my files"}), "mcp.my_files.read");
  EXPECT_EQ(capability(claude, "mcp__a__b__c", {.server = "z"}), "ambiguous_tool");
  EXPECT_EQ(capability(claude, "mcp__a__b", {.server = "z"}), "mcp.a.b") << "a server that does not fit is ignored";
}

TEST(ToolNames, McpToolsOfGemini) {
  EXPECT_EQ(capability(gemini, "mcp_github_search"), "mcp.github.search");
  EXPECT_EQ(capability(gemini, "mcp_github_create_issue"), "ambiguous_tool");
  const McpOrigin github = {.server = "github", .tool = "create_issue"};
  EXPECT_EQ(capability(gemini, "mcp_github_create_issue", github), "mcp.github.create_issue");
  EXPECT_EQ(capability(gemini, "mcp__github__create_issue", github), "mcp.github.create_issue");
  EXPECT_EQ(capability(gemini, "mcp__github__create_issue"), "mcp.github.create_issue");
  const McpOrigin other = {.server = "github_create", .tool = "issue"};
  EXPECT_EQ(capability(gemini, "mcp_github_create_issue", other), "mcp.github_create.issue");
  EXPECT_EQ(capability(gemini, "mcp_github_delete_all", github), "ambiguous_tool") << "an origin that does not fit";
  EXPECT_EQ(capability(gemini, "mcp_x"), "bad_tool");
}

TEST(ToolNames, DifferentMcpToolsAreDifferentCapabilities) {
  std::map<std::string, std::pair<std::string, std::string>> seen;
  const std::string names[] = {"a", "b", "a.b", "a_b", "a__b", "a-b", ".a", "a.", "", "a/b", "mcp"};
  for (const std::string& server : names) {
    for (const std::string& tool : names) {
      const Result<std::string> made = mcp_capability(server, tool);
      if (!made) continue;
      const auto [at, fresh] = seen.emplace(*made, std::pair{server, tool});
      EXPECT_TRUE(fresh) << *made << " is " << at->second.first << "/" << at->second.second << " and " << server << "/"
                         << tool;
    }
  }
  EXPECT_EQ(seen.count("mcp.a.a.b"), 1u);
}

}  // namespace
}  // namespace ordain::agents
