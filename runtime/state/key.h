// Keys say whose share of a state a call uses: the parts that a declaration lists after `by`, each
// with its kind and length, so that no two lists of parts have the same bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/value.h"

namespace ordain::state {

inline constexpr size_t kMaxKeyParts = 8;
/// A longer text is kept as its SHA-256, so that a caller cannot fill memory with its keys.
inline constexpr size_t kMaxKeyText = 256;

/// Appends one part. @returns false, and appends nothing, if the key is unknown: for an empty text,
/// or a value that is not a string, int, uint or bool
bool append_key_part(std::string& key, const Value& part);

/// @returns the bytes of each part, or nothing if `key` is not a key. The views are of `key`.
std::optional<std::vector<std::string_view>> split_key(std::string_view key);

/// @returns the parts as people read them: "ann, 7"; "global" if there are none
std::string describe_key(std::string_view key);

}  // namespace ordain::state
