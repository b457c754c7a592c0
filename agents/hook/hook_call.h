// Reads what a coding agent writes to its hook's standard input: which tool is about to run or has
// run, as an event that policies decide.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agents/tool_names.h"
#include "ordain/arena.h"
#include "ordain/event.h"
#include "ordain/result.h"
#include "ordain/value.h"

namespace ordain::agents {

/// What the hook is asked at this moment of a session.
enum class Moment {
  before,      ///< may the tool run?
  permission,  ///< may the client ask its user whether the tool runs? Decided like `before`
  after,       ///< may the model see the tool's output?
  failed,      ///< likewise, of a tool that failed
  other,       ///< a prompt, a session, a sub-agent: nothing that policies decide
  unknown,     ///< an event that this version does not know; it must be denied
};

/// One call of a hook. Values live as long as the arena into which it was read.
struct HookCall {
  Client client = Client::claude;
  Moment moment = Moment::unknown;
  std::string event_name;  ///< as the client writes it
  /// Why the call must be denied without asking; "" if there is no reason.
  std::string flaw;

  // Of a tool's call.
  std::string capability;
  bool from_mcp = false;  ///< a tool of an MCP server
  Value input = Value::null();
  Value output = Value::null();
  std::vector<std::string_view> their_fields;  ///< the client's names of the input's fields, in order

  // What the client claims. The agent may have changed it, so nothing is allowed because of it.
  std::string session, call_id;

  bool is_after() const { return moment == Moment::after || moment == Moment::failed; }
};

/// Reads one object of a client.
/// @returns error "bad_json" or "bad_hook" if the text is not one JSON object that names an event
Result<HookCall> read_hook_call(Arena& arena, Client client, std::string_view text);

/// The call as an event of the daemon. `before` decides whether it may run, `after` what becomes of
/// its output.
std::string event_json(const HookCall& call, Stage stage);

/// An input with the client's names of fields. `input` is that of the call, perhaps with other values.
Value with_their_names(Arena& arena, const HookCall& call, const Value& input);

/// A text that is the same before and after the call, and differs from those of other calls; "" if
/// it would be too long to keep.
std::string call_key(const HookCall& call);

}  // namespace ordain::agents
