// sqlite confines the use of SQLite to one place: thin owners of a connection, a statement and a
// transaction, with typed errors. Everything in a file is untrusted: nothing that was planted in it
// runs, its tables must be ours, and no read takes longer than the size of the file explains.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "ordain/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace ordain::sqlite {

/// A prepared statement. Columns count from 0, parameters from 1. Returned views live until the
/// next step or reset.
class Statement {
 public:
  enum class Step { row, done, failed };

  Statement() = default;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  /// Bound views must live until the statement is stepped to its end or reset.
  Statement& bind(int parameter, int64_t value);
  Statement& bind_text(int parameter, std::string_view text);
  Statement& bind_blob(int parameter, const void* bytes, size_t size);
  Step step();
  /// Prepares the statement for other parameters. Before a transaction ends, the caller must reset
  /// every statement that was not stepped to its end.
  void reset();

  int64_t integer(int column);
  std::string_view text(int column);
  std::string_view blob(int column);
  bool is_integer(int column);
  bool is_text(int column);
  bool is_blob(int column);

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database;

/// What a file of one kind holds. The schemas are statements that create tables and indexes.
struct FileFormat {
  int32_t application = 0;  ///< distinguishes our kinds of file
  int32_t version = 0;
  std::string schema;
  std::string additions = {};  ///< what the file may hold besides, all of it or nothing
  /// Says of a file with these tables and another version whether its rows are of this version all the same.
  bool (*has_own_rows)(Database&) = nullptr;
};

/// A connection, to be used by one thread at a time. Errors carry the file's path and one of the
/// codes database_busy, database_full, database_readonly, database_corrupt, database_error. A file
/// that is not a regular file, was moved, deleted or replaced while it is open, or holds other
/// tables, indexes, views or triggers than its format says, is an error. Triggers and views never
/// run.
class Database {
 public:
  enum class Open { read_only, read_write };
  /// Opens or (read_write) creates `path` with mode 0600. ":memory:" is a database private to this
  /// connection.
  static Result<Database> open(const std::string& path, Open how, std::chrono::milliseconds busy_wait);

  Result<void> execute(const std::string& sql);
  Result<Statement> prepare(std::string_view sql);
  /// @returns the number in the first column of a query's first row, which must exist
  Result<int64_t> number(std::string_view sql);
  /// Runs a statement that writes one row, and resets it. If it changed any other number of rows,
  /// that is an error.
  Result<void> write_row(Statement& statement);
  int64_t changes() const;
  /// @returns the error of the last call that failed
  Error error() const;

  /// Sets up write-ahead logging with commits that are durable (`full`) or merely ordered, and
  /// creates the tables and `rows` in a new file. A file of another format is an error.
  Result<void> prepare_file(const FileFormat& format, const std::string& rows, bool full);
  /// Only checks the format of the file. From then on, a change of its tables is an error.
  Result<void> check_file(const FileFormat& format);
  /// Begins to read one snapshot of the file, and checks its format there.
  Result<void> begin_snapshot(const FileFormat& format);
  /// Checks that pages and indexes agree. @returns what is wrong, or ""
  Result<std::string> find_damage();
  /// Checks that the file that is open is still the one at its path.
  Result<void> check_place() const;

 private:
  friend class Transaction;
  struct Close {
    void operator()(sqlite3* database) const;
  };
  struct Guard;
  struct Release {
    void operator()(Guard* guard) const;
  };
  Result<int64_t> pragma(const std::string& name);
  Result<void> use_wal();
  Result<void> check_schema();
  Result<void> check_version();
  Result<void> begin_work();
  std::unique_ptr<Guard, Release> guard_;  // outlives the connection, which refers to it
  std::unique_ptr<sqlite3, Close> database_;
  std::string path_;
  std::chrono::milliseconds busy_wait_{0};
};

/// A write transaction. It is rolled back unless it is committed.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) {}
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  Result<void> begin();
  Result<void> commit();

 private:
  Database& database_;
  bool open_ = false;
};

/// Creates `directory` and its missing parents with mode 0700.
Result<void> make_directory(const std::string& directory);
/// @returns `directory`/`file`
std::string path_in(const std::string& directory, std::string_view file);
bool file_exists(const std::string& path);
/// Removes a database's main file, and then the files that SQLite keeps beside it: the main file without
/// them would lack what was written last. A file that does not exist is passed over; the first that
/// cannot be removed ends it.
Result<void> remove_database(const std::string& path);
/// Makes the creation and removal of files in `directory` durable.
Result<void> sync_directory(const std::string& directory);

}  // namespace ordain::sqlite
