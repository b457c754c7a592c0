// segment.cc names, finds and creates segments.
#include "runtime/audit/segment.h"

#include <dirent.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>

#include "runtime/audit/query.h"
#include "runtime/audit/row.h"
#include "runtime/identity/text.h"
#include "vm/value/encodings.h"

namespace ordain::detail {
namespace {

constexpr std::string_view kPrefix = "audit-", kSuffix = ".db", kFirstName = "audit.db";
constexpr auto kReadWait = std::chrono::seconds(5);

constexpr const char* kTables =
    "CREATE TABLE records ("
    "id INTEGER PRIMARY KEY, chain BLOB NOT NULL, sequence INTEGER NOT NULL, body BLOB NOT NULL, hash BLOB NOT NULL);"
    "CREATE TABLE checkpoints (size INTEGER PRIMARY KEY, note TEXT NOT NULL, frontier BLOB NOT NULL);"
    "CREATE TABLE segment (number INTEGER PRIMARY KEY, log BLOB NOT NULL, first INTEGER NOT NULL, "
    "previous BLOB NOT NULL, frontier BLOB NOT NULL, checkpoint TEXT NOT NULL, retention TEXT NOT NULL, "
    "sealed INTEGER NOT NULL, indexed INTEGER NOT NULL);";

std::string_view view_of(const Sha256::Hash& hash) { return {reinterpret_cast<const char*>(hash.data()), hash.size()}; }

std::string insert_head(const SegmentHead& head) {
  std::string_view log(reinterpret_cast<const char*>(head.log.bytes.data()), head.log.bytes.size());
  // The notes hold only base64 and names without quotes, but hex is safe without relying on that.
  return fmt::format(
      "INSERT INTO segment VALUES ({}, x'{}', {}, x'{}', x'{}', CAST(x'{}' AS TEXT), "
      "CAST(x'{}' AS TEXT), {:d}, {:d});",
      head.number, hex_of(log), head.first, hex_of(view_of(head.previous)), hex_of(head.base.frontier()),
      hex_of(head.checkpoint), hex_of(head.retention), head.sealed, head.indexed);
}

/// @returns the number in a file's name, or 0
uint64_t number_of(std::string_view name) {
  if (name == kFirstName) return 1;
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return 0;
  std::string_view digits = name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
  uint64_t number = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  bool all = error == std::errc() && end == digits.data() + digits.size();
  return all && number > 1 && segment_path("", number) == name ? number : 0;
}

// The databases have write-ahead logs. A rollback journal beside one was put there by something else, and SQLite would
// restore the file from it.
Error name_journal(const std::string& path, const Error& error) {
  const std::string journal = path + "-journal";
  if (error.code == "database_busy" || !sqlite::file_exists(journal)) return error;
  return {"database_corrupt",
          fmt::format("{}: Ordain did not make this file, and the log cannot be read beside it ({})", journal,
                      error.message)};
}

// Whether this build can read the first and the last record.
bool has_own_records(sqlite::Database& database) {
  size_t rows = 0, readable = 0;
  const std::string sql = fmt::format(
      "SELECT {} FROM records r WHERE r.id IN ((SELECT min(id) FROM records), (SELECT max(id) FROM records))",
      kRowColumns);
  auto read = for_rows(database, sql, [&](sqlite::Statement& statement) {
    Row row;
    AuditRecord record;
    ++rows;
    if (read_row(statement, &row).empty() && read_record(row, &record)) ++readable;
    return true;
  });
  return read.ok() && rows > 0 && readable == rows;
}

Result<bool> is_sealed(const std::string& path) {
  auto database = open_segment(path);
  if (!database.ok()) return database.error();
  auto head = read_segment_head(*database, path);
  if (!head.ok()) return head.error();
  return head->sealed;
}

}  // namespace

Sha256::Hash log_start(const Id128& log) {
  Sha256 hasher;
  hasher.add("ordain audit log\n");
  hasher.add(log.bytes.data(), log.bytes.size());
  return hasher.finish();
}

SegmentHead new_log() {
  SegmentHead out;
  out.log = Id128::random();
  out.previous = log_start(out.log);
  return out;
}

std::string segment_path(const std::string& directory, uint64_t number) {
  return sqlite::path_in(directory, number == 1 ? std::string(kFirstName) : fmt::format("audit-{:06}.db", number));
}

std::vector<SegmentFile> list_files(const std::string& directory) {
  std::vector<SegmentFile> out;
  // The standard library's iterator ends the process when it finds no memory.
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(directory.c_str()), ::closedir);
  while (const dirent* entry = entries == nullptr ? nullptr : ::readdir(entries.get())) {
    const std::string name = entry->d_name;
    if (uint64_t number = number_of(name); number != 0) out.push_back({number, sqlite::path_in(directory, name)});
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
  return out;
}

Result<std::vector<SegmentFile>> list_segments(const std::string& directory) {
  std::vector<SegmentFile> out = list_files(directory);
  // A new segment is created before the old one is sealed; until then, no process writes to the new
  // one.
  if (out.size() >= 2 && out[out.size() - 2].number + 1 == out.back().number) {
    auto sealed = is_sealed(out[out.size() - 2].path);
    if (!sealed.ok()) return sealed.error();
    if (!*sealed) out.pop_back();
  }
  return out;
}

const sqlite::FileFormat& segment_format() {
  static const sqlite::FileFormat format{kAuditApplication, kAuditVersion, kTables, fact_schema(), has_own_records};
  return format;
}

Result<sqlite::Database> create_segment(const std::string& path, const SegmentHead& head, bool full,
                                        std::chrono::milliseconds busy_wait) {
  auto database = sqlite::Database::open(path, sqlite::Database::Open::read_write, busy_wait);
  if (!database.ok()) return database;
  auto ready = database->prepare_file(segment_format(), insert_head(head), full);
  if (!ready.ok()) return ready.error();
  return database;
}

Result<sqlite::Database> open_segment(const std::string& path) {
  auto database = sqlite::Database::open(path, sqlite::Database::Open::read_only, kReadWait);
  if (!database.ok()) return name_journal(path, database.error());
  if (auto begun = database->begin_snapshot(segment_format()); !begun.ok()) return name_journal(path, begun.error());
  return database;
}

Result<SegmentHead> read_segment_head(sqlite::Database& database, const std::string& path) {
  auto select = database.prepare(
      "SELECT number, log, first, previous, frontier, checkpoint, retention, sealed, indexed FROM segment");
  if (!select.ok()) return select.error();
  auto step = select->step();
  if (step == sqlite::Statement::Step::failed) return database.error();
  Error corrupt{"database_corrupt", path + ": the segment's head is damaged"};
  if (step == sqlite::Statement::Step::done) return corrupt;
  for (int column : {0, 2, 7, 8}) {
    if (!select->is_integer(column)) return corrupt;
  }
  for (int column : {1, 3, 4}) {
    if (!select->is_blob(column)) return corrupt;
  }
  for (int column : {5, 6}) {
    if (!select->is_text(column)) return corrupt;
  }
  for (int column : {7, 8}) {
    if (select->integer(column) < 0 || select->integer(column) > 1) return corrupt;
  }
  SegmentHead out;
  out.number = static_cast<uint64_t>(select->integer(0));
  out.first = static_cast<uint64_t>(select->integer(2));
  auto log = select->blob(1), previous = select->blob(3);
  if (log.size() != out.log.bytes.size() || previous.size() != out.previous.size() || out.first == 0) return corrupt;
  std::memcpy(out.log.bytes.data(), log.data(), log.size());
  std::memcpy(out.previous.data(), previous.data(), previous.size());
  if (!CompactTree::parse(out.first - 1, select->blob(4), &out.base)) return corrupt;
  out.checkpoint = select->text(5);
  out.retention = select->text(6);
  out.sealed = select->integer(7) != 0;
  out.indexed = select->integer(8) != 0;
  if (out.indexed && !out.sealed) return corrupt;
  if (select->step() != sqlite::Statement::Step::done) return corrupt;
  return out;
}

std::string retention_text(const std::string& origin, uint64_t first, const Sha256::Hash& root) {
  return fmt::format("{}/retention\n{}\n{}\n", origin, first, base64_of(view_of(root)));
}

}  // namespace ordain::detail
