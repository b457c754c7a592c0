// Opens the sockets that the daemon listens on: a UNIX socket, addresses of the loopback interface,
// and sockets that the service manager passes on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ordain/result.h"
#include "server/http.h"

namespace ordain::server {

/// A listening socket. Closes its descriptor, and removes the socket's file if it made it.
class Listener {
 public:
  /// Listens on a UNIX socket, which only its owner may connect to (mode 0600). A socket file on
  /// which nobody listens is replaced. @returns error "listen" with the reason
  static Result<Listener> open_unix(const std::string& path);
  /// Listens on an address of the loopback interface: "127.0.0.1:8181", "[::1]:8181",
  /// "localhost:8181" or a port alone; port 0 is any free one. @returns error "listen"; other
  /// addresses are refused
  static Result<Listener> open_loopback(const std::string& address);

  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&&) = delete;
  ~Listener();

  int descriptor() const { return descriptor_; }
  /// @returns the descriptor, which now belongs to the caller
  int release();
  Channel channel() const { return channel_; }
  bool is_ipv6() const { return ipv6_; }
  uint16_t port() const { return port_; }  ///< of a TCP socket
  std::string describe() const;            ///< "http://127.0.0.1:8181", "unix:/run/ordain.sock"

 private:
  friend Result<std::vector<Listener>> inherit_listeners();
  Listener(int descriptor, Channel channel) : descriptor_(descriptor), channel_(channel) {}
  Result<void> read_port();

  int descriptor_ = -1;
  Channel channel_;
  bool ipv6_ = false;
  uint16_t port_ = 0;
  std::string path_;        ///< of a UNIX socket
  bool owns_file_ = false;  ///< this process made the socket's file
  uint64_t device_ = 0, inode_ = 0;
};

/// @returns the sockets that the service manager passes to this process (LISTEN_FDS); none if there
/// are none. Error "listen" for one that is neither a UNIX socket nor a loopback address.
Result<std::vector<Listener>> inherit_listeners();

/// @returns the values that the Host header may have in requests that come by these sockets, such as "localhost:8181"
std::vector<std::string> host_headers(const std::vector<Listener>& listeners);

/// @returns whether the process at the other end of a connected UNIX socket runs as the same user as
/// this one, or as root
bool has_trusted_peer(int descriptor);

/// @returns the path of the socket that clients look for: `$XDG_RUNTIME_DIR/ordain.sock`, or
/// `DATABASE/ordain.sock` if that variable is not set
std::string default_socket_path(const std::string& database);

}  // namespace ordain::server
