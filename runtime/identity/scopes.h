// scopes checks whether the agent was granted the scopes that a capability requires.
#pragma once

#include <string>

#include "ordain/identity.h"
#include "ordain/program.h"

namespace ordain::detail {

/// @returns a scope that `capability` declares and `agent.scopes` does not hold, by name or by
/// glob; "" if there is none. Only the host's statements about the agent count: neither the scopes
/// of a principal nor anything that the agent sends.
std::string missing_scope(const Program& program, CapabilityId capability, const Who& who);

/// @returns a text like "agent support lacks scope payments.write"
std::string missing_scope_reason(const Who& who, const std::string& scope);

}  // namespace ordain::detail
