// McpService is the MCP proxy as a web service, without its sockets: MCP's streamable HTTP transport, with a session
// for each client.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "agents/mcp/proxy.h"
#include "cli/mcp_session.h"
#include "server/access.h"
#include "server/http.h"

namespace ordain::cli {

struct McpServiceOptions {
  /// Server -> the command that runs it, once for each session. The path of a server is `/mcp/NAME`, and that of the
  /// only one `/mcp` too.
  std::map<std::string, std::vector<std::string>> servers;
  mcp::ProxyOptions proxy = {};  ///< but for the server's name
  size_t most_message = 16 << 20;
  server::Access access = {};
  size_t most_sessions = 32;
  std::chrono::seconds idle{1800};              ///< until a session that nobody uses ends
  std::chrono::milliseconds heartbeat{15'000};  ///< after which each stream shows that it is open
};

/// Thread-safe.
class McpService {
 public:
  McpService(Runtime runtime, McpServiceOptions options);
  /// Ends all sessions, which may take some seconds.
  ~McpService();
  McpService(const McpService&) = delete;
  McpService& operator=(const McpService&) = delete;

  /// Starts the thread that ends idle sessions. Call it once. @returns error "no_thread"
  Result<void> start();
  server::HttpResponse handle(const server::HttpRequest& request) noexcept;

 private:
  struct Owned {
    std::string credential;  ///< whose session it is
    std::string server;
    std::shared_ptr<McpSession> session;
  };

  /// Who asks, and for which server.
  struct Asking {
    std::string credential, server;
  };

  server::HttpResponse answer(const server::HttpRequest& request);
  std::string server_of(std::string_view path) const;
  server::HttpResponse post(const server::HttpRequest& request, const Asking& asking);
  server::HttpResponse initialize(const mcp::Message& message, const Asking& asking);
  std::shared_ptr<McpSession> find(const server::HttpRequest& request, const Asking& asking);
  void sweep() noexcept;
  void drop_unused();

  Runtime runtime_;
  const McpServiceOptions options_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  size_t starting_ = 0;  ///< sessions that are not in the map yet
  std::map<std::string, Owned, std::less<>> sessions_;
  vm::JoinedThread sweeper_;  ///< last, because it uses all else
};

}  // namespace ordain::cli
