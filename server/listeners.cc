// Opens sockets with the system's own functions.
#include "server/listeners.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

namespace ordain::server {
namespace {

constexpr int kBacklog = 128;

Error listen_error(const std::string& where) {
  return Error{"listen", fmt::format("cannot listen on {}: {}", where, std::strerror(errno))};
}

int new_socket(int family) { return ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0); }

/// The address of a UNIX socket. @returns nothing if the path does not fit
std::optional<sockaddr_un> unix_address(const std::string& path) {
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(out.sun_path) || path.find('\0') != std::string::npos) return std::nullopt;
  std::memcpy(out.sun_path, path.data(), path.size());
  return out;
}

template <typename Address>
const sockaddr* as_sockaddr(const Address& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

/// Removes the socket file of a daemon that has ended. @returns error "listen" if one still listens,
/// or if the file is not a socket
Result<void> remove_stale_socket(const std::string& path, const sockaddr_un& address) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) return Error{"listen", path + ": exists and is not a socket"};
  const int probe = new_socket(AF_UNIX);
  if (probe < 0) return listen_error(path);
  const bool connected = ::connect(probe, as_sockaddr(address), sizeof address) == 0;
  const int why = errno;
  ::close(probe);
  if (connected) return Error{"listen", path + ": another process listens there already"};
  errno = why;
  if (why != ECONNREFUSED || ::unlink(path.c_str()) != 0) return listen_error(path);
  return {};
}

struct LoopbackAddress {
  bool ipv6 = false;
  uint16_t port = 0;
};

std::optional<LoopbackAddress> parse_loopback(std::string_view text) {
  LoopbackAddress out;
  std::string_view host = "127.0.0.1", port = text;
  if (const size_t colon = text.rfind(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  if (host == "[::1]") {
    out.ipv6 = true;
  } else if (host != "127.0.0.1" && host != "localhost" && !host.empty()) {
    return std::nullopt;
  }
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (error != std::errc() || end != port.data() + port.size()) return std::nullopt;
  return out;
}

bool is_loopback(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    return (ntohl(v4.sin_addr.s_addr) >> 24) == 127;
  }
  if (address.ss_family == AF_INET6) {
    return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr) != 0;
  }
  return false;
}

}  // namespace

Listener::Listener(Listener&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      channel_(other.channel_),
      ipv6_(other.ipv6_),
      port_(other.port_),
      path_(std::move(other.path_)),
      owns_file_(std::exchange(other.owns_file_, false)),
      device_(other.device_),
      inode_(other.inode_) {}

Listener::~Listener() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!owns_file_) return;
  struct stat status{};  // the file may be another daemon's by now
  if (::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_) {
    ::unlink(path_.c_str());
  }
}

int Listener::release() { return std::exchange(descriptor_, -1); }

std::string Listener::describe() const {
  if (channel_ == Channel::unix_socket) return "unix:" + path_;
  return fmt::format("http://{}:{}", ipv6_ ? "[::1]" : "127.0.0.1", port_);
}

Result<void> Listener::read_port() {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size) != 0) return listen_error("the socket");
  if (!is_loopback(address)) return Error{"listen", "only addresses of the loopback interface are listened on"};
  ipv6_ = address.ss_family == AF_INET6;
  port_ = ntohs(ipv6_ ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                      : reinterpret_cast<const sockaddr_in&>(address).sin_port);
  return {};
}

Result<Listener> Listener::open_unix(const std::string& path) {
  const auto address = unix_address(path);
  if (!address) return Error{"listen", path + ": a socket's path has 1 to 107 bytes"};
  if (auto removed = remove_stale_socket(path, *address); !removed) return removed.error();
  Listener out(new_socket(AF_UNIX), Channel::unix_socket);
  out.path_ = path;
  // Nobody can connect before `listen`, so the mode is set in time.
  if (out.descriptor_ < 0 || ::bind(out.descriptor_, as_sockaddr(*address), sizeof *address) != 0) {
    return listen_error(path);
  }
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return listen_error(path);
  out.owns_file_ = true;
  out.device_ = status.st_dev;
  out.inode_ = status.st_ino;
  if (::chmod(path.c_str(), 0600) != 0 || ::listen(out.descriptor_, kBacklog) != 0) return listen_error(path);
  return out;
}

Result<Listener> Listener::open_loopback(const std::string& address) {
  const auto wanted = parse_loopback(address);
  if (!wanted) {
    return Error{"listen", address +
                               ": expected 127.0.0.1:PORT, [::1]:PORT, localhost:PORT or a port; other "
                               "addresses are reached through a proxy, which also adds TLS"};
  }
  Listener out(new_socket(wanted->ipv6 ? AF_INET6 : AF_INET), Channel::tcp);
  if (out.descriptor_ < 0) return listen_error(address);
  const int on = 1;
  ::setsockopt(out.descriptor_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  int bound = -1;
  if (wanted->ipv6) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_addr = in6addr_loopback;
    v6.sin6_port = htons(wanted->port);
    bound = ::bind(out.descriptor_, as_sockaddr(v6), sizeof v6);
  } else {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    v4.sin_port = htons(wanted->port);
    bound = ::bind(out.descriptor_, as_sockaddr(v4), sizeof v4);
  }
  if (bound != 0 || ::listen(out.descriptor_, kBacklog) != 0) return listen_error(address);
  if (auto read = out.read_port(); !read) return read.error();
  return out;
}

Result<std::vector<Listener>> inherit_listeners() {
  std::vector<Listener> out;
  const char* process = std::getenv("LISTEN_PID");
  const char* count = std::getenv("LISTEN_FDS");
  if (process == nullptr || count == nullptr || std::strtol(process, nullptr, 10) != ::getpid()) return out;
  constexpr int kFirst = 3;
  const long sockets = std::strtol(count, nullptr, 10);
  for (int descriptor = kFirst; descriptor < kFirst + sockets; ++descriptor) {
    ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      return listen_error(fmt::format("inherited descriptor {}", descriptor));
    }
    const bool is_unix = address.ss_family == AF_UNIX;
    Listener one(descriptor, is_unix ? Channel::unix_socket : Channel::tcp);
    if (is_unix) {
      one.path_ = reinterpret_cast<const sockaddr_un&>(address).sun_path;
    } else if (auto read = one.read_port(); !read) {
      return read.error();
    }
    out.push_back(std::move(one));
  }
  return out;
}

std::vector<std::string> host_headers(const std::vector<Listener>& listeners) {
  std::vector<std::string> out;
  for (const Listener& listener : listeners) {
    if (listener.channel() != Channel::tcp) continue;
    for (const char* name : {"localhost", "127.0.0.1", "[::1]"}) {
      out.push_back(fmt::format("{}:{}", name, listener.port()));
      if (listener.port() == 80) out.emplace_back(name);
    }
  }
  return out;
}

bool has_trusted_peer(int descriptor) {
  uid_t user = 0;
#ifdef SO_PEERCRED
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  user = peer.uid;
#else
  gid_t group = 0;
  if (::getpeereid(descriptor, &user, &group) != 0) return false;
#endif
  return user == ::geteuid() || user == 0;
}

std::string default_socket_path(const std::string& database) {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  return (runtime != nullptr && *runtime != '\0' ? std::string(runtime) : database) + "/ordain.sock";
}

}  // namespace ordain::server
