// replies writes the messages that the proxy itself sends: denials, errors, and questions to the client's user.
#pragma once

#include <string>
#include <string_view>

#include "ordain/approvals.h"
#include "ordain/outcome.h"

namespace ordain::mcp {

// Codes of JSON-RPC, and the one that MCP leaves to servers.
inline constexpr int kParseError = -32700;
inline constexpr int kInvalidRequest = -32600;
inline constexpr int kInvalidParams = -32602;
inline constexpr int kInternalError = -32603;
inline constexpr int kDenied = -32001;

/// The key of our question among those of a result that asks for input, and the beginning of its state.
inline constexpr std::string_view kQuestion = "ordain/approval";
inline constexpr std::string_view kOwnState = "ordain:";

/// What a client is told about a call that has no output. `rule` and `approval` may be empty.
struct Refusal {
  std::string text;
  std::string rule = {};
  std::string approval = {};
};
/// @param outcome one without a value
template <typename T>
Refusal refusal_of(const Outcome<T>& outcome);
Refusal refusal_of(const Denied& denied);
Refusal refusal_of(const Pending& pending);
Refusal refusal_of(const Withheld& withheld);
Refusal refusal_of(const Failed& failed);

// `id` is the id as it stands in the request, or "" for null.

std::string error_reply(std::string_view id, int code, std::string_view message);
/// Answers a request other than the call of a tool: an error whose data names the rule and the approval.
std::string refusal_error(std::string_view id, const Refusal& refusal);
/// Answers the call of a tool with a text. @param stateless the request is of a revision whose results have a type
std::string tool_reply(std::string_view id, std::string_view text, bool is_error, bool stateless);

/// The question whether an approval was given, as a request to the client.
std::string elicitation_request(std::string_view id, std::string_view message);
/// The same question as the answer to a call; the client repeats the call with what its user said.
std::string input_required_reply(std::string_view id, std::string_view message, std::string_view approval);
std::string cancelled_notification(std::string_view id);
/// @param meta members of `_meta`, as JSON without the braces; may be empty. @param cursor "" for the first page
std::string list_request(std::string_view id, std::string_view cursor, std::string_view meta);

template <typename T>
Refusal refusal_of(const Outcome<T>& outcome) {
  if (const Denied* denied = outcome.denied()) return refusal_of(*denied);
  if (const Pending* pending = outcome.pending()) return refusal_of(*pending);
  if (const Withheld* withheld = outcome.withheld()) return refusal_of(*withheld);
  return refusal_of(*outcome.failed());
}

}  // namespace ordain::mcp
