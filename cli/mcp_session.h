// An McpSession is one client of the MCP proxy over HTTP, and the server process that was started for it. It moves
// messages between requests, the proxy and the process.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/mcp/proxy.h"
#include "cli/child_process.h"
#include "cli/line_splitter.h"
#include "server/http.h"
#include "server/http_stream.h"
#include "vm/value/start_thread.h"

namespace ordain::cli {

/// Thread-safe.
class McpSession {
 public:
  using Clock = std::chrono::steady_clock;

  /// Starts the server. @param most the most bytes of a message
  /// @returns error "no_program", "no_pipe" or "no_thread"
  static Result<std::shared_ptr<McpSession>> start(const std::vector<std::string>& command, const Runtime& runtime,
                                                   const mcp::ProxyOptions& options, size_t most);
  /// Ends the server, which may take some seconds.
  ~McpSession();
  McpSession(const McpSession&) = delete;
  McpSession& operator=(const McpSession&) = delete;

  /// Takes one message of the client, on one line. A request is answered at once if the proxy itself answers it, else
  /// by a stream of events that ends with the answer.
  server::HttpResponse take(const mcp::Message& message);
  /// Opens the stream of what the server sends on its own. There is one at a time.
  server::HttpResponse listen();
  /// Closes the streams, and asks the server to end.
  void end();
  /// Lets each stream show that it is open, and forgets those that nobody reads.
  void ping();

  bool is_ended() const;  ///< nothing is taken any more
  bool is_over() const;   ///< and the server is gone
  /// @returns since when no request was in progress; nothing if one is, or a stream is open
  std::optional<Clock::time_point> idle_since() const;

 private:
  /// Wakes the session's thread.
  struct WakePipe {
    int ends[2] = {-1, -1};
    ~WakePipe();
  };
  /// A request of the client without an answer.
  struct Waiting {
    uint64_t number = 0;
    std::string answer;                          ///< given before a stream was needed
    std::shared_ptr<server::HttpStream> stream;  ///< nullptr at first
  };

  McpSession(ChildProcess process, const Runtime& runtime, const mcp::ProxyOptions& options, size_t most);
  bool open_pipe();
  void route(const mcp::Messages& messages);
  void pass_to_client(const std::string& text);
  void pass_unasked(const std::string& text);
  void flush_unasked(server::HttpStream& stream);
  void close_streams();
  void wake() const;

  // The session's thread.
  void run() noexcept;
  bool poll_once();
  bool read_process();
  void write_process();
  void end_process();

  mutable std::mutex mutex_;
  ChildProcess process_;
  WakePipe wake_pipe_;
  mcp::Proxy proxy_;
  LineSplitter from_process_;
  std::string to_process_;
  std::map<std::string, Waiting> waiting_;  ///< by Message::key
  std::string current_;                     ///< key of the request that the proxy has just been given
  uint64_t requests_ = 0;
  std::shared_ptr<server::HttpStream> listening_;
  std::deque<std::string> unasked_;  ///< messages for a stream that is not open yet
  size_t unasked_bytes_ = 0;
  Clock::time_point used_ = Clock::now();
  bool ended_ = false, over_ = false;
  vm::JoinedThread thread_;  ///< last, because it uses all else
};

}  // namespace ordain::cli
