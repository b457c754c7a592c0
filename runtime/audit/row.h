// audit_row reads one row of table `records` as the file holds it.
#pragma once

#include <string>
#include <string_view>

#include "ordain/audit.h"
#include "runtime/audit/record.h"
#include "runtime/sqlite/sqlite.h"

namespace ordain::detail {

/// The columns that read_row expects, in order.
inline constexpr const char* kRowColumns = "r.id, r.chain, r.sequence, r.body, r.hash";

/// The columns of a row. Views live until the statement's next step.
struct Row {
  uint64_t id = 0, sequence = 0;
  Id128 chain;
  Sha256::Hash hash{};
  std::string_view body;
};

/// Reads the columns. @returns what is wrong with them, or "". The id is always read.
std::string read_row(sqlite::Statement& statement, Row* row);

/// @returns false if the body is not a record
bool read_record(const Row& row, AuditRecord* record);

/// Calls `visit(statement)` for each row of `sql` (bound by `bind(statement)`) until it returns false.
template <typename Bind, typename Visit>
Result<void> for_rows(sqlite::Database& database, const std::string& sql, Bind bind, Visit visit) {
  auto statement = database.prepare(sql);
  if (!statement.ok()) return statement.error();
  bind(*statement);
  for (;;) {
    auto step = statement->step();
    if (step == sqlite::Statement::Step::failed) return database.error();
    if (step == sqlite::Statement::Step::done || !visit(*statement)) return {};
  }
}

template <typename Visit>
Result<void> for_rows(sqlite::Database& database, const std::string& sql, Visit visit) {
  return for_rows(database, sql, [](sqlite::Statement&) {}, visit);
}

/// Visits the rows from id `first` on.
template <typename Visit>
Result<void> for_records(sqlite::Database& database, int64_t first, Visit visit) {
  std::string sql = "SELECT ";
  sql.append(kRowColumns).append(" FROM records r WHERE r.id >= ? ORDER BY r.id");
  return for_rows(database, sql, [&](sqlite::Statement& statement) { statement.bind(1, first); }, visit);
}

}  // namespace ordain::detail
