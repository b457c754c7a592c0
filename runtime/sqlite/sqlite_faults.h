// sqlite_faults: a file layer under SQLite that counts, and fails when told to. For tests and benchmarks; nothing of it
// runs unless install() was called.
#pragma once

#include <atomic>
#include <cstdint>

namespace ordain::sqlite {

enum class Fault : uint8_t { none, disk_full, io_error };

struct Faults {
  std::atomic<uint64_t> syncs{0}, writes{0};
  std::atomic<Fault> on_write{Fault::none};  ///< of database and log files, not of their shared memory
  std::atomic<Fault> on_sync{Fault::none};
  std::atomic<int64_t> good_writes{0};  ///< how many succeed before `on_write` holds
};

/// Puts the layer under every database that is opened from now on. Returns its one state.
Faults& install_faults();

}  // namespace ordain::sqlite
