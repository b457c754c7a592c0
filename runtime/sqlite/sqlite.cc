// sqlite.cc wraps SQLite; apart from the fault layer for tests, only this file includes sqlite3.h.
#include "runtime/sqlite/sqlite.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <thread>

namespace ordain::sqlite {
namespace {

const char* code_of(int result) {
  switch (result & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "database_busy";
    case SQLITE_FULL:
      return "database_full";
    case SQLITE_READONLY:
      return "database_readonly";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "database_corrupt";
    default:
      return "database_error";
  }
}

Error error_of(int result, const std::string& path, const char* message) {
  return Error{code_of(result), fmt::format("{}: {}", path, message)};
}

/// Creates the main file closed to others. SQLite gives its side files the mode of that file.
Result<void> create_private(const std::string& path) {
  int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) {
    const char* code = errno == EACCES || errno == EROFS ? "database_readonly" : "database_error";
    return Error{code, fmt::format("{}: {}", path, std::strerror(errno))};
  }
  ::close(file);
  return {};
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement& Statement::bind(int parameter, int64_t value) {
  sqlite3_bind_int64(statement_.get(), parameter, value);
  return *this;
}

Statement& Statement::bind_text(int parameter, std::string_view text) {
  const char* data = text.data() != nullptr ? text.data() : "";
  sqlite3_bind_text64(statement_.get(), parameter, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind_blob(int parameter, const void* bytes, size_t size) {
  sqlite3_bind_blob64(statement_.get(), parameter, bytes != nullptr ? bytes : "", size, SQLITE_STATIC);
  return *this;
}

Statement::Step Statement::step() {
  int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return Step::row;
  if (result == SQLITE_DONE) return Step::done;
  return Step::failed;
}

void Statement::reset() { sqlite3_reset(statement_.get()); }

int64_t Statement::integer(int column) { return sqlite3_column_int64(statement_.get(), column); }

std::string_view Statement::text(int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (text == nullptr) return {};
  return {text, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::string_view Statement::blob(int column) {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

bool Statement::is_integer(int column) { return sqlite3_column_type(statement_.get(), column) == SQLITE_INTEGER; }
bool Statement::is_blob(int column) { return sqlite3_column_type(statement_.get(), column) == SQLITE_BLOB; }

void Database::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Result<Database> Database::open(const std::string& path, Open how, std::chrono::milliseconds busy_wait) {
  if (how == Open::read_write && path != ":memory:") {
    if (auto made = create_private(path); !made.ok()) return made.error();
  }
  int flags = how == Open::read_write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  sqlite3* raw = nullptr;
  int result = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database;
  database.database_.reset(raw);
  database.path_ = path;
  database.busy_wait_ = busy_wait;
  if (result != SQLITE_OK) return error_of(result, path, raw != nullptr ? sqlite3_errmsg(raw) : "out of memory");
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, static_cast<int>(busy_wait.count()));
  return database;
}

Error Database::error() const {
  return error_of(sqlite3_errcode(database_.get()), path_, sqlite3_errmsg(database_.get()));
}

Result<void> Database::execute(const std::string& sql) {
  if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return error();
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  int result = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                  &statement, nullptr);
  if (result != SQLITE_OK) return error();
  return Statement(statement);
}

int64_t Database::changes() const { return sqlite3_changes64(database_.get()); }

Result<int64_t> Database::pragma(const std::string& name) {
  auto statement = prepare("PRAGMA " + name);
  if (!statement.ok()) return statement.error();
  if (statement->step() != Statement::Step::row) return error();
  return statement->integer(0);
}

/// Retries until `busy_wait`, because switching the journal mode does not wait for other
/// connections.
Result<void> Database::use_wal() {
  auto deadline = std::chrono::steady_clock::now() + busy_wait_;
  for (;;) {
    auto result = execute("PRAGMA journal_mode = WAL");
    if (result.ok() || result.error().code != "database_busy") return result;
    if (std::chrono::steady_clock::now() >= deadline) return result;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

Result<void> Database::check_file(int32_t application, int32_t version) {
  auto found = pragma("application_id");
  if (!found.ok()) return found.error();
  if (*found != application)
    return Error{"database_corrupt", fmt::format("{}: not a file of the expected kind", path_)};
  auto format = pragma("user_version");
  if (!format.ok()) return format.error();
  if (*format != version) {
    return Error{"database_error", fmt::format("{}: format {}, this build reads {}", path_, *format, version)};
  }
  return {};
}

Result<void> Database::prepare_file(int32_t application, int32_t version, const std::string& schema, bool full) {
  if (auto wal = use_wal(); !wal.ok()) return wal;
  if (auto set = execute(full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL"); !set.ok()) return set;
  Transaction transaction(*this);
  if (auto begun = transaction.begin(); !begun.ok()) return begun;
  auto tables = pragma("schema_version");  // 0: nothing was ever created in this file
  if (!tables.ok()) return tables.error();
  if (*tables == 0) {
    if (auto made = execute(schema); !made.ok()) return made;
    auto marked = execute(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", application, version));
    if (!marked.ok()) return marked;
  } else if (auto checked = check_file(application, version); !checked.ok()) {
    return checked;
  }
  return transaction.commit();
}

Transaction::~Transaction() {
  if (open_) (void)database_.execute("ROLLBACK");
}

Result<void> Transaction::begin() {
  auto result = database_.execute("BEGIN IMMEDIATE");
  open_ = result.ok();
  return result;
}

Result<void> Transaction::commit() {
  auto result = database_.execute("COMMIT");
  if (result.ok()) open_ = false;
  return result;
}

Result<void> make_directory(const std::string& directory) {
  std::filesystem::path path;
  for (const auto& part : std::filesystem::path(directory)) {
    path /= part;
    if (path.empty() || ::mkdir(path.c_str(), 0700) == 0) continue;
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) continue;
    return Error{"database_error",
                 fmt::format("{}: cannot make the directory: {}", path.string(), std::strerror(errno))};
  }
  return {};
}

std::string path_in(const std::string& directory, std::string_view file) {
  return (std::filesystem::path(directory) / file).string();
}

Result<void> sync_directory(const std::string& directory) {
  int file = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool done = file >= 0 && ::fsync(file) == 0;
  Error error{"database_error", fmt::format("{}: {}", directory, std::strerror(errno))};
  if (file >= 0) ::close(file);
  if (!done) return error;
  return {};
}

bool file_exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

}  // namespace ordain::sqlite
