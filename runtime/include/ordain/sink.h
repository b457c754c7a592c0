// Sinks receive records besides the audit log, or instead of it.
#pragma once

#include <cstddef>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string_view>
#include <vector>

#include "ordain/audit.h"
#include "ordain/export.h"

namespace ordain {

/// Receives every record when it is made, on the thread of the call, possibly from several threads
/// at once. The record's `id`, `chain`, `sequence` and `hash` are empty, because only the log
/// assigns them.
class ORDAIN_API AuditSink {
 public:
  virtual ~AuditSink() = default;
  /// Takes one record. An error or an exception counts as a log that cannot be written: under
  /// fail_mode closed the call is denied, or its output withheld.
  virtual Result<void> write(const AuditRecord& record) = 0;
};

/// Keeps the last `capacity` records in memory.
class ORDAIN_API MemorySink final : public AuditSink {
 public:
  explicit MemorySink(size_t capacity = 10'000);
  ~MemorySink() override;
  Result<void> write(const AuditRecord& record) override;
  /// @returns the records that match, oldest first
  std::vector<AuditRecord> records(const AuditFilter& filter = {}) const;
  size_t count(const AuditFilter& filter = {}) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Passes each record to the host's logger as one line of JSON (see to_json), without line feed.
/// Makes one call at a time.
ORDAIN_API std::shared_ptr<AuditSink> log_sink(std::function<void(std::string_view line)> write);
/// Writes lines to a stream, which must outlive the sink, and flushes each.
ORDAIN_API std::shared_ptr<AuditSink> log_sink(std::ostream& out);

}  // namespace ordain
