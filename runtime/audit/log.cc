// audit_log reads a log from outside: it counts, follows, queries and exports records.
#include "runtime/audit/log.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "runtime/audit/json_line.h"
#include "runtime/audit/query.h"
#include "runtime/identity/text.h"
#include "vm/value/encodings.h"

namespace ordain {

using namespace detail;  // NOLINT(google-build-using-namespace): our own internals

namespace {

using sqlite::Database;
using sqlite::Statement;

/// Reads a row into a record. @returns the error if it cannot be read.
std::optional<Error> read(Statement& statement, Row* row, AuditRecord* record) {
  std::string problem = read_row(statement, row);
  if (problem.empty() && !read_record(*row, record)) problem = "the body is not a record";
  if (problem.empty()) return std::nullopt;
  return Error{"bad_record", fmt::format("record {}: {}", row->id, problem)};
}

/// Visits the matching records of one segment. @returns false if `visit` returned false.
Result<bool> search(Database& database, const SegmentHead& head, const AuditFilter& filter,
                    const std::function<bool(const AuditRecord&, std::string_view body)>& visit) {
  std::optional<Error> bad;
  bool going = true;
  auto each = [&](Statement& statement) {
    Row row;
    AuditRecord record;
    bad = read(statement, &row, &record);
    if (bad) return false;
    if (filter.matches(record)) going = visit(record, row.body);
    return going;
  };
  Result<void> result;
  if (head.indexed && !filter.empty()) {
    FactQuery query(filter);
    result = for_rows(database, query.sql(), [&](Statement& statement) { query.bind(statement); }, each);
  } else {
    result = for_records(database, 0, each);
  }
  if (bad) return *bad;
  if (!result.ok()) return result.error();
  return going;
}

/// Reads a log while others may rotate or prune it. If the result is not good and the segments have
/// changed in the meantime, that may be the reason, so it reads again.
template <typename Read, typename Good>
auto read_settled(const std::string& directory, Read read, Good good) -> decltype(read({})) {
  constexpr int kTries = 20;
  for (int tries = 1;; ++tries) {
    const auto before = list_files(directory);
    auto segments = list_segments(directory);
    auto result = [&]() -> decltype(read({})) {
      if (!segments.ok()) return segments.error();
      if (segments->empty()) {
        return Error{"no_database", fmt::format("{}: there is no audit log", segment_path(directory, 1))};
      }
      return read(*segments);
    }();
    if (good(result) || tries == kTries) return result;
    auto after = list_segments(directory);
    const bool sealed = segments.ok() && after.ok() && *after != *segments;
    if (!sealed && list_files(directory) == before) return result;
  }
}

/// Writes the checkpoints up to `size` that it has not written yet. @returns false if `write`
/// returned false.
class CheckpointLines {
 public:
  explicit CheckpointLines(Database& database)
      : rows_(database.prepare("SELECT size, note FROM checkpoints ORDER BY size")) {
    step();
  }
  bool write_upto(uint64_t size, const std::function<bool(std::string_view)>& write) {
    while (there_ && static_cast<uint64_t>(rows_->integer(0)) <= size) {
      JsonLine line;
      line.text("checkpoint", rows_->text(1));
      if (!write(line.done())) return false;
      step();
    }
    return true;
  }

 private:
  void step() { there_ = rows_.ok() && rows_->step() == Statement::Step::row; }
  Result<Statement> rows_;
  bool there_ = false;
};

}  // namespace

namespace detail {

std::string export_line(const AuditRecord& record, std::string_view body) {
  std::string line = to_json(record);
  line.pop_back();
  return line + ",\"body\":\"" + base64_of(body) + "\"}";
}

std::string export_head(const SegmentHead& head) {
  JsonLine line;
  line.text("log", head.log.hex()).raw("segment", std::to_string(head.number));
  line.raw("first", std::to_string(head.first)).text("previous", to_hex(head.previous));
  line.text("frontier", base64_of(head.base.frontier()));
  line.text("checkpoint", head.checkpoint).text("retention", head.retention);
  return line.done();
}

}  // namespace detail

AuditLog::AuditLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AuditLog::AuditLog(AuditLog&&) noexcept = default;
AuditLog& AuditLog::operator=(AuditLog&&) noexcept = default;
AuditLog::~AuditLog() = default;

Result<AuditLog> AuditLog::open(const std::string& directory) {
  auto segments = read_settled(
      directory,
      [](const std::vector<SegmentFile>& files) -> Result<std::vector<SegmentFile>> {
        for (const auto& file : files) {
          if (auto opened = open_segment(file.path); !opened.ok()) return opened.error();
        }
        return files;
      },
      [](const auto& result) { return result.ok(); });
  if (!segments.ok()) return segments.error();
  auto impl = std::make_unique<Impl>();
  impl->segments = std::move(*segments);
  return AuditLog(std::move(impl));
}

Result<uint64_t> AuditLog::count() const {
  uint64_t out = 0;
  auto result = impl_->each([&](Database& database, const SegmentHead&, const SegmentFile&) -> Result<bool> {
    auto rows = database.number("SELECT count(*) FROM records");
    if (!rows.ok()) return rows.error();
    out += static_cast<uint64_t>(*rows);
    return true;
  });
  if (!result.ok()) return result.error();
  return out;
}

Result<bool> AuditLog::has_stray_ids() const {
  bool out = false;
  int64_t last = 0;  // of the segments before
  auto result = impl_->each([&](Database& database, const SegmentHead& head, const SegmentFile&) -> Result<bool> {
    const auto first = static_cast<int64_t>(head.first);
    auto before = database.number(fmt::format("SELECT EXISTS (SELECT 1 FROM records WHERE id < {})", first));
    if (!before.ok()) return before.error();
    auto apart = database.number(
        fmt::format("SELECT EXISTS (SELECT 1 FROM (SELECT max(id) AS id FROM records) m WHERE m.id > {} AND NOT EXISTS "
                    "(SELECT 1 FROM records r WHERE r.id = m.id - 1))",
                    first));
    if (!apart.ok()) return apart.error();
    auto highest = database.number("SELECT ifnull(max(id), 0) FROM records");
    if (!highest.ok()) return highest.error();
    out = out || *before != 0 || *apart != 0 || last >= first;
    last = *highest;
    return true;
  });
  if (!result.ok()) return result.error();
  return out;
}

Result<uint64_t> AuditLog::count(const AuditFilter& filter) const {
  if (filter.empty()) return count();
  uint64_t out = 0;
  auto result = query(filter, [&](const AuditRecord&) { return ++out != 0; });
  if (!result.ok()) return result.error();
  return out;
}

Result<void> AuditLog::for_each(uint64_t first, const std::function<bool(const AuditRecord&)>& visit) const {
  return impl_->each_row(first, [&](Statement& statement, bool* going) {
    Row row;
    AuditRecord record;
    std::optional<Error> bad = read(statement, &row, &record);
    if (!bad) *going = visit(record);
    return bad;
  });
}

Result<void> AuditLog::for_each_body(uint64_t first,
                                     const std::function<bool(uint64_t id, std::string_view body)>& visit) const {
  return impl_->each_row(first, [&](Statement& statement, bool* going) -> std::optional<Error> {
    Row row;
    if (std::string problem = read_row(statement, &row); !problem.empty()) {
      return Error{"bad_record", fmt::format("record {}: {}", row.id, problem)};
    }
    *going = visit(row.id, row.body);
    return std::nullopt;
  });
}

Result<void> AuditLog::query(const AuditFilter& filter, const std::function<bool(const AuditRecord&)>& visit) const {
  return impl_->each([&](Database& database, const SegmentHead& head, const SegmentFile&) {
    return search(database, head, filter, [&](const AuditRecord& record, std::string_view) { return visit(record); });
  });
}

Result<std::vector<AuditRecord>> AuditLog::tail(size_t count) const {
  std::vector<AuditRecord> out;
  uint64_t last = 0;
  auto result = impl_->each([&](Database& database, const SegmentHead&, const SegmentFile&) -> Result<bool> {
    auto found = database.number("SELECT max(id) FROM records");
    if (!found.ok()) return found.error();
    last = std::max(last, static_cast<uint64_t>(*found));
    return true;
  });
  if (!result.ok()) return result.error();
  if (count == 0 || last == 0) return out;
  result = for_each(last > count ? last - count + 1 : 1, [&](const AuditRecord& record) {
    out.push_back(record);
    return out.size() < count;
  });
  if (!result.ok()) return result.error();
  return out;
}

Result<uint64_t> AuditLog::export_jsonl(const std::function<bool(std::string_view line)>& write,
                                        const AuditFilter& filter) const {
  uint64_t written = 0;
  bool whole = filter.empty(), first = true;
  auto result = impl_->each([&](Database& database, const SegmentHead& head, const SegmentFile&) -> Result<bool> {
    if (whole && std::exchange(first, false) && !write(export_head(head))) return false;
    CheckpointLines checkpoints(database);
    if (whole && !checkpoints.write_upto(head.first - 1, write)) return false;
    return search(database, head, filter, [&](const AuditRecord& record, std::string_view body) {
      if (!write(whole ? export_line(record, body) : to_json(record))) return false;
      ++written;
      return !whole || checkpoints.write_upto(record.id, write);
    });
  });
  if (!result.ok()) return result.error();
  return written;
}

Result<AuditVerification> AuditLog::verify(const VerifyOptions& options) const {
  // List the segments again: one may have been sealed since, and its successor belongs to the log
  // too.
  return read_settled(
      std::filesystem::path(impl_->segments.front().path).parent_path().string(),
      [&](const std::vector<SegmentFile>& files) { return verify_log(files, options); },
      [](const auto& result) { return result.ok() && result->ok; });
}

}  // namespace ordain
