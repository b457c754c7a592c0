// What the client sends. A line that is not surely understood never reaches the server, because the server might read a
// call in it.
#include <array>
#include <utility>

#include "agents/mcp/json_text.h"
#include "agents/mcp/proxy.h"
#include "ordain/json.h"

namespace ordain::mcp {
namespace {

constexpr size_t kMostCancelled = 65'536;  // requests that were cancelled and have no answer

bool is_blank_line(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

/// The id of a line that cannot be read.
std::string id_of_unread(std::string_view line) {
  IdFinder finder;
  finder.read(line);
  return finder.id();
}

bool is_governed(std::string_view method) {
  return method == "tools/call" || method == "resources/read" || method == "prompts/get";
}

/// Reads each message of a batch. @returns error "bad_message" if one cannot be read
Result<std::vector<Message>> read_batch(std::string_view text, const Value& list) {
  std::vector<Message> out;
  const std::vector<Piece> pieces = elements(text, whole(text));
  if (pieces.size() != list.aux || pieces.empty()) return Error{"bad_message", "a batch must hold messages"};
  for (size_t i = 0; i < pieces.size(); ++i) {
    auto message = read_message(pieces[i].of(text), list.items[i]);
    if (!message) return message.error();
    out.push_back(std::move(*message));
  }
  return out;
}

/// Whether exactly the messages of the batch are passed on, so that the batch itself can be.
bool passes_whole(const std::vector<Message>& batch, const std::vector<std::string>& passed) {
  if (batch.size() != passed.size()) return false;
  for (size_t i = 0; i < batch.size(); ++i) {
    if (batch[i].text != passed[i]) return false;
  }
  return true;
}

}  // namespace

Proxy::Proxy(Runtime runtime, ProxyOptions options)
    : runtime_(std::move(runtime)), options_(std::move(options)), pins_(options_.pins, options_.server) {}

std::string Proxy::new_id() const { return "ordain-" + Id128::random().hex(); }

Messages Proxy::from_client(std::string_view line) {
  Messages out;
  if (is_blank_line(line)) return out;
  const auto refuse_line = [&](int code, std::string_view why) {
    out.to_client.push_back(error_reply(id_of_unread(line), code, why));
    return std::move(out);
  };
  if (is_broken_by_return(line)) return refuse_line(kParseError, "a carriage return within a message");
  Arena arena(4096);
  const Result<Value> root = parse_json(arena, line);
  if (!root) return refuse_line(kParseError, "the message cannot be read: " + root.error().message);
  if (!root->is(Kind::list)) {
    const Result<Message> message = read_message(line, *root);
    if (!message) return refuse_line(kInvalidRequest, message.error().message);
    take_from_client(*message, out);
    return out;
  }
  if (!batches_) return refuse_line(kInvalidRequest, "this revision of the protocol has no batches");
  const auto batch = read_batch(line, *root);
  if (!batch) return refuse_line(kInvalidRequest, batch.error().message);
  for (const Message& message : *batch) take_from_client(message, out);
  if (passes_whole(*batch, out.to_server)) out.to_server.assign(1, std::string(line));
  return out;
}

Messages Proxy::from_server(std::string_view line) {
  Messages out;
  if (is_blank_line(line)) return out;
  // Whoever waits for an answer that cannot be read gets an error instead.
  const auto drop_line = [&](const std::string& why) {
    out.notes.push_back("dropped a message of the server: " + why);
    Messages rest = too_long_from_server(id_of_unread(line));
    out.to_client = std::move(rest.to_client);
    return std::move(out);
  };
  if (is_broken_by_return(line)) return drop_line("a carriage return within it");
  Arena arena(4096);
  const Result<Value> root = parse_json(arena, line);
  if (!root) return drop_line(root.error().message);
  if (!root->is(Kind::list)) {
    const Result<Message> message = read_message(line, *root);
    if (!message) return drop_line(message.error().message);
    take_from_server(*message, out);
    return out;
  }
  const auto batch = read_batch(line, *root);
  if (!batch) return drop_line(batch.error().message);
  for (const Message& message : *batch) take_from_server(message, out);
  if (passes_whole(*batch, out.to_client)) out.to_client.assign(1, std::string(line));
  return out;
}

Messages Proxy::too_long_from_client(std::string_view id) {
  Messages out;
  out.to_client.push_back(error_reply(id, kInvalidRequest, "the message is too long"));
  return out;
}

void Proxy::take_from_client(const Message& message, Messages& out) {
  switch (message.kind) {
    case MessageKind::request:
      return take_request(message, out);
    case MessageKind::notification:
      return take_notification(message, out);
    case MessageKind::response:
      return take_client_answer(message, out);
    case MessageKind::other:
      out.to_server.emplace_back(message.text);
      return;
  }
}

void Proxy::take_request(const Message& message, Messages& out) {
  if (requests_.contains(message.key) || was_cancelled(message.key)) {
    // With the id, the client would take the error for the answer to the earlier request.
    out.to_client.push_back(
        error_reply("", kInvalidRequest, "a request with the id " + message.id + " is not answered yet"));
    return;
  }
  if (requests_.size() >= options_.most_requests || cancelled_.size() >= kMostCancelled) {
    out.to_client.push_back(error_reply(message.id, kInternalError, "too many requests without an answer"));
    return;
  }
  if (is_governed(message.method)) return govern(message, out);
  Request request;
  request.id = message.id;
  if (message.method == "initialize") {
    request.kind = RequestKind::handshake;
    note_client(message);
  } else if (message.method == "tools/list") {
    request.kind = RequestKind::list;
    const Value* params = member(message.value, "params");
    if (params != nullptr) request.cursor = text_member(*params, "cursor");
  }
  requests_.emplace(message.key, std::move(request));
  out.to_server.emplace_back(message.text);
}

bool Proxy::was_cancelled(const std::string& key) const {
  return !cancelled_.empty() && cancelled_.contains(sha256(key));
}

void Proxy::note_client(const Message& message) {
  const Value* params = member(message.value, "params");
  const Value* capabilities = params == nullptr ? nullptr : member(*params, "capabilities");
  const Value* elicits = capabilities == nullptr ? nullptr : member(*capabilities, "elicitation");
  // Clients of the first revision with elicitation declare an empty object, and have forms alone.
  client_elicits_ =
      elicits != nullptr && elicits->is(Kind::map) && (elicits->map->count == 0 || member(*elicits, "form") != nullptr);
}

void Proxy::take_notification(const Message& message, Messages& out) {
  if (is_governed(message.method)) {
    out.to_client.push_back(error_reply("", kInvalidRequest, message.method + " needs an id"));
    return;
  }
  if (message.method != "notifications/cancelled") {
    out.to_server.emplace_back(message.text);
    return;
  }
  // The id of the request is read as the id of a message is.
  const Value* params = member(message.value, "params");
  const Value* id = params == nullptr ? nullptr : member(*params, "requestId");
  Arena arena(256);
  std::array<MapEntry, 1> entry{MapEntry{Value::string("id"), id != nullptr ? *id : Value::null()}};
  const Result<Message> named = read_message("{}", Value::map_of(make_map(arena, entry)));
  auto node = named.ok() ? requests_.extract(named->key) : decltype(requests_)::node_type();
  if (node.empty() || !cancel(node.key(), std::move(node.mapped()), out)) out.to_server.emplace_back(message.text);
}

/// Ends a request that the client does not want any more. @returns whether the server knows nothing of it
bool Proxy::cancel(const std::string& key, Request request, Messages& out) {
  // The server may still answer it. Another request with this id would get that answer, and may be one that is not
  // governed.
  if (request.kind == RequestKind::call || request.kind == RequestKind::list) cancelled_.insert(sha256(key));
  if (request.kind == RequestKind::call) {
    (void)request.call->finish(Error{"cancelled", "the client cancelled the call"});
    --calls_;
  }
  if (request.kind == RequestKind::asking) {
    out.to_client.push_back(cancelled_notification(request.question));
    questions_.erase("s" + request.question);
  }
  return request.kind == RequestKind::held || request.kind == RequestKind::asking;
}

void Proxy::take_client_answer(const Message& message, Messages& out) {
  const auto question = questions_.find(message.key);
  if (question == questions_.end()) {
    out.to_server.emplace_back(message.text);
    return;
  }
  const std::string key = question->second;
  questions_.erase(question);
  auto node = requests_.extract(key);
  if (node.empty()) return;
  const Request request = std::move(node.mapped());
  const Value* result = member(message.value, "result");
  const std::string_view action = result == nullptr ? std::string_view() : text_member(*result, "action");
  const bool accepts = action == "accept";
  const bool votes = options_.elicit == Elicit::vote && (accepts || action == "decline");
  Arena arena(4096);
  const Result<Value> root = parse_json(arena, request.text);
  const Result<Message> call = root.ok() ? read_message(request.text, *root) : Result<Message>(root.error());
  Result<CallPlan> plan = call.ok() ? plan_call(*call) : Result<CallPlan>(call.error());
  if ((!accepts && !votes) || !plan.ok()) {
    return refuse(request.id, request.is_tool, request.stateless, request.pending, out);
  }
  plan->answered = true;
  if (votes) plan->answer = ClientAnswer{request.pending.approval, accepts};
  decide(*call, std::move(*plan), out);
}

}  // namespace ordain::mcp
