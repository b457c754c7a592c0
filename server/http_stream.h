// HttpStream is the body of an answer that is written bit by bit, while others make it: events for a client that
// listens. It knows neither sockets nor the library that writes them.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace ordain::server {

/// Thread-safe. Whoever makes the stream must close it at the end.
class HttpStream {
 public:
  /// @param most the bytes that may wait to be written; a reader that lets more wait is taken for gone
  explicit HttpStream(size_t most = 32 << 20) : most_(most) {}
  HttpStream(const HttpStream&) = delete;
  HttpStream& operator=(const HttpStream&) = delete;

  // For the maker.

  /// @returns false if nobody reads any more
  bool send(std::string_view bytes);
  /// The answer ends after what was sent.
  void close();
  bool is_gone() const;

  // For the server.

  struct Taken {
    std::string bytes;
    bool closed = false;  ///< nothing follows
  };
  Taken take();
  /// Calls `ready` once, on any thread, when there is something to take, which may be now.
  void watch(std::function<void()> ready);
  /// The peer is gone: nothing is kept any more.
  void abandon();

 private:
  const size_t most_;
  mutable std::mutex mutex_;
  std::string bytes_;
  bool closed_ = false, gone_ = false;
  std::function<void()> ready_;
};

}  // namespace ordain::server
