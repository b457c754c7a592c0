// Digests are SHA-256 hashes; they name programs, rules and records.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "ordain/export.h"

namespace ordain {

using Digest = std::array<uint8_t, 32>;  ///< SHA-256
ORDAIN_API std::string to_hex(const Digest& digest);

/// Computes the SHA-256 of `bytes`. Thread-safe.
ORDAIN_API Digest sha256(std::string_view bytes);

/// Computes the HMAC-SHA256 of `bytes` under `key`. Thread-safe.
ORDAIN_API Digest hmac_sha256(std::string_view key, std::string_view bytes);

}  // namespace ordain
