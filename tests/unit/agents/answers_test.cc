// These tests compare what the hook writes with what each client is known to obey.
#include "agents/hook/answers.h"

#include <gtest/gtest.h>

#include "agents/hook/decide_call.h"
#include "agents/hook/withhold.h"
#include "ordain/json.h"

namespace ordain::agents {
namespace {

using enum Client;

std::string before(Client client) {
  return client == gemini ? R"({"hook_event_name": "BeforeTool", "tool_name": "write_file", "tool_use_id": "t",
                                "tool_input": {"file_path": "/a", "content": "secret"}})"
                          : R"({"hook_event_name": "PreToolUse", "tool_name": "Write", "tool_use_id": "t",
                                "tool_input": {"file_path": "/a", "content": "secret"}})";
}

std::string after(Client client, const std::string& output, const std::string& tool = "Bash") {
  const bool is_gemini = client == gemini;
  return R"({"hook_event_name": ")" + std::string(is_gemini ? "AfterTool" : "PostToolUse") + R"(", "tool_name": ")" +
         (is_gemini ? "run_shell_command" : tool) + R"(", "tool_input": {}, "tool_response": )" + output + "}";
}

Answer answer_to(Client client, const std::string& text, const Verdict& verdict) {
  Arena arena;
  const Result<HookCall> call = read_hook_call(arena, client, text);
  EXPECT_TRUE(call.ok()) << text;
  return write_answer(arena, *call, verdict);
}

Verdict verdict(const std::string& decision, const std::string& waiting = "") {
  const auto parsed = parse_decision(decision);
  EXPECT_TRUE(parsed.ok()) << decision;
  return verdict_of(*parsed, waiting);
}

Verdict redact(const std::string& path, const std::string& with = R"("***")") {
  return verdict(R"({"effect": "allow", "obligations": [{"kind": "redact", "path": ")" + path + R"(", "with": )" +
                 with + "}]}");
}

TEST(Answers, ConsentIsSilence) {
  for (const Client client : {claude, codex, gemini}) {
    for (const std::string& text : {before(client), after(client, R"({"a": "b"})")}) {
      const Answer answer = answer_to(client, text, verdict(R"({"effect": "allow"})"));
      EXPECT_EQ(answer.out + answer.error, "") << text;
      EXPECT_EQ(answer.exit_code, 0);
    }
  }
}

TEST(Answers, DenialsBeforeTheCall) {
  const Verdict denied = verdict(R"({"effect": "deny", "rule": "p.r", "reason": "no \"way\""})");
  for (const Client client : {claude, codex}) {
    EXPECT_EQ(answer_to(client, before(client), denied).out,
              R"({"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"deny",)"
              R"("permissionDecisionReason":"Ordain denied this, by the rule p.r: no \"way\""}})"
              "\n");
  }
  EXPECT_EQ(answer_to(gemini, before(gemini), denied).out,
            R"({"decision":"deny","reason":"Ordain denied this, by the rule p.r: no \"way\""})"
            "\n");
  EXPECT_EQ(
      answer_to(claude, R"({"hook_event_name": "PermissionRequest", "tool_name": "Bash", "tool_input": {}})",
                make_denial("no"))
          .out,
      R"({"hookSpecificOutput":{"hookEventName":"PermissionRequest","decision":{"behavior":"deny","message":"no"}}})"
      "\n");
}

TEST(Answers, NobodyWaitsForAPerson) {
  const Verdict asked = verdict(R"({"effect": "require_approval", "rule": "p.big", "reason": "big"})", "a-7");
  for (const Client client : {claude, codex, gemini}) {
    const Answer answer = answer_to(client, before(client), asked);
    EXPECT_NE(answer.out.find("\"deny\""), std::string::npos) << answer.out;
    EXPECT_NE(answer.out.find("ordain approvals approve a-7"), std::string::npos) << answer.out;
    EXPECT_EQ(answer.out.find("\"ask\""), std::string::npos) << answer.out;
  }
}

TEST(Answers, WithheldOutputs) {
  const Verdict denied = make_denial("no");
  EXPECT_EQ(answer_to(codex, after(codex, R"("key")"), denied).out, "{\"decision\":\"block\",\"reason\":\"no\"}\n");
  EXPECT_EQ(answer_to(gemini, after(gemini, R"({"llmContent": "key"})"), denied).out,
            "{\"decision\":\"deny\",\"reason\":\"no\"}\n");
  EXPECT_EQ(answer_to(claude, after(claude, R"({"stdout": "key", "stderr": "", "interrupted": true})"), denied).out,
            R"({"decision":"block","reason":"no","hookSpecificOutput":{"hookEventName":"PostToolUse",)"
            R"("updatedToolOutput":{"interrupted":false,"stderr":"no","stdout":"no"}}})"
            "\n");
  const std::string mcp =
      answer_to(claude, after(claude, R"([{"type": "text", "text": "key"}])", "mcp__a__b"), denied).out;
  const std::string part = R"([{"text":"no","type":"text"}])";
  EXPECT_NE(mcp.find("\"updatedToolOutput\":" + part), std::string::npos) << mcp;
  EXPECT_NE(mcp.find("\"updatedMCPToolOutput\":" + part), std::string::npos) << mcp;
}

TEST(Answers, RedactedInputsReplaceTheCalls) {
  for (const Client client : {claude, codex}) {
    EXPECT_EQ(answer_to(client, before(client), redact("input.content")).out,
              R"({"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"allow",)"
              R"("permissionDecisionReason":"the policy allows this call with parts of its input redacted",)"
              R"("updatedInput":{"content":"***","file_path":"/a"}}})"
              "\n");
  }
  EXPECT_EQ(
      answer_to(gemini, before(gemini), redact("input.path")).out,
      R"({"hookSpecificOutput":{"hookEventName":"BeforeTool","tool_input":{"content":"secret","file_path":"***"}}})"
      "\n");
  for (const Client client : {claude, codex, gemini}) {
    for (const char* path : {"input", "input.content.deeper", "output.x", "input["}) {
      EXPECT_NE(answer_to(client, before(client), redact(path)).out.find("\"deny\""), std::string::npos) << path;
    }
  }
}

TEST(Answers, RedactedOutputsReplaceOrBlock) {
  const std::string output = R"({"stdout": "key", "n": 5})";
  EXPECT_EQ(answer_to(claude, after(claude, output), redact("output.stdout")).out,
            R"({"hookSpecificOutput":{"hookEventName":"PostToolUse","updatedToolOutput":{"n":5,"stdout":"***"}}})"
            "\n");
  EXPECT_EQ(answer_to(claude, after(claude, output), redact("output.n")).out,
            R"({"hookSpecificOutput":{"hookEventName":"PostToolUse","updatedToolOutput":{"n":0,"stdout":"key"}}})"
            "\n")
      << "another kind would make the client keep the original";
  EXPECT_EQ(answer_to(gemini, after(gemini, R"({"llmContent": {"a": "key"}})"), redact("output.llmContent.a")).out,
            "{\"decision\":\"deny\",\"reason\":\"{\\\"a\\\":\\\"***\\\"}\"}\n");
  const std::string blocked = answer_to(codex, after(codex, output), redact("output.stdout")).out;
  EXPECT_TRUE(blocked.starts_with("{\"decision\":\"block\"")) << blocked;
  EXPECT_EQ(blocked.find("key"), std::string::npos) << blocked;
  for (const Client client : {claude, codex, gemini}) {
    const std::string misfit = answer_to(client, after(client, R"({"a": "key"})"), redact("output.a.b")).out;
    EXPECT_EQ(misfit.find("key"), std::string::npos) << misfit;
    EXPECT_NE(misfit, "");
  }
}

TEST(Answers, ReasonsAreNeverEmptyAndNeverEndless) {
  const std::string plain = answer_to(codex, before(codex), verdict(R"({"effect": "deny"})")).out;
  EXPECT_NE(plain.find("Ordain denied this"), std::string::npos);
  std::string long_reason;
  for (int n = 0; n < 5000; ++n) long_reason += "\xc3\xa4";
  const std::string out = answer_to(codex, before(codex), make_denial(long_reason)).out;
  EXPECT_LT(out.size(), 4300u);
  EXPECT_TRUE(Document::parse(out).ok()) << "no character is cut in two";
}

TEST(Answers, ARefusalIsExitCode2WithAText) {
  const Answer answer = refuse("why");
  EXPECT_EQ(answer.exit_code, 2);
  EXPECT_EQ(answer.out, "");
  EXPECT_EQ(answer.error, "ordain-hook: why\n");
}

// --- outputs

TEST(Withhold, NothingOfTheContentIsLeft) {
  Arena arena;
  for (const char* text :
       {R"({"stdout": "KEY1", "deep": {"list": ["KEY2", {"x": "KEY3"}], "n": 4711, "b": true, "f": 47.11}})",
        R"(["KEY1", "KEY2"])", R"("KEY1")", R"([{"type": "image", "data": "KEY1"}])",
        R"({"content": [{"type": "text", "text": "KEY1"}], "structuredContent": {"KEY2": 4711}})",
        R"({"stdout": "x", "persistedOutputPath": "/KEY1", "persistedOutputSize": 4711})"}) {
    const auto output = Document::parse(text);
    ASSERT_TRUE(output.ok());
    std::vector<Value> blanks = {blank_mcp_output(arena, output->root(), "gone")};
    // The names of fields of a client's own tool are not secret.
    const bool secret_names = std::string_view(text).find("structuredContent") != std::string_view::npos;
    if (!secret_names) blanks.push_back(blank_output(arena, output->root(), "gone"));
    for (const Value& blank : blanks) {
      const std::string left = to_json(blank);
      EXPECT_EQ(left.find("KEY"), std::string::npos) << left;
      EXPECT_EQ(left.find("47"), std::string::npos) << left;
      EXPECT_NE(left.find("gone"), std::string::npos) << left;
    }
  }
}

TEST(Withhold, ShapesStay) {
  Arena arena;
  const auto output =
      Document::parse(R"({"type": "text", "file": {"filePath": "/k", "numLines": 3}, "none": null, "e": []})");
  EXPECT_EQ(to_json(blank_output(arena, output->root(), "gone")),
            R"({"e":[],"file":{"filePath":"gone","numLines":0},"none":null,"type":"text"})");
}

// --- the daemon's answers

TEST(DaemonAnswer, CallsAndBareDecisions) {
  const std::string decision = R"({"stage": "before", "capability": "c", "effect": "allow"})";
  const auto call = read_daemon_answer(R"({"id": "c-1", "decision": )" + decision + "}", "c", Stage::before);
  ASSERT_TRUE(call.ok()) << call.error().message;
  EXPECT_EQ(call->id, "c-1");
  EXPECT_EQ(call->decision.effect, Effect::allow);
  EXPECT_TRUE(read_daemon_answer(decision, "c", Stage::before).ok());
  const auto waits = read_daemon_answer(
      R"({"id": "", "decision": {"effect": "require_approval", "approval_id": "a-1"}})", "c", Stage::before);
  ASSERT_TRUE(waits.ok()) << waits.error().message;
  EXPECT_EQ(waits->id, "");
  EXPECT_EQ(waits->approval, "a-1");
}

TEST(DaemonAnswer, AnythingElseIsNotConsent) {
  for (const char* text :
       {"", "null", "[]", "{}", "{\"decision\": {}}", R"({"decision": "allow"})", R"({"effect": "ALLOW"})",
        R"({"id": "c", "decision": {"effect": "allow", "obligations": 5}})",
        R"({"id": "../x", "decision": {"effect": "allow"}})", R"({"id": 5, "decision": {"effect": "allow"}})",
        R"({"effect": "allow", "capability": "other"})", R"({"effect": "allow", "stage": "after"})",
        R"({"error": {"code": "x", "message": "y"}})", R"({"effect": "allow", "effect": "deny"})"}) {
    EXPECT_FALSE(read_daemon_answer(text, "c", Stage::before).ok()) << text;
  }
}

}  // namespace
}  // namespace ordain::agents
