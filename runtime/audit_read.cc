// audit_read: the log from outside: tail, export, verify.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "ordain/audit.h"
#include "runtime/audit_record.h"
#include "runtime/sqlite.h"
#include "runtime/text.h"

namespace ordain {

using namespace detail;  // NOLINT(google-build-using-namespace): our own internals

namespace {

using sqlite::Statement;

constexpr const char* kColumns = "SELECT id, chain, sequence, body, hash FROM records ";

/// One row as it stands in the file. Views live until the next step.
struct Row {
  uint64_t id = 0, sequence = 0;
  Id128 chain;
  Sha256::Hash hash{};
  std::string_view body;
};

/// @returns what is wrong with the row's columns, or "".
std::string read_row(Statement& statement, Row* row) {
  row->id = static_cast<uint64_t>(statement.integer(0));
  auto chain = statement.blob(1), hash = statement.blob(4);
  if (!statement.is_blob(1) || chain.size() != row->chain.bytes.size()) return "chain is not 16 bytes";
  if (!statement.is_integer(2)) return "sequence is not a number";
  if (!statement.is_blob(3)) return "body is not bytes";
  if (!statement.is_blob(4) || hash.size() != row->hash.size()) return "hash is not 32 bytes";
  std::copy(chain.begin(), chain.end(), row->chain.bytes.begin());
  std::copy(hash.begin(), hash.end(), row->hash.begin());
  row->sequence = static_cast<uint64_t>(statement.integer(2));
  row->body = statement.blob(3);
  return "";
}

bool read_record(const Row& row, AuditRecord* record) {
  record->id = row.id;
  record->chain = row.chain.hex();
  record->sequence = row.sequence;
  record->hash = to_hex(row.hash);
  return decode_record(row.body, record);
}

/// The state of a verification: the last hash of the log, and of each chain.
class Verifier {
 public:
  /// @returns false at the first bad record.
  bool check(Statement& statement) {
    Row row;
    row.id = static_cast<uint64_t>(statement.integer(0));
    uint64_t expected = result_.records + 1;
    if (row.id != expected) {
      return row.id > expected ? fail(expected, "the record is missing") : fail(row.id, "the id is out of order");
    }
    if (auto problem = read_row(statement, &row); !problem.empty()) return fail(row.id, problem);
    if (!follows(row)) return false;
    AuditRecord record;
    if (!read_record(row, &record)) return fail(row.id, "the body is not a record");
    ++result_.records;
    return true;
  }
  AuditVerification result() const { return result_; }

 private:
  struct Head {
    uint64_t sequence;
    Sha256::Hash hash;
  };

  bool follows(const Row& row) {
    auto found = heads_.find(row.chain.bytes);
    if (found == heads_.end() && row.sequence != 1) {
      return fail(row.id, fmt::format("its chain begins at sequence {}", row.sequence));
    }
    if (found != heads_.end() && row.sequence != found->second.sequence + 1) {
      return fail(row.id, fmt::format("sequence {} follows {} in its chain", row.sequence, found->second.sequence));
    }
    const Sha256::Hash& before = found == heads_.end() ? last_ : found->second.hash;
    Sha256::Hash hash = chain_hash(hasher_, before, {row.id, row.chain, row.sequence}, row.body);
    if (hash != row.hash) return fail(row.id, "the hash does not match the record and the one before it");
    heads_[row.chain.bytes] = Head{row.sequence, hash};
    last_ = hash;
    result_.chains = heads_.size();
    return true;
  }

  bool fail(uint64_t id, std::string problem) {
    result_.ok = false;
    result_.bad_record = id;
    result_.problem = std::move(problem);
    return false;
  }

  AuditVerification result_;
  Sha256 hasher_;
  Sha256::Hash last_{};
  std::map<std::array<uint8_t, 16>, Head> heads_;
};

}  // namespace

struct AuditLog::Impl {
  mutable sqlite::Database database;

  /// Calls `visit(statement)` for each row until it returns false.
  template <typename Visit>
  Result<void> rows(const std::string& tail, int64_t parameter, Visit visit) const {
    auto statement = database.prepare(kColumns + tail);
    if (!statement.ok()) return statement.error();
    statement->bind(1, parameter);
    for (;;) {
      auto step = statement->step();
      if (step == Statement::Step::failed) return database.error();
      if (step == Statement::Step::done || !visit(*statement)) return {};
    }
  }
};

AuditLog::AuditLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AuditLog::AuditLog(AuditLog&&) noexcept = default;
AuditLog& AuditLog::operator=(AuditLog&&) noexcept = default;
AuditLog::~AuditLog() = default;

Result<AuditLog> AuditLog::open(const std::string& directory) {
  std::string path = sqlite::path_in(directory, kAuditFile);
  if (!sqlite::file_exists(path)) return Error{"no_database", fmt::format("{}: there is no audit log", path)};
  auto database = sqlite::Database::open(path, sqlite::Database::Open::read_only, std::chrono::seconds(5));
  if (!database.ok()) return database.error();
  if (auto checked = database->check_file(kAuditApplication, kAuditVersion); !checked.ok()) return checked.error();
  auto impl = std::make_unique<Impl>();
  impl->database = std::move(*database);
  return AuditLog(std::move(impl));
}

Result<uint64_t> AuditLog::count() const {
  auto statement = impl_->database.prepare("SELECT count(*) FROM records");
  if (!statement.ok()) return statement.error();
  if (statement->step() != Statement::Step::row) return impl_->database.error();
  return static_cast<uint64_t>(statement->integer(0));
}

Result<void> AuditLog::for_each(uint64_t first, const std::function<bool(const AuditRecord&)>& visit) const {
  std::optional<Error> bad;
  auto each = [&](Statement& statement) {
    Row row;
    AuditRecord record;
    std::string problem = read_row(statement, &row);
    if (problem.empty() && !read_record(row, &record)) problem = "the body is not a record";
    if (!problem.empty()) bad = Error{"bad_record", fmt::format("record {}: {}", row.id, problem)};
    return !bad && visit(record);
  };
  int64_t from = static_cast<int64_t>(std::min<uint64_t>(first, INT64_MAX));
  auto result = impl_->rows("WHERE id >= ? ORDER BY id", from, each);
  return bad ? Result<void>(*bad) : result;
}

Result<std::vector<AuditRecord>> AuditLog::tail(size_t count) const {
  std::vector<AuditRecord> out;
  auto statement = impl_->database.prepare("SELECT max(id) FROM records");
  if (!statement.ok()) return statement.error();
  if (statement->step() != Statement::Step::row) return impl_->database.error();
  auto last = static_cast<uint64_t>(statement->integer(0));
  statement->reset();
  if (count == 0 || last == 0) return out;
  auto result = for_each(last > count ? last - count + 1 : 1, [&](const AuditRecord& record) {
    out.push_back(record);
    return out.size() < count;
  });
  if (!result.ok()) return result.error();
  return out;
}

Result<uint64_t> AuditLog::export_jsonl(const std::function<bool(std::string_view line)>& write) const {
  uint64_t written = 0;
  auto result = for_each(1, [&](const AuditRecord& record) {
    if (!write(to_json(record))) return false;
    ++written;
    return true;
  });
  if (!result.ok()) return result.error();
  return written;
}

Result<AuditVerification> AuditLog::verify() const {
  Verifier verifier;
  auto result = impl_->rows("WHERE id >= ? ORDER BY id", INT64_MIN, [&](Statement& s) { return verifier.check(s); });
  if (!result.ok()) return result.error();
  return verifier.result();
}

}  // namespace ordain
