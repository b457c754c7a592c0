// replay_chunks: what is replayed, read piece by piece: chunks of records or of lines, and the queue through which they
// go to the threads that decide them.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <istream>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ordain/replay.h"

namespace ordain::detail {

struct Chunk {
  /// A record.
  struct Item {
    uint64_t number = 0;
    size_t begin = 0, size = 0;                ///< of the body within the chunk's bytes
    size_t intent_begin = 0, intent_size = 0;  ///< of the intent record's, for an outcome
  };

  std::string bytes;
  std::vector<Item> items;  ///< of a log
  uint64_t first_line = 0;  ///< of events; 0: the chunk is of a log

  void clear() {
    bytes.clear();
    items.clear();
    first_line = 0;
  }
  std::string_view at(size_t begin, size_t size) const { return std::string_view(bytes).substr(begin, size); }
};

/// A bounded queue of chunks, each used again. Thread-safe.
class ChunkQueue {
 public:
  explicit ChunkQueue(size_t room) : room_(room) {}

  /// An empty chunk, once the queue has room for it.
  std::unique_ptr<Chunk> take_empty();
  void put(std::unique_ptr<Chunk> chunk);
  /// @returns nullptr once there will be no more.
  std::unique_ptr<Chunk> take_full();
  void give_back(std::unique_ptr<Chunk> chunk);
  void close();

 private:
  const size_t room_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Chunk>> full_;
  std::vector<std::unique_ptr<Chunk>> empty_;
  bool closed_ = false;
};

/// Intents that wait for their outcome: the youngest, for memory is bounded.
class OpenCalls {
 public:
  void add(std::string_view action, std::string_view body);
  /// "" if it is not known.
  std::string take(std::string_view action);

 private:
  using Key = std::array<uint64_t, 2>;
  struct Hash {
    size_t operator()(const Key& key) const { return key[0]; }
  };
  using Map = std::unordered_map<Key, std::string, Hash>;
  static Key key(std::string_view action);

  Map young_, old_;
  size_t bytes_ = 0;
};

/// Gathers records into chunks, an outcome with its intent. One thread.
class RecordReader {
 public:
  RecordReader(ChunkQueue& queue, const ReplayOptions& options) : queue_(queue), options_(options) {}

  void add(uint64_t id, std::string_view body);
  /// Passes on what is not a whole chunk yet.
  void pass_on();

 private:
  ChunkQueue& queue_;
  const ReplayOptions& options_;
  OpenCalls open_;
  std::unique_ptr<Chunk> chunk_;
  uint64_t done_ = 0;
};

/// Reads whole lines into chunks. @returns error "unreadable".
Result<void> read_lines(std::istream& in, ChunkQueue& queue, const ReplayOptions& options);

}  // namespace ordain::detail
