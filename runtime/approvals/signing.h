// approval_signing defines the bytes that an operator's key signs for a vote and for a grant, and
// those that an approval's id is the digest of.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>

#include "ordain/approvals.h"

namespace ordain::detail {

/// A signature as a row holds it.
struct RowSignature {
  int64_t key = 0;        ///< PublicKey::id
  std::string signature;  ///< 64 bytes; "" without a signature
};

/// Makes the ids of equal requests differ.
using Nonce = std::array<uint8_t, 16>;

/// @returns the digest of the whole request as it was made; the approval's id is its beginning
Digest content_digest(const Approval& approval, const Nonce& nonce);
/// @returns the id that belongs to the digest
std::string id_of(const Digest& content);

/// @returns everything that the approver was shown, what the request is bound to, and the vote
std::string vote_bytes(const Approval& approval, const ApprovalVote& vote);
/// @returns everything in a grant except its revocation
std::string grant_bytes(const Grant& grant);

/// Remembers the result of checking signatures, because that takes longer than all else that a claim
/// does. A row that has changed in any way is another one, and is checked anew.
class CheckedSignatures {
 public:
  std::string signer(const OperatorKeys& keys, std::string_view bytes, const RowSignature& signature);
  /// @returns how many signatures were verified rather than remembered
  size_t verifications() const { return verifications_; }

 private:
  size_t verifications_ = 0;
  std::map<std::string, std::string> signers_;  ///< by everything that was checked
};

/// Signs the bytes. @returns an empty signature if there is no key to sign with.
RowSignature sign_row(const OperatorKeys& keys, std::string_view bytes);
/// @returns the name of the trusted key that made the signature; "" if none did
std::string signer(const OperatorKeys& keys, std::string_view bytes, const RowSignature& signature);

}  // namespace ordain::detail
