// replies writes JSON by hand: the shapes are few and fixed, and every text goes through append_json_string.
#include "agents/mcp/replies.h"

#include <fmt/format.h>

#include "ordain/json.h"

namespace ordain::mcp {
namespace {

std::string quoted_json(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string reply_head(std::string_view id) {
  return R"({"jsonrpc":"2.0","id":)" + (id.empty() ? "null" : std::string(id)) + ",";
}

std::string question_params(std::string_view message) {
  return "{\"message\":" + quoted_json(message) + R"(,"requestedSchema":{"type":"object","properties":{}}})";
}

}  // namespace

Refusal refusal_of(const Denied& denied) { return {detail::describe(denied), denied.rule, {}}; }

Refusal refusal_of(const Pending& pending) {
  std::string text = detail::describe(pending);
  if (!pending.groups.empty()) text += fmt::format(" (asked: {})", fmt::join(pending.groups, ", "));
  text += ". The call has not run. Make the same call again once the approval is given.";
  return {std::move(text), pending.rule, pending.approval_id};
}

Refusal refusal_of(const Withheld& withheld) {
  return {detail::describe(withheld) + ". Do not repeat the call.", withheld.rule, {}};
}

Refusal refusal_of(const Failed& failed) { return {detail::describe(failed), {}, {}}; }

std::string error_reply(std::string_view id, int code, std::string_view message) {
  return reply_head(id) + fmt::format(R"("error":{{"code":{},"message":{}}}}})", code, quoted_json(message));
}

std::string refusal_error(std::string_view id, const Refusal& refusal) {
  std::string data;
  if (!refusal.rule.empty()) data += "\"rule\":" + quoted_json(refusal.rule);
  if (!refusal.approval.empty()) data += (data.empty() ? "" : ",") + ("\"approval\":" + quoted_json(refusal.approval));
  return reply_head(id) +
         fmt::format(R"("error":{{"code":{},"message":{},"data":{{{}}}}}}})", kDenied, quoted_json(refusal.text), data);
}

std::string tool_reply(std::string_view id, std::string_view text, bool is_error, bool stateless) {
  return reply_head(id) + fmt::format(R"("result":{{{}"content":[{{"type":"text","text":{}}}],"isError":{}}}}})",
                                      stateless ? R"("resultType":"complete",)" : "", quoted_json(text), is_error);
}

std::string elicitation_request(std::string_view id, std::string_view message) {
  return R"({"jsonrpc":"2.0","id":)" + quoted_json(id) + R"(,"method":"elicitation/create","params":)" +
         question_params(message) + "}";
}

std::string input_required_reply(std::string_view id, std::string_view message, std::string_view approval) {
  return reply_head(id) +
         fmt::format(R"("result":{{"resultType":"input_required","inputRequests":{{{}:{{"method":"elicitation/create",)"
                     R"("params":{}}}}},"requestState":{}}}}})",
                     quoted_json(kQuestion), question_params(message),
                     quoted_json(std::string(kOwnState) + std::string(approval)));
}

std::string cancelled_notification(std::string_view id) {
  return R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)" + quoted_json(id) + "}}";
}

std::string list_request(std::string_view id, std::string_view cursor, std::string_view meta) {
  std::string params;
  if (!cursor.empty()) params += "\"cursor\":" + quoted_json(cursor);
  if (!meta.empty()) params += (params.empty() ? "" : ",") + ("\"_meta\":{" + std::string(meta) + "}");
  return R"({"jsonrpc":"2.0","id":)" + quoted_json(id) + R"(,"method":"tools/list","params":{)" + params + "}}";
}

}  // namespace ordain::mcp
