// state_peers has other ways to hold a limit, to measure beside the state: C++ written by hand, a transaction of
// SQLite, and a script in Redis.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/sqlite/sqlite.h"

namespace ordain::bench {

/// The limits that a program would keep in its own memory, each behind a mutex. They know nothing of outcomes, of other
/// processes, or of a restart, and they never forget a key.
class RateByHand {
 public:
  RateByHand(int64_t interval_ns, int64_t tolerance_ns) : interval_ns_(interval_ns), tolerance_ns_(tolerance_ns) {}
  bool take(const std::string& key);

 private:
  const int64_t interval_ns_, tolerance_ns_;
  std::mutex mutex_;
  std::unordered_map<std::string, int64_t> paid_;
};

/// The last calls of each key, in a ring.
class CountByHand {
 public:
  CountByHand(size_t most, int64_t window_ns) : most_(most), window_ns_(window_ns) {}
  /// @returns how many calls are in the window, this one included, up to `most`
  size_t add(const std::string& key);

 private:
  struct Ring {
    std::vector<int64_t> times;
    size_t first = 0, size = 0;
  };
  const size_t most_;
  const int64_t window_ns_;
  std::mutex mutex_;
  std::unordered_map<std::string, Ring> rings_;
};

class BudgetByHand {
 public:
  explicit BudgetByHand(int64_t limit) : limit_(limit) {}
  bool hold(const std::string& key, int64_t amount);
  void settle(const std::string& key, int64_t held, int64_t actual);

 private:
  const int64_t limit_;
  std::mutex mutex_;
  std::unordered_map<std::string, int64_t> used_;
};

/// A budget in a row of a file, in WAL mode. A commit survives a crash of the process, and not a power cut.
class BudgetInSqlite {
 public:
  explicit BudgetInSqlite(const std::string& directory);
  void take();

 private:
  std::unique_ptr<sqlite::Database> database_;
  sqlite::Statement select_, update_;
};

/// A rate (GCRA) kept by a script in a Redis server, which is started for it and listens on a socket in a directory.
class RateInRedis {
 public:
  /// @returns nothing if there is no `redis-server`, or if it cannot be used
  static std::unique_ptr<RateInRedis> start(const std::string& directory);
  ~RateInRedis();
  RateInRedis(const RateInRedis&) = delete;
  RateInRedis& operator=(const RateInRedis&) = delete;
  bool take(const std::string& key);

 private:
  RateInRedis() = default;
  bool connect_to(const std::string& path);
  std::optional<std::string> ask(const std::vector<std::string>& command);
  std::optional<std::string> read_line();

  int server_ = -1, socket_ = -1;
  std::string script_, unread_;
};

}  // namespace ordain::bench
