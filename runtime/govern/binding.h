// binding defines what an approval is bound to: the subject of the approval.
#pragma once

#include <optional>

#include "ordain/approvals.h"
#include "ordain/decide.h"
#include "runtime/govern/ruling.h"

namespace ordain::detail {

/// The input of a call that waits for approval.
struct RequestInput {
  const Value& effective;  ///< what the tool will receive; only its digest is kept
  const Value& shown;      ///< the same without secrets, for people and the store
};

/// @returns the request for approval of a call, or nothing if a value is nested too deep to be
/// encoded. The request's binding is the digest of capability, effective input in its declared form,
/// resource, agent, principal, tenant and environment, and of the asking rules with everything that
/// they reference and need; if any of these changes, it is another call. `arena` takes values for the
/// time of the call. The caller sets `now_ns` and `expires_ns`.
std::optional<ApprovalRequest> make_request(Arena& arena, const Program& program, const Ruling& ruling,
                                            const ActionFacts& action, const Who& who, const RequestInput& input);

}  // namespace ordain::detail
