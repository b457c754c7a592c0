// What replay reads: chunks of records or of lines, and the queue through which they reach the
// threads that decide them.
#pragma once

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <istream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ordain/replay.h"

namespace ordain::detail {

struct ReplayChunk {
  /// A record.
  struct Item {
    uint64_t number = 0;
    size_t begin = 0, size = 0;                ///< the body, within the chunk's bytes
    size_t intent_begin = 0, intent_size = 0;  ///< for an outcome: the body of its intent record
  };

  std::string bytes;
  std::vector<Item> items;  ///< records of a log
  uint64_t first_line = 0;  ///< for events; 0: the chunk holds records

  void clear() {
    bytes.clear();
    items.clear();
    first_line = 0;
  }
  std::string_view at(size_t begin, size_t size) const { return std::string_view(bytes).substr(begin, size); }
};

/// Calls `use` with each line of a chunk of events, and its number.
template <typename Use>
void for_each_line(const ReplayChunk& chunk, const Use& use) {
  uint64_t line = chunk.first_line;
  for (std::string_view rest = chunk.bytes; !rest.empty(); ++line) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    use(line, rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

/// A bounded queue of chunks, which are reused. Thread-safe, except `serve`.
class ChunkQueue {
 public:
  explicit ChunkQueue(size_t room) : room_(room) {}

  /// From now on `put` passes each chunk to `work` instead, on its own thread. For a queue from which no thread takes.
  void serve(std::function<void(ReplayChunk&)> work) { work_ = std::move(work); }

  /// Takes an empty chunk, once the queue has room for it.
  std::unique_ptr<ReplayChunk> take_empty();
  void put(std::unique_ptr<ReplayChunk> chunk);
  /// @returns nullptr once there will not be another chunk.
  std::unique_ptr<ReplayChunk> take_full();
  void give_back(std::unique_ptr<ReplayChunk> chunk);
  void close();

 private:
  const size_t room_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<ReplayChunk>> full_;
  std::vector<std::unique_ptr<ReplayChunk>> empty_;
  bool closed_ = false;
  std::function<void(ReplayChunk&)> work_;
};

/// What is kept of calls that wait for their outcome: of the latest alone, to bound memory.
template <typename Kept>
class OpenCalls {
 public:
  /// @param bytes that `kept` takes elsewhere
  void add(std::string_view action, Kept kept, size_t bytes = 0) {
    if (young_.size() >= kMostCalls || bytes_ > kMostBytes) {
      old_ = std::move(young_);
      young_.clear();
      bytes_ = 0;
    }
    young_[key(action)] = std::move(kept);
    bytes_ += bytes;
  }

  /// @returns nothing if the call is not known
  std::optional<Kept> take(std::string_view action) {
    for (Map* map : {&young_, &old_}) {
      auto found = map->extract(key(action));
      if (!found.empty()) return std::move(found.mapped());
    }
    return std::nullopt;
  }

 private:
  static constexpr size_t kMostCalls = 1 << 16;  // in each of two generations
  static constexpr size_t kMostBytes = 128 << 20;

  using Key = std::array<uint64_t, 2>;
  struct Hash {
    size_t operator()(const Key& key) const { return key[0]; }
  };
  using Map = std::unordered_map<Key, Kept, Hash>;
  static Key key(std::string_view action) {
    Key out{};
    std::memcpy(out.data(), action.data(), std::min(action.size(), sizeof(out)));
    return out;
  }

  Map young_, old_;
  size_t bytes_ = 0;
};

/// The bodies of the records with which calls began.
class OpenIntents {
 public:
  void add(std::string_view action, std::string_view body) { open_.add(action, std::string(body), body.size()); }
  /// @returns "" if the call is not known
  std::string take(std::string_view action) { return open_.take(action).value_or(""); }

 private:
  OpenCalls<std::string> open_;
};

/// Gathers records into chunks, an outcome together with its intent. Used by one thread.
class RecordReader {
 public:
  RecordReader(ChunkQueue& queue, const ReplayOptions& options) : queue_(queue), options_(options) {}

  void add(uint64_t id, std::string_view body);
  /// Passes on a chunk that is not full yet.
  void pass_on();

 private:
  ChunkQueue& queue_;
  const ReplayOptions& options_;
  OpenIntents open_;
  std::unique_ptr<ReplayChunk> chunk_;
  uint64_t done_ = 0;
};

/// Reads whole lines into chunks. @returns error "unreadable".
Result<void> read_lines(std::istream& in, ChunkQueue& queue, const ReplayOptions& options);

}  // namespace ordain::detail
