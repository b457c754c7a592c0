// used_approvals finds out from the log itself whether an approval has already served a call. The
// rows of approvals.db say so too, but someone may be able to write that file and not the log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>

#include "runtime/audit/segment.h"
#include "runtime/sqlite/sqlite.h"

namespace ordain::detail {

/// Remembers the approvals that the records of a stretch of the log used, so that each record is
/// read only once.
class UsedApprovals {
 public:
  /// Looks for an intent or a decision that used the approval, among the records after `since`, up
  /// to the end of the segment `head` that `database` is at. Call it within a transaction there. A
  /// segment that was removed is passed over.
  Result<bool> contains(sqlite::Database& database, const SegmentHead& head, const std::string& directory,
                        std::string_view approval, uint64_t since);

 private:
  Result<void> read(sqlite::Database& database, uint64_t after, uint64_t upto);
  Result<void> read_sealed(const SegmentHead& head, const std::string& directory, uint64_t after, uint64_t upto);

  std::unordered_set<std::string> used_;
  uint64_t after_ = 0, upto_ = 0;  ///< the records read are those after `after_`, up to `upto_`
};

}  // namespace ordain::detail
