// Keys on the command line.
#pragma once

#include <string>
#include <vector>

#include "ordain/keys.h"

namespace ordain::cli {

/// A verifier key as text, or a file that holds one.
Result<PublicKey> read_public_key(const std::string& given);
Result<std::vector<PublicKey>> read_public_keys(const std::vector<std::string>& given);

}  // namespace ordain::cli
