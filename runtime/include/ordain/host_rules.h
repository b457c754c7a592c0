// Host rules are rules that the host writes in C++. They apply beside the policies' rules: in the
// same stage, combined in the same way, and in the same records.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ordain/call_options.h"
#include "ordain/decide.h"
#include "ordain/export.h"
#include "ordain/json.h"

namespace ordain {

/// The call as a host rule sees it. The views live until the rule returns.
struct ORDAIN_API HostCall {
  Stage stage = Stage::before;
  std::string_view capability;
  const Value& input;   ///< as it came from the agent, before any `redact`
  const Value& output;  ///< absent in the before stage
  const Who& who;
  const CallOptions& options;
  int64_t now_ns = 0;
  int64_t elapsed_ns = 0;          ///< in the after stage
  std::string_view action, trace;  ///< ids

  /// @returns a field of the input; absent if the input does not have it
  Value arg(std::string_view name) const;
};

struct HostRedaction {
  std::string path;  ///< as in `redact`: "input.card", "output.rows[*].iban"
  Document with = {};
};

/// The verdict of a host rule. Without an effect, the rule has no opinion; its warnings and
/// redactions apply if the call goes on.
struct HostVerdict {
  std::optional<Effect> effect = {};
  std::string reason = {};             ///< the rule's name if empty
  std::vector<std::string> from = {};  ///< require_approval: approver groups
  std::chrono::seconds expires{0};     ///< require_approval: 0 for the default
  std::vector<std::string> warnings = {};
  std::vector<HostRedaction> redactions = {};
  /// require_approval: what is needed, where "every group in `from` approves" does not say it. A need of 0 asks
  /// every group.
  std::vector<AskingRule> approvals = {};

  static HostVerdict none() { return {}; }
  static HostVerdict allow(std::string reason = "") { return {.effect = Effect::allow, .reason = std::move(reason)}; }
  static HostVerdict deny(std::string reason) { return {.effect = Effect::deny, .reason = std::move(reason)}; }
  static HostVerdict require_approval(std::string reason, std::vector<std::string> from = {}) {
    return {.effect = Effect::require_approval, .reason = std::move(reason), .from = std::move(from)};
  }
  static HostVerdict warn(std::string message) { return {.warnings = {std::move(message)}}; }
  static HostVerdict redact(std::string path, Document with) {
    return {.redactions = {{std::move(path), std::move(with)}}};
  }
};

/// `decide` runs on the calling thread, after the policies unless they already denied the call.
/// Several threads may call it at once. An exception is a fault: the call is denied, or its output
/// withheld, with code evaluation_error.
struct HostRule {
  std::string name;          ///< in reasons and records; not empty
  std::string target = "*";  ///< a capability's name or a glob, as in policies
  std::function<HostVerdict(const HostCall&)> decide;
  Stage stage = Stage::before;
  /// Approvals are bound to name and version: change it when the rule's meaning changes.
  std::string version = {};
};

}  // namespace ordain
