// approval_store defines the state of an ApprovalStore.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "ordain/approvals.h"
#include "runtime/approvals/signing.h"
#include "runtime/identity/fork.h"
#include "runtime/sqlite/sqlite.h"

namespace ordain {

struct ApprovalStore::Impl {
  /// Locks the store. @returns an error in a child that was forked after it was opened
  Result<std::unique_lock<std::mutex>> enter() const {
    if (process.is_child()) {
      return Error{"database_error", "the approvals were opened before this process was forked"};
    }
    return std::unique_lock(mutex);
  }

  const detail::ProcessMark process;
  mutable std::mutex mutex;
  mutable sqlite::Database database;
  OperatorKeys keys;
  /// The approvals consumed through this store, until they would have expired. If someone resets
  /// the row of one, it still cannot be used again here.
  std::map<std::string, int64_t> served;
  mutable detail::CheckedSignatures checked;
};

namespace detail {

inline constexpr int32_t kApprovalsVersion = 3;
inline constexpr size_t kMinIdPrefix = 4;
inline constexpr size_t kIdDigits = 32;

/// @returns true if `id` can be an id or the beginning of one
bool id_prefix(std::string_view id);

/// @returns the first grant that covers the request, if any
Result<std::optional<Grant>> covering_grant(sqlite::Database& database, const OperatorKeys& keys,
                                            CheckedSignatures& checked, const ApprovalRequest& request);

extern const char* const kGrantSchema;

}  // namespace detail
}  // namespace ordain
