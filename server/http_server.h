// serve_http reads HTTP requests from sockets and writes the answers of a handler. It alone knows
// the HTTP library.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "ordain/result.h"
#include "server/http.h"
#include "server/listeners.h"

namespace ordain::server {

struct HttpLimits {
  uint32_t header_bytes = 16 << 10;
  uint64_t body_bytes = 4 << 20;
  /// More take the place of those that have waited longest for a request. Where there is a UNIX socket, TCP gets three
  /// quarters.
  uint32_t connections = 256;
  uint32_t threads = 8;                        ///< that answer requests; an answer may wait for the disk
  std::chrono::milliseconds idle{60'000};      ///< until a connection's next request has begun and its header is read
  std::chrono::milliseconds transfer{30'000};  ///< for reading a body, and for writing an answer
  std::chrono::milliseconds stopping{10'000};  ///< for requests in progress, after a signal
  bool awaits_signals = true;                  ///< else the caller handles SIGTERM and SIGINT, and serving never ends
};

/// @returns how many connections a process may have that wants so many: the system limits its descriptors, and files
/// need some of them
uint32_t connections_that_fit(uint32_t wanted);

/// Answers one request. Called on several threads at once; must not throw.
using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

/// Serves until SIGTERM or SIGINT; then takes no new request, and returns when those in progress are
/// answered. Connections to a UNIX socket by other users are closed. Call it once in a process.
/// @param started called once the signals are awaited and connections are accepted
/// @returns error "serve" if the sockets cannot be used or no thread can be started
Result<void> serve_http(std::vector<Listener> listeners, const HttpLimits& limits, const HttpHandler& handler,
                        const std::function<void()>& started);

}  // namespace ordain::server
