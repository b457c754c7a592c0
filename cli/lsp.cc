// ordain lsp: the language server, over standard input and output.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>
#include <future>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/terminal.h"
#include "lsp/framing.h"
#include "lsp/session.h"
#include "ordain/compile.h"
#include "ordain/stdlib.h"

namespace ordain::cli {
namespace {

// As many messages are read ahead, so that one that cancels another is seen while the other waits.
constexpr size_t kMostWaiting = 1000;

int64_t clock_ms() {
  using std::chrono::steady_clock;
  return std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now().time_since_epoch()).count();
}

// A pipe by which the thread of a check ends the wait for input.
struct WakePipe {
  int read_end = -1, write_end = -1;

  WakePipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    read_end = ends[0];
    write_end = ends[1];
  }
  WakePipe(const WakePipe&) = delete;
  WakePipe& operator=(const WakePipe&) = delete;
  ~WakePipe() {
    ::close(read_end);
    ::close(write_end);
  }
};

// Writes a byte when it is destroyed.
class Wake {
 public:
  explicit Wake(int descriptor) : descriptor_(descriptor) {}
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;
  ~Wake() {
    while (::write(descriptor_, "", 1) < 0 && errno == EINTR) {
    }
  }

 private:
  int descriptor_;
};

class Server {
 public:
  int run() {
    while (!session_.ended()) {
      if (!read_messages()) return kUsage;
      if (ended_ && session_.waiting() == 0) break;  // the client is gone
      send(session_.work(clock_ms()));
      finish_check();
      start_check();
    }
    return session_.ended() ? session_.exit_code() : kFindings;
  }

 private:
  struct Checked {
    lsp::Check check;
    lsp::Findings findings;
    int64_t took_ms = 0;
  };

  static void send(const std::vector<std::string>& messages) {
    for (const std::string& message : messages) write_out(lsp::framed(message));
    if (!try_flush()) throw OutputFailure();
  }

  // Checks run on a thread of their own, one after another, so that no request waits for them.
  void start_check() {
    if (running_.valid()) return;
    std::optional<lsp::Check> check = session_.take_check(clock_ms());
    if (!check) return;
    const auto work = [write_end = wake_.write_end, shared = std::make_shared<lsp::Check>(std::move(*check))] {
      const Wake wake(write_end);  // also if the check throws
      const int64_t begun = clock_ms();
      lsp::Findings findings = shared->run();
      return Checked{std::move(*shared), std::move(findings), clock_ms() - begun};
    };
    try {
      running_ = std::async(std::launch::async, work);
    } catch (const std::system_error&) {  // the system gives no thread: then requests wait for this check
      std::packaged_task<Checked()> here(work);
      running_ = here.get_future();
      here();
    }
  }

  void finish_check() {
    if (!running_.valid() || running_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return;
    char byte = 0;
    while (::read(wake_.read_end, &byte, 1) < 0 && errno == EINTR) {
    }
    std::optional<Checked> done;
    try {
      done = running_.get();
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& mistake) {
      complain(std::string("a check failed: ") + mistake.what());
    }
    if (done) send(session_.finish_check(done->check, std::move(done->findings), done->took_ms));
  }

  // Takes what has arrived; waits for it if there is nothing else to do. @returns false after complaining
  bool read_messages() {
    while (!ended_ && session_.waiting() < kMostWaiting && wait_for_input()) {
      char bytes[1 << 16];
      const ssize_t count = ::read(STDIN_FILENO, bytes, sizeof bytes);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) {
        ended_ = true;
        break;
      }
      reader_.append({bytes, static_cast<size_t>(count)});
      while (const auto message = reader_.next()) session_.receive(*message);
      if (!reader_.mistake().empty()) {
        complain(reader_.mistake());
        return false;
      }
    }
    return true;
  }

  bool wait_for_input() const {
    int timeout = -1;
    if (session_.waiting() > 0) {
      timeout = 0;
    } else if (const auto due = session_.due(); due && !running_.valid()) {
      timeout = static_cast<int>(std::clamp<int64_t>(*due - clock_ms(), 0, 60'000));
    }
    pollfd inputs[] = {{STDIN_FILENO, POLLIN, 0}, {wake_.read_end, POLLIN, 0}};
    if (::poll(inputs, 2, timeout) <= 0) return false;
    if (inputs[1].revents != 0) running_.wait();  // it has ended but for the end of its thread
    return inputs[0].revents != 0;
  }

  lsp::Session session_{{.read = [](const std::vector<std::string>& paths) { return read_sources(paths); },
                         .functions = &standard_library(),
                         .version = ORDAIN_VERSION,
                         .checks_aside = true}};
  lsp::FrameReader reader_;
  bool ended_ = false;            // there is no more input
  WakePipe wake_;                 // a byte for each check that has ended
  std::future<Checked> running_;  // waits for the thread when it is destroyed
};

}  // namespace

void add_lsp(Command parent) {
  Command command = parent.add_command("lsp", "Answer what an editor asks about policies (Language Server Protocol)");
  command.set_footer(
      "Editors start it and talk to it over standard input and output; docs/editors.md says how.\n"
      "Exit codes: 0 the client ended the session as the protocol says, 1 it ended it otherwise, 2 what it sent cannot "
      "be\nunderstood.");
  command.set_action([] { return Server().run(); });
}

}  // namespace ordain::cli
