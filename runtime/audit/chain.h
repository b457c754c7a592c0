// AuditChain appends batches of records to the log, chains each record to the one before, and seals
// them by checkpoints. It is the writing half of the file format.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/audit.h"
#include "runtime/audit/record.h"
#include "runtime/audit/segment.h"
#include "runtime/audit/used_approvals.h"
#include "runtime/sqlite/sqlite.h"

namespace ordain::detail {

/// The approval that a call is about to use, and how long the log was when it was asked for.
struct ApprovalUse {
  std::string approval;
  uint64_t since = 0;
};

/// Holds encoded records, back to back.
struct RecordBatch {
  std::string bytes;
  std::vector<size_t> ends;
  std::vector<Id128> actions;
  std::vector<std::pair<size_t, ApprovalUse>> uses;  ///< of the records that use an approval

  void add(std::string_view body, const Id128& action);
  void clear();
  bool empty() const { return ends.empty(); }
  size_t size() const { return ends.size(); }
  std::string_view body(size_t at) const;
};

/// The chain that one process writes. Use it from one thread at a time.
class AuditChain {
 public:
  /// Opens the log. With a key, it also signs the records that no checkpoint covers yet. A log that
  /// is shorter than its own checkpoints is error "audit_chain_broken".
  static Result<AuditChain> open(const std::string& directory, const AuditOptions& options);
  ~AuditChain();
  AuditChain(AuditChain&&) = default;

  /// Appends `batch` in one transaction, after the record `first` unless that is empty: all or
  /// nothing. The head of the chain is read again inside the transaction; if it was tampered with,
  /// the error is "audit_chain_broken". Continues in the next segment if this one was sealed, and
  /// begins a new one when this one is full. A record that uses an approval which the log says was
  /// used before is left out; see `take_refused`.
  Result<void> append(const RecordBatch& batch, std::string_view first = {});

  /// @returns when the records that no checkpoint covers must be signed; nothing if there is no
  /// key, or no such record
  std::optional<std::chrono::steady_clock::time_point> checkpoint_due() const;
  /// Signs the tree in its present state, unless the last checkpoint already covers it.
  Result<void> checkpoint();
  /// Seals the current segment and begins the next. @returns false if the segment holds no record:
  /// it is kept.
  Result<bool> rotate();
  /// The last error in appending to the external checkpoint file; "" if the last append succeeded.
  const std::string& checkpoint_error() const { return checkpoint_error_; }
  /// @returns the positions in the last batch of the records that were left out
  std::vector<size_t> take_refused() { return std::exchange(refused_, {}); }
  /// @returns how many records the log had when this chain last looked
  uint64_t recorded() const { return state_.next_id - 1; }
  /// @returns the path of the segment that `rotate` or `append` sealed last; "" on the next call
  std::string take_sealed() { return std::exchange(sealed_, {}); }

 private:
  /// The members that must be restored when a transaction is rolled back.
  struct State {
    uint64_t own_id = 0, sequence = 0;  ///< of this chain's last record
    Sha256::Hash head{};                ///< its hash
    uint64_t next_id = 1;
    Sha256::Hash last{};   ///< hash of the log's last record
    CompactTree tree;      ///< of the first tree.size records; with a key, that is all of them
    int64_t covered = -1;  ///< size of the last checkpoint; -1 without one
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
  Result<void> insert_batch(const RecordBatch& batch);
  bool was_used(const ApprovalUse& use);
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
  bool unsure_ = false;  ///< a commit reported failure, but may have happened
  std::chrono::steady_clock::time_point signed_at_{};
  std::string unpublished_, checkpoint_error_, sealed_;
  UsedApprovals used_;
  std::vector<size_t> refused_;
};

}  // namespace ordain::detail
