#include "agents/hook/daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include "ordain/terminal_text.h"
#include "vm/value/descriptor.h"

namespace ordain::agents {
namespace {

Error failed(std::string message) { return {"daemon", std::move(message)}; }

Error too_slow() { return failed("the daemon did not answer in time (is it stopped or overloaded?)"); }

bool may_own(const DaemonAddress& address, uid_t user) {
  return address.owner ? user == *address.owner : user == ::geteuid() || user == 0;
}

Error foreign(const DaemonAddress& address, const char* is, uid_t user) {
  return failed("the socket " + terminal_text(address.socket) + " is " + is + " by user " + std::to_string(user) +
                ", which --owner does not name");
}

/// Looks at the socket's file before anything is sent to it.
Result<void> check_file(const DaemonAddress& address) {
  const std::string shown = terminal_text(address.socket);
  if (!address.socket.starts_with('/') || address.socket.size() >= sizeof(sockaddr_un::sun_path) ||
      address.socket.find('\0') != std::string::npos) {
    return failed("the path of the socket must be absolute and short: " + shown);
  }
  struct stat status{};
  if (::lstat(address.socket.c_str(), &status) != 0) {
    return failed(errno == ENOENT ? "no daemon listens at " + shown
                                  : "the socket " + shown + " cannot be reached: " + std::strerror(errno));
  }
  if (!S_ISSOCK(status.st_mode)) return failed(shown + " is not a socket");
  if (!may_own(address, status.st_uid)) return foreign(address, "owned", status.st_uid);
  return {};
}

/// Connects without blocking. The kernel says that a queue of connections is full by EAGAIN, which
/// poll() does not wait for.
Result<void> connect_to(const vm::Descriptor& socket, const DaemonAddress& address, Deadline deadline) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, address.socket.data(), address.socket.size());
  while (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)) != 0) {
    if (errno == EISCONN) break;
    if (errno != EAGAIN && errno != EINTR && errno != EINPROGRESS && errno != EALREADY) {
      const std::string why =
          errno == ECONNREFUSED || errno == ENOENT ? "no daemon listens there" : std::strerror(errno);
      return failed("cannot connect to " + terminal_text(address.socket) + ": " + why);
    }
    if (milliseconds_until(deadline) == 0) return too_slow();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (::getsockopt(socket.number(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || size != sizeof(peer)) {
    return failed("the user of the daemon is unknown");
  }
  if (!may_own(address, peer.uid)) return foreign(address, "served", peer.uid);
  return {};
}

/// Waits until the socket is ready. @returns false at the deadline
bool wait_for(const vm::Descriptor& socket, short events, Deadline deadline) {
  while (true) {
    const int left = milliseconds_until(deadline);
    pollfd entry{socket.number(), events, 0};
    const int ready = ::poll(&entry, 1, left);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
    if (left == 0) return false;
  }
}

/// Sends the request. A daemon that refuses it early may close its side before it has read all; then
/// its answer says why.
Result<void> send_all(const vm::Descriptor& socket, std::string_view text, Deadline deadline) {
  while (!text.empty()) {
    const ssize_t sent = ::send(socket.number(), text.data(), text.size(), MSG_NOSIGNAL);
    const int why = errno;
    if (sent >= 0) {
      text.remove_prefix(static_cast<size_t>(sent));
    } else if (why == EPIPE || why == ECONNRESET) {
      return {};
    } else if (why == EAGAIN) {
      if (!wait_for(socket, POLLOUT, deadline)) return too_slow();
    } else if (why != EINTR) {
      return failed(std::string("cannot send to the daemon: ") + std::strerror(why));
    }
  }
  return {};
}

Result<HttpReply> receive(const vm::Descriptor& socket, Deadline deadline) {
  std::string text;
  char piece[16 * 1024];
  while (true) {
    if (!wait_for(socket, POLLIN, deadline)) return too_slow();
    const ssize_t got = ::recv(socket.number(), piece, sizeof(piece), 0);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return failed(std::string("the daemon's answer cannot be read: ") + std::strerror(errno));
    if (got == 0) return failed("the daemon closed the connection before it had answered");
    text.append(piece, static_cast<size_t>(got));
    HttpReply reply;
    std::string why;
    const HttpState state = read_http_reply(text, &reply, &why);
    if (state == HttpState::complete) return reply;
    if (state == HttpState::broken) return failed("what listens there is not the daemon: " + why);
  }
}

}  // namespace

int milliseconds_until(Deadline deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<int64_t>(left.count(), 0, 60'000));
}

Result<HttpReply> ask_daemon(const DaemonAddress& address, std::string_view path, std::string_view json,
                             Deadline deadline) {
  if (const Result<void> checked = check_file(address); !checked) return checked.error();
  const vm::Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return failed(std::string("cannot make a socket: ") + std::strerror(errno));
  if (const Result<void> connected = connect_to(socket, address, deadline); !connected) return connected.error();
  if (const Result<void> sent = send_all(socket, http_post(path, json), deadline); !sent) return sent.error();
  return receive(socket, deadline);
}

}  // namespace ordain::agents
