// AuditChain: appends batches of records to the log, each chained to the one before. The writing half of the file's
// format.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ordain/audit.h"
#include "runtime/audit_record.h"
#include "runtime/sqlite.h"

namespace ordain::detail {

/// Encoded records, back to back.
struct RecordBatch {
  std::string bytes;
  std::vector<size_t> ends;
  std::vector<Id128> actions;

  void add(std::string_view body, const Id128& action);
  void clear();
  bool empty() const { return ends.empty(); }
  size_t size() const { return ends.size(); }
  std::string_view body(size_t at) const;
};

/// One chain of one process. One thread at a time.
class AuditChain {
 public:
  static Result<AuditChain> open(const std::string& directory, const AuditOptions& options);

  /// Appends `batch` in one transaction, after `first` if that is not empty. All or nothing. The head of the chain is
  /// read again inside the transaction; one that was tampered with is error "audit_chain_broken".
  Result<void> append(const RecordBatch& batch, std::string_view first = {});

 private:
  AuditChain() = default;
  Result<void> read_head();
  Result<void> find_own_tail();
  Result<void> insert(std::string_view body);

  sqlite::Database database_;
  sqlite::Statement last_, own_, tail_, insert_;
  std::unique_ptr<Sha256> hasher_;
  Id128 chain_;
  // As of the last commit, then as of the transaction under way.
  uint64_t own_id_ = 0, sequence_ = 0;
  Sha256::Hash head_{};
  uint64_t next_id_ = 1;
  bool unsure_ = false;  ///< a commit failed: it may have happened all the same
};

}  // namespace ordain::detail
