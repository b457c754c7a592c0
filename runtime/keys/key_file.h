// key_file keeps secrets in files that only their owner may read.
#pragma once

#include <string>
#include <string_view>

#include "ordain/result.h"

namespace ordain::detail {

/// Creates `path` with mode 0600 and writes `text` to it; the file is durable when this returns.
/// Never overwrites a file.
Result<void> write_secret(const std::string& path, std::string_view text);

/// Reads at most 4 KiB. If others may read the file, or if it belongs to another owner, the error
/// is "key_exposed".
Result<std::string> read_secret(const std::string& path);

/// Like read_secret but without that check, for public keys.
Result<std::string> read_key_text(const std::string& path);

}  // namespace ordain::detail
