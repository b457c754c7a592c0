// decide: a call's facts and a program in, a Decision out. Pure: no allocation, no lock, no system call.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "ordain/arena.h"
#include "ordain/call.h"
#include "ordain/evaluate.h"
#include "ordain/program.h"

namespace ordain {

/// In order of strength. In the after stage `allow` means release.
enum class Effect : uint8_t { allow = 0, require_approval = 1, deny = 2 };
std::string_view to_string(Effect effect);

/// Why the effect is what it is.
enum class DecisionCode : uint8_t {
  rule = 0,
  default_effect = 1,  ///< "default": no rule spoke
  invalid_input = 2,
  missing_context = 3,
  evaluation_error = 4,
  budget_exceeded = 5,
};
std::string_view to_string(DecisionCode code);  ///< "rule", "default", "invalid_input", ...

/// What must be done with an allowed call besides letting it pass.
struct Obligation {
  RuleKind kind = RuleKind::warn;  ///< redact or warn
  RuleId rule = kNone;
  std::string_view path;    ///< redact: what to replace
  Value with;               ///< redact: by what; a string by default
  std::string_view reason;  ///< warn: the message
};

/// The answer. Views live in the Scratch until its next decision, and in the Program; `detach` keeps them.
struct Decision {
  Effect effect = Effect::deny;
  DecisionCode code = DecisionCode::default_effect;
  RuleId rule = kNone;              ///< the rule that names the reason; kNone for default and invalid_input
  std::string_view reason;          ///< never empty
  std::span<const RuleId> matched;  ///< decide_all: every matching rule; decide: the asking rules of an approval
  std::span<const Obligation> obligations;
  std::span<const std::string_view> from;  ///< approver groups, sorted, without repetition
  int64_t expires_seconds = 0;             ///< shortest `expires` of the asking rules; 0: none given
  Fault fault;                             ///< code none unless the effect is due to one
  RuleId fault_rule = kNone;
};

struct DecideOptions {
  Effect default_before = Effect::deny;
  Effect default_after = Effect::allow;
  Budget budget;                ///< of each condition
  bool interpret_only = false;  ///< do not use native code even where it is there

  /// The same for a single condition.
  operator EvaluateOptions() const { return {budget, interpret_only}; }  // NOLINT(google-explicit-constructor)
};

/// Decides, stopping as soon as the answer cannot change. `call` and `context` must be of the same program.
Decision decide(const Call& call, const Context& context, Scratch& scratch, const DecideOptions& options = {});

/// The same answer, with every rule evaluated and every matching one listed in source order.
Decision decide_all(const Call& call, const Context& context, Scratch& scratch, const DecideOptions& options = {});

}  // namespace ordain
