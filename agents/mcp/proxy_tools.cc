// The server's tools: what the client is shown of them, and which may be called. The proxy asks for the list itself
// before the first call, because a client need not.
#include <utility>

#include "agents/mcp/json_text.h"
#include "agents/mcp/proxy.h"
#include "ordain/json.h"
#include "ordain/possible.h"
#include "runtime/identity/scopes.h"

namespace ordain::mcp {
namespace {

constexpr size_t kMostPages = 1000;

/// Members of `_meta` that a request of a revision without sessions must have, as JSON without the braces.
std::string protocol_meta(const Message& message) {
  const std::optional<Piece> params = find_member(message.text, whole(message.text), "params");
  const std::optional<Piece> meta = params ? find_member(message.text, *params, "_meta") : std::optional<Piece>();
  std::string out;
  if (!meta) return out;
  for (const Member& each : members(message.text, *meta)) {
    if (!each.key.starts_with("io.modelcontextprotocol/")) continue;
    if (!out.empty()) out += ',';
    append_json_string(out, each.key);
    out += ':';
    out += each.value.of(message.text);
  }
  return out;
}

/// The list of tools in an answer; nullptr if there is none.
const Value* tools_of(const Message& message) {
  const Value* result = member(message.value, "result");
  const Value* tools = result == nullptr ? nullptr : member(*result, "tools");
  return tools != nullptr && tools->is(Kind::list) ? tools : nullptr;
}

std::string_view next_cursor(const Message& message) {
  const Value* result = member(message.value, "result");
  return result == nullptr ? std::string_view() : text_member(*result, "nextCursor");
}

/// These names stand for what is not a tool.
bool is_reserved(std::string_view tool) { return tool == "resources.read" || tool == "prompts.get"; }

}  // namespace

std::string Proxy::tool_problem(const std::string& tool) const {
  if (is_reserved(tool)) return "no tool may have the name " + tool;
  const auto listed = tools_.find(tool);
  if (listed == tools_.end()) return "the server does not list a tool " + tool;
  if (accepted_.contains(tool)) return "";
  const Result<PinTable> table = pins_.read();  // it may have been accepted by now
  if (!table) return table.error().message;
  const auto pinned = table->accepted.find(tool);
  if (pinned != table->accepted.end() && pinned->second == listed->second) return "";
  return "the definition of the tool " + tool + " is " + (pinned == table->accepted.end() ? "new" : "changed") +
         " and was not accepted (ordain mcp accept)";
}

void Proxy::list_tools(const Message& call, Messages& out) {
  Request held;
  held.kind = RequestKind::held;
  held.id = call.id;
  held.is_tool = true;
  const Value* params = member(call.value, "params");
  const Value* meta = params == nullptr ? nullptr : member(*params, "_meta");
  held.stateless = meta != nullptr && member(*meta, "io.modelcontextprotocol/protocolVersion") != nullptr;
  held.text = call.text;
  requests_.insert_or_assign(call.key, std::move(held));
  if (listing_) return;
  listing_ = true;
  own_listing_ = {};
  own_listing_.meta = protocol_meta(call);
  Request request;
  request.kind = RequestKind::own_list;
  request.id = new_id();
  out.to_server.push_back(list_request(request.id, "", own_listing_.meta));
  const std::string key = "s" + request.id;
  requests_.emplace(key, std::move(request));
}

void Proxy::take_list(Request request, const Message& message, Messages& out) {
  const bool own = request.kind == RequestKind::own_list;
  if (tools_of(message) == nullptr) {
    if (own) return end_listing("the server's tools cannot be listed", out);
    if (member(message.value, "error") != nullptr) {
      out.to_client.emplace_back(message.text);
    } else {
      out.to_client.push_back(error_reply(request.id, kInternalError, "the server's list of tools cannot be read"));
    }
    return;
  }
  Listing& listing = own ? own_listing_ : client_listing_;
  const bool known = note_page(listing, request, message, out);
  if (!own) filter_list(message, out);
  if (!known && own) return end_listing("the server's tools cannot be compared with the accepted ones", out);
  if (!listing.whole || !listing.next.empty()) {
    if (!own) return;
    if (!listing.whole || listing.pages >= kMostPages) return end_listing("the server's list of tools has no end", out);
    Request next;
    next.kind = RequestKind::own_list;
    next.id = new_id();
    next.cursor = listing.next;
    out.to_server.push_back(list_request(next.id, listing.next, listing.meta));
    const std::string key = "s" + next.id;
    requests_.emplace(key, std::move(next));
    return;
  }
  listed_ = known;
  tools_ = listing.tools;
  if (own) end_listing("", out);
}

/// Compares the tools of one page with the accepted ones. @returns whether that was possible
bool Proxy::note_page(Listing& listing, const Request& request, const Message& message, Messages& out) {
  const std::string_view next = next_cursor(message);
  if (request.cursor.empty()) {
    const std::string meta = std::move(listing.meta);
    listing = {};
    listing.meta = meta;
    listing.whole = true;
  } else {
    listing.whole = listing.whole && request.cursor == listing.next;
  }
  if (!listing.whole) listing.tools.clear();  // pages in any order are compared one by one
  listing.next = next;
  ++listing.pages;
  std::map<std::string, std::string, std::less<>> page;
  for (const Value& tool : tools_of(message)->as_list()) {
    const std::string name(text_member(tool, "name"));
    if (name.empty()) continue;
    const std::string definition = to_json(tool);
    // Two definitions of one name are another definition than either.
    const auto [at, fresh] = page.emplace(name, definition);
    if (!fresh) at->second += definition;
  }
  for (const auto& [name, definition] : page) {
    const auto [at, fresh] = listing.tools.emplace(name, definition);
    if (!fresh) at->second += definition;
  }
  const bool complete = listing.whole && listing.next.empty();
  const Result<void> noted = pins_.change([&](PinTable& table) {
    bool changed = false;
    for (const auto& [name, definition] : page) {
      const std::string& whole_definition = listing.tools.find(name)->second;
      const PinState state = judge_definition(table, name, whole_definition, &changed);
      if (state == PinState::accepted) {
        accepted_.insert(name);
        continue;
      }
      accepted_.erase(name);
      out.notes.push_back("the tool " + name + " is hidden: its definition is " +
                          (state == PinState::added ? "new" : "changed") + " (ordain mcp accept)");
    }
    if (complete && !table.complete) table.complete = changed = true;
    return changed;
  });
  if (noted.ok()) return true;
  out.notes.push_back(noted.error().message);
  for (const auto& [name, definition] : page) accepted_.erase(name);
  return false;
}

/// Passes on a page without the tools that could never be called.
void Proxy::filter_list(const Message& message, Messages& out) {
  const Value& tools = *tools_of(message);
  const std::shared_ptr<const Program> program = runtime_.program();
  const Identity who = runtime_.identity();
  const std::shared_ptr<const Context> context = who.context(program);
  const auto is_shown = [&](const Value& tool) {
    const std::string_view name = text_member(tool, "name");
    if (name.empty() || is_reserved(name) || !accepted_.contains(name)) return false;
    const std::string capability = "mcp." + options_.server + "." + std::string(name);
    return detail::missing_scope(*program, program->resolve(capability).id, who.who()).empty() &&
           may_be_allowed(*program, capability, *context, options_.decide);
  };
  const std::optional<Piece> result = find_member(message.text, whole(message.text), "result");
  const std::optional<Piece> place = find_member(message.text, *result, "tools");
  const std::vector<Piece> pieces = elements(message.text, *place);
  std::string shown = "[";
  size_t count = 0;
  for (size_t i = 0; i < pieces.size() && i < tools.aux; ++i) {
    if (!is_shown(tools.items[i])) continue;
    if (count++ != 0) shown += ',';
    shown += pieces[i].of(message.text);
  }
  if (count == tools.aux) {
    out.to_client.emplace_back(message.text);
  } else {
    out.to_client.push_back(replace_piece(message.text, *place, shown + "]"));
  }
}

/// Decides the calls that waited for the list. @param problem why they cannot be decided; "" if they can
void Proxy::end_listing(std::string_view problem, Messages& out) {
  listing_ = false;
  std::vector<Request> held;
  for (auto at = requests_.begin(); at != requests_.end();) {
    const auto here = at++;
    if (here->second.kind != RequestKind::held) continue;
    held.push_back(std::move(here->second));
    requests_.erase(here);
  }
  for (Request& request : held) {
    Arena arena(4096);
    const Result<Value> root = parse_json(arena, request.text);
    const Result<Message> call = root.ok() ? read_message(request.text, *root) : Result<Message>(root.error());
    Result<CallPlan> plan = call.ok() ? plan_call(*call) : Result<CallPlan>(call.error());
    if (!problem.empty() || !plan.ok()) {
      const std::string why = problem.empty() ? plan.error().message : std::string(problem);
      refuse(request.id, true, request.stateless, {"the call has not run: " + why}, out);
    } else {
      decide(*call, std::move(*plan), out);
    }
  }
}

}  // namespace ordain::mcp
