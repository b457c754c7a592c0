// AuditWriter takes records from many threads, and hashes and commits them in batches on one thread
// of its own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "ordain/audit.h"
#include "runtime/audit/chain.h"
#include "runtime/identity/fork.h"

namespace ordain::detail {

/// Whether the queue took a record.
enum class Admission : uint8_t { taken, full, unavailable };

/// How a record counts towards the queue's room.
enum class RecordRole : uint8_t {
  single,   ///< a record without a counterpart
  intent,   ///< reserves room for its outcome, so that an executed action can always be recorded
  outcome,  ///< uses that room; taken even while the log is unavailable, written once it recovers
};

/// The batch that a record went into.
struct BatchState {
  bool settled = false;
  bool committed = false;
  std::vector<size_t> refused;  ///< records that were left out, because their approval was used before
};
/// A record's place in its batch.
struct Ticket {
  std::shared_ptr<const BatchState> batch;
  size_t at = 0;
};

/// What became of a record.
enum class Written : uint8_t { yes, no, refused };

class AuditWriter;
/// Closes the writer. In a forked child it leaves it alone, because the thread that it would wait
/// for, and the connection, belong to the parent.
struct CloseWriter {
  void operator()(AuditWriter* writer) const;
};
using OwnedWriter = std::unique_ptr<AuditWriter, CloseWriter>;

/// In a child that was forked after `open`, the log is unavailable.
class AuditWriter {
 public:
  /// Opens (or creates) the log in `directory`, which must exist, and starts the thread.
  static Result<OwnedWriter> open(const std::string& directory, const AuditOptions& options);
  /// Writes the queued records, then stops the thread.
  ~AuditWriter();

  /// Queues one record. Blocks up to `queue_wait` for room. A record that uses an approval is left
  /// out if the log says that the approval was used before.
  Admission append(std::string_view body, const Id128& action, RecordRole role, Ticket* ticket,
                   const ApprovalUse* use = nullptr);
  /// Gives back the room that an intent reserved, when no outcome will follow.
  void release();
  /// Waits for the record's commit. @returns `no` if the commit failed, or while the log is
  /// unavailable.
  Written wait(const Ticket& ticket);
  /// @returns how many records the log has, or less
  uint64_t recorded() const { return recorded_.load(std::memory_order_relaxed); }
  /// Waits for all records taken so far.
  bool flush();

  /// Adds the audit part of a runtime's health.
  struct Health {
    bool available = true;
    std::string error;
    uint64_t written = 0, lost = 0;
    size_t depth = 0;
    std::string checkpoint_error;
  };
  Health health() const;

 private:
  friend struct CloseWriter;
  AuditWriter(AuditChain chain, AuditOptions options);
  void work() noexcept;
  bool give_up_batch() noexcept;
  Result<void> append_batch(const RecordBatch& batch, std::string_view first = {});
  bool has_room(size_t bytes, size_t records) const;
  void run();
  bool idle(std::unique_lock<std::mutex>& lock);
  void sign(std::unique_lock<std::mutex>& lock);
  void index_sealed();
  void write_queue(std::unique_lock<std::mutex>& lock);
  void recover(std::unique_lock<std::mutex>& lock);
  void latch(std::unique_lock<std::mutex>& lock, const Error& error);
  void report(std::unique_lock<std::mutex>& lock, const std::vector<Id128>& actions, const Error& error);
  void settle(bool committed, const std::shared_ptr<BatchState>& state, size_t records);

  const ProcessMark process_;
  AuditChain chain_;  // used by the thread only
  const AuditOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable work_;  ///< wakes the thread: there is something to do
  std::condition_variable room_;  ///< wakes callers: the queue was emptied
  std::condition_variable done_;  ///< wakes callers: a batch was settled
  RecordBatch queue_;
  RecordBatch writing_;  // used by the thread only
  std::shared_ptr<BatchState> queue_state_ = std::make_shared<BatchState>();
  std::shared_ptr<BatchState> spare_state_ = std::make_shared<BatchState>();  ///< for when there is no memory
  size_t reserved_ = 0;                                                       ///< number of outcomes yet to come
  size_t waiters_ = 0;
  uint64_t taken_ = 0, settled_ = 0, written_ = 0, lost_ = 0;
  std::vector<Id128> unreported_;  ///< lost actions that no `lost` record names yet
  std::optional<Error> failure_;   ///< set while the log is latched
  bool stop_ = false;
  std::atomic<uint64_t> recorded_;
  std::string checkpoint_error_;
  std::chrono::steady_clock::time_point no_checkpoint_before_{};  ///< set after a checkpoint failed
  std::thread indexer_;                                           // used by the thread only
  std::thread thread_;
};

}  // namespace ordain::detail
