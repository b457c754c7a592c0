// database_edits makes edits through SQLite, so that the file stays valid and readers go on, or
// directly in the file's bytes.
#include "tests/fuzz/database_edits.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <span>

#include "runtime/sqlite/sqlite.h"
#include "tests/fuzz/database_base.h"

namespace ordain::fuzz {
namespace {

struct Column {
  const char *table, *name;
};
constexpr Column kAuditColumns[] = {{"records", "body"},     {"records", "hash"},         {"records", "chain"},
                                    {"records", "sequence"}, {"records", "id"},           {"checkpoints", "size"},
                                    {"checkpoints", "note"}, {"checkpoints", "frontier"}, {"segment", "number"},
                                    {"segment", "log"},      {"segment", "first"},        {"segment", "previous"},
                                    {"segment", "frontier"}, {"segment", "checkpoint"},   {"segment", "sealed"},
                                    {"segment", "indexed"},  {"segment", "retention"}};
constexpr Column kApprovalColumns[] = {
    {"approvals", "binding"},  {"approvals", "state"},   {"approvals", "input"},       {"approvals", "resource"},
    {"approvals", "rules"},    {"approvals", "asking"},  {"approvals", "capability"},  {"approvals", "agent"},
    {"approvals", "created"},  {"approvals", "expires"}, {"approvals", "consumed"},    {"approvals", "reason"},
    {"approvals", "id"},       {"approvals", "outcome"}, {"approvals", "environment"}, {"votes", "approval"},
    {"votes", "approves"},     {"votes", "grp"},         {"votes", "approver"},        {"votes", "time"},
    {"votes", "key"},          {"votes", "signature"},   {"grants", "capability"},     {"grants", "agent"},
    {"grants", "starts"},      {"grants", "ends"},       {"grants", "signature"},      {"grants", "revoked"},
    {"grants", "revoked_note"}};

/// Changes one value of one row, and keeps its type unless the script says otherwise.
void edit_value(Script& script, sqlite::Database& database, const Column& column, int64_t row) {
  std::string bytes;
  int64_t number = 0;
  bool whole = false, blob = false;
  {
    auto found = database.prepare(
        fmt::format("SELECT {} FROM {} ORDER BY rowid LIMIT 1 OFFSET {}", column.name, column.table, row));
    if (!found.ok() || found->step() != sqlite::Statement::Step::row) return;
    whole = found->is_integer(0);
    blob = found->is_blob(0);
    number = found->integer(0);
    bytes = found->blob(0);
  }
  const uint8_t how = script.byte();
  if (how % 16 == 15) std::swap(whole, blob);
  auto put = database.prepare(
      fmt::format("UPDATE {0} SET {1} = ?1 WHERE rowid = (SELECT rowid FROM {0} ORDER BY rowid LIMIT 1 OFFSET {2})",
                  column.table, column.name, row));
  if (!put.ok()) return;
  if (whole) {
    number = how % 2 == 0 ? number + static_cast<int8_t>(script.byte()) : static_cast<int64_t>(script.number(8));
    put->bind(1, number);
  } else {
    splice(script, bytes);
    blob ? put->bind_blob(1, bytes.data(), bytes.size()) : put->bind_text(1, bytes);
  }
  put->step();
}

}  // namespace

void splice(Script& script, std::string& text) {
  const size_t at = text.empty() ? 0 : script.number(2) % text.size();
  const size_t taken = script.byte() % 8;
  text.replace(at, taken, script.text());
}

void edit_rows(Script& script, const std::string& path, Tables tables) {
  const std::span<const Column> columns =
      tables == Tables::audit ? std::span<const Column>(kAuditColumns) : std::span<const Column>(kApprovalColumns);
  auto database = sqlite::Database::open(path, sqlite::Database::Open::read_write, std::chrono::milliseconds(0));
  if (!database.ok()) return;
  (void)database->execute("PRAGMA synchronous = OFF");
  for (int edits = 1 + script.byte() % 3; edits > 0; --edits) {
    const Column& column = columns[script.byte() % columns.size()];
    const uint8_t how = script.byte(), row = script.byte() % 16;
    if (how < 200) {
      edit_value(script, *database, column, row);
    } else if (how < 225) {
      (void)database->execute(
          fmt::format("DELETE FROM {0} WHERE rowid = (SELECT rowid FROM {0} ORDER BY rowid LIMIT 1 OFFSET {1})",
                      column.table, row));
    } else {
      (void)database->execute(
          fmt::format("UPDATE {0} SET {1} = (SELECT {1} FROM {0} ORDER BY rowid LIMIT 1 OFFSET {2}) "
                      "WHERE rowid = (SELECT rowid FROM {0} ORDER BY rowid LIMIT 1 OFFSET {3})",
                      column.table, column.name, row, script.byte() % 16));
    }
  }
}

void edit_bytes(Script& script, const std::string& path) {
  std::string bytes = read_file(path);
  for (int edits = 1 + script.byte() % 4; edits > 0 && !bytes.empty(); --edits) {
    const size_t at = script.number(3) % bytes.size();
    if (script.byte() % 16 == 0) {
      bytes.resize(at);
      continue;
    }
    const std::string text = script.text();
    bytes.replace(at, text.size(), text);
  }
  write_file(path, bytes);
}

}  // namespace ordain::fuzz
