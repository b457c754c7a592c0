// key_file: secrets in files that only their owner may read.
#pragma once

#include <string>
#include <string_view>

#include "ordain/result.h"

namespace ordain::detail {

/// Makes `path` with mode 0600 and `text` in it, durable when it returns. Never overwrites.
Result<void> write_secret(const std::string& path, std::string_view text);

/// Reads at most 4 KiB. A file that others may read, or of another owner, is error "key_exposed".
Result<std::string> read_secret(const std::string& path);

/// The same without the check, for public keys.
Result<std::string> read_key_text(const std::string& path);

}  // namespace ordain::detail
