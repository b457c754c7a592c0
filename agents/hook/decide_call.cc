#include "agents/hook/decide_call.h"

#include <utility>

#include "agents/hook/kept_calls.h"
#include "ordain/json.h"
#include "ordain/terminal_text.h"

namespace ordain::agents {
namespace {

Error unreadable(const std::string& what) { return {"daemon", "the daemon's answer cannot be read: " + what}; }

const Value* text_of(const Value& root, std::string_view name) {
  const Value* value = map_find(*root.map, name);
  return value != nullptr && value->is(Kind::string) ? value : nullptr;
}

/// The id at `name`; "" if there is none. @returns error if there is something else
Result<std::string> take_id(const Value& root, std::string_view name) {
  const Value* value = map_find(*root.map, name);
  if (value == nullptr || value->is(Kind::null) || (value->is(Kind::string) && value->aux == 0)) return std::string();
  if (!value->is(Kind::string) || !is_call_id(value->as_text())) return unreadable("its `" + std::string(name) + "`");
  return std::string(value->as_text());
}

/// What a refusal says: {"error": {"message"}}, or nothing that can be read.
std::string refusal_text(const HttpReply& reply) {
  std::string out = "the daemon refused to decide (" + std::to_string(reply.status) + ")";
  Arena arena;
  const Result<Value> root = parse_json(arena, reply.body);
  const Value* error = root && root->is(Kind::map) ? map_find(*root->map, "error") : nullptr;
  const Value* message = error != nullptr && error->is(Kind::map) ? text_of(*error, "message") : error;
  if (message != nullptr && message->is(Kind::string)) out += ": " + terminal_text(message->as_text());
  return out;
}

Result<DaemonAnswer> ask(const HookCall& call, const DaemonAddress& address, std::string_view path,
                         std::string_view json, Deadline deadline, int* status) {
  const Result<HttpReply> reply = ask_daemon(address, path, json, deadline);
  if (!reply) return reply.error();
  *status = reply->status;
  if (reply->status != 200) return Error{"daemon", refusal_text(*reply)};
  return read_daemon_answer(reply->body, call.capability, call.is_after() ? Stage::after : Stage::before);
}

std::string outcome_json(const HookCall& call) {
  return std::string(R"({"output":)") + to_json(call.output) + R"(,"status":")" +
         (call.moment == Moment::failed ? "failed" : "done") + "\"}";
}

Verdict verdict_without(const Error& error, const DaemonAddress& address) {
  return make_denial("Ordain could not decide, so nothing is allowed: " + error.message +
                     ". Start the daemon with: ordain serve --policies DIR --db DIR --socket " +
                     terminal_text(address.socket));
}

Verdict decide_before(const HookCall& call, const DaemonAddress& address, const std::string& kept, Deadline deadline) {
  const std::string body = R"({"event":)" + event_json(call, Stage::before) + "}";
  int status = 0;
  const Result<DaemonAnswer> answer = ask(call, address, "/v1/calls", body, deadline, &status);
  if (!answer) return verdict_without(answer.error(), address);
  if (answer->decision.effect == Effect::allow && !answer->id.empty()) {
    if (const std::string key = call_key(call); !key.empty()) keep_call(kept, address.socket + key, answer->id);
  }
  return verdict_of(answer->decision, answer->approval);
}

Verdict decide_after(const HookCall& call, const DaemonAddress& address, const std::string& kept, Deadline deadline) {
  int status = 0;
  const std::string key = call_key(call);
  if (const auto id = key.empty() ? std::nullopt : take_call(kept, address.socket + key)) {
    const Result<DaemonAnswer> answer =
        ask(call, address, "/v1/calls/" + *id + "/outcome", outcome_json(call), deadline, &status);
    // No rule sees the output of a call that failed, which the model reads all the same; and a daemon that
    // was started again does not know the call. In both cases its rules are asked about the output alone.
    const bool unseen = answer ? call.moment == Moment::failed : status == 404;
    if (!answer && !unseen) return verdict_without(answer.error(), address);
    if (answer && (!unseen || answer->decision.effect != Effect::allow)) return verdict_of(answer->decision, "");
  }
  const Result<DaemonAnswer> answer =
      ask(call, address, "/v1/decide", event_json(call, Stage::after), deadline, &status);
  return answer ? verdict_of(answer->decision, "") : verdict_without(answer.error(), address);
}

}  // namespace

Result<DaemonAnswer> read_daemon_answer(std::string_view json, std::string_view capability, Stage stage) {
  Arena arena;
  const Result<Value> root = parse_json(arena, json);
  if (!root) return unreadable(root.error().message);
  if (!root->is(Kind::map)) return unreadable("it is not an object");
  DaemonAnswer out;
  const Value* inner = map_find(*root->map, "decision");
  if (inner != nullptr) {
    Result<std::string> id = take_id(*root, "id");
    if (!id) return id.error();
    out.id = *std::move(id);
  }
  const Value& decision = inner != nullptr ? *inner : *root;
  Result<ParsedDecision> parsed = parse_decision(inner != nullptr ? to_json(decision) : std::string(json));
  if (!parsed) return unreadable(terminal_text(parsed.error().message));
  Result<std::string> approval = take_id(decision, "approval_id");
  if (!approval) return approval.error();
  out.approval = *std::move(approval);
  out.decision = *std::move(parsed);
  const bool staged = map_find(*decision.map, "stage") != nullptr;
  if ((staged && out.decision.stage != stage) ||
      (!out.decision.capability.empty() && out.decision.capability != capability)) {
    return unreadable("it is about another call");
  }
  return out;
}

Verdict decide_call(const HookCall& call, const DaemonAddress& address, const std::string& kept, Deadline deadline) {
  if (call.is_after()) return decide_after(call, address, kept, deadline);
  if (call.moment != Moment::permission) return decide_before(call, address, kept, deadline);
  // The hook before the call records it, and asks for approvals. This one only keeps the client's user
  // from being asked about a call that is denied.
  int status = 0;
  const Result<DaemonAnswer> answer =
      ask(call, address, "/v1/decide", event_json(call, Stage::before), deadline, &status);
  if (!answer) return verdict_without(answer.error(), address);
  return answer->decision.effect == Effect::deny ? verdict_of(answer->decision, "") : Verdict();
}

}  // namespace ordain::agents
