// The shapes of OPA's answers: {"decision_id", "result"?}, and {"code", "message"} for errors.
#include "server/opa.h"

#include "ordain/decision_json.h"
#include "ordain/identity.h"
#include "server/allows.h"
#include "server/json_object.h"

namespace ordain::server {
namespace {

HttpResponse opa_error(std::string_view message) {
  return {.status = 400,
          .body = JsonObject().text("code", "invalid_parameter").text("message", message).close(),
          .headers = {}};
}

}  // namespace

HttpResponse answer_opa(const EventDecider& decider, std::string_view path, const HttpRequest& request,
                        bool clients_redact) {
  JsonObject out;
  out.text("decision_id", Id128::random().hex());
  const bool wants_allow = path == "/ordain/allow", wants_decision = path == "/ordain/decision";
  Arena arena;
  const Value* input = nullptr;
  if (request.method == "POST" && !request.body.empty()) {
    const Result<Value> body = parse_json(arena, request.body);
    if (!body) return opa_error("body contains malformed input document: " + body.error().message);
    if (!body->is(Kind::map)) return opa_error("the body must be an object with `input`");
    input = member_of(*body, "input");
  }
  if (input != nullptr && (wants_allow || wants_decision)) {
    const Result<void> decided =
        decider.decide(to_json(*input), [&](const EventReader& reader, const Decision& decision) {
          if (wants_allow) out.boolean("result", allows(decision, clients_redact));
          if (wants_decision) out.raw("result", decision_json(reader.call(), decision));
        });
    if (!decided) {
      out.raw("warning",
              JsonObject().text("code", decided.error().code).text("message", decided.error().message).close());
    }
  } else if (input == nullptr && (wants_allow || wants_decision)) {
    out.raw(
        "warning",
        JsonObject().text("code", "api_usage_warning").text("message", "'input' key missing from the request").close());
  }
  return {.body = out.close(), .headers = {}};
}

}  // namespace ordain::server
