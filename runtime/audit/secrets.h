// secrets puts digests in place of the values that a capability declares `secret`, for records, requests and everything
// else that people read. The digests are keyed: equal values have equal digests within one database directory, and
// whoever has only the record cannot try values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ordain/arena.h"
#include "ordain/keys.h"
#include "ordain/result.h"
#include "ordain/schema.h"
#include "vm/json/redact.h"

namespace ordain::detail {

/// Reads the key of a database directory, `secrets.key`, and makes it if there is none. The directory must exist.
/// @returns the errors of DigestKey::load and DigestKey::save
Result<DigestKey> open_secret_key(const std::string& directory);

/// @returns the paths that the capability declares secret; none for kNone
const std::vector<std::string>& secrets_of(const Schema& schema, CapabilityId capability);

/// @returns what stands for a secret value: "secret:" and 16 hex digits of its digest
std::string secret_text(const DigestKey& key, const Value& value);

/// Copies `root` (the value named `root_name`), with texts in place of the values that `secrets` name; everything else
/// is shared. A value of another shape than the path expects is replaced as a whole, because the secret may be anywhere
/// in it; null and absent values stay. Appends every value that is replaced to `*found`.
/// `arena` has no limit; the result lives as long as arena and root.
Value conceal_secrets(Arena& arena, const Value& root, std::string_view root_name,
                      const std::vector<std::string>& secrets, const DigestKey& key, std::vector<FoundValue>* found);

/// @returns whether the value at `path`, such as "input.keys[2].token", is one that `secrets` name
bool is_secret(const std::vector<std::string>& secrets, std::string_view path);

}  // namespace ordain::detail
