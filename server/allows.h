// Tells whether a decision is a plain yes, for interfaces that know only yes and no.
#pragma once

#include <algorithm>

#include "ordain/decide.h"

namespace ordain::server {

/// @returns whether the call may run (or its output be released) as it is. A call that needs an
/// approval may not, and neither may one whose decision redacts, unless the client does that.
inline bool allows(const Decision& decision, bool client_redacts) {
  const bool redacts = std::any_of(decision.obligations.begin(), decision.obligations.end(),
                                   [](const Obligation& one) { return one.kind == RuleKind::redact; });
  return decision.effect == Effect::allow && (client_redacts || !redacts);
}

}  // namespace ordain::server
