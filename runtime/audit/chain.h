// AuditChain: appends batches of records to the log, each chained to the one before, and seals them by checkpoints. The
// writing half of the files' format.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/audit.h"
#include "runtime/audit/record.h"
#include "runtime/audit/segment.h"
#include "runtime/sqlite/sqlite.h"

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
  /// With a key: also signs what is there and not yet covered. A log that is shorter than its own checkpoints is error
  /// "audit_chain_broken".
  static Result<AuditChain> open(const std::string& directory, const AuditOptions& options);
  ~AuditChain();
  AuditChain(AuditChain&&) = default;

  /// Appends `batch` in one transaction, after `first` if that is not empty. All or nothing. The head of the chain is
  /// read again inside the transaction; one that was tampered with is error "audit_chain_broken". Goes on in the next
  /// segment if this one was sealed, and begins one when it is full.
  Result<void> append(const RecordBatch& batch, std::string_view first = {});

  /// When the records that no checkpoint covers must be signed; none if there are none, or no key.
  std::optional<std::chrono::steady_clock::time_point> checkpoint_due() const;
  /// Signs the tree as it stands, unless the last checkpoint covers it.
  Result<void> checkpoint();
  /// Seals the current segment and begins the next. Nothing if it holds no record.
  Result<bool> rotate();
  /// Of the file that checkpoints are appended to; "" while all is well.
  const std::string& checkpoint_error() const { return checkpoint_error_; }
  /// Path of the segment that `rotate` or `append` sealed last; then "".
  std::string take_sealed() { return std::exchange(sealed_, {}); }

 private:
  /// What a transaction that is rolled back must not leave changed.
  struct State {
    uint64_t own_id = 0, sequence = 0;  ///< of this chain's last record
    Sha256::Hash head{};                ///< its hash
    uint64_t next_id = 1;
    Sha256::Hash last{};   ///< hash of the log's last record
    CompactTree tree;      ///< of the records up to tree.size: with a key, all of them
    int64_t covered = -1;  ///< size of the last checkpoint; -1: there is none
    std::string note;      ///< the checkpoint that this transaction made
  };

  AuditChain() = default;
  Result<void> use_segment(uint64_t number, bool create);
  template <typename Body>
  Result<void> write(Body body);
  Result<bool> sealed();
  Result<void> read_head();
  Result<void> find_own_tail();
  Result<void> read_covered();
  Result<void> catch_up();
  Result<void> insert(std::string_view body);
  Result<void> add_checkpoint();
  Result<void> begin_next(bool* done);
  void publish();

  std::string directory_;
  AuditOptions options_;
  SegmentHead segment_;
  sqlite::Database database_;
  sqlite::Statement last_, own_, tail_, insert_, sealed_now_, covered_, uncounted_, sign_;
  std::unique_ptr<Sha256> hasher_;
  Id128 chain_;
  State state_;
  bool unsure_ = false;  ///< a commit failed: it may have happened all the same
  std::chrono::steady_clock::time_point signed_at_{};
  std::string unpublished_, checkpoint_error_, sealed_;
};

}  // namespace ordain::detail
