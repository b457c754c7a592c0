// Decisions as JSON objects: written for a decision made here, read from a decision point elsewhere. docs/cli.md lists
// the keys. All functions are thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/call.h"
#include "ordain/decide.h"
#include "ordain/json.h"
#include "ordain/result.h"

namespace ordain {

/// The decision of `call` as one line of JSON, without a line end. Call it while `decision` is valid: before the next
/// decision with the same Scratch. `event` is written as "event": the number of the event's line, or of the decision,
/// from 1.
std::string decision_json(const Call& call, const Decision& decision, uint64_t event = 1);

/// What stands in place of a decision if the event could not be read: {"event": n, "error": {"code", "message"}}.
std::string error_json(const Error& error, uint64_t event = 1);

/// A decision that was read. It owns its texts, and names rules where a Decision numbers them. Everything but the
/// effect may be missing in the JSON and has its default then.
struct ParsedDecision {
  struct Obligation {
    RuleKind kind = RuleKind::warn;  ///< redact or warn
    std::string rule = {};
    std::string path = {};    ///< redact
    Document with = {};       ///< redact
    std::string reason = {};  ///< warn
  };
  struct Fault {
    std::string rule = {}, code = {}, message = {};
    std::string file = {};  ///< "" if the fault has no place
    uint32_t line = 0, column = 0;
  };

  uint64_t event = 0;
  Stage stage = Stage::before;
  std::string capability = {};
  Effect effect = Effect::deny;
  DecisionCode code = DecisionCode::rule;
  std::string rule = {};                         ///< "" where the JSON has null; so are the next two
  std::string policy = {}, policy_version = {};  ///< of the rule
  std::string reason = {};
  std::vector<std::string> matched = {};
  std::vector<Obligation> obligations = {};
  std::vector<std::string> from = {};           ///< require_approval: approver groups
  std::optional<int64_t> expires_seconds = {};  ///< require_approval: none if no rule gives it
  std::optional<Fault> fault = {};
};

/// Reads what decision_json writes; time and memory are linear in its length, and any bytes are safe to pass. Keys that
/// are not known are ignored, so that newer decision points can be asked. All that is known must be as it is written:
/// an obligation that is passed over would let through what it should hide.
/// @returns error "bad_json" if the text is anything but one JSON value, "bad_decision" if the value is not a decision,
/// or "refused" if it is what error_json writes; the message then has the code and the message of that error.
Result<ParsedDecision> parse_decision(std::string_view json);

}  // namespace ordain
