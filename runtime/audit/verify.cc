// audit_verify walks the whole log once, in order, and stops at the first record that does not fit
// its place, its hash, its chain, or the tree that checkpoints were signed over.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>

#include "runtime/audit/checkpoint.h"
#include "runtime/audit/log.h"
#include "runtime/audit/query.h"

namespace ordain {

using namespace detail;  // NOLINT(google-build-using-namespace): our own internals

namespace {

using sqlite::Database;
using sqlite::Statement;

/// A checkpoint that the log must agree with.
struct Expected {
  Checkpoint checkpoint;
  bool elsewhere = false;  ///< kept outside the log
  std::string frontier;    ///< for a checkpoint in the log
};

class Verifier {
 public:
  explicit Verifier(const VerifyOptions& options) : options_(options) {}

  /// @returns false if a checkpoint kept elsewhere is not valid in itself
  bool take_elsewhere() {
    for (size_t i = 0; i < options_.checkpoints.size(); ++i) {
      auto opened = open_checkpoint(options_.checkpoints[i], options_.keys);
      if (!opened.ok()) {
        return fail(0, fmt::format("checkpoint {} of those kept elsewhere: {}", i + 1, opened.error().message));
      }
      elsewhere_.push_back({std::move(*opened), true, ""});
    }
    std::sort(elsewhere_.begin(), elsewhere_.end(), by_size);
    return true;
  }

  /// @returns whether to go on with the next segment.
  Result<bool> check(Database& database, const SegmentHead& head, const SegmentFile& file) {
    if (!begin(head, file)) return false;
    auto taken = take_own(database);
    if (!taken.ok() || !*taken) return taken;
    if (!covers()) return false;
    std::optional<Statement> facts;
    if (head.indexed) {
      auto prepared = database.prepare(fmt::format("SELECT {} FROM facts WHERE id = ?", kFactColumns));
      if (!prepared.ok()) return prepared.error();
      facts = std::move(*prepared);
    }
    const uint64_t before = tree_.size;
    auto result = for_records(database, INT64_MIN,
                              [&](Statement& statement) { return row(statement, facts ? &*facts : nullptr); });
    if (!result.ok()) return result.error();
    if (!result_.ok) return false;
    if (own_at_ < own_.size()) {
      return fail(tree_.size + 1, fmt::format("the record is missing: a checkpoint in the log covers {} records",
                                              own_.back().checkpoint.size));
    }
    return queries_fit(database, head, tree_.size - before);
  }

  AuditVerification finish() {
    if (result_.ok) end();
    return result_;
  }
  bool ok() const { return result_.ok; }

 private:
  struct Head {
    uint64_t sequence;
    Sha256::Hash hash;
  };
  static bool by_size(const Expected& a, const Expected& b) { return a.checkpoint.size < b.checkpoint.size; }

  bool fail(uint64_t id, std::string problem) {
    result_.ok = false;
    result_.bad_record = id;
    result_.problem = std::move(problem);
    return false;
  }

  // --- segments ---

  bool begin(const SegmentHead& head, const SegmentFile& file) {
    ++result_.segments;
    heads_.clear();
    bool fits = head_ ? follows(head, file) : starts(head, file);
    head_ = head;
    return fits;
  }

  bool starts(const SegmentHead& head, const SegmentFile& file) {
    if (head.number != file.number) return fail(head.first, "the segment's file has another number than its head");
    bool begins =
        head.first == 1 && head.previous == log_start(head.log) && head.checkpoint.empty() && head.retention.empty();
    if (head.number == 1 && !begins) {
      return fail(1, "the log's head was changed");
    }
    tree_ = head.base;
    last_ = head.previous;
    result_.first = head.first;
    vouched_ = head.first - 1;
    while (elsewhere_at_ < elsewhere_.size() && elsewhere_[elsewhere_at_].checkpoint.size < head.first - 1) {
      ++elsewhere_at_;  // covers removed records only: nothing is left to compare it with
    }
    return head.number == 1 || removal_fits(head);
  }

  /// Accepts that older segments are absent. With keys, a signed note must declare that.
  bool removal_fits(const SegmentHead& head) {
    if (!head.checkpoint.empty() && !base_checkpoint_fits(head)) return false;
    if (options_.keys.empty()) return true;
    auto text = open_note(head.retention, options_.keys);
    if (!text.ok()) {
      return fail(1, fmt::format("records 1 to {} are missing, and nothing signed says that they were removed",
                                 head.first - 1));
    }
    for (const PublicKey& key : options_.keys) {
      std::string origin = key.name() + "/" + head.log.hex();
      if (*text == retention_text(origin, head.first, tree_.root(hasher_))) return true;
    }
    return fail(head.first, "the note on removed records does not belong to this segment");
  }

  bool base_checkpoint_fits(const SegmentHead& head) {
    auto opened = open_checkpoint(head.checkpoint, options_.keys);
    if (opened.ok() && opened->size == head.first - 1 && opened->root == tree_.root(hasher_)) return true;
    return fail(head.first, "the checkpoint in the segment's head does not cover the records before it");
  }

  bool follows(const SegmentHead& head, const SegmentFile& file) {
    uint64_t next = tree_.size + 1;
    if (file.number != head_->number + 1) {
      return fail(next, fmt::format("the record is missing: segment {} is not there", head_->number + 1));
    }
    if (!head_->sealed) return fail(next, "a segment follows one that was not sealed");
    bool links = head.number == file.number && head.log == head_->log && head.first == next && head.previous == last_ &&
                 head.base == tree_;
    if (!links) return fail(next, "the segment's head does not continue the one before");
    return head.checkpoint.empty() || base_checkpoint_fits(head);
  }

  /// Checks what the walk over the records in order does not use, but queries do: the index of
  /// facts, secondary indexes, and the inner pages of all trees.
  Result<bool> queries_fit(Database& database, const SegmentHead& head, uint64_t records) {
    auto tables = database.number("SELECT count(*) FROM sqlite_schema WHERE name = 'facts'");
    if (!tables.ok()) return tables.error();
    if ((*tables == 1) != head.indexed) return fail(head.first, "the segment's head does not say that it has an index");
    auto facts =
        head.indexed ? database.number("SELECT count(*) FROM facts") : Result<int64_t>(static_cast<int64_t>(records));
    if (!facts.ok()) return facts.error();
    if (static_cast<uint64_t>(*facts) != records) {
      return fail(head.first, fmt::format("the segment's index holds {} records, the segment {}", *facts, records));
    }
    auto damage = database.find_damage();
    if (!damage.ok()) return damage.error();
    if (!damage->empty()) {
      return fail(head.first, fmt::format("segment {} is damaged: {}", head.number, *damage));
    }
    return true;
  }

  // --- checkpoints ---

  Result<bool> take_own(Database& database) {
    own_.clear();
    own_at_ = 0;
    auto result = for_rows(database, "SELECT size, note, frontier FROM checkpoints ORDER BY size", [&](Statement& row) {
      auto size = static_cast<uint64_t>(row.integer(0));
      // Before they are read, since SQLite then tells the types into which it converted them.
      if (!row.is_text(1) || !row.is_blob(2)) {
        return fail(vouched_ + 1, fmt::format("the checkpoint of {} records: a column is of another type", size));
      }
      auto opened = open_checkpoint(row.text(1), options_.keys);
      if (!opened.ok() || opened->size != size) {
        return fail(vouched_ + 1,
                    fmt::format("the checkpoint of {} records: {}", size,
                                opened.ok() ? "it covers another number of records" : opened.error().message));
      }
      own_.push_back({std::move(*opened), false, std::string(row.blob(2))});
      return true;
    });
    if (!result.ok()) return result.error();
    return result_.ok;
  }

  /// Compares every checkpoint whose size is the tree's present size.
  bool covers() {
    while (own_at_ < own_.size() && own_[own_at_].checkpoint.size <= tree_.size) {
      if (!agrees(own_[own_at_++])) return false;
    }
    while (elsewhere_at_ < elsewhere_.size() && elsewhere_[elsewhere_at_].checkpoint.size <= tree_.size) {
      if (!agrees(elsewhere_[elsewhere_at_++])) return false;
    }
    return true;
  }

  bool agrees(const Expected& expected) {
    const Checkpoint& checkpoint = expected.checkpoint;
    const char* where = expected.elsewhere ? "kept elsewhere" : "in the log";
    size_t slash = checkpoint.origin.rfind('/');
    if (slash == std::string::npos || checkpoint.origin.substr(slash + 1) != head_->log.hex()) {
      return fail(vouched_ + 1, fmt::format("a checkpoint {} belongs to another log: {}", where, checkpoint.origin));
    }
    if (checkpoint.size != tree_.size) return fail(vouched_ + 1, "a checkpoint covers records of another segment");
    if (checkpoint.root != tree_.root(hasher_)) {
      return fail(vouched_ + 1,
                  fmt::format("records {} to {} are not the records that were signed: the checkpoint {} differs",
                              vouched_ + 1, checkpoint.size, where));
    }
    if (!expected.elsewhere && expected.frontier != tree_.frontier()) {
      return fail(checkpoint.size, "the tree kept with the checkpoint of this record was changed");
    }
    vouched_ = checkpoint.size;
    ++result_.checkpoints;
    if (!expected.elsewhere) {
      result_.signed_upto = checkpoint.size;
      has_own_ = true;
    }
    return true;
  }

  // --- records ---

  bool row(Statement& statement, Statement* facts) {
    Row row;
    row.id = static_cast<uint64_t>(statement.integer(0));
    uint64_t expected = tree_.size + 1;
    if (const int64_t id = statement.integer(0); id < 1) {
      return fail(expected, fmt::format("a record was added with the id {}, but ids begin with 1", id));
    }
    if (row.id != expected) {
      return row.id > expected ? fail(expected, "the record is missing") : fail(row.id, "the id is out of order");
    }
    if (head_->sealed && row.id < head_->first) return fail(row.id, "the record does not belong to this segment");
    if (auto problem = read_row(statement, &row); !problem.empty()) return fail(row.id, problem);
    if (!chained(row)) return false;
    AuditRecord record;
    if (!read_record(row, &record)) return fail(row.id, "the body is not a record");
    if (facts != nullptr && !indexed(record, *facts))
      return fail(row.id, "the segment's index differs from the record");
    tree_.add(hasher_, leaf_hash(hasher_, row.hash));
    ++result_.records;
    return covers();
  }

  bool chained(const Row& row) {
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
    if (found == heads_.end()) ++result_.chains;
    heads_[row.chain.bytes] = Head{row.sequence, hash};
    last_ = hash;
    return true;
  }

  static bool indexed(const AuditRecord& record, Statement& facts) {
    facts.bind(1, static_cast<int64_t>(record.id));
    bool same = facts.step() == Statement::Step::row && read_facts(facts) == Facts(record);
    facts.reset();
    return same;
  }

  // --- the end ---

  void end() {
    uint64_t last = tree_.size;
    if (elsewhere_at_ < elsewhere_.size()) {
      const Checkpoint& beyond = elsewhere_.back().checkpoint;
      size_t slash = beyond.origin.rfind('/');
      bool ours = slash != std::string::npos && beyond.origin.substr(slash + 1) == head_->log.hex();
      fail(last + 1,
           ours ? fmt::format("the record is missing: a checkpoint kept elsewhere covers {} records", beyond.size)
                : fmt::format("a checkpoint kept elsewhere belongs to another log: {}", beyond.origin));
    } else if (head_ && head_->sealed) {
      fail(last + 1, fmt::format("segment {} was sealed, and segment {} is missing", head_->number, head_->number + 1));
    } else if (!options_.keys.empty() && !has_own_) {
      fail(result_.first, "no checkpoint in the log is signed by the key");
    } else if (!options_.keys.empty() && last - result_.signed_upto > options_.unsigned_tail) {
      fail(result_.signed_upto + 1,
           fmt::format("records {} to {} are not covered by a signed checkpoint", result_.signed_upto + 1, last));
    }
  }

  const VerifyOptions& options_;
  AuditVerification result_;
  Sha256 hasher_;
  std::optional<SegmentHead> head_;  ///< of the current segment
  CompactTree tree_;                 ///< of all records so far
  Sha256::Hash last_{};              ///< hash of the record before
  std::map<std::array<uint8_t, 16>, Head> heads_;
  std::vector<Expected> own_, elsewhere_;
  size_t own_at_ = 0, elsewhere_at_ = 0;
  uint64_t vouched_ = 0;  ///< number of records that a matching checkpoint covers
  bool has_own_ = false;
};

}  // namespace

namespace detail {

Result<AuditVerification> verify_log(const std::vector<SegmentFile>& segments, const VerifyOptions& options) {
  Verifier verifier(options);
  if (!verifier.take_elsewhere()) return verifier.finish();
  // Writers add only to the last segment, so its snapshot is taken first. The others are sealed.
  auto last = open_segment(segments.back().path);
  if (!last.ok()) return last.error();
  for (const SegmentFile& file : segments) {
    auto database = file == segments.back() ? std::move(last) : open_segment(file.path);
    if (!database.ok()) return database.error();
    auto head = read_segment_head(*database, file.path);
    if (!head.ok()) return head.error();
    auto going = verifier.check(*database, *head, file);
    if (!going.ok()) return going.error();
    if (!*going) break;
  }
  return verifier.finish();
}

}  // namespace detail

Result<std::vector<std::string>> read_checkpoints(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return Error{"unreadable", path + ": cannot be read"};
  std::string text{std::istreambuf_iterator<char>(in), {}};
  auto notes = split_notes(text);
  if (!notes.ok()) return Error{notes.error().code, path + ": " + notes.error().message};
  return notes;
}

}  // namespace ordain
