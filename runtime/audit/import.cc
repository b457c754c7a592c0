// audit_import restores a log from its export. The log is built beside its destination and moved
// there once it verifies.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "runtime/audit/checkpoint.h"
#include "runtime/audit/log.h"
#include "vm/value/encodings.h"

namespace ordain {

using namespace detail;  // NOLINT(google-build-using-namespace): our own internals

namespace {

constexpr const char* kWorkshop = ".import";

std::string_view text_of(const Value& line, std::string_view key) {
  const Value* value = map_find(*line.map, key);
  return value != nullptr && value->is(Kind::string) ? value->as_text() : std::string_view();
}

bool number_of(const Value& line, std::string_view key, uint64_t* out) {
  const Value* value = map_find(*line.map, key);
  if (value == nullptr || !value->is(Kind::integer) || value->i < 1) return false;
  *out = static_cast<uint64_t>(value->i);
  return true;
}

bool hash_of(std::string_view hex, Sha256::Hash* out) {
  Id128 high, low;
  if (hex.size() != 64 || !Id128::parse(hex.substr(0, 32), &high) || !Id128::parse(hex.substr(32), &low)) return false;
  std::copy(high.bytes.begin(), high.bytes.end(), out->begin());
  std::copy(low.bytes.begin(), low.bytes.end(), out->begin() + 16);
  return true;
}

bool read_head(const Value& line, SegmentHead* head) {
  std::string frontier;
  head->checkpoint = text_of(line, "checkpoint");
  head->retention = text_of(line, "retention");
  return Id128::parse(text_of(line, "log"), &head->log) && number_of(line, "segment", &head->number) &&
         number_of(line, "first", &head->first) && hash_of(text_of(line, "previous"), &head->previous) &&
         parse_base64(text_of(line, "frontier"), &frontier) &&
         CompactTree::parse(head->first - 1, frontier, &head->base);
}

class Importer {
 public:
  explicit Importer(std::string directory) : directory_(std::move(directory)) {}

  Result<uint64_t> run(const std::function<bool(std::string* line)>& next) {
    std::string line;
    if (!next(&line)) return bad("the export is empty");
    ++number_;
    if (auto begun = begin(line); !begun.ok()) return begun.error();
    {
      sqlite::Transaction transaction(database_);
      if (auto opened = transaction.begin(); !opened.ok()) return opened.error();
      while (next(&line)) {
        ++number_;
        if (line.empty()) continue;
        if (auto added = add(line); !added.ok()) return added.error();
      }
      if (auto done = transaction.commit(); !done.ok()) return done.error();
    }
    record_ = {};
    checkpoint_ = {};
    database_ = {};
    auto verified = verify_log({{head_.number, path_}}, {});
    if (!verified.ok()) return verified.error();
    if (!verified->ok) {
      return Error{"bad_record", fmt::format("record {}: {}", verified->bad_record, verified->problem)};
    }
    return records_;
  }
  const std::string& path() const { return path_; }
  uint64_t segment() const { return head_.number; }

 private:
  Error bad(const std::string& what) const { return Error{"bad_line", fmt::format("line {}: {}", number_, what)}; }

  Result<void> begin(const std::string& line) {
    Arena arena;
    auto parsed = parse_json(arena, line);
    if (!parsed.ok()) return bad(parsed.error().message);
    if (!parsed->is(Kind::map) || !read_head(*parsed, &head_)) {
      return bad("not the head of a log; was the export filtered?");
    }
    path_ = segment_path(directory_, head_.number);
    auto made = create_segment(path_, head_, true, std::chrono::seconds(5));
    if (!made.ok()) return made.error();
    database_ = std::move(*made);
    auto record = database_.prepare("INSERT INTO records (id, chain, sequence, body, hash) VALUES (?, ?, ?, ?, ?)");
    if (!record.ok()) return record.error();
    auto checkpoint = database_.prepare("INSERT OR IGNORE INTO checkpoints (size, note, frontier) VALUES (?, ?, ?)");
    if (!checkpoint.ok()) return checkpoint.error();
    record_ = std::move(*record);
    checkpoint_ = std::move(*checkpoint);
    tree_ = head_.base;
    return {};
  }

  Result<void> add(const std::string& line) {
    Arena arena;
    auto parsed = parse_json(arena, line);
    if (!parsed.ok()) return bad(parsed.error().message);
    if (!parsed->is(Kind::map)) return bad("not an object");
    return map_find(*parsed->map, "checkpoint") != nullptr ? add_checkpoint(*parsed) : add_record(*parsed);
  }

  Result<void> add_checkpoint(const Value& line) {
    std::string_view note = text_of(line, "checkpoint");
    auto checkpoint = parse_checkpoint(note);
    if (!checkpoint.ok()) return bad(checkpoint.error().message);
    if (checkpoint->size != tree_.size) return bad("the checkpoint does not cover the records before it");
    std::string frontier = tree_.frontier();
    checkpoint_.bind(1, static_cast<int64_t>(checkpoint->size)).bind_text(2, note);
    checkpoint_.bind_blob(3, frontier.data(), frontier.size());
    return step(checkpoint_);
  }

  Result<void> add_record(const Value& line) {
    Row row;
    std::string body;
    AuditRecord record;
    if (!number_of(line, "id", &row.id) || !number_of(line, "sequence", &row.sequence) ||
        !Id128::parse(text_of(line, "chain"), &row.chain) || !hash_of(text_of(line, "hash"), &row.hash) ||
        !parse_base64(text_of(line, "body"), &body)) {
      return bad("not a record of an unfiltered export");
    }
    row.body = body;
    if (!read_record(row, &record)) return bad("the body is not a record");
    Arena arena;
    auto expected = parse_json(arena, export_line(record, body));
    if (!expected.ok() || to_json(*expected) != to_json(line)) return bad("its JSON does not agree with its body");
    record_.bind(1, static_cast<int64_t>(row.id)).bind_blob(2, row.chain.bytes.data(), row.chain.bytes.size());
    record_.bind(3, static_cast<int64_t>(row.sequence)).bind_blob(4, body.data(), body.size());
    record_.bind_blob(5, row.hash.data(), row.hash.size());
    if (auto inserted = step(record_); !inserted.ok()) return inserted;
    tree_.add(hasher_, leaf_hash(hasher_, row.hash));
    ++records_;
    return {};
  }

  Result<void> step(sqlite::Statement& statement) {
    bool done = statement.step() == sqlite::Statement::Step::done;
    Error error = done ? Error{} : database_.error();
    statement.reset();
    if (!done) return Error{error.code, fmt::format("line {}: {}", number_, error.message)};
    return {};
  }

  std::string directory_, path_;
  SegmentHead head_;
  sqlite::Database database_;
  sqlite::Statement record_, checkpoint_;
  Sha256 hasher_;
  CompactTree tree_;
  uint64_t number_ = 0, records_ = 0;
};

}  // namespace

Result<uint64_t> import_audit(const std::string& directory, const std::function<bool(std::string* line)>& next) {
  if (auto made = sqlite::make_directory(directory); !made.ok()) return made.error();
  auto there = list_segments(directory);
  if (!there.ok()) return there.error();
  if (!there->empty()) return Error{"log_exists", directory + ": there is an audit log already"};
  std::string workshop = sqlite::path_in(directory, kWorkshop);
  std::error_code ignored;
  std::filesystem::remove_all(workshop, ignored);
  if (auto made = sqlite::make_directory(workshop); !made.ok()) return made.error();
  Importer importer(workshop);
  auto imported = importer.run(next);
  if (imported.ok()) {
    std::error_code failed;
    std::filesystem::rename(importer.path(), segment_path(directory, importer.segment()), failed);
    if (failed) imported = Error{"database_error", directory + ": " + failed.message()};
  }
  std::filesystem::remove_all(workshop, ignored);
  if (imported.ok()) {
    if (auto durable = sqlite::sync_directory(directory); !durable.ok()) return durable.error();
  }
  return imported;
}

}  // namespace ordain
