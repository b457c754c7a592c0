// approval_votes checks a vote before it is stored. Which votes count is decided by the same rules when a
// request is read.
#pragma once

#include <optional>
#include <string_view>

#include "ordain/approvals.h"

namespace ordain::detail {

/// @returns whether the vote approves and is by someone who may answer for its group. The agent never approves its
/// own call. Its principal answers as group "principal" or, where a rule names no group, as anyone; nobody else
/// answers as group "principal".
bool may_count(const Approval& approval, const ApprovalVote& vote);

/// Checks who votes and for which group. A vote without a group is for the only one; the principal's is for
/// group "principal", where a rule names it.
/// @returns the vote with its group, or error "invalid_approver", "unknown_group" or "not_eligible"
Result<ApprovalVote> check_vote(const Approval& approval, ApprovalVote vote);

/// @returns error "already_voted" or "already_approved" if an approving vote would bring no rule nearer to its
/// approval
std::optional<Error> useless(const Approval& approval, const ApprovalVote& vote);

}  // namespace ordain::detail
