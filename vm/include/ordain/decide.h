// decide takes the facts of a call and a program, and returns a Decision. It is pure: it does
// not allocate, lock, or make system calls.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/arena.h"
#include "ordain/call.h"
#include "ordain/evaluate.h"
#include "ordain/export.h"
#include "ordain/program.h"

namespace ordain {

/// Effects, in order of strength. In the after stage `allow` means release.
enum class Effect : uint8_t { allow = 0, require_approval = 1, deny = 2 };
ORDAIN_API std::string_view to_string(Effect effect);

/// Why the decision has its effect.
enum class DecisionCode : uint8_t {
  rule = 0,
  default_effect = 1,  ///< "default": no rule matched
  invalid_input = 2,
  missing_context = 3,
  evaluation_error = 4,
  budget_exceeded = 5,
};
ORDAIN_API std::string_view to_string(DecisionCode code);  ///< "rule", "default", "invalid_input", ...

/// What must be done with an allowed call besides letting it pass.
struct Obligation {
  RuleKind kind = RuleKind::warn;  ///< redact or warn
  RuleId rule = kNone;
  std::string_view path;    ///< redact: what to replace
  Value with;               ///< redact: the replacement; a string by default
  std::string_view reason;  ///< warn: the message
};

/// What one rule that requires approval asks for.
struct ApprovalNeed {
  RuleId rule = kNone;
  std::span<const std::string_view> from;  ///< approver groups, sorted, without repetition; empty: anyone may approve
  uint32_t need = 1;                       ///< how many of them must approve; 1 without groups
  bool distinct = true;                    ///< each group needs an approver of its own
  int64_t expires_seconds = 0;             ///< 0: the rule has no `expires`
};

/// An ApprovalNeed that owns its texts and names its rule.
struct AskingRule {
  std::string rule = {};
  std::vector<std::string> from = {};
  uint32_t need = 1;
  bool distinct = true;
  int64_t expires_seconds = 0;

  bool operator==(const AskingRule&) const = default;
};

/// The answer of the rules to one call. Its views are valid until the Scratch makes its next
/// decision, and while the Program lives: copy what you need for longer.
struct Decision {
  Effect effect = Effect::deny;
  DecisionCode code = DecisionCode::default_effect;
  RuleId rule = kNone;              ///< the rule that names the reason; kNone for default and invalid_input
  std::string_view reason;          ///< never empty
  std::span<const RuleId> matched;  ///< decide_all: all that match; decide: those that require approval
  std::span<const Obligation> obligations;
  std::span<const std::string_view> from;   ///< approver groups, sorted, without repetition
  int64_t expires_seconds = 0;              ///< the shortest `expires` of the rules that require approval; 0: none
  std::span<const ApprovalNeed> approvals;  ///< one for each rule that requires approval, in source order
  Fault fault;                              ///< its code is none unless a fault caused the effect
  RuleId fault_rule = kNone;
};

struct DecideOptions {
  Effect default_before = Effect::deny;
  Effect default_after = Effect::allow;
  Budget budget;                ///< for each condition; the steps only where its package has no `option budget`
  bool interpret_only = false;  ///< do not use native code, even if it is ready

  /// The same options for a single condition.
  operator EvaluateOptions() const { return {budget, interpret_only}; }  // NOLINT(google-explicit-constructor)
};

/// Decides a call and stops as soon as the answer cannot change. `call` and `context` must have
/// been made for the same program. Thread-safe if each thread has a Scratch of its own.
ORDAIN_API Decision decide(const Call& call, const Context& context, Scratch& scratch,
                           const DecideOptions& options = {});

/// Gives the same answer, but evaluates every rule and lists all matching rules in source order.
ORDAIN_API Decision decide_all(const Call& call, const Context& context, Scratch& scratch,
                               const DecideOptions& options = {});

}  // namespace ordain
