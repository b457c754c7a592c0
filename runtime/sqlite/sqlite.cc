// sqlite.cc wraps SQLite; apart from the fault layer for tests, only this file includes sqlite3.h.
#include "runtime/sqlite/sqlite.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <thread>

#include "runtime/sqlite/schema.h"

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
    case SQLITE_INTERRUPT:  // by the limit on steps
      return "database_corrupt";
    default:
      return "database_error";
  }
}

Error error_of(int result, const std::string& path, const char* message) {
  return Error{code_of(result), fmt::format("{}: {}", path, message)};
}

/// The main file, and the files that SQLite keeps beside it while it is open.
constexpr std::array kSuffixes = {"", "-wal", "-shm"};
/// The same with the file of a rollback journal, which Ordain never asks for but may find.
constexpr std::array kAllSuffixes = {"", "-wal", "-shm", "-journal"};

/// Refuses what is not a regular file, because opening or reading it may block for ever.
Result<void> check_regular(const std::string& path) {
  for (const char* suffix : kAllSuffixes) {
    struct stat found{};
    if (::stat((path + suffix).c_str(), &found) == 0 && !S_ISREG(found.st_mode)) {
      return Error{"database_corrupt", fmt::format("{}{}: not a regular file", path, suffix)};
    }
  }
  return {};
}

/// Creates the main file closed to others. SQLite gives its side files the mode of that file.
Result<void> create_private(const std::string& path) {
  int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
  if (file < 0) {
    const char* code = errno == EACCES || errno == EROFS ? "database_readonly" : "database_error";
    return Error{code, fmt::format("{}: {}", path, std::strerror(errno))};
  }
  ::close(file);
  return {};
}

/// Turns off everything that statements stored in a file could run.
void disarm(sqlite3* database) {
  for (int option : {SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_VIEW, SQLITE_DBCONFIG_TRUSTED_SCHEMA,
                     SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, SQLITE_DBCONFIG_DQS_DDL, SQLITE_DBCONFIG_DQS_DML}) {
    sqlite3_db_config(database, option, 0, nullptr);
  }
  sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_exec(database, "PRAGMA cell_size_check = ON", nullptr, nullptr, nullptr);
}

}  // namespace

/// What a connection watches. Its address is known to SQLite, so it stays in one place.
struct Database::Guard {
  static constexpr int kStride = 100'000;  ///< steps between two looks at the limit
  static constexpr uint64_t kFreeSteps = 10'000'000, kStepsPerByte = 8;

  /// Tells files apart; zeros for a file that does not exist.
  struct FileId {
    dev_t device = 0;
    ino_t number = 0;
    bool operator==(const FileId&) const = default;

    static FileId of(const std::string& path) {
      struct stat found{};
      if (::stat(path.c_str(), &found) != 0) return {};
      return {found.st_dev, found.st_ino};
    }
  };

  std::string path;  ///< absolute; "" in memory
  std::array<FileId, kSuffixes.size()> files{};
  uint64_t steps = 0;    ///< of the work that is going on
  FileFormat format;     ///< application 0: not known
  int64_t version = -1;  ///< of the schema, when it was last found to be ours

  /// An honest row takes a few dozen steps and a hundred bytes. A tree whose branches share their
  /// pages could be read for years.
  bool over_limit() const {
    if (steps <= kFreeSteps) return false;
    uint64_t bytes = 0;
    for (const char* suffix : kSuffixes) {
      struct stat found{};
      if (::stat((path + suffix).c_str(), &found) == 0) bytes += static_cast<uint64_t>(found.st_size);
    }
    return !path.empty() && steps > kFreeSteps + kStepsPerByte * bytes;
  }
  static int count_steps(void* self) {
    auto* guard = static_cast<Guard*>(self);
    guard->steps += kStride;
    return guard->over_limit() ? 1 : 0;
  }
};

void Database::Release::operator()(Guard* guard) const { delete guard; }

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
bool Statement::is_text(int column) { return sqlite3_column_type(statement_.get(), column) == SQLITE_TEXT; }
bool Statement::is_blob(int column) { return sqlite3_column_type(statement_.get(), column) == SQLITE_BLOB; }

void Database::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Result<Database> Database::open(const std::string& path, Open how, std::chrono::milliseconds busy_wait) {
  const bool in_memory = path == ":memory:";
  if (!in_memory) {
    if (auto regular = check_regular(path); !regular.ok()) return regular.error();
  }
  if (how == Open::read_write && !in_memory) {
    if (auto made = create_private(path); !made.ok()) return made.error();
  }
  int flags = how == Open::read_write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  sqlite3* raw = nullptr;
  int result = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database;
  database.guard_.reset(new Guard);
  database.database_.reset(raw);
  database.path_ = path;
  database.busy_wait_ = busy_wait;
  if (result != SQLITE_OK) return error_of(result, path, raw != nullptr ? sqlite3_errmsg(raw) : "out of memory");
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, static_cast<int>(busy_wait.count()));
  disarm(raw);
  sqlite3_progress_handler(raw, Guard::kStride, Guard::count_steps, database.guard_.get());
  if (!in_memory) {
    database.guard_->path = sqlite3_db_filename(raw, "main");
    database.guard_->files[0] = Guard::FileId::of(database.guard_->path);
  }
  return database;
}

Error Database::error() const {
  int code = sqlite3_errcode(database_.get());
  const bool endless = (code & 0xFF) == SQLITE_INTERRUPT;
  return error_of(code, path_,
                  endless ? "reading takes longer than its size explains" : sqlite3_errmsg(database_.get()));
}

Result<void> Database::execute(const std::string& sql) {
  if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return error();
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  if (auto begun = begin_work(); !begun.ok()) return begun.error();
  sqlite3_stmt* statement = nullptr;
  int result = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                  &statement, nullptr);
  if (result != SQLITE_OK) return error();
  return Statement(statement);
}

/// Called when nothing is going on: counts the steps anew, and looks whether the file is still ours.
Result<void> Database::begin_work() {
  if (sqlite3_get_autocommit(database_.get()) == 0) return {};
  for (sqlite3_stmt* one = nullptr; (one = sqlite3_next_stmt(database_.get(), one)) != nullptr;) {
    if (sqlite3_stmt_busy(one) != 0) return {};
  }
  guard_->steps = 0;
  if (auto placed = check_place(); !placed.ok()) return placed;
  return check_version();
}

Result<void> Database::check_place() const {
  for (size_t i = 0; i < kSuffixes.size(); ++i) {
    if (guard_->files[i] == Guard::FileId{} || Guard::FileId::of(guard_->path + kSuffixes[i]) == guard_->files[i])
      continue;
    return Error{"database_error",
                 fmt::format("{}{}: the file was moved, deleted or replaced while it was in use", path_, kSuffixes[i])};
  }
  return {};
}

Result<void> Database::write_row(Statement& statement) {
  bool done = statement.step() == Statement::Step::done;
  Result<void> result;
  if (!done) {
    result = error();
  } else if (changes() != 1) {
    result = Error{"database_corrupt", fmt::format("{}: a row could not be written", path_)};
  }
  statement.reset();
  return result;
}

int64_t Database::changes() const { return sqlite3_changes64(database_.get()); }

Result<int64_t> Database::number(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement.ok()) return statement.error();
  if (statement->step() != Statement::Step::row) return error();
  return statement->integer(0);
}

/// Unlike `number`, does not look whether the file is still ours: the looking uses it.
Result<int64_t> Database::pragma(const std::string& name) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(database_.get(), ("PRAGMA " + name).c_str(), -1, &raw, nullptr) != SQLITE_OK) return error();
  Statement statement(raw);
  if (statement.step() != Statement::Step::row) return error();
  return statement.integer(0);
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

Result<void> Database::check_file(const FileFormat& format) {
  auto found = pragma("application_id");
  if (!found.ok()) return found.error();
  if (*found != format.application)
    return Error{"database_corrupt", fmt::format("{}: not a file of the expected kind", path_)};
  auto version = pragma("user_version");
  if (!version.ok()) return version.error();
  if (*version != format.version) {
    // Anyone who can write the file can change its number.
    if (format.has_own_rows != nullptr) {
      auto problem = find_foreign_schema(database_.get(), format.schema, format.additions);
      if (problem && problem->empty() && format.has_own_rows(*this)) {
        return Error{"database_corrupt",
                     fmt::format("{}: the file says that it has format {}, but its tables and rows have format {}",
                                 path_, *version, format.version)};
      }
    }
    return Error{"database_error", fmt::format("{}: format {}, this build reads {}", path_, *version, format.version)};
  }
  guard_->format = format;
  return check_schema();
}

Result<void> Database::check_schema() {
  auto version = pragma("schema_version");
  if (!version.ok()) return version.error();
  auto problem = find_foreign_schema(database_.get(), guard_->format.schema, guard_->format.additions);
  if (!problem) return error();
  if (!problem->empty()) return Error{"database_corrupt", fmt::format("{}: {}", path_, *problem)};
  guard_->version = *version;
  return {};
}

/// Compares the schema again if it has changed since it was last compared.
Result<void> Database::check_version() {
  if (guard_->version < 0) return {};
  auto version = pragma("schema_version");
  if (!version.ok()) return version.error();
  return *version == guard_->version ? Result<void>() : check_schema();
}

Result<void> Database::begin_snapshot(const FileFormat& format) {
  if (auto begun = execute("BEGIN"); !begun.ok()) return begun;
  return check_file(format);
}

Result<std::string> Database::find_damage() {
  auto statement = prepare("PRAGMA integrity_check(1)");
  if (!statement.ok()) return statement.error();
  if (statement->step() != Statement::Step::row) return error();
  auto found = statement->text(0);
  return std::string(found == "ok" ? "" : found);
}

Result<void> Database::prepare_file(const FileFormat& format, const std::string& rows, bool full) {
  if (auto wal = use_wal(); !wal.ok()) return wal;
  if (auto set = execute(full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL"); !set.ok()) return set;
  Transaction transaction(*this);
  if (auto begun = transaction.begin(); !begun.ok()) return begun;
  auto tables = pragma("schema_version");  // 0: nothing was ever created in this file
  if (!tables.ok()) return tables.error();
  if (*tables == 0) {
    if (auto made = execute(format.schema + rows); !made.ok()) return made;
    auto marked = execute(
        fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", format.application, format.version));
    if (!marked.ok()) return marked;
  }
  if (auto checked = check_file(format); !checked.ok()) return checked;
  if (auto committed = transaction.commit(); !committed.ok()) return committed;
  for (size_t i = 1; i < kSuffixes.size() && !guard_->path.empty(); ++i) {
    guard_->files[i] = Guard::FileId::of(guard_->path + kSuffixes[i]);
  }
  return {};
}

Transaction::~Transaction() {
  if (open_) (void)database_.execute("ROLLBACK");
}

Result<void> Transaction::begin() {
  if (auto placed = database_.check_place(); !placed.ok()) return placed;
  auto result = database_.execute("BEGIN IMMEDIATE");
  open_ = result.ok();
  if (!open_) return result;
  database_.guard_->steps = 0;
  return database_.check_version();
}

Result<void> Transaction::commit() {
  auto result = database_.execute("COMMIT");
  if (result.ok()) open_ = false;
  return result.ok() ? database_.check_place() : result;
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

Result<void> remove_database(const std::string& path) {
  for (const char* suffix : kAllSuffixes) {
    std::error_code failed;
    std::filesystem::remove(path + suffix, failed);
    if (failed) return Error{"database_error", path + ": " + failed.message()};
  }
  return {};
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
