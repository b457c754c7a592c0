// Governed calls: tools/call, resources/read and prompts/get are decided before the server sees them, and again with
// what it answered.
#include <algorithm>
#include <array>
#include <utility>

#include "agents/mcp/json_text.h"
#include "agents/mcp/proxy.h"
#include "ordain/json.h"

namespace ordain::mcp {
namespace {

constexpr size_t kLongestQuestion = 8192;  // nobody reads more before agreeing

Error bad_params(std::string why) { return {"bad_params", std::move(why)}; }

/// Whether clients of this kind can show a form to their user.
bool declares_forms(const Value& params) {
  const Value* meta = member(params, "_meta");
  const Value* capabilities = meta == nullptr ? nullptr : member(*meta, "io.modelcontextprotocol/clientCapabilities");
  const Value* elicits = capabilities == nullptr ? nullptr : member(*capabilities, "elicitation");
  return elicits != nullptr && elicits->is(Kind::map) &&
         (elicits->map->count == 0 || member(*elicits, "form") != nullptr);
}

bool is_stateless(const Value& params) {
  const Value* meta = member(params, "_meta");
  return meta != nullptr && member(*meta, "io.modelcontextprotocol/protocolVersion") != nullptr;
}

bool has_own_state(const Value& params) { return text_member(params, "requestState").starts_with(kOwnState); }

/// What the client's user said to our question.
std::string_view own_action(const Value& params) {
  const Value* answers = member(params, "inputResponses");
  const Value* answer = answers == nullptr ? nullptr : member(*answers, kQuestion);
  return answer == nullptr ? std::string_view() : text_member(*answer, "action");
}

/// The parameters that rules see. For a tool its arguments; otherwise all but what belongs to the protocol.
Result<Document> input_of(const Value& params, bool is_tool) {
  if (is_tool) {
    const Value* arguments = member(params, "arguments");
    if (arguments == nullptr) return Document::parse("{}");
    if (!arguments->is(Kind::map)) return bad_params("`arguments` must be an object");
    return Document::copy_of(*arguments);
  }
  Arena arena(1024);
  auto* entries = arena.array<MapEntry>(params.map->count);
  size_t count = 0;
  for (const MapEntry& entry : params.map->all()) {
    const std::string_view key = entry.key.as_text();
    if (key != "_meta" && key != "requestState" && key != "inputResponses") entries[count++] = entry;
  }
  return Document::copy_of(Value::map_of(make_map(arena, {entries, count})));
}

/// The request with the effective input, and without what was meant for the proxy. If nothing has to change, the text
/// stays as it is.
std::string rewrite_call(const Message& message, bool is_tool, const Document& given, const Value& effective) {
  const Value* params = member(message.value, "params");
  const bool own = has_own_state(*params);
  const bool same = equal(given.root(), effective);
  if (!own && same) return std::string(message.text);
  const std::optional<Piece> place = find_member(message.text, whole(message.text), "params");
  std::string out = "{";
  for (const Member& each : members(message.text, *place)) {
    if (own && (each.key == "requestState" || each.key == "inputResponses")) continue;
    std::string value(each.value.of(message.text));
    if (!same && is_tool && each.key == "arguments") value = to_json(effective);
    if (!same && !is_tool && member(given.root(), each.key) != nullptr) {
      const Value* kept = member(effective, each.key);
      if (kept == nullptr) continue;
      value = to_json(*kept);
    }
    if (out.size() > 1) out += ',';
    append_json_string(out, each.key);
    out += ':' + value;
  }
  return replace_piece(message.text, *place, out + "}");
}

/// The output that rules see: the result, or an object with the error.
Result<Document> output_of(const Message& message, bool is_tool) {
  if (const Value* error = member(message.value, "error")) {
    const std::array<MapEntry, 1> entry{MapEntry{Value::string("error"), *error}};
    Arena arena(256);
    return Document::copy_of(Value::map_of(make_map(arena, entry)));
  }
  const Value* result = member(message.value, "result");
  if (result == nullptr || !result->is(Kind::map)) return Error{"bad_result", "the server's result is not an object"};
  const bool is_task = text_member(*result, "resultType") == "task" || member(*result, "task") != nullptr;
  if (is_tool && is_task) {
    return Error{"task", "the server made a task of the call, whose output could not be governed"};
  }
  return Document::copy_of(*result);
}

}  // namespace

Result<Proxy::CallPlan> Proxy::plan_call(const Message& message) const {
  const Value* params = member(message.value, "params");
  if (text_member(message.value, "jsonrpc") != "2.0") return bad_params("`jsonrpc` must be \"2.0\"");
  if (params == nullptr || !params->is(Kind::map)) return bad_params("`params` must be an object");
  const std::string odd =
      find_confusable(*params, {"name", "arguments", "uri", "_meta", "task", "requestState", "inputResponses"});
  if (!odd.empty()) return bad_params("the parameter `" + odd + "` could be taken for another one");
  CallPlan out;
  out.is_tool = message.method == "tools/call";
  out.stateless = is_stateless(*params);
  const Value* name = member(*params, message.method == "resources/read" ? "uri" : "name");
  if (name == nullptr || !name->is(Kind::string) || name->as_text().empty()) {
    return bad_params(message.method == "resources/read" ? "`uri` must be a text" : "`name` must be a text");
  }
  if (out.is_tool && member(*params, "task") != nullptr) {
    return bad_params("tools cannot be run as tasks here, because the output of a task is not governed");
  }
  out.capability = "mcp." + options_.server + ".";
  if (out.is_tool) {
    out.tool = name->as_text();
    out.capability += out.tool;
  } else {
    out.capability += message.method == "resources/read" ? "resources.read" : "prompts.get";
  }
  Result<Document> input = input_of(*params, out.is_tool);
  if (!input) return input.error();
  out.input = std::move(*input);
  out.may_ask = options_.elicit != Elicit::never && (out.stateless ? declares_forms(*params) : client_elicits_);
  if (!has_own_state(*params)) return out;
  const std::string_view action = own_action(*params);
  out.answered = true;
  const bool votes = options_.elicit == Elicit::vote && (action == "accept" || action == "decline");
  out.refused = action != "accept" && !votes;
  if (votes) {
    const std::string_view state = text_member(*params, "requestState");
    out.answer = ClientAnswer{std::string(state.substr(kOwnState.size())), action == "accept"};
  }
  return out;
}

void Proxy::refuse(std::string_view id, bool is_tool, bool stateless, const Refusal& refusal, Messages& out) {
  out.to_client.push_back(is_tool ? tool_reply(id, refusal.text, true, stateless) : refusal_error(id, refusal));
}

void Proxy::govern(const Message& message, Messages& out) {
  Result<CallPlan> plan = plan_call(message);
  if (!plan) {
    out.to_client.push_back(error_reply(message.id, kInvalidParams, plan.error().message));
    return;
  }
  if (plan->refused) {
    const Value* params = member(message.value, "params");
    const std::string approval(text_member(*params, "requestState").substr(kOwnState.size()));
    return refuse(message.id, plan->is_tool, plan->stateless,
                  {"the call has not run: the person asked did not agree", "", approval}, out);
  }
  if (kept_texts() >= options_.most_calls) {
    return refuse(message.id, plan->is_tool, plan->stateless, {"denied: too many calls wait; try again later"}, out);
  }
  if (plan->is_tool && !listed_) return list_tools(message, out);
  decide(message, std::move(*plan), out);
}

size_t Proxy::kept_texts() const {
  return static_cast<size_t>(std::count_if(requests_.begin(), requests_.end(), [](const auto& each) {
    return each.second.kind == RequestKind::held || each.second.kind == RequestKind::asking;
  }));
}

void Proxy::decide(const Message& message, CallPlan plan, Messages& out) {
  if (plan.is_tool) {
    if (const std::string problem = tool_problem(plan.tool); !problem.empty()) {
      return refuse(message.id, true, plan.stateless, {"denied: " + problem}, out);
    }
  }
  if (calls_ >= options_.most_calls) {
    return refuse(message.id, plan.is_tool, plan.stateless, {"denied: too many calls at a time; try again later"}, out);
  }
  auto call =
      std::make_unique<GovernedCall>(runtime_, GovernedRequest{plan.capability, plan.input, plan.answer, plan.is_tool});
  if (!call->may_run()) {
    const Outcome<Document> outcome = call->outcome();
    const Pending* pending = outcome.pending();
    if (pending != nullptr && plan.may_ask && !plan.answered) return ask(message, plan, *pending, out);
    return refuse(message.id, plan.is_tool, plan.stateless, refusal_of(outcome), out);
  }
  ++calls_;
  Request request;
  request.kind = RequestKind::call;
  request.id = message.id;
  request.is_tool = plan.is_tool;
  request.stateless = plan.stateless;
  out.to_server.push_back(rewrite_call(message, plan.is_tool, plan.input, call->input()));
  request.call = std::move(call);
  requests_.insert_or_assign(message.key, std::move(request));
}

std::string Proxy::question_about(const Pending& pending) const {
  const Result<Approval> approval = runtime_.approvals().show(pending.approval_id, runtime_.now_ns());
  if (!approval) return "";
  std::string out = describe(*approval);
  if (options_.elicit == Elicit::vote) {
    out += "\nMay it run?";
  } else {
    out += "\nIt can be approved with `ordain approvals approve`. Accept once that is done.";
  }
  return out.size() <= kLongestQuestion ? out : "";
}

void Proxy::ask(const Message& message, const CallPlan& plan, const Pending& pending, Messages& out) {
  const std::string question = question_about(pending);
  if (question.empty()) return refuse(message.id, plan.is_tool, plan.stateless, refusal_of(pending), out);
  if (plan.stateless) {
    out.to_client.push_back(input_required_reply(message.id, question, pending.approval_id));
    return;
  }
  Request request;
  request.kind = RequestKind::asking;
  request.id = message.id;
  request.is_tool = plan.is_tool;
  request.text = message.text;
  request.question = new_id();
  request.pending = refusal_of(pending);
  out.to_client.push_back(elicitation_request(request.question, question));
  questions_.emplace("s" + request.question, message.key);
  requests_.insert_or_assign(message.key, std::move(request));
}

void Proxy::finish(Request request, const Message& message, Messages& out) {
  const Result<Document> output = output_of(message, request.is_tool);
  const Outcome<Document> outcome = request.call->finish(output);
  --calls_;
  if (!outcome) return refuse(request.id, request.is_tool, request.stateless, refusal_of(outcome), out);
  release(request, *output, *outcome, message, out);
}

void Proxy::release(Request& request, const Document& given, const Document& released, const Message& message,
                    Messages& out) {
  if (equal(given.root(), released.root())) {
    out.to_client.emplace_back(message.text);
    return;
  }
  const bool is_error = member(message.value, "error") != nullptr;
  const Value* redacted = is_error ? member(released.root(), "error") : &released.root();
  if (redacted == nullptr || !redacted->is(Kind::map)) {  // a rule replaced all of it
    const std::string text = redacted != nullptr && redacted->is(Kind::string) ? std::string(redacted->as_text())
                                                                               : "a policy redacted the result";
    if (request.is_tool) {
      out.to_client.push_back(tool_reply(request.id, text, is_error, request.stateless));
    } else {
      out.to_client.push_back(refusal_error(request.id, {text}));
    }
    return;
  }
  const std::string_view name = is_error ? "error" : "result";
  const std::optional<Piece> place = find_member(message.text, whole(message.text), name);
  out.to_client.push_back(replace_piece(message.text, *place, to_json(*redacted)));
}

}  // namespace ordain::mcp
