#include "cli/mcp_pump.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdint>
#include <optional>

#include "cli/line_splitter.h"
#include "cli/terminal.h"

namespace ordain::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Nothing more is read while this much waits to be written, as a pipe would do.
constexpr size_t kBacklog = 4 << 20;
constexpr size_t kReadSize = 64 << 10;
// How long the server may take to answer after the client is gone, to end after its input is closed, and to end after
// it was asked to.
constexpr milliseconds kLastAnswers{10'000}, kQuietEnd{5'000}, kAskedEnd{2'000};

int signal_pipe[2] = {-1, -1};

void note_signal(int number) {
  const int saved = errno;
  const char byte = static_cast<char>(number);
  (void)!::write(signal_pipe[1], &byte, 1);
  errno = saved;
}

/// Hands the signals over to the loop as bytes of a pipe, as long as this lives.
class SignalPipe {
 public:
  SignalPipe() {
    if (::pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0) return;
    struct sigaction action{};
    action.sa_handler = note_signal;
    action.sa_flags = SA_RESTART;
    for (size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &action, &before_[i]);
    open_ = true;
  }
  ~SignalPipe() {
    if (!open_) return;
    for (size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before_[i], nullptr);
    ::close(signal_pipe[0]);
    ::close(signal_pipe[1]);
  }
  SignalPipe(const SignalPipe&) = delete;
  SignalPipe& operator=(const SignalPipe&) = delete;
  bool is_open() const { return open_; }

 private:
  static constexpr std::array<int, 4> kSignals{SIGTERM, SIGINT, SIGHUP, SIGCHLD};
  std::array<struct sigaction, 4> before_{};
  bool open_ = false;
};

/// Bytes that wait to be written.
class Outgoing {
 public:
  void add(const std::vector<std::string>& messages) {
    for (const std::string& message : messages) {
      bytes_ += message;
      bytes_ += '\n';
    }
  }
  bool empty() const { return sent_ == bytes_.size(); }
  size_t size() const { return bytes_.size() - sent_; }
  void drop() {
    bytes_ = std::string();
    sent_ = 0;
  }
  /// Writes once. @param most the most bytes at a time. @returns false if nothing can be written any more
  bool write_to(int descriptor, size_t most) {
    const ssize_t written = ::write(descriptor, bytes_.data() + sent_, std::min(size(), most));
    if (written < 0) return errno == EINTR || errno == EAGAIN;
    sent_ += static_cast<size_t>(written);
    if (empty()) {
      drop();
    } else if (sent_ >= kBacklog) {
      bytes_.erase(0, sent_);
      sent_ = 0;
    }
    return true;
  }

 private:
  std::string bytes_;
  size_t sent_ = 0;
};

class Pump {
 public:
  Pump(mcp::Proxy& proxy, ChildProcess& server, size_t most)
      : proxy_(proxy),
        server_(server),
        from_client_(
            most, [this](std::string_view line) { take(proxy_.from_client(line)); },
            [this](std::string_view id) { take(proxy_.too_long_from_client(id)); }),
        from_server_(
            most, [this](std::string_view line) { take(proxy_.from_server(line)); },
            [this](std::string_view id) { take(proxy_.too_long_from_server(id)); }) {}

  ExitCode run() {
    while (!done_) {
      advance();
      if (done_) break;
      poll_once();
    }
    if (!server_first_) return kOk;
    complain("the server ended" + (server_.ended() ? " (" + server_.ending() + ")" : ""));
    return kFindings;
  }

 private:
  enum class Phase {
    open,     ///< both sides talk
    closing,  ///< the client is gone; the server may still answer
    quiet,    ///< the server's input is closed
    asked,    ///< the server was asked to end
    flushing  ///< the server is gone; the client gets what was left
  };

  void take(const mcp::Messages& messages) {
    to_client_.add(messages.to_client);
    to_server_.add(messages.to_server);
    for (const std::string& note : messages.notes) complain(note);
  }

  void enter(Phase phase, milliseconds limit) {
    phase_ = phase;
    deadline_ = Clock::now() + limit;
  }
  bool is_late() const { return deadline_ && Clock::now() >= *deadline_; }

  /// Goes from one phase to the next where it is time.
  void advance() {
    if (phase_ == Phase::closing && ((proxy_.waiting() == 0 && to_server_.empty()) || is_late())) {
      close_server_input();
      enter(Phase::quiet, kQuietEnd);
    }
    if (phase_ == Phase::quiet && is_late()) {
      server_.signal(SIGTERM);
      enter(Phase::asked, kAskedEnd);
    }
    if (phase_ == Phase::asked && is_late()) {
      server_.signal(SIGKILL);
      end_server();
    }
    if (phase_ == Phase::flushing && (to_client_.empty() || is_late())) done_ = true;
  }

  void close_server_input() {
    to_server_.drop();
    server_.close_input();
  }

  void poll_once() {
    const bool room = to_client_.size() < kBacklog && to_server_.size() < kBacklog;
    std::array<pollfd, 5> polled{};
    polled[0] = {signal_pipe[0], POLLIN, 0};
    polled[1] = {phase_ == Phase::open && room ? STDIN_FILENO : -1, POLLIN, 0};
    polled[2] = {to_client_.size() < kBacklog ? server_.output() : -1, POLLIN, 0};
    polled[3] = {to_client_.empty() ? -1 : STDOUT_FILENO, POLLOUT, 0};
    polled[4] = {to_server_.empty() ? -1 : server_.input(), POLLOUT, 0};
    int wait = -1;
    if (deadline_) {
      const auto left = std::chrono::duration_cast<milliseconds>(*deadline_ - Clock::now()).count() + 1;
      wait = static_cast<int>(std::clamp<int64_t>(left, 0, 60'000));
    }
    if (::poll(polled.data(), polled.size(), wait) <= 0) return;
    if (polled[3].revents != 0 && !to_client_.write_to(STDOUT_FILENO, PIPE_BUF)) lose_client();
    if (polled[4].revents != 0 && server_.input() >= 0 && !to_server_.write_to(server_.input(), kBacklog)) {
      close_server_input();  // its output tells when it ends
    }
    if (polled[2].revents != 0) read_server();
    if (polled[1].revents != 0) read_client();
    if (polled[0].revents != 0) read_signals();
  }

  void read_client() {
    std::array<char, kReadSize> bytes;
    const ssize_t count = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (count > 0) return from_client_.add({bytes.data(), static_cast<size_t>(count)});
    from_client_.finish();
    if (phase_ == Phase::open) enter(Phase::closing, kLastAnswers);
  }

  void read_server() {
    if (server_.output() < 0) return;
    std::array<char, kReadSize> bytes;
    const ssize_t count = ::read(server_.output(), bytes.data(), bytes.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (count > 0) return from_server_.add({bytes.data(), static_cast<size_t>(count)});
    end_server();
  }

  void read_signals() {
    std::array<char, 64> numbers;
    const ssize_t count = ::read(signal_pipe[0], numbers.data(), numbers.size());
    for (ssize_t i = 0; i < count; ++i) {
      if (numbers[static_cast<size_t>(i)] != SIGCHLD) stop();
    }
    if (phase_ == Phase::flushing || server_.output() < 0 || !server_.ended()) return;
    // A process that it left behind may hold its output open: what is there now is all that counts.
    std::array<char, kReadSize> bytes;
    for (;;) {
      const ssize_t more = ::read(server_.output(), bytes.data(), bytes.size());
      if (more < 0 && errno == EINTR) continue;
      if (more <= 0) break;
      from_server_.add({bytes.data(), static_cast<size_t>(more)});
    }
    end_server();
  }

  /// Somebody asked us to end: the server is asked in turn.
  void stop() {
    if (phase_ == Phase::asked || phase_ == Phase::flushing) return;
    close_server_input();
    server_.signal(SIGTERM);
    enter(Phase::asked, kAskedEnd);
  }

  void lose_client() {
    to_client_.drop();
    if (phase_ == Phase::flushing) return;
    close_server_input();
    if (phase_ == Phase::open || phase_ == Phase::closing) enter(Phase::quiet, kQuietEnd);
  }

  void end_server() {
    if (phase_ == Phase::flushing) return;
    from_server_.finish();
    server_first_ = phase_ == Phase::open;
    close_server_input();
    server_.close_output();
    take(proxy_.server_ended());
    to_server_.drop();
    enter(Phase::flushing, kQuietEnd);
  }

  mcp::Proxy& proxy_;
  ChildProcess& server_;
  LineSplitter from_client_, from_server_;
  Outgoing to_client_, to_server_;
  Phase phase_ = Phase::open;
  std::optional<Clock::time_point> deadline_;
  bool server_first_ = false, done_ = false;
};

}  // namespace

ExitCode pump_messages(mcp::Proxy& proxy, ChildProcess& server, size_t most) {
  const SignalPipe signals;
  if (!signals.is_open()) {
    complain("cannot make a pipe");
    return kUsage;
  }
  return Pump(proxy, server, most).run();
}

}  // namespace ordain::cli
