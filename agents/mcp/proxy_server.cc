// What the server sends. An answer passes only to a request that has the very id, and only once: a client that takes
// "5" for 5 would else read an output that nobody governed.
#include <array>
#include <utility>

#include "agents/mcp/json_text.h"
#include "agents/mcp/proxy.h"
#include "ordain/json.h"

namespace ordain::mcp {
namespace {

/// The answer to `initialize` without the offer to run calls as tasks, whose outputs would not be governed.
std::string without_tasks(const Message& message) {
  const std::optional<Piece> result = find_member(message.text, whole(message.text), "result");
  const std::optional<Piece> place =
      result ? find_member(message.text, *result, "capabilities") : std::optional<Piece>();
  if (!place || !find_member(message.text, *place, "tasks")) return std::string(message.text);
  std::string out = "{";
  for (const Member& each : members(message.text, *place)) {
    if (each.key == "tasks") continue;
    if (out.size() > 1) out += ',';
    append_json_string(out, each.key);
    out += ':';
    out += each.value.of(message.text);
  }
  return replace_piece(message.text, *place, out + "}");
}

}  // namespace

void Proxy::take_from_server(const Message& message, Messages& out) {
  if (message.kind == MessageKind::response) return take_server_answer(message, out);
  if (message.method == "notifications/tools/list_changed") {
    listed_ = false;
    client_listing_ = {};
  }
  out.to_client.emplace_back(message.text);
}

void Proxy::take_server_answer(const Message& message, Messages& out) {
  if (message.key.empty()) {  // about a message whose id the server could not read
    if (member(message.value, "result") == nullptr) {
      out.to_client.emplace_back(message.text);
    } else {
      out.notes.emplace_back("dropped a result of the server without an id");
    }
    return;
  }
  if (was_cancelled(message.key)) {
    cancelled_.erase(sha256(message.key));
    return;
  }
  const auto found = requests_.find(message.key);
  const bool waits =
      found != requests_.end() && found->second.kind != RequestKind::held && found->second.kind != RequestKind::asking;
  if (!waits) {
    out.notes.push_back("dropped an answer of the server to no request: id " + message.id);
    return;
  }
  Request request = std::move(found->second);
  requests_.erase(found);
  switch (request.kind) {
    case RequestKind::handshake: {
      const Value* result = member(message.value, "result");
      batches_ = result != nullptr && text_member(*result, "protocolVersion") == "2025-03-26";
      out.to_client.push_back(without_tasks(message));
      return;
    }
    case RequestKind::list:
    case RequestKind::own_list:
      return take_list(std::move(request), message, out);
    case RequestKind::call:
      return finish(std::move(request), message, out);
    case RequestKind::plain:
    case RequestKind::held:
    case RequestKind::asking:
      break;
  }
  out.to_client.emplace_back(message.text);
}

Messages Proxy::too_long_from_server(std::string_view id) {
  Messages out;
  if (id.empty()) {
    out.notes.emplace_back("dropped a message of the server that cannot be read, or is too long");
    return out;
  }
  Arena arena(1024);
  const Result<Value> value = parse_json(arena, id);
  std::array<MapEntry, 1> entry{MapEntry{Value::string("id"), value.ok() ? *value : Value::null()}};
  const Result<Message> named = read_message("{}", Value::map_of(make_map(arena, entry)));
  auto node = named.ok() ? requests_.extract(named->key) : decltype(requests_)::node_type();
  if (node.empty()) return out;
  const RequestKind kind = node.mapped().kind;
  if (kind == RequestKind::held || kind == RequestKind::asking) {  // the server has not got it yet
    requests_.insert(std::move(node));
    return out;
  }
  fail_request(std::move(node.mapped()), "the server's answer cannot be read, or is too long", out);
  return out;
}

void Proxy::fail_request(Request request, std::string_view why, Messages& out) {
  switch (request.kind) {
    case RequestKind::own_list:
      return end_listing(why, out);
    case RequestKind::call: {
      const Outcome<Document> outcome = request.call->finish(Error{"no_answer", std::string(why)});
      --calls_;
      return refuse(request.id, request.is_tool, request.stateless, refusal_of(outcome), out);
    }
    case RequestKind::asking:
      out.to_client.push_back(cancelled_notification(request.question));
      questions_.erase("s" + request.question);
      [[fallthrough]];
    case RequestKind::held:
      return refuse(request.id, request.is_tool, request.stateless, {"the call has not run: " + std::string(why)}, out);
    case RequestKind::plain:
    case RequestKind::handshake:
    case RequestKind::list:
      out.to_client.push_back(error_reply(request.id, kInternalError, why));
      return;
  }
}

Messages Proxy::server_ended() {
  Messages out;
  // One request can end others, so each is taken out before it is answered.
  while (!requests_.empty()) {
    auto node = requests_.extract(requests_.begin());
    fail_request(std::move(node.mapped()), "the server ended", out);
  }
  return out;
}

}  // namespace ordain::mcp
