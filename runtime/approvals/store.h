// approval_store defines the state of an ApprovalStore.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "ordain/approvals.h"
#include "runtime/sqlite/sqlite.h"

namespace ordain {

struct ApprovalStore::Impl {
  mutable std::mutex mutex;
  mutable sqlite::Database database;
  OperatorKeys keys;
  /// The approvals consumed through this store, until they would have expired. If someone resets
  /// the row of one, it still cannot be used again here.
  std::map<std::string, int64_t> served;
};

namespace detail {

inline constexpr size_t kMinIdPrefix = 4;
inline constexpr size_t kIdDigits = 32;

/// @returns true if `id` can be an id or the beginning of one
bool id_prefix(std::string_view id);

/// @returns the first grant that covers the request, if any
Result<std::optional<Grant>> covering_grant(sqlite::Database& database, const OperatorKeys& keys,
                                            const ApprovalRequest& request);

extern const char* const kGrantSchema;

}  // namespace detail
}  // namespace ordain
