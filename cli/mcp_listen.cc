#include "cli/mcp_listen.h"

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include "agents/mcp/message.h"
#include "agents/mcp/replies.h"
#include "cli/terminal.h"
#include "ordain/identity.h"
#include "ordain/json.h"

namespace ordain::cli {
namespace {

using server::HttpRequest;
using server::HttpResponse;

constexpr std::string_view kSessionHeader = "mcp-session-id";
constexpr std::string_view kVersionHeader = "mcp-protocol-version";
/// The revisions that have sessions over HTTP.
constexpr std::array<std::string_view, 2> kRevisions = {"2025-06-18", "2025-11-25"};

HttpResponse rpc_error(unsigned status, std::string_view id, int code, std::string_view message) {
  return {.status = status, .body = mcp::error_reply(id, code, message), .headers = {}};
}

HttpResponse bad_request(std::string_view message) { return rpc_error(400, "", mcp::kInvalidRequest, message); }

HttpResponse no_session() { return rpc_error(404, "", mcp::kInvalidRequest, "there is no such session"); }

/// Whether the client takes an answer of this type.
bool accepts(const HttpRequest& request, std::string_view type) {
  for (const auto& [name, value] : request.headers) {
    if (name != "accept") continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const size_t end = std::min(rest.find(','), rest.size());
      std::string_view one = rest.substr(0, std::min(rest.find(';'), end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      while (one.starts_with(' ') || one.starts_with('\t')) one.remove_prefix(1);
      while (one.ends_with(' ') || one.ends_with('\t')) one.remove_suffix(1);
      if (one == "*/*" || server::equal_ignoring_case(one, type)) return true;
      if (one.ends_with("/*") &&
          server::equal_ignoring_case(one.substr(0, one.size() - 1), type.substr(0, one.size() - 1)))
        return true;
    }
  }
  return false;
}

}  // namespace

McpService::McpService(Runtime runtime, McpServiceOptions options)
    : runtime_(std::move(runtime)), options_(std::move(options)) {}

McpService::~McpService() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  stopped_.notify_all();
  for (const auto& [id, owned] : sessions_) owned.session->end();  // all at once, before each is waited for
}

Result<void> McpService::start() {
  if (!sweeper_.start([this] { sweep(); })) return Error{"no_thread", "the system has no thread for the sessions"};
  return {};
}

HttpResponse McpService::handle(const HttpRequest& request) noexcept {
  try {
    return answer(request);
  } catch (const std::exception&) {
    return {.status = 500, .body = {}, .headers = {}};
  }
}

HttpResponse McpService::answer(const HttpRequest& request) {
  if (auto refused = server::refuse_foreign(request, options_.access)) return *refused;
  if (request.path() == "/healthz" && request.method == "GET") {
    return {.body = "{\"status\": \"ok\"}", .headers = {}};
  }
  const server::Caller caller = server::identify_caller(request, options_.access);
  if (!caller.known) {
    HttpResponse out = rpc_error(401, "", mcp::kInvalidRequest, "a bearer token is needed");
    out.headers.emplace_back("WWW-Authenticate", "Bearer");
    return out;
  }
  const Asking asking{caller.credential, server_of(request.path())};
  if (asking.server.empty()) return rpc_error(404, "", mcp::kInvalidRequest, "no server has this path");
  if (request.count(kVersionHeader) != 0) {
    const std::string* version = request.header(kVersionHeader);
    if (version == nullptr || std::find(kRevisions.begin(), kRevisions.end(), *version) == kRevisions.end()) {
      return bad_request("this revision of MCP is not served over HTTP; 2025-06-18 and 2025-11-25 are");
    }
  }
  if (request.method == "POST") return post(request, asking);
  if (request.method != "GET" && request.method != "DELETE") {
    HttpResponse out = rpc_error(405, "", mcp::kInvalidRequest, "the methods are GET, POST and DELETE");
    out.headers.emplace_back("Allow", "GET, POST, DELETE");
    return out;
  }
  if (request.count(kSessionHeader) == 0) return bad_request("the header Mcp-Session-Id is missing");
  const std::shared_ptr<McpSession> session = find(request, asking);
  if (session == nullptr) return no_session();
  if (request.method == "DELETE") {
    session->end();
    return {.status = 204, .body = {}, .headers = {}};
  }
  if (!accepts(request, "text/event-stream")) {
    return rpc_error(406, "", mcp::kInvalidRequest, "the client must accept text/event-stream");
  }
  return session->listen();
}

/// @returns the name of the server with this path; "" if there is none
std::string McpService::server_of(std::string_view path) const {
  constexpr std::string_view kEndpoint = "/mcp";
  if (!path.starts_with(kEndpoint)) return "";
  path.remove_prefix(kEndpoint.size());
  if (path.empty()) return options_.servers.size() == 1 ? options_.servers.begin()->first : "";
  if (path.front() != '/') return "";
  const std::string name(path.substr(1));
  return options_.servers.contains(name) ? name : "";
}

HttpResponse McpService::post(const HttpRequest& request, const Asking& asking) {
  const std::string* type = request.header("content-type");
  if (type == nullptr || !server::is_json_type(*type)) {
    return rpc_error(415, "", mcp::kInvalidRequest, "the body must be application/json");
  }
  if (!accepts(request, "application/json") || !accepts(request, "text/event-stream")) {
    return rpc_error(406, "", mcp::kInvalidRequest, "the client must accept application/json and text/event-stream");
  }
  // The server reads lines. Within JSON, these stand between tokens alone.
  std::string text = request.body;
  std::replace_if(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  Arena arena;
  const Result<Value> value = parse_json(arena, text);
  if (!value) return rpc_error(400, "", mcp::kParseError, value.error().message);
  if (!value->is(Kind::map)) return bad_request("the body must be one message");
  const Result<mcp::Message> message = mcp::read_message(text, *value);
  if (!message) return bad_request(message.error().message);
  if (message->kind == mcp::MessageKind::other) return bad_request("this is neither a call nor an answer");
  if (request.count(kSessionHeader) == 0) {
    const bool begins = message->kind == mcp::MessageKind::request && message->method == "initialize";
    return begins ? initialize(*message, asking)
                  : rpc_error(400, message->id, mcp::kInvalidRequest, "the header Mcp-Session-Id is missing");
  }
  const std::shared_ptr<McpSession> session = find(request, asking);
  return session == nullptr ? no_session() : session->take(*message);
}

HttpResponse McpService::initialize(const mcp::Message& message, const Asking& asking) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || sessions_.size() + starting_ >= options_.most_sessions) {
      return rpc_error(503, message.id, mcp::kInternalError, "there are too many sessions");
    }
    ++starting_;
  }
  struct Started {
    McpService& service;
    ~Started() {
      const std::lock_guard lock(service.mutex_);
      --service.starting_;
    }
  } const started{*this};
  mcp::ProxyOptions proxy = options_.proxy;
  proxy.server = asking.server;
  auto session = McpSession::start(options_.servers.at(asking.server), runtime_, proxy, options_.most_message);
  const std::string id = Id128::random().hex();
  {
    const std::lock_guard lock(mutex_);
    if (session && !stopping_) sessions_.emplace(id, Owned{asking.credential, asking.server, *session});
  }
  if (!session) {
    complain(session.error().message);
    return rpc_error(502, message.id, mcp::kInternalError, "the server cannot be started");
  }
  HttpResponse out = (*session)->take(message);
  out.headers.emplace_back("Mcp-Session-Id", id);
  return out;
}

/// @returns the caller's session that the request names; nullptr if there is none
std::shared_ptr<McpSession> McpService::find(const HttpRequest& request, const Asking& asking) {
  const std::string* id = request.header(kSessionHeader);
  if (id == nullptr) return nullptr;
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(*id);
  if (found == sessions_.end()) return nullptr;
  const Owned& owned = found->second;
  const bool is_own = owned.credential == asking.credential && owned.server == asking.server;
  return is_own && !owned.session->is_ended() ? owned.session : nullptr;
}

/// Ends sessions that nobody uses, and forgets those that are over.
void McpService::drop_unused() {
  const auto now = McpSession::Clock::now();
  std::vector<std::shared_ptr<McpSession>> over;  // destroyed after the lock
  const std::lock_guard lock(mutex_);
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    McpSession& session = *at->second.session;
    const auto idle = session.idle_since();
    if (idle && now - *idle > options_.idle) session.end();
    if (session.is_over()) {
      over.push_back(std::move(at->second.session));
      at = sessions_.erase(at);
    } else {
      ++at;
    }
  }
}

void McpService::sweep() noexcept {
  constexpr std::chrono::milliseconds kRound{250};
  auto pinged = McpSession::Clock::now();
  for (;;) {
    try {
      drop_unused();
      if (const auto now = McpSession::Clock::now(); now - pinged >= options_.heartbeat) {
        pinged = now;
        const std::lock_guard lock(mutex_);
        for (const auto& [id, owned] : sessions_) owned.session->ping();
      }
    } catch (const std::exception&) {  // no memory: the next round tries again
    }
    std::unique_lock lock(mutex_);
    if (stopped_.wait_for(lock, kRound, [this] { return stopping_; })) return;
  }
}

}  // namespace ordain::cli
