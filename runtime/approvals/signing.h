// approval_signing defines the bytes that an operator's key signs for a vote and for a grant.
#pragma once

#include <string>
#include <string_view>

#include "ordain/approvals.h"

namespace ordain::detail {

/// A signature as a row holds it.
struct RowSignature {
  int64_t key = 0;        ///< PublicKey::id
  std::string signature;  ///< 64 bytes; "" without a signature
};

/// @returns everything that the approver was shown, what the request is bound to, and the vote
std::string vote_bytes(const Approval& approval, const ApprovalVote& vote);
/// @returns everything in a grant except its revocation
std::string grant_bytes(const Grant& grant);

/// Signs the bytes. @returns an empty signature if there is no key to sign with.
RowSignature sign_row(const OperatorKeys& keys, std::string_view bytes);
/// @returns the name of the trusted key that made the signature; "" if none did
std::string signer(const OperatorKeys& keys, std::string_view bytes, const RowSignature& signature);

}  // namespace ordain::detail
