// Decisions as JSON objects: decisions made here are written, and those of a remote decision point
// are read. docs/cli.md lists the keys. All functions are thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/call.h"
#include "ordain/decide.h"
#include "ordain/export.h"
#include "ordain/json.h"
#include "ordain/result.h"

namespace ordain {

/// Writes the decision of `call` as one line of JSON, without a line end. Call it while `decision`
/// is valid, that is, before the next decision with the same Scratch. `event` becomes the key
/// "event": the number, from 1, of the event's line or of the decision.
ORDAIN_API std::string decision_json(const Call& call, const Decision& decision, uint64_t event = 1);

/// Writes what stands in place of a decision if the event could not be read: {"event": n, "error":
/// {"code", "message"}}.
ORDAIN_API std::string error_json(const Error& error, uint64_t event = 1);

/// A decision that was read from JSON. It owns its texts, and it names rules, whereas a Decision
/// numbers them. In the JSON only the effect is required; all other members have defaults.
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
    std::string file = {};  ///< "" if the place of the fault is unknown
    uint32_t line = 0, column = 0;
  };

  uint64_t event = 0;
  Stage stage = Stage::before;
  std::string capability = {};
  Effect effect = Effect::deny;
  DecisionCode code = DecisionCode::rule;
  std::string rule = {};                         ///< "" where the JSON has null; the next two likewise
  std::string policy = {}, policy_version = {};  ///< of the rule
  std::string reason = {};
  std::vector<std::string> matched = {};
  std::vector<Obligation> obligations = {};
  std::vector<std::string> from = {};           ///< require_approval: approver groups
  std::optional<int64_t> expires_seconds = {};  ///< require_approval: empty if no rule has `expires`
  std::vector<AskingRule> approvals = {};       ///< require_approval: what each asking rule needs
  std::optional<Fault> fault = {};
};

/// Reads what decision_json writes. Time and memory are linear in the length of `json`, which may
/// be any bytes. Unknown keys are ignored, so that newer decision points can be asked. Everything
/// known must have its proper form, because skipping an obligation would disclose what it should
/// hide.
/// @returns error "bad_json" if the text is anything but one JSON value, "bad_decision" if the
/// value is not a decision, or "refused" if error_json wrote it; the message then holds that
/// error's code and message.
ORDAIN_API Result<ParsedDecision> parse_decision(std::string_view json);

}  // namespace ordain
