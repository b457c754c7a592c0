// earlier.cc copies rows between two formats. Rows pass through a database in memory, so that the tables of the file
// can be made anew under their own names.
#include "runtime/approvals/earlier.h"

#include <fmt/format.h>

#include <string>

#include "runtime/approvals/store.h"

namespace ordain::detail {
namespace {

using sqlite::Database;
using sqlite::Statement;

constexpr int32_t kEarlierVersion = 2;
constexpr const char* kEarlierTables =
    "CREATE TABLE approvals ("
    "id TEXT PRIMARY KEY, binding BLOB NOT NULL, state INTEGER NOT NULL, capability TEXT NOT NULL, input TEXT NOT NULL,"
    "resource TEXT NOT NULL, agent TEXT NOT NULL, principal TEXT NOT NULL, tenant TEXT NOT NULL, environment TEXT NOT "
    "NULL,"
    "session TEXT NOT NULL, rule TEXT NOT NULL, reason TEXT NOT NULL, rules TEXT NOT NULL, groups TEXT NOT NULL,"
    "action TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL, consumed INTEGER NOT NULL DEFAULT 0,"
    "consumed_by TEXT NOT NULL DEFAULT '', outcome TEXT NOT NULL DEFAULT '');"
    "CREATE UNIQUE INDEX open_requests ON approvals (binding) WHERE state IN (0, 1);"
    "CREATE INDEX bindings ON approvals (binding, state);"
    "CREATE TABLE votes ("
    "number INTEGER PRIMARY KEY, approval TEXT NOT NULL, approves INTEGER NOT NULL, grp TEXT NOT NULL, approver TEXT "
    "NOT NULL,"
    "note TEXT NOT NULL, time INTEGER NOT NULL, key INTEGER NOT NULL, signature BLOB NOT NULL);"
    "CREATE INDEX votes_of ON votes (approval);";

/// A table of the present format, and how an earlier file gives its columns; nullptr: by the same names.
struct CopiedTable {
  const char* name;
  int columns;
  const char* present;
  const char* earlier;
};

// An open request becomes one from an earlier version (5). It has no nonce, which marks it for good. Its groups become
// one rule that needs all of them.
constexpr CopiedTable kCopiedTables[] = {
    {"approvals", 23,
     "id, binding, state, capability, input, resource, agent, principal, tenant, environment, session, rule, reason, "
     "rules, asking, action, created, expires, consumed, consumed_by, outcome, recorded, nonce",
     "id, binding, CASE WHEN state IN (0, 1) THEN 5 ELSE state END, capability, input, resource, agent, principal, "
     "tenant, environment, session, rule, reason, rules, CASE WHEN json_valid(groups) THEN json_array(json_object("
     "'rule', rule, 'from', json(groups), 'need', max(1, json_array_length(groups)), 'expires_seconds', NULL, "
     "'distinct', json('false'))) ELSE '[]' END, action, created, expires, consumed, consumed_by, outcome, 0, x''"},
    {"votes", 9, "number, approval, approves, grp, approver, note, time, key, signature", nullptr},
    {"grants", 18,
     "id, capability, scope, agent, principal, tenant, environment, session, granted_by, note, starts, ends, created, "
     "key, signature, revoked, revoked_by, revoked_note",
     nullptr},
};

sqlite::FileFormat earlier_format(const sqlite::FileFormat& present) {
  return {present.application, kEarlierVersion, std::string(kEarlierTables) + kGrantSchema};
}

Result<void> copy_row(Statement& row, int columns, Database& to, Statement& insert) {
  for (int column = 0; column < columns; ++column) {
    if (row.is_integer(column)) {
      insert.bind(column + 1, row.integer(column));
    } else if (row.is_text(column)) {
      insert.bind_text(column + 1, row.text(column));
    } else if (row.is_blob(column)) {
      const std::string_view bytes = row.blob(column);
      insert.bind_blob(column + 1, bytes.data(), bytes.size());
    } else {
      return Error{"database_corrupt", "a row of the approvals of an earlier version cannot be read"};
    }
  }
  return to.write_row(insert);
}

Result<void> copy_table(Database& from, bool from_earlier, const CopiedTable& table, Database& to) {
  std::string places = "?";
  for (int column = 1; column < table.columns; ++column) places += ", ?";
  const char* columns = from_earlier && table.earlier != nullptr ? table.earlier : table.present;
  auto rows = from.prepare(fmt::format("SELECT {} FROM {} ORDER BY rowid", columns, table.name));
  if (!rows.ok()) return rows.error();
  auto insert = to.prepare(fmt::format("INSERT INTO {} ({}) VALUES ({})", table.name, table.present, places));
  if (!insert.ok()) return insert.error();
  for (;;) {
    const Statement::Step step = rows->step();
    if (step == Statement::Step::failed) return from.error();
    if (step == Statement::Step::done) return {};
    if (auto copied = copy_row(*rows, table.columns, to, *insert); !copied.ok()) return copied;
  }
}

Result<void> copy_tables(Database& from, bool from_earlier, Database& to) {
  for (const CopiedTable& table : kCopiedTables) {
    if (auto copied = copy_table(from, from_earlier, table, to); !copied.ok()) return copied;
  }
  return {};
}

/// Copies an earlier file, whose format has been checked.
Result<Database> copy_to_memory(Database& earlier, const sqlite::FileFormat& present) {
  auto memory = Database::open(":memory:", Database::Open::read_write, std::chrono::seconds(5));
  if (!memory.ok()) return memory;
  if (auto made = memory->prepare_file(present, "", true); !made.ok()) return made.error();
  if (auto copied = copy_tables(earlier, true, *memory); !copied.ok()) return copied.error();
  return memory;
}

}  // namespace

Result<bool> holds_earlier_approvals(sqlite::Database& database) {
  auto version = database.number("PRAGMA user_version");
  if (!version.ok()) return version.error();
  return *version == kEarlierVersion;
}

Result<sqlite::Database> copy_earlier_approvals(sqlite::Database& earlier, const sqlite::FileFormat& present) {
  if (auto begun = earlier.begin_snapshot(earlier_format(present)); !begun.ok()) return begun.error();
  auto memory = copy_to_memory(earlier, present);
  if (!memory.ok()) return memory;
  if (auto closed = memory->execute("PRAGMA query_only = ON"); !closed.ok()) return closed.error();
  return memory;
}

Result<void> upgrade_earlier_approvals(sqlite::Database& database, const sqlite::FileFormat& present) {
  sqlite::Transaction transaction(database);
  if (auto begun = transaction.begin(); !begun.ok()) return begun;
  auto still = holds_earlier_approvals(database);
  if (!still.ok()) return still.error();
  if (!*still) return {};
  if (auto checked = database.check_file(earlier_format(present)); !checked.ok()) return checked;
  auto rows = copy_to_memory(database, present);
  if (!rows.ok()) return rows.error();
  std::string tables;
  for (const CopiedTable& table : kCopiedTables) tables += fmt::format("DROP TABLE {};", table.name);
  tables += fmt::format("{}; PRAGMA user_version = {}", present.schema, present.version);
  if (auto made = database.execute(tables); !made.ok()) return made;
  if (auto copied = copy_tables(*rows, false, database); !copied.ok()) return copied;
  if (auto checked = database.check_file(present); !checked.ok()) return checked;
  return transaction.commit();
}

}  // namespace ordain::detail
