// audit_proof packs one record with everything that shows it belongs to a signed log, as a C2SP
// tlog-proof text:
//
//   c2sp.org/tlog-proof@v1
//   extra BASE64      the bytes that the record's hash covers: previous hash, id, chain, sequence, body
//   index N           the record's leaf: id - 1
//   BASE64 ...        the path, nearest sibling first
//
//   the signed checkpoint
#include <fmt/format.h>

#include <charconv>
#include <cstring>

#include "runtime/audit/checkpoint.h"
#include "runtime/audit/log.h"
#include "runtime/audit/value_bytes.h"
#include "vm/value/encodings.h"

namespace ordain {

using namespace detail;  // NOLINT(google-build-using-namespace): our own internals

namespace {

using sqlite::Database;
using sqlite::Statement;

constexpr std::string_view kFormat = "c2sp.org/tlog-proof@v1";
constexpr size_t kPlaceBytes = 32 + 8 + 16 + 8;  // what chain_hash covers before the body

std::string_view view_of(const Sha256::Hash& hash) { return {reinterpret_cast<const char*>(hash.data()), hash.size()}; }

bool copy_hash(std::string_view bytes, Sha256::Hash* out) {
  if (bytes.size() != out->size()) return false;
  std::memcpy(out->data(), bytes.data(), bytes.size());
  return true;
}

/// Collects the parts of a proof during a walk over the segments.
struct Gathered {
  LeafTree tree;
  std::string note;   ///< the last checkpoint
  uint64_t size = 0;  ///< the number of records that the checkpoint covers
  bool found = false;
  std::string extra;    ///< the bytes that the record's hash covers
  Sha256::Hash hash{};  ///< of the record
};

/// Finds the hash that the record's own hash continues from.
Result<Sha256::Hash> hash_before(Database& database, const SegmentHead& head, const Row& row) {
  Sha256::Hash out = head.previous;
  if (row.sequence == 1 && row.id == head.first) return out;
  bool first = row.sequence == 1;
  auto select = database.prepare(first ? "SELECT hash FROM records WHERE id = ?"
                                       : "SELECT hash FROM records WHERE id < ? AND chain = ? AND sequence = ?");
  if (!select.ok()) return select.error();
  select->bind(1, static_cast<int64_t>(first ? row.id - 1 : row.id));
  if (!first) {
    select->bind_blob(2, row.chain.bytes.data(), row.chain.bytes.size());
    select->bind(3, static_cast<int64_t>(row.sequence - 1));
  }
  bool there = select->step() == Statement::Step::row && copy_hash(select->blob(0), &out);
  if (!there) return Error{"bad_record", fmt::format("record {}: the previous record of its chain is missing", row.id)};
  return out;
}

Result<void> take_record(Database& database, const SegmentHead& head, const Row& row, Gathered& out) {
  auto previous = hash_before(database, head, row);
  if (!previous.ok()) return previous.error();
  out.extra = view_of(*previous);
  append_u64(out.extra, row.id);
  out.extra.append(reinterpret_cast<const char*>(row.chain.bytes.data()), row.chain.bytes.size());
  append_u64(out.extra, row.sequence);
  out.extra.append(row.body);
  Sha256 hasher;
  hasher.add(out.extra);
  out.hash = row.hash;
  out.found = true;
  if (hasher.finish() == row.hash) return {};
  return Error{"bad_record", fmt::format("record {}: the hash does not match the record", row.id)};
}

Result<void> gather(Database& database, const SegmentHead& head, uint64_t id, bool first, Gathered& out) {
  if (first) out.tree.base = head.base;
  auto notes = for_rows(database, "SELECT size, note FROM checkpoints ORDER BY size", [&](Statement& row) {
    out.size = static_cast<uint64_t>(row.integer(0));
    out.note = row.text(1);
    return true;
  });
  if (!notes.ok()) return notes;
  Sha256 hasher;
  Result<void> problem;
  auto rows = for_records(database, 0, [&](Statement& statement) {
    Row row;
    std::string wrong = read_row(statement, &row);
    if (wrong.empty() && row.id != out.tree.size() + 1) wrong = "a record before it is missing";
    if (!wrong.empty()) problem = Error{"bad_record", fmt::format("record {}: {}", row.id, wrong)};
    if (problem.ok() && row.id == id) problem = take_record(database, head, row, out);
    out.tree.leaves.push_back(leaf_hash(hasher, row.hash));
    return problem.ok();
  });
  return problem.ok() ? rows : problem;
}

// --- checking ---

Error bad(std::string message) { return Error{"bad_proof", std::move(message)}; }

bool take_line(std::string_view& text, std::string_view* line) {
  size_t end = text.find('\n');
  if (end == std::string_view::npos) return false;
  *line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return true;
}

struct Proof {
  std::string extra;
  uint64_t index = 0;
  std::vector<Sha256::Hash> path;
  std::string_view note;
};

Result<Proof> parse_proof(std::string_view text) {
  constexpr std::string_view kExtra = "extra ", kIndex = "index ";
  constexpr size_t kLongest = 64;
  Proof out;
  std::string_view line;
  if (!take_line(text, &line) || line != kFormat) return bad("the first line is not " + std::string(kFormat));
  if (!take_line(text, &line) || !line.starts_with(kExtra) || !parse_base64(line.substr(kExtra.size()), &out.extra)) {
    return bad("line 2 is not `extra BASE64`");
  }
  if (!take_line(text, &line) || !line.starts_with(kIndex)) return bad("line 3 is not `index NUMBER`");
  std::string_view digits = line.substr(kIndex.size());
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.index);
  if (error != std::errc() || std::to_string(out.index) != digits) return bad("line 3 is not `index NUMBER`");
  for (;;) {
    if (!take_line(text, &line)) return bad("the checkpoint is missing");
    if (line.empty()) break;
    std::string bytes;
    Sha256::Hash hash;
    if (out.path.size() == kLongest || !parse_base64(line, &bytes) || !copy_hash(bytes, &hash)) {
      return bad("a line of the path is not a hash");
    }
    out.path.push_back(hash);
  }
  out.note = text;
  return out;
}

/// Decodes the record from the bytes that its hash covers.
bool read_extra(std::string_view extra, AuditRecord* record) {
  Row row;
  std::string_view rest = extra, chain;
  if (extra.size() < kPlaceBytes) return false;
  rest.remove_prefix(32);
  take_u64(rest, &row.id);
  take_bytes(rest, row.chain.bytes.size(), &chain);
  std::memcpy(row.chain.bytes.data(), chain.data(), chain.size());
  take_u64(rest, &row.sequence);
  row.body = rest;
  Sha256 hasher;
  hasher.add(extra);
  row.hash = hasher.finish();
  return read_record(row, record);
}

}  // namespace

Result<std::string> AuditLog::prove(uint64_t id) const {
  Gathered gathered;
  bool first = true;
  auto result = impl_->each([&](Database& database, const SegmentHead& head, const SegmentFile&) -> Result<bool> {
    auto taken = gather(database, head, id, std::exchange(first, false), gathered);
    if (!taken.ok()) return taken.error();
    return true;
  });
  if (!result.ok()) return result.error();
  if (!gathered.found) return Error{"no_record", fmt::format("there is no record {}", id)};
  if (gathered.size < id || gathered.size > gathered.tree.size()) {
    return Error{"no_checkpoint", fmt::format("no checkpoint covers record {}; one is signed where the runtime has a "
                                              "key, or by `ordain audit rotate --key`",
                                              id)};
  }
  Sha256 hasher;
  std::string out = fmt::format("{}\nextra {}\nindex {}\n", kFormat, base64_of(gathered.extra), id - 1);
  auto path = inclusion_path(hasher, gathered.tree, id - 1, gathered.size);
  for (const auto& hash : path) out += base64_of(view_of(hash)) + "\n";
  auto checkpoint = parse_checkpoint(gathered.note);
  Sha256::Hash root{};
  bool leads = root_of_path(hasher, id - 1, gathered.size, leaf_hash(hasher, gathered.hash), path, &root);
  if (!checkpoint.ok() || !leads || checkpoint->root != root) {
    return Error{"bad_record",
                 "the records differ from those that the checkpoint was signed for; see `ordain audit verify`"};
  }
  return out + "\n" + gathered.note;
}

Result<ProvenRecord> check_audit_proof(std::string_view text, const std::vector<PublicKey>& keys) {
  auto proof = parse_proof(text);
  if (!proof.ok()) return proof.error();
  auto checkpoint = open_checkpoint(proof->note, keys);
  if (!checkpoint.ok()) {
    bool malformed = checkpoint.error().code == "bad_note";
    return malformed ? bad(checkpoint.error().message) : checkpoint.error();
  }
  ProvenRecord out;
  if (!read_extra(proof->extra, &out.record)) return bad("what is proven is not a record");
  if (out.record.id != proof->index + 1) return bad("the record's id does not match its place in the tree");
  Sha256 hasher;
  Sha256::Hash hash, root{};
  hasher.add(proof->extra);
  hash = leaf_hash(hasher, hasher.finish());
  if (!root_of_path(hasher, proof->index, checkpoint->size, hash, proof->path, &root)) {
    return bad("the path does not fit the size of the tree");
  }
  if (root != checkpoint->root) return bad("the record is not in the tree that was signed");
  out.origin = checkpoint->origin;
  out.size = checkpoint->size;
  out.is_signed = !keys.empty();
  return out;
}

}  // namespace ordain
