// scopes: whether the agent was granted what a capability asks for.
#pragma once

#include <string>

#include "ordain/identity.h"
#include "ordain/program.h"

namespace ordain::detail {

/// A scope that `capability` declares and `agent.scopes` does not hold, by name or by glob; "" if there is none. Only
/// what the host says of the agent counts: no scope of a principal, and nothing that the agent sends.
std::string missing_scope(const Program& program, CapabilityId capability, const Who& who);

/// "agent support lacks scope payments.write".
std::string missing_scope_reason(const Who& who, const std::string& scope);

}  // namespace ordain::detail
