// sqlite_faults is a file layer below SQLite that counts calls and fails on demand, for tests and
// benchmarks. It is inactive unless install_faults() was called.
#pragma once

#include <atomic>
#include <cstdint>

namespace ordain::sqlite {

enum class Fault : uint8_t { none, disk_full, io_error };

struct Faults {
  std::atomic<uint64_t> syncs{0}, writes{0};
  std::atomic<Fault> on_write{Fault::none};  ///< for database and log files, not shared memory
  std::atomic<Fault> on_sync{Fault::none};
  std::atomic<int64_t> good_writes{0};  ///< how many writes succeed before `on_write` applies
};

/// Installs the layer below every database that is opened from now on. @returns its only state.
Faults& install_faults();

}  // namespace ordain::sqlite
