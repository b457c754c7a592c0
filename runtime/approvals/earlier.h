// earlier reads the file of approvals as an earlier version wrote it. Its requests are kept, so that people can see
// what was asked and what became of it, but they can no longer be approved or used: their ids are not digests of them.
#pragma once

#include "ordain/result.h"
#include "runtime/sqlite/sqlite.h"

namespace ordain::detail {

/// @returns whether the file is of the earlier format that can be read
Result<bool> holds_earlier_approvals(sqlite::Database& database);

/// Copies an earlier file into a database in memory of the present format, which cannot be written.
Result<sqlite::Database> copy_earlier_approvals(sqlite::Database& earlier, const sqlite::FileFormat& present);

/// Brings an earlier file to the present format, in one transaction. Another process may do the same at the same time.
/// Votes and grants stay as they are.
Result<void> upgrade_earlier_approvals(sqlite::Database& database, const sqlite::FileFormat& present);

}  // namespace ordain::detail
