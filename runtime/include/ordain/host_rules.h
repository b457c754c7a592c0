// Host rules: rules that the host writes in C++. They stand beside those of the policies, in the same stage, under
// the same combining, and on the same record.
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
#include "ordain/json.h"

namespace ordain {

/// What a host rule sees of a call. Views; they live until the rule returns.
struct HostCall {
  Stage stage = Stage::before;
  std::string_view capability;
  const Value& input;   ///< as it came from the agent, before any `redact`
  const Value& output;  ///< absent before
  const Who& who;
  const CallOptions& options;
  int64_t now_ns = 0;
  int64_t elapsed_ns = 0;          ///< after
  std::string_view action, trace;  ///< ids

  /// A field of the input; absent if there is none.
  Value arg(std::string_view name) const;
};

struct HostRedaction {
  std::string path;  ///< as in `redact`: "input.card", "output.rows[*].iban"
  Document with = {};
};

/// What a host rule says. One without effect has no opinion; its warnings and redactions stand if the call goes on.
struct HostVerdict {
  std::optional<Effect> effect = {};
  std::string reason = {};             ///< the rule's name where empty
  std::vector<std::string> from = {};  ///< require_approval: approver groups
  std::chrono::seconds expires{0};     ///< require_approval: 0 for the default
  std::vector<std::string> warnings = {};
  std::vector<HostRedaction> redactions = {};

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

/// `decide` runs on the calling thread, after the policies unless they denied already, and may be called by several
/// threads at once. An exception is a fault: the call is denied, or its output withheld, with code evaluation_error.
struct HostRule {
  std::string name;          ///< in reasons and records; not empty
  std::string target = "*";  ///< a capability's name or a glob, as in policies
  std::function<HostVerdict(const HostCall&)> decide;
  Stage stage = Stage::before;
  /// Approvals are bound to name and version: change it when the rule's meaning changes.
  std::string version = {};
};

}  // namespace ordain
