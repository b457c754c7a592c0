// Reads AuthZEN requests, decides what they are mapped to, and writes the answers of the standard.
#include "server/authzen.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "server/allows.h"
#include "server/json_object.h"

namespace ordain::server {
namespace {

/// An evaluation costs at least a microsecond, so this bounds what one request can ask for.
constexpr size_t kMostEvaluations = 1000;

enum class Semantic : uint8_t { execute_all, deny_on_first_deny, permit_on_first_permit };

struct Answered {
  bool allowed = false;
  std::string json;
};

HttpResponse bad_request(std::string_view message) { return error_response(400, "bad_request", message); }

/// Adds the member `name` to a map if it is absent: an empty map. @returns nothing if the map's own
/// member is not a map.
std::optional<Value> with_map(Arena& arena, const Value& value, std::string_view name) {
  if (const Value* member = member_of(value, name); member != nullptr) {
    return member->is(Kind::map) ? std::optional<Value>(value) : std::nullopt;
  }
  const std::span<const MapEntry> entries = value.map->all();
  auto* all = arena.array<MapEntry>(entries.size() + 1);
  std::copy(entries.begin(), entries.end(), all);
  all[entries.size()] = {Value::string(name), Value::map_of(make_map(arena, {}))};
  return Value::map_of(make_map(arena, {all, entries.size() + 1}));
}

/// Reads the parts of requests, with defaults. The first part that is wrong becomes the problem.
class PartReader {
 public:
  PartReader(Arena& arena, const Value& defaults) : arena_(arena), defaults_(defaults) {}

  std::optional<AuthzenRequest> read(const Value& entry) {
    AuthzenRequest out;
    out.subject = read_part(entry, "subject", {"type", "id"});
    out.action = read_part(entry, "action", {"name"});
    out.resource = read_part(entry, "resource", {"type", "id"});
    const Value* context = find_part(entry, "context");
    out.context = context != nullptr ? *context : Value::map_of(make_map(arena_, {}));
    if (!out.context.is(Kind::map)) fail("`context` must be an object");
    return problem_.empty() ? std::optional<AuthzenRequest>(out) : std::nullopt;
  }
  const std::string& problem() const { return problem_; }

 private:
  const Value* find_part(const Value& entry, std::string_view name) const {
    const Value* own = member_of(entry, name);
    return own != nullptr ? own : member_of(defaults_, name);
  }

  Value read_part(const Value& entry, std::string_view name, std::initializer_list<std::string_view> texts) {
    const Value* part = find_part(entry, name);
    if (part == nullptr || !part->is(Kind::map)) {
      fail(fmt::format("`{}` {}", name, part == nullptr ? "is missing" : "must be an object"));
      return Value::null();
    }
    for (const std::string_view text : texts) {
      const auto value = text_member(*part, text);
      if (!value || value->empty()) fail(fmt::format("`{}.{}` must be a string that is not empty", name, text));
    }
    const std::optional<Value> whole = with_map(arena_, *part, "properties");
    if (!whole) fail(fmt::format("`{}.properties` must be an object", name));
    return whole.value_or(Value::null());
  }

  void fail(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
  }

  Arena& arena_;
  const Value& defaults_;
  std::string problem_;
};

std::string groups_json(const Decision& decision) {
  return json_array(decision.from, [](std::string& out, std::string_view group) { append_json_string(out, group); });
}

std::string obligations_json(const Program& program, const Decision& decision) {
  return json_array(decision.obligations, [&](std::string& out, const Obligation& one) {
    JsonObject object;
    object.text("kind", to_string(one.kind));
    if (one.kind == RuleKind::redact) object.text("path", one.path).raw("with", to_json(one.with));
    if (one.kind == RuleKind::warn) object.text("reason", one.reason);
    out += object.text("rule", program.rules()[one.rule].name).close();
  });
}

Answered answer_of(const Authzen& authzen, const Call& call, const Decision& decision) {
  const bool allowed = allows(decision, authzen.clients_redact);
  const bool only_obligations = !allowed && decision.effect == Effect::allow;
  JsonObject context;
  context.text("effect", to_string(decision.effect)).text("code", to_string(decision.code));
  context.text_or_null("rule", decision.rule == kNone ? "" : call.program().rules()[decision.rule].name);
  context.text("reason", only_obligations ? "the decision demands a redaction, which this service's clients do not do"
                                          : decision.reason);
  if (decision.effect == Effect::require_approval) context.raw("from", groups_json(decision));
  if (allowed && !decision.obligations.empty()) {
    context.raw("obligations", obligations_json(call.program(), decision));
  }
  return {allowed, JsonObject().boolean("decision", allowed).raw("context", context.close()).close()};
}

/// A denial because the request could not be decided.
Answered denial(const Error& error) {
  const std::string inner = JsonObject().raw("status", "400").text("message", error.message).close();
  return {false,
          JsonObject().boolean("decision", false).raw("context", JsonObject().raw("error", inner).close()).close()};
}

Answered decide_request(const Authzen& authzen, const AuthzenRequest& request) {
  const Result<MappedEvent> event = authzen.mapping.apply(request);
  if (!event) return denial(event.error());
  EventParts parts{.capability = event->capability, .host = event->host, .input = event->input};
  if (!event->metadata.empty()) parts.metadata = event->metadata;
  Answered out;
  const Result<void> decided = authzen.decider.decide(parts, [&](const EventReader& reader, const Decision& decision) {
    out = answer_of(authzen, reader.call(), decision);
  });
  return decided ? out : denial(decided.error());
}

/// The semantics that the request asks for. @returns nothing if it is unknown
std::optional<Semantic> read_semantic(const Value& body) {
  const Value* options = member_of(body, "options");
  if (options == nullptr) return Semantic::execute_all;
  if (!options->is(Kind::map)) return std::nullopt;
  if (member_of(*options, "evaluations_semantic") == nullptr) return Semantic::execute_all;
  const auto name = text_member(*options, "evaluations_semantic");
  if (name == "execute_all") return Semantic::execute_all;
  if (name == "deny_on_first_deny") return Semantic::deny_on_first_deny;
  if (name == "permit_on_first_permit") return Semantic::permit_on_first_permit;
  return std::nullopt;
}

/// The body of a request as a map. @returns an error for people
Result<Value> read_body(Arena& arena, const HttpRequest& request) {
  const std::string* type = request.header("content-type");
  if (type == nullptr || !is_json_type(*type)) return Error{"bad_request", "the content type must be application/json"};
  Result<Value> body = parse_json(arena, request.body);
  if (body && !body->is(Kind::map)) return Error{"bad_request", "the body must be a JSON object"};
  return body;
}

HttpResponse evaluate_body(const Authzen& authzen, Arena& arena, const Value& body) {
  PartReader reader(arena, body);
  const std::optional<AuthzenRequest> parts = reader.read(body);
  if (!parts) return bad_request(reader.problem());
  return {.body = decide_request(authzen, *parts).json, .headers = {}};
}

}  // namespace

HttpResponse evaluate_one(const Authzen& authzen, const HttpRequest& request) {
  Arena arena;
  const Result<Value> body = read_body(arena, request);
  return body ? evaluate_body(authzen, arena, *body) : bad_request(body.error().message);
}

HttpResponse evaluate_several(const Authzen& authzen, const HttpRequest& request) {
  Arena arena;
  const Result<Value> body = read_body(arena, request);
  if (!body) return bad_request(body.error().message);
  const Value* entries = member_of(*body, "evaluations");
  if (entries != nullptr && !entries->is(Kind::list)) return bad_request("`evaluations` must be an array");
  const std::optional<Semantic> semantic = read_semantic(*body);
  if (!semantic) {
    return bad_request(
        "`options.evaluations_semantic` must be execute_all, deny_on_first_deny or permit_on_first_permit");
  }
  if (entries == nullptr || entries->as_list().empty()) return evaluate_body(authzen, arena, *body);
  if (entries->as_list().size() > kMostEvaluations) {
    return bad_request(fmt::format("at most {} evaluations are decided at once", kMostEvaluations));
  }
  PartReader reader(arena, *body);
  std::vector<AuthzenRequest> requests;  // all are read before one is decided: a bad entry is a bad request
  for (const Value& entry : entries->as_list()) {
    if (!entry.is(Kind::map)) return bad_request("an entry of `evaluations` must be an object");
    const std::optional<AuthzenRequest> parts = reader.read(entry);
    if (!parts) return bad_request(reader.problem());
    requests.push_back(*parts);
  }
  std::vector<std::string> answers;
  for (const AuthzenRequest& parts : requests) {
    Answered answer = decide_request(authzen, parts);
    answers.push_back(std::move(answer.json));
    if (*semantic == Semantic::deny_on_first_deny && !answer.allowed) break;
    if (*semantic == Semantic::permit_on_first_permit && answer.allowed) break;
  }
  const auto append = [](std::string& out, const std::string& answer) { out += answer; };
  return {.body = JsonObject().raw("evaluations", json_array(answers, append)).close(), .headers = {}};
}

HttpResponse describe_authzen(const HttpRequest& request) {
  const std::string* host = request.header("host");
  const std::string base = fmt::format("http://{}", host != nullptr ? *host : "localhost");
  return {.body = JsonObject()
                      .text("policy_decision_point", base)
                      .text("access_evaluation_endpoint", base + "/access/v1/evaluation")
                      .text("access_evaluations_endpoint", base + "/access/v1/evaluations")
                      .close(),
          .headers = {}};
}

}  // namespace ordain::server
