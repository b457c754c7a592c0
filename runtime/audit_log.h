// audit_log: what the readers of a log share.
#pragma once

#include <string>
#include <vector>

#include "ordain/audit.h"
#include "runtime/audit_row.h"
#include "runtime/segment.h"

namespace ordain {

struct AuditLog::Impl {
  std::vector<detail::SegmentFile> segments;  ///< at least one

  /// Opens each segment from number `from` on, and calls `visit(database, head, file)` within one read transaction,
  /// until that returns false.
  template <typename Visit>
  Result<void> each(Visit visit) const {
    for (const auto& file : segments) {
      auto database = detail::open_segment(file.path);
      if (!database.ok()) return database.error();
      if (auto begun = database->execute("BEGIN"); !begun.ok()) return begun;
      auto head = detail::read_segment_head(*database, file.path);
      if (!head.ok()) return head.error();
      Result<bool> going = visit(*database, *head, file);
      if (!going.ok()) return going.error();
      if (!*going) return {};
    }
    return {};
  }
};

namespace detail {

Result<AuditVerification> verify_log(const std::vector<SegmentFile>& segments, const VerifyOptions& options);

/// The line of an export for a whole record: its JSON, and the canonical bytes.
std::string export_line(const AuditRecord& record, std::string_view body);
/// The first line of an export.
std::string export_head(const SegmentHead& head);

}  // namespace detail
}  // namespace ordain
