// audit_log.h holds the parts that the readers of a log share.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ordain/audit.h"
#include "runtime/audit/row.h"
#include "runtime/audit/segment.h"

namespace ordain {

struct AuditLog::Impl {
  std::vector<detail::SegmentFile> segments;  ///< at least one

  /// Opens each segment, and calls `visit(database, head, file)` within one read transaction, until that returns false.
  template <typename Visit>
  Result<void> each(Visit visit) const {
    for (const auto& file : segments) {
      auto database = detail::open_segment(file.path);
      if (!database.ok()) return database.error();
      auto head = detail::read_segment_head(*database, file.path);
      if (!head.ok()) return head.error();
      Result<bool> going = visit(*database, *head, file);
      if (!going.ok()) return going.error();
      if (!*going) return {};
    }
    return {};
  }

  /// Calls `visit(statement, going)` for the rows of all segments from record `first` on, until it
  /// sets `*going` to false or returns an error.
  template <typename Visit>
  Result<void> each_row(uint64_t first, Visit visit) const {
    const auto from = static_cast<int64_t>(std::min<uint64_t>(first, INT64_MAX));
    return each(
        [&](sqlite::Database& database, const detail::SegmentHead&, const detail::SegmentFile&) -> Result<bool> {
          std::optional<Error> bad;
          bool going = true;
          auto result = detail::for_records(database, from, [&](sqlite::Statement& statement) {
            bad = visit(statement, &going);
            return going && !bad;
          });
          if (bad) return *bad;
          if (!result.ok()) return result.error();
          return going;
        });
  }
};

namespace detail {

Result<AuditVerification> verify_log(const std::vector<SegmentFile>& segments, const VerifyOptions& options);

/// @returns the line of an export for a whole record: its JSON and the canonical bytes
std::string export_line(const AuditRecord& record, std::string_view body);
/// @returns the first line of an export
std::string export_head(const SegmentHead& head);

}  // namespace detail
}  // namespace ordain
