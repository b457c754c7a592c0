// used_approvals.cc reads records in order and keeps the ids of the approvals that they name.
#include "runtime/audit/used_approvals.h"

#include <algorithm>

#include "runtime/audit/row.h"
#include "runtime/audit/view.h"

namespace ordain::detail {
namespace {

constexpr size_t kMostRemembered = 65536;

}  // namespace

Result<bool> UsedApprovals::contains(sqlite::Database& database, const SegmentHead& head, const std::string& directory,
                                     std::string_view approval, uint64_t since) {
  if (used_.size() > kMostRemembered) *this = {};
  if (upto_ == 0 || since > upto_) {
    *this = {};
    after_ = upto_ = since;
  }
  const uint64_t first = head.first - 1;
  if (since < after_) {
    if (auto done = read_sealed(head, directory, since, std::min(after_, first)); !done.ok()) return done.error();
    if (auto done = read(database, std::max(since, first), after_); !done.ok()) return done.error();
    after_ = since;
  }
  const uint64_t known = upto_;
  if (auto done = read_sealed(head, directory, known, first); !done.ok()) return done.error();
  if (auto done = read(database, std::max(known, first), INT64_MAX); !done.ok()) return done.error();
  return used_.contains(std::string(approval));
}

Result<void> UsedApprovals::read(sqlite::Database& database, uint64_t after, uint64_t upto) {
  if (after >= upto) return {};
  const auto bind = [&](sqlite::Statement& statement) {
    statement.bind(1, static_cast<int64_t>(after)).bind(2, static_cast<int64_t>(upto));
  };
  RecordView view;
  return for_rows(database, "SELECT id, body FROM records WHERE id > ? AND id <= ? ORDER BY id", bind,
                  [&](sqlite::Statement& row) {
                    upto_ = std::max(upto_, static_cast<uint64_t>(row.integer(0)));
                    const bool uses = view_record(row.blob(1), &view) && !view.approval.empty() &&
                                      (view.kind == RecordKind::intent || view.kind == RecordKind::decision);
                    if (uses) used_.emplace(view.approval);
                    return true;
                  });
}

Result<void> UsedApprovals::read_sealed(const SegmentHead& head, const std::string& directory, uint64_t after,
                                        uint64_t upto) {
  if (after >= upto) return {};
  auto files = list_files(directory);
  std::reverse(files.begin(), files.end());
  for (const SegmentFile& file : files) {
    if (file.number >= head.number) continue;
    auto database = open_segment(file.path);
    if (!database.ok()) {
      if (!sqlite::file_exists(file.path)) continue;
      return database.error();
    }
    auto sealed = read_segment_head(*database, file.path);
    if (!sealed.ok()) return sealed.error();
    if (auto done = read(*database, after, upto); !done.ok()) return done;
    if (sealed->first <= after + 1) break;
  }
  return {};
}

}  // namespace ordain::detail
