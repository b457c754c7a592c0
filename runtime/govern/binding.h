// binding: what an approval is bound to.
#pragma once

#include <optional>

#include "ordain/approvals.h"
#include "ordain/decide.h"
#include "runtime/govern/ruling.h"

namespace ordain::detail {

/// The request for approval of a call. Its binding is the digest of capability, effective input, resource, agent,
/// principal, tenant and environment, and of the asking rules with all that they reference: a change of any of these is
/// another call. `now_ns` and `expires_ns` are left to the caller. @returns nothing for a value nested too deep to be
/// written down.
std::optional<ApprovalRequest> make_request(const Program& program, const Ruling& ruling, const ActionFacts& action,
                                            const Who& who, const Value& effective_input);

}  // namespace ordain::detail
