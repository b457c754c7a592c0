// ordain-hook: the program that a coding agent starts for each call of a tool. It asks the daemon, so
// it has no engine and starts fast. Whatever goes wrong, its answer is a denial: it never exits with a
// code or a text that a client takes for consent.
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include "agents/hook/kept_calls.h"
#include "agents/hook/run_hook.h"
#include "vm/value/descriptor.h"

namespace {

using namespace ordain::agents;

constexpr const char* kHelp =
    R"(usage: ordain-hook claude|codex|gemini [--socket PATH] [--owner UID] [--timeout SECONDS]

Reads the call of a hook from standard input, asks the daemon, and answers as the client expects.

  --socket PATH      the daemon's socket; default: $ORDAIN_SOCKET, or ordain.sock in $XDG_RUNTIME_DIR
  --owner UID        the number of the user who must own the socket; default: this user or root
  --timeout SECONDS  how long the daemon may take, 1 to 20; default: 5

`ordain hook install` writes this command into the settings of a client. If there is no answer, the
call is denied.
)";

struct Options {
  std::optional<Client> client;
  DaemonAddress address;
  int seconds = 5;
};

/// Reads a number of the whole text.
template <typename Number>
bool read_number(std::string_view text, Number least, Number most, Number* out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size() && *out >= least && *out <= most;
}

std::string default_socket() {
  if (const char* named = std::getenv("ORDAIN_SOCKET"); named != nullptr && named[0] != '\0') return named;
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  return runtime != nullptr && runtime[0] != '\0' ? std::string(runtime) + "/ordain.sock" : std::string();
}

/// @returns what is wrong with the arguments, or ""
std::string read_options(int argc, char** argv, Options* out) {
  for (int n = 1; n < argc; ++n) {
    const std::string_view name = argv[n];
    if (!name.starts_with("--")) {
      if (out->client) return "there is more than one client";
      out->client = find_client(name);
      if (!out->client) return "the client must be claude, codex or gemini";
      continue;
    }
    if (n + 1 == argc) return std::string(name) + " needs a value";
    const std::string_view value = argv[++n];
    uid_t owner = 0;
    if (name == "--socket") {
      out->address.socket = value;
    } else if (name == "--owner") {
      if (!read_number<uid_t>(value, 0, UINT32_MAX - 1, &owner)) return "--owner must be the number of a user";
      out->address.owner = owner;
    } else if (name == "--timeout") {
      if (!read_number(value, 1, 20, &out->seconds)) return "--timeout must be 1 to 20";
    } else {
      return "there is no option " + std::string(name);
    }
  }
  if (!out->client) return "the client is missing: claude, codex or gemini";
  if (out->address.socket.empty()) out->address.socket = default_socket();
  if (out->address.socket.empty()) return "--socket is missing, and neither ORDAIN_SOCKET nor XDG_RUNTIME_DIR is set";
  return "";
}

/// Reads standard input to its end, or one byte more than is allowed. @returns what went wrong, or ""
std::string read_input(Deadline deadline, std::string* out) {
  char piece[64 * 1024];
  while (out->size() <= kMostInputBytes) {
    pollfd entry{STDIN_FILENO, POLLIN, 0};
    const int left = milliseconds_until(deadline);
    const int ready = ::poll(&entry, 1, left);
    if (ready == 0 && left == 0) return "the client did not send all of the hook's input in time";
    if (ready < 0 && errno != EINTR) return std::string("standard input cannot be read: ") + std::strerror(errno);
    if (ready <= 0) continue;
    const ssize_t got = ::read(STDIN_FILENO, piece, sizeof(piece));
    if (got == 0) return "";
    if (got < 0 && errno != EINTR && errno != EAGAIN) {
      return std::string("standard input cannot be read: ") + std::strerror(errno);
    }
    if (got > 0) out->append(piece, static_cast<size_t>(got));
  }
  return "";
}

/// Gives the answer. One that cannot be written whole becomes a denial.
int give(const Answer& answer) {
  if (!ordain::vm::write_all(STDOUT_FILENO, answer.out)) {
    ordain::vm::write_all(STDERR_FILENO, "ordain-hook: denied, because the answer could not be written\n");
    return 2;
  }
  ordain::vm::write_all(STDERR_FILENO, answer.error);
  return answer.exit_code;
}

int run(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  for (int n = 1; n < argc; ++n) {
    if (std::strcmp(argv[n], "--help") == 0) return std::fputs(kHelp, stdout) < 0 ? 2 : 0;
    if (std::strcmp(argv[n], "--version") == 0) return std::puts("ordain-hook " ORDAIN_VERSION) < 0 ? 2 : 0;
  }
  Options options;
  if (const std::string wrong = read_options(argc, argv, &options); !wrong.empty()) {
    return give(refuse("denied, because the hook is set up wrongly: " + wrong));
  }
  const Deadline deadline = std::chrono::steady_clock::now() + std::chrono::seconds(options.seconds);
  std::string input;
  if (const std::string wrong = read_input(deadline, &input); !wrong.empty()) {
    return give(refuse("denied, because " + wrong));
  }
  return give(run_hook(*options.client, input, options.address, kept_calls_directory(), deadline));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    return give(
        {.error = std::string("ordain-hook: denied, because of an error: ") + error.what() + "\n", .exit_code = 2});
  } catch (...) {
    return give({.error = "ordain-hook: denied, because of an error\n", .exit_code = 2});
  }
}
