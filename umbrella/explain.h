// explain: what every rule of a call's capability and stage came to, whether or not it mattered.
#pragma once

#include <string>
#include <vector>

#include "ordain/decide.h"

namespace ordain::detail {

struct RuleOutcome {
  enum class Kind : uint8_t { matched, not_matched, fault, other_target };
  RuleId rule = kNone;
  Kind kind = Kind::not_matched;
  std::string fault;  ///< "division by zero at p.policy:3:12"
};
std::string_view to_string(RuleOutcome::Kind kind);

/// In source order; each rule once. Nothing if the call or the context does not fit its declarations: then no rule
/// runs.
std::vector<RuleOutcome> explain(const Call& call, const Context& context, Scratch& scratch,
                                 const DecideOptions& options);

/// "p.policy:3:5" of a rule, or "".
std::string place_of(const Program& program, uint32_t location);

}  // namespace ordain::detail
