// Keys on the command line.
#pragma once

#include <string>
#include <vector>

#include "ordain/approvals.h"
#include "ordain/keys.h"

namespace ordain::cli {

/// A verifier key as text, or a file that holds one.
Result<PublicKey> read_public_key(const std::string& given);
Result<std::vector<PublicKey>> read_public_keys(const std::vector<std::string>& given);

/// The keys of approvals and grants: `--key`, a private key's file or "", and `--trust`.
Result<OperatorKeys> operator_keys(const std::string& key, const std::vector<std::string>& trust);

/// Who runs the command.
std::string user_name();

}  // namespace ordain::cli
