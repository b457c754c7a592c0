// hook_fuzz reads any text as what a coding agent writes to its hook, and as what a daemon answers. A
// call that can be read must be an event, its denial must be an answer that each client obeys, and no
// text may be an answer of the daemon that allows more than it says.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "agents/hook/answers.h"
#include "agents/hook/decide_call.h"
#include "agents/hook/hook_call.h"
#include "agents/hook/http_message.h"
#include "agents/hook/withhold.h"
#include "ordain/json.h"

namespace {

using namespace ordain;
using namespace ordain::agents;

constexpr std::string_view kReason = "because of the fuzzer";

void demand(bool holds, const char* what, std::string_view detail = "") {
  if (holds) return;
  std::fprintf(stderr, "\n%s: %.*s\n", what, static_cast<int>(detail.size()), detail.data());
  std::abort();
}

// Parses what was written. A call that is nested as deeply as can be read is deeper within an answer,
// which is then not read back.
std::optional<Document> parsed(const std::string& json, const char* what) {
  Result<Document> out = Document::parse(json);
  if (out.ok()) return *std::move(out);
  demand(out.error().message.starts_with("nested deeper"), what, json);
  return std::nullopt;
}

std::string text_at(const Value& object, std::string_view name) {
  const Value* value = object.is(Kind::map) ? map_find(*object.map, name) : nullptr;
  return value != nullptr && value->is(Kind::string) ? std::string(value->as_text()) : std::string();
}

void check_denial(const HookCall& call, const Answer& answer) {
  demand(answer.exit_code == 0 && answer.error.empty(), "a denial that is not an answer", answer.error);
  const std::optional<Document> read = parsed(answer.out, "a denial that is not JSON");
  if (!read) return;
  const Value& said = read->root();
  const Value* specific = map_find(*said.map, "hookSpecificOutput");
  if (call.client == Client::gemini) {
    demand(text_at(said, "decision") == "deny" && text_at(said, "reason") == kReason, "not denied", answer.out);
  } else if (call.is_after()) {
    demand(text_at(said, "decision") == "block" && text_at(said, "reason") == kReason, "not withheld", answer.out);
    const bool replaced = specific != nullptr && map_find(*specific->map, "updatedToolOutput") != nullptr;
    demand(replaced == (call.client == Client::claude && call.moment == Moment::after), "not replaced", answer.out);
  } else {
    demand(specific != nullptr && text_at(*specific, "hookEventName") == call.event_name, "of another event",
           answer.out);
    const Value* decision = map_find(*specific->map, "decision");
    demand(text_at(*specific, "permissionDecision") == "deny" ||
               (decision != nullptr && text_at(*decision, "behavior") == "deny"),
           "not denied", answer.out);
  }
}

// A verdict that redacts a part must change it, or deny.
void check_redaction(Arena& arena, const HookCall& call) {
  Verdict verdict;
  ParsedDecision::Obligation redact;
  redact.kind = RuleKind::redact;
  redact.path = call.is_after() ? "output" : "input.command";
  redact.with = Document::copy_of(Value::string("***"));
  verdict.redactions.push_back(redact);
  const Answer answer = write_answer(arena, call, verdict);
  demand(answer.exit_code == 0, "a redaction is not an answer", answer.error);
  demand(call.moment == Moment::permission || !answer.out.empty(), "a redaction that is consent");
  if (!answer.out.empty()) parsed(answer.out, "a redaction that is not JSON");
}

void read_as_call(Client client, std::string_view text) {
  Arena arena;
  const Result<HookCall> call = read_hook_call(arena, client, text);
  if (!call) return demand(!call.error().message.empty(), "a refusal without a reason");
  if (call->moment == Moment::other) return;
  if (call->moment == Moment::unknown) {
    demand(write_answer(arena, *call, make_denial("x")).exit_code == 2, "an unknown event is not refused");
    return;
  }
  check_denial(*call, write_answer(arena, *call, make_denial(std::string(kReason))));
  if (!call->flaw.empty()) return;
  const std::string event = event_json(*call, call->is_after() ? Stage::after : Stage::before);
  const std::optional<Document> document = parsed(event, "an event that is not JSON");
  demand(document.has_value(), "an event that is nested too deeply", event);
  demand(text_at(document->root(), "capability") == call->capability && !call->capability.empty(), "another capability",
         event);
  demand(call->capability.starts_with("agent.") || call->capability.starts_with("mcp."), "a strange capability", event);
  demand(to_json(with_their_names(arena, *call, call->input)).size() > 1, "an input without a form");
  check_redaction(arena, *call);
}

void read_as_daemon(std::string_view text) {
  HttpReply reply;
  std::string why;
  const HttpState state = read_http_reply(text, &reply, &why);
  demand((state == HttpState::broken) == !why.empty(), "a broken message without a reason");
  if (state == HttpState::complete) {
    demand(text.ends_with(reply.body) && reply.status >= 200, "a body from nowhere");
    // What is complete was incomplete before its last byte, and is broken with another.
    const bool earlier = read_http_reply(text.substr(0, text.size() - 1), &reply, &why) == HttpState::incomplete;
    demand(earlier, "an answer that ends twice");
  }
  const Result<DaemonAnswer> answer = read_daemon_answer(text, "c", Stage::before);
  if (!answer)
    return demand(answer.error().code == "daemon" && !answer.error().message.empty(), "an error without a reason");
  if (answer->decision.effect == Effect::allow) {
    demand(text.find("allow") != std::string_view::npos || text.find("\\u") != std::string_view::npos,
           "consent from nowhere", text);
  }
  demand(verdict_of(answer->decision, "").denied == (answer->decision.effect != Effect::allow), "another verdict",
         text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const Client client : {Client::claude, Client::codex, Client::gemini}) read_as_call(client, text);
  read_as_daemon(text);
  return 0;
}
