// Routes requests: first who may ask, then what the path and the method mean.
#include "server/service.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "ordain/decision_json.h"
#include "server/approvals_api.h"
#include "server/approvals_page.h"
#include "server/audit_api.h"
#include "server/authzen.h"
#include "server/json_object.h"
#include "server/opa.h"

namespace ordain::server {
namespace {

constexpr std::string_view kCallsPath = "/v1/calls/";
constexpr std::string_view kApprovalsPath = "/v1/approvals";
constexpr std::string_view kDataPath = "/v1/data";

HttpResponse refuse_method(std::string_view allowed) {
  HttpResponse out = error_response(405, "bad_method", "this path takes " + std::string(allowed));
  out.headers.emplace_back("Allow", allowed);
  return out;
}

HttpResponse unknown_path() { return error_response(404, "unknown_path", "nothing is served under this path"); }

/// The status of an error of OpenCalls.
unsigned status_of(const Error& error) {
  if (error.code == "unknown_call") return 404;
  return error.code == "bad_event" || error.code == "bad_json" ? 400 : 503;
}

HttpResponse error_of(const Error& error) { return error_response(status_of(error), error.code, error.message); }

HttpResponse unauthorized() {
  HttpResponse out = error_response(401, "unauthorized", "a bearer token is needed");
  out.headers.emplace_back("WWW-Authenticate", "Bearer");
  return out;
}

/// @returns what a finished call says of its tool; error "bad_event" if it is not understood
Result<Result<Document>> read_outcome(const Value& body) {
  const auto status = text_member(body, "status");
  const Value* output = member_of(body, "output");
  if (status == "done") {
    return Result<Document>(output != nullptr ? Document::copy_of(*output) : Document());
  }
  if (status != "failed") return Error{"bad_event", "`status` must be \"done\" or \"failed\""};
  std::string why;
  if (output != nullptr) why = output->is(Kind::string) ? std::string(output->as_text()) : to_json(*output);
  constexpr size_t kLongestError = 4096;
  if (why.size() > kLongestError) why.resize(kLongestError);
  return Result<Document>(Error{"failed", why.empty() ? "the tool failed" : why});
}

}  // namespace

Service::Service(Runtime runtime, std::shared_ptr<Metrics> metrics, ServiceOptions options)
    : runtime_(runtime),
      metrics_(std::move(metrics)),
      options_(std::move(options)),
      decider_(runtime, options_.decide, metrics_),
      calls_(std::move(runtime), options_.calls) {}

HttpResponse Service::handle(const HttpRequest& request) noexcept {
  try {
    HttpResponse out = route(request);
    const std::string* id = request.header("x-request-id");
    if (id != nullptr && id->size() <= 256) out.headers.emplace_back("X-Request-ID", *id);
    return out;
  } catch (const std::exception&) {
    return {.status = 500, .body = {}, .headers = {}};
  }
}

HttpResponse Service::route(const HttpRequest& request) {
  if (auto refused = refuse_foreign(request, options_.access)) return *refused;
  const std::string_view path = request.path();
  const bool gets = request.method == "GET";
  if (path == "/healthz")
    return gets ? HttpResponse{.body = "{\"status\": \"ok\"}", .headers = {}} : refuse_method("GET");
  if (path == "/readyz") return gets ? ready() : refuse_method("GET");
  // The page holds no facts; it asks for a token and sends it with its own requests.
  if (path == "/approvals") return gets ? approvals_page() : refuse_method("GET");
  const Caller caller = identify_caller(request, options_.access);
  return caller.known ? answer(request, caller) : unauthorized();
}

HttpResponse Service::answer(const HttpRequest& request, const Caller& caller) {
  const std::string_view path = request.path();
  const bool gets = request.method == "GET", posts = request.method == "POST";
  if (path == "/metrics") {
    if (!gets) return refuse_method("GET");
    return {.body = metrics_->text(runtime_.health()),
            .content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8",
            .headers = {}};
  }
  if (path == "/v1/decide") return posts ? decide(request) : refuse_method("POST");
  if (path == "/v1/calls") return posts ? begin_call(request, caller) : refuse_method("POST");
  if (path.starts_with(kCallsPath) && path.ends_with("/outcome")) {
    if (!posts) return refuse_method("POST");
    const std::string_view id = path.substr(kCallsPath.size());
    return finish_call(id.substr(0, id.size() - std::string_view("/outcome").size()), request, caller);
  }
  if (path == kApprovalsPath || (path.starts_with(kApprovalsPath) && path[kApprovalsPath.size()] == '/')) {
    if (!gets && !posts) return refuse_method("GET, POST");
    return approvals(path.substr(std::min(path.size(), kApprovalsPath.size() + 1)), request, caller);
  }
  if (path == "/v1/audit") return gets ? audit(request) : refuse_method("GET");
  if (path == "/access/v1/evaluation") return posts ? evaluate(request, false) : refuse_method("POST");
  if (path == "/access/v1/evaluations") return posts ? evaluate(request, true) : refuse_method("POST");
  if (path == "/.well-known/authzen-configuration") {
    return gets ? authzen_configuration(request) : refuse_method("GET");
  }
  if (path == kDataPath || (path.starts_with(kDataPath) && path[kDataPath.size()] == '/')) {
    return gets || posts ? opa(path.substr(kDataPath.size()), request) : refuse_method("GET, POST");
  }
  return unknown_path();
}

HttpResponse Service::ready() const {
  const RuntimeHealth health = runtime_.health();
  JsonObject out;
  out.text("status", health.audit_available ? "ready" : "not ready");
  out.text("program", to_hex(runtime_.program()->digest()));
  out.boolean("audit", health.audit_available);
  return {.status = health.audit_available ? 200u : 503u, .body = out.close(), .headers = {}};
}

HttpResponse Service::decide(const HttpRequest& request) {
  HttpResponse out;
  const Result<void> decided = decider_.decide(request.body, [&](const EventReader& reader, const Decision& decision) {
    out.body = decision_json(reader.call(), decision);
  });
  if (!decided) return {.status = 400, .body = error_json(decided.error()), .headers = {}};
  return out;
}

HttpResponse Service::begin_call(const HttpRequest& request, const Caller& caller) {
  Arena arena;
  std::string repeated;  // a repeated key of the agent's input must be a denial on record, not a bad request
  const Result<Value> body = parse_json(arena, request.body, &repeated);
  if (!body) return error_of(body.error());
  const Value* event = member_of(*body, "event");
  if (event == nullptr) return error_response(400, "bad_event", "`event` is missing");
  EventReader reader(runtime_.program());
  if (const Result<void> read = reader.read(to_json(*event)); !read) return error_of(read.error());
  const Result<CallStart> begun =
      calls_.begin(reader.event(), repeated.empty() ? reader.flaw() : repeated, caller.credential, request.body.size());
  if (!begun) return error_of(begun.error());
  JsonObject out;
  out.text("id", begun->id).raw("decision", begun->decision);
  if (!begun->input.empty()) out.raw("input", begun->input);
  return {.body = out.close(), .headers = {}};
}

HttpResponse Service::finish_call(std::string_view id, const HttpRequest& request, const Caller& caller) {
  Arena arena;
  const Result<Value> body = parse_json(arena, request.body);
  if (!body) return error_of(body.error());
  Result<Result<Document>> outcome = read_outcome(*body);
  if (!outcome) return error_of(outcome.error());
  const Result<CallEnd> ended = calls_.finish(id, caller.credential, std::move(*outcome));
  if (!ended) return error_of(ended.error());
  JsonObject out;
  out.raw("decision", ended->decision);
  if (!ended->output.empty()) out.raw("output", ended->output);
  return {.body = out.close(), .headers = {}};
}

HttpResponse Service::approvals(std::string_view id, const HttpRequest& request, const Caller& caller) {
  ApprovalStore& store = runtime_.approvals();
  const int64_t now_ns = runtime_.now_ns();
  if (request.method == "POST") return answer_approval(store, id, request.body, caller, now_ns);
  return id.empty() ? list_approvals(store, request.query(), now_ns) : show_approval(store, id, now_ns);
}

HttpResponse Service::audit(const HttpRequest& request) {
  if (const Result<void> flushed = runtime_.flush(); !flushed) {
    return error_response(503, flushed.error().code, flushed.error().message);
  }
  return show_records(options_.database, request.query());
}

HttpResponse Service::opa(std::string_view path, const HttpRequest& request) {
  return answer_opa(decider_, path, request, options_.clients_redact);
}

HttpResponse Service::evaluate(const HttpRequest& request, bool several) {
  const Authzen authzen{decider_, options_.authzen, options_.clients_redact};
  return several ? evaluate_several(authzen, request) : evaluate_one(authzen, request);
}

HttpResponse Service::authzen_configuration(const HttpRequest& request) const { return describe_authzen(request); }

Result<void> Service::stop() {
  calls_.stop();
  return runtime_.flush();
}

}  // namespace ordain::server
