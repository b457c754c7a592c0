// StateFile is `state.db` of a database directory: the ops of one ledger, in order, behind a snapshot
// of those before them. Processes that share it apply the same ops and so hold the same ledger.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "ordain/result.h"
#include "runtime/sqlite/sqlite.h"
#include "runtime/state/ledger.h"

namespace ordain::state {

inline constexpr int32_t kStateVersion = 2;

/// Use it from one thread at a time. Everything happens between `begin` and `commit` or `roll_back`;
/// meanwhile other processes wait.
class StateFile {
 public:
  /// Opens or creates the file, and the directory. @param full whether a commit survives a power cut
  static Result<StateFile> open(const std::string& directory, bool full, std::chrono::milliseconds busy_wait);

  Result<void> begin();
  /// Applies the ops that `ledger` lacks. A ledger that lags behind the snapshot, or with `reload`, is
  /// made anew. @returns error "bad_state" if the file does not continue the ledger
  Result<void> catch_up(Ledger& ledger, bool reload);
  Result<void> append(uint64_t sequence, std::string_view op);
  /// Replaces all ops by a snapshot once there are many. @returns whether it did
  Result<bool> compact(Ledger& ledger, uint64_t ops);
  Result<void> commit();
  void roll_back();

 private:
  StateFile() = default;
  Result<void> prepare();
  Result<uint64_t> read_base();
  Result<Ledger> read_snapshot(uint64_t base, const Limits& limits);
  Result<void> read_ops(Ledger& ledger);
  Result<void> write_parts(std::string_view snapshot);
  Result<void> run(sqlite::Statement& statement);
  Error damaged(const char* why) const;

  std::string path_;
  std::unique_ptr<sqlite::Database> database_;  // at one place: the transaction refers to it
  sqlite::Statement select_base_, select_ops_, insert_op_;
  std::unique_ptr<sqlite::Transaction> transaction_;
  uint64_t base_ = 0;  ///< sequence of the snapshot
};

}  // namespace ordain::state
