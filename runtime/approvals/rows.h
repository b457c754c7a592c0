// approval_rows converts approvals between their rows and their struct.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/approvals.h"
#include "runtime/sqlite/sqlite.h"

namespace ordain::detail {

/// Reads the approvals that `tail` (WHERE, ORDER BY, LIMIT) selects, with their votes. `texts` are
/// its parameters ?1, ?2, ... A request that has expired at `now_ns` reads as expired even if its
/// row does not say so yet. With keys, votes that none of them signed do not count.
Result<std::vector<Approval>> read_approvals(sqlite::Database& database, const OperatorKeys& keys,
                                             const std::string& tail, const std::vector<std::string_view>& texts,
                                             int64_t now_ns);

/// Inserts a new request. @returns its id
Result<std::string> insert_approval(sqlite::Database& database, const ApprovalRequest& request);

}  // namespace ordain::detail
