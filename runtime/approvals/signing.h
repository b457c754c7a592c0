// approval_signing: the bytes that an operator's key signs for a vote and for a grant.
#pragma once

#include <string>
#include <string_view>

#include "ordain/approvals.h"

namespace ordain::detail {

/// A signature as it stands in a row.
struct RowSignature {
  int64_t key = 0;        ///< PublicKey::id
  std::string signature;  ///< 64 bytes; "" where there is none
};

/// All that the approver was shown, what the request is bound to, and the vote.
std::string vote_bytes(const Approval& approval, const ApprovalVote& vote);
/// Everything of a grant but its revocation.
std::string grant_bytes(const Grant& grant);

/// Nothing where there is no key to sign with.
RowSignature sign_row(const OperatorKeys& keys, std::string_view bytes);
/// Name of the trusted key that made the signature; "" if none did.
std::string signer(const OperatorKeys& keys, std::string_view bytes, const RowSignature& signature);

}  // namespace ordain::detail
