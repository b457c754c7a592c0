// audit_retention seals a segment, and removes old segments so that the rest still verifies.
#include <fmt/format.h>

#include "runtime/audit/chain.h"
#include "runtime/audit/log.h"

namespace ordain {

using namespace detail;  // NOLINT(google-build-using-namespace): our own internals

namespace {

/// Signs, in the head of the first segment that stays, the state of the log before that segment.
Result<void> sign_removal(const SegmentFile& kept, const PrivateKey& key) {
  auto database = sqlite::Database::open(kept.path, sqlite::Database::Open::read_write, std::chrono::seconds(5));
  if (!database.ok()) return database.error();
  if (auto checked = database->check_file(segment_format()); !checked.ok()) return checked;
  auto head = read_segment_head(*database, kept.path);
  if (!head.ok()) return head.error();
  Sha256 hasher;
  std::string origin = key.public_key().name() + "/" + head->log.hex();
  std::string note = sign_note(key, retention_text(origin, head->first, head->base.root(hasher)));
  sqlite::Transaction transaction(*database);
  if (auto begun = transaction.begin(); !begun.ok()) return begun;
  auto update = database->prepare("UPDATE segment SET retention = ?");
  if (!update.ok()) return update.error();
  update->bind_text(1, note);
  if (auto written = database->write_row(*update); !written.ok()) return written;
  return transaction.commit();
}

Result<uint64_t> first_record(const SegmentFile& file) {
  auto database = open_segment(file.path);
  if (!database.ok()) return database.error();
  auto head = read_segment_head(*database, file.path);
  if (!head.ok()) return head.error();
  return head->first;
}

}  // namespace

Result<bool> rotate_audit(const std::string& directory, const std::optional<PrivateKey>& key,
                          const std::string& checkpoint_file) {
  auto log = AuditLog::open(directory);
  if (!log.ok()) return log.error();
  AuditOptions options;
  options.key = key;
  options.checkpoint_file = checkpoint_file;
  bool rotated = false;
  {
    auto chain = AuditChain::open(directory, options);
    if (!chain.ok()) return chain.error();
    auto done = chain->rotate();
    if (!done.ok()) return done;
    if (!chain->checkpoint_error().empty()) return Error{"checkpoint_unwritable", chain->checkpoint_error()};
    rotated = *done;
  }
  auto segments = list_segments(directory);
  if (!segments.ok()) return segments.error();
  for (size_t i = 0; i + 1 < segments->size(); ++i) {
    if (auto indexed = index_segment((*segments)[i].path); !indexed.ok()) return indexed.error();
  }
  return rotated;
}

Result<PrunedAudit> prune_audit(const std::string& directory, size_t keep, const std::optional<PrivateKey>& key) {
  auto segments = list_segments(directory);
  if (!segments.ok()) return segments.error();
  if (segments->empty()) return Error{"no_database", directory + ": there is no audit log"};
  size_t sealed = segments->size() - 1;
  size_t remove = sealed > keep ? sealed - keep : 0;
  PrunedAudit out;
  auto first = first_record((*segments)[remove]);
  if (!first.ok()) return first.error();
  out.first = *first;
  if (remove == 0) return out;
  // The oldest goes first, and the one that becomes the oldest says so before: whoever reads the log
  // meanwhile, or after an interruption, finds no gap and a signature for what is missing.
  for (size_t i = 0; i < remove; ++i) {
    if (key) {
      if (auto done = sign_removal((*segments)[i + 1], *key); !done.ok()) return done.error();
    }
    if (auto removed = sqlite::remove_database((*segments)[i].path); !removed.ok()) return removed.error();
    ++out.segments;
  }
  if (auto durable = sqlite::sync_directory(directory); !durable.ok()) return durable.error();
  return out;
}

}  // namespace ordain
