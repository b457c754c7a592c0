// These tests read the hooks of each client, as they are documented, malformed and hostile.
#include "agents/hook/hook_call.h"

#include <gtest/gtest.h>

#include "ordain/json.h"

namespace ordain::agents {
namespace {

using enum Client;

struct Read {
  Arena arena;
  Result<HookCall> call = Error{"none", ""};
  Read(Client client, std::string_view text) : call(read_hook_call(arena, client, text)) {}
  const HookCall* operator->() const { return &*call; }
};

constexpr const char* kBash =
    R"({"session_id": "s1", "transcript_path": "/t", "cwd": "/w", "hook_event_name": "PreToolUse",
        "permission_mode": "default", "tool_name": "Bash", "tool_input": {"command": "ls", "timeout": 5},
        "tool_use_id": "toolu_1"})";

TEST(HookCall, ClaudesShellCallIsAnEvent) {
  const Read read(claude, kBash);
  ASSERT_TRUE(read.call.ok());
  EXPECT_EQ(read->moment, Moment::before);
  EXPECT_EQ(read->flaw, "");
  EXPECT_EQ(read->call_id, "toolu_1");
  EXPECT_EQ(event_json(*read.call, Stage::before),
            R"({"agent":{"id":"claude"},"capability":"agent.shell","input":{"command":"ls","timeout":5},)"
            R"("session":{"id":"s1"},"stage":"before"})");
}

TEST(HookCall, CodexAndGeminiLikewise) {
  const Read codex_call(codex, kBash);
  ASSERT_TRUE(codex_call.call.ok());
  EXPECT_EQ(codex_call->capability, "agent.shell");
  const Read read(gemini,
                  R"({"session_id": "g", "hook_event_name": "BeforeTool", "timestamp": "2026-01-01T00:00:00Z",
                      "tool_name": "mcp_files_read_all", "tool_input": {},
                      "mcp_context": {"server_name": "files", "tool_name": "read_all"}})");
  ASSERT_TRUE(read.call.ok());
  EXPECT_EQ(read->flaw, "");
  EXPECT_EQ(read->capability, "mcp.files.read_all");
  EXPECT_TRUE(read->from_mcp);
  EXPECT_EQ(event_json(*read.call, Stage::before),
            R"({"agent":{"id":"gemini"},"capability":"mcp.files.read_all","input":{},"session":{"id":"g"},)"
            R"("stage":"before"})");
}

TEST(HookCall, FieldsGetTheNamesOfTheDeclarationAndLoseThemAgain) {
  Read read(claude, R"({"hook_event_name": "PreToolUse", "tool_name": "Write",
                        "tool_input": {"file_path": "/w/a", "content": "x"}})");
  ASSERT_TRUE(read.call.ok());
  EXPECT_EQ(to_json(read->input), R"({"content":"x","path":"/w/a"})");
  EXPECT_EQ(to_json(with_their_names(read.arena, *read.call, read->input)), R"({"content":"x","file_path":"/w/a"})");
}

TEST(HookCall, OutputsOfEachClient) {
  const Read claude_call(claude,
                         R"({"hook_event_name": "PostToolUse", "tool_name": "Bash", "tool_input": {"command": "ls"},
                                     "tool_response": {"stdout": "a"}})");
  ASSERT_TRUE(claude_call.call.ok());
  EXPECT_EQ(claude_call->moment, Moment::after);
  EXPECT_EQ(event_json(*claude_call.call, Stage::after),
            R"({"agent":{"id":"claude"},"capability":"agent.shell","input":{"command":"ls"},)"
            R"("output":{"stdout":"a"},"stage":"after"})");
  const Read failure(claude, R"({"hook_event_name": "PostToolUseFailure", "tool_name": "Bash", "tool_input": {},
                                 "error": "exit 1"})");
  ASSERT_TRUE(failure.call.ok());
  EXPECT_EQ(failure->moment, Moment::failed);
  EXPECT_EQ(to_json(failure->output), R"("exit 1")");
  const Read gemini_failure(gemini, R"({"hook_event_name": "AfterTool", "tool_name": "glob", "tool_input": {},
                                        "tool_response": {"llmContent": "x", "error": {"message": "no"}}})");
  ASSERT_TRUE(gemini_failure.call.ok());
  EXPECT_EQ(gemini_failure->moment, Moment::failed);
  const Read flawed(claude,
                    R"({"hook_event_name": "PostToolUse", "tool_name": "a b", "tool_response": {"stdout": "a"}})");
  ASSERT_TRUE(flawed.call.ok());
  EXPECT_NE(flawed->flaw, "");
  EXPECT_EQ(to_json(flawed->output), R"({"stdout":"a"})") << "a denial must replace it";
  const Read missing(codex, R"({"hook_event_name": "PostToolUse", "tool_name": "Bash", "tool_input": {}})");
  ASSERT_TRUE(missing.call.ok());
  EXPECT_EQ(missing->flaw, "`tool_response` is missing");
}

TEST(HookCall, WhatIsNotAHookIsAnError) {
  std::string deep = R"({"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": )";
  for (int n = 0; n < 100; ++n) deep += "[";
  for (const std::string& text :
       {std::string(), std::string("null"), std::string("[]"), std::string("{}"), std::string("{\"hook_event_name\""),
        std::string(R"({"hook_event_name": 1})"), std::string(R"({"hook_event_name": ""})"), std::string(kBash) + "x",
        std::string(kBash) + kBash, std::string("\xff\xfe"), deep,
        R"({"hook_event_name": ")" + std::string(300, 'x') + "\"}"}) {
    EXPECT_FALSE(Read(claude, text).call.ok()) << text.substr(0, 80);
  }
}

TEST(HookCall, WhatCannotBeDecidedHasAFlaw) {
  const std::string start = R"({"hook_event_name": "PreToolUse", )";
  for (const char* rest : {
           R"("tool_input": {}})",
           R"("tool_name": "", "tool_input": {}})",
           R"("tool_name": 5, "tool_input": {}})",
           R"("tool_name": "Bash"})",
           R"("tool_name": "Bash", "tool_input": []})",
           R"("tool_name": "Bash", "tool_input": "ls"})",
           R"("tool_name": "a b", "tool_input": {}})",
           R"("tool_name": "mcp__a__b__c", "tool_input": {}})",
           R"("tool_name": "Write", "tool_input": {"file_path": "/a", "path": "/b"}})",
           R"("tool_name": "Bash", "tool_input": {"command": "ls", "command": "rm"}})",
           R"("tool_name": "Bash", "tool_name": "Read", "tool_input": {}})",
           R"("tool_name": "Bash", "tool_input": {"n": 123456789012345678901234567890123}})",
       }) {
    const Read read(claude, start + rest);
    ASSERT_TRUE(read.call.ok()) << rest;
    EXPECT_EQ(read->moment, Moment::before) << rest;
    EXPECT_NE(read->flaw, "") << rest;
  }
}

TEST(HookCall, OtherEventsPassAndUnknownOnesAreKnownToBeUnknown) {
  for (const auto& [client, name] : {std::pair{claude, "UserPromptSubmit"},
                                     {claude, "SubagentStart"},
                                     {codex, "Stop"},
                                     {codex, "SessionStart"},
                                     {gemini, "BeforeAgent"},
                                     {gemini, "Notification"}}) {
    const Read read(client, std::string(R"({"hook_event_name": ")") + name + "\"}");
    ASSERT_TRUE(read.call.ok()) << name;
    EXPECT_EQ(read->moment, Moment::other) << name;
  }
  for (const auto& [client, name] : {std::pair{claude, "BeforeTool"},
                                     {claude, "pretooluse"},
                                     {claude, "WorktreeCreate"},
                                     {codex, "PostToolUseFailure"},
                                     {gemini, "PreToolUse"}}) {
    const Read read(client, std::string(R"({"hook_event_name": ")") + name + "\"}");
    ASSERT_TRUE(read.call.ok()) << name;
    EXPECT_EQ(read->moment, Moment::unknown) << name;
  }
}

TEST(HookCall, TheKeyJoinsTheTwoHooksOfOneCallOnly) {
  const auto key = [](const std::string& event, const std::string& id, const std::string& input) {
    const Read read(claude, R"({"session_id": "s", "tool_name": "Bash", "hook_event_name": ")" + event +
                                R"(", "tool_response": {}, "tool_use_id": ")" + id + R"(", "tool_input": )" + input +
                                "}");
    return call_key(*read.call);
  };
  EXPECT_EQ(key("PreToolUse", "a", "{}"), key("PostToolUse", "a", "{}"));
  EXPECT_EQ(key("PreToolUse", "", R"({"a": 1, "b": 2})"), key("PostToolUse", "", R"({"b": 2, "a": 1})"));
  EXPECT_NE(key("PreToolUse", "a", "{}"), key("PreToolUse", "b", "{}"));
  EXPECT_NE(key("PreToolUse", "", R"({"a": 1})"), key("PreToolUse", "", R"({"a": 2})"));
  EXPECT_EQ(key("PreToolUse", "", "{\"a\": \"" + std::string(60'000, 'x') + "\"}"), "") << "too long to keep";
}

}  // namespace
}  // namespace ordain::agents
