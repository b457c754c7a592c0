// Answers for approvals. The agent's texts leave as JSON strings alone.
#include "server/approvals_api.h"

#include <utility>

#include "ordain/digest.h"
#include "server/json_object.h"

namespace ordain::server {
namespace {

HttpResponse store_error(const Error& error) {
  if (error.code == "unknown_approval" || error.code == "ambiguous_approval") {
    return error_response(404, error.code, error.message);
  }
  if (error.code.starts_with("database_") || error.code == "no_database" || error.code == "no_key") {
    return error_response(503, error.code, error.message);
  }
  // The request is understood, but its state or the approver does not permit it.
  return error_response(409, error.code, error.message);
}

/// The approval as to_json writes it, and input and resource as texts besides. JavaScript rounds large
/// numbers when it reads them, and the approver must see the ones that the call has.
std::string approval_json(const Approval& approval) {
  std::string out = to_json(approval);
  out.pop_back();
  for (const auto& [name, text] :
       {std::pair{"input_text", &approval.input}, std::pair{"resource_text", &approval.resource}}) {
    out += std::string(", \"") + name + "\": ";
    append_json_string(out, *text);
  }
  return out + "}";
}

}  // namespace

HttpResponse list_approvals(const ApprovalStore& store, std::string_view query, int64_t now_ns) {
  const auto parameters = parse_query(query);
  if (!parameters) return error_response(400, "bad_query", "the query is malformed");
  std::optional<ApprovalState> state;
  for (const auto& [name, value] : *parameters) {
    if (name != "state") return error_response(400, "bad_query", "the only parameter is `state`");
    if (value == "all") continue;
    state = parse_approval_state(value);
    if (!state) return error_response(400, "bad_query", "`state` is not the name of a state");
  }
  const auto approvals = store.list(state, now_ns);
  if (!approvals) return store_error(approvals.error());
  const auto append = [](std::string& out, const Approval& approval) { out += approval_json(approval); };
  return {.body = JsonObject().raw("approvals", json_array(*approvals, append)).close(), .headers = {}};
}

HttpResponse show_approval(const ApprovalStore& store, std::string_view id, int64_t now_ns) {
  const auto approval = store.show(id, now_ns);
  if (!approval) return store_error(approval.error());
  return {.body = approval_json(*approval), .headers = {}};
}

HttpResponse answer_approval(ApprovalStore& store, std::string_view id, std::string_view body, const Caller& caller,
                             int64_t now_ns) {
  if (caller.approver.empty()) return error_response(403, "not_an_approver", "an approver's token is needed");
  Arena arena;
  const Result<Value> answer = parse_json(arena, body);
  if (!answer) return error_response(400, answer.error().code, answer.error().message);
  const auto decision = text_member(*answer, "decision");
  if (decision != "approve" && decision != "reject") {
    return error_response(400, "bad_answer", "`decision` must be \"approve\" or \"reject\"");
  }
  for (const std::string_view name : {"binding", "group", "note"}) {
    if (member_of(*answer, name) != nullptr && !text_member(*answer, name)) {
      return error_response(400, "bad_answer", "`" + std::string(name) + "` must be a string");
    }
  }
  const auto binding = text_member(*answer, "binding");
  const std::string_view group = text_member(*answer, "group").value_or("");
  const std::string_view note = text_member(*answer, "note").value_or("");
  if (id.empty()) id = text_member(*answer, "id").value_or("");
  const auto shown = store.show(id, now_ns);
  if (!shown) return store_error(shown.error());
  if (shown->id != id) return error_response(404, "unknown_approval", "the whole id is needed");
  if (decision == "approve" && !binding) return error_response(400, "bad_answer", "approving needs the `binding`");
  if (binding && *binding != to_hex(shown->binding)) {
    return error_response(409, "approval_altered", "the request has another binding than the one that was shown");
  }
  const auto voted = decision == "approve" ? store.approve(*shown, caller.approver, group, note, now_ns)
                                           : store.reject(id, caller.approver, group, note, now_ns);
  if (!voted) return store_error(voted.error());
  return {.body = approval_json(*voted), .headers = {}};
}

}  // namespace ordain::server
