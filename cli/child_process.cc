#include "cli/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

extern char** environ;

namespace ordain::cli {
namespace {

void close_descriptor(int& descriptor) {
  if (descriptor >= 0) ::close(std::exchange(descriptor, -1));
}

struct Pipe {
  int ends[2] = {-1, -1};  // to read from, to write to
  ~Pipe() {
    close_descriptor(ends[0]);
    close_descriptor(ends[1]);
  }
  bool open() { return ::pipe2(ends, O_CLOEXEC) == 0; }
};

Error no_program(const std::string& name, int why) {
  return {"no_program", fmt::format("cannot run {}: {}", name, std::strerror(why))};
}

// Starts the program with what the terminal would give it: no signal blocked, those that we handle or ignore as usual.
int spawn(const std::vector<std::string>& command, const Pipe& in, const Pipe& out, pid_t* process) {
  std::vector<char*> arguments;
  for (const std::string& each : command) arguments.push_back(const_cast<char*>(each.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  if (int error = posix_spawn_file_actions_init(&actions); error != 0) return error;
  if (int error = posix_spawnattr_init(&attributes); error != 0) {
    posix_spawn_file_actions_destroy(&actions);
    return error;
  }
  sigset_t none, usual;
  sigemptyset(&none);
  sigemptyset(&usual);
  for (const int number : {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&usual, number);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &usual);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  int error = posix_spawn_file_actions_adddup2(&actions, in.ends[0], STDIN_FILENO);
  if (error == 0) error = posix_spawn_file_actions_adddup2(&actions, out.ends[1], STDOUT_FILENO);
  if (error == 0) error = posix_spawnp(process, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

bool make_nonblocking(int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  return flags >= 0 && ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0;
}

}  // namespace

Result<ChildProcess> ChildProcess::start(const std::vector<std::string>& command) {
  Pipe in, out;
  if (!in.open() || !out.open() || !make_nonblocking(in.ends[1]) || !make_nonblocking(out.ends[0])) {
    return no_program(command.front(), errno);
  }
  pid_t process = -1;
  if (const int error = spawn(command, in, out, &process); error != 0) return no_program(command.front(), error);
  return ChildProcess(process, std::exchange(in.ends[1], -1), std::exchange(out.ends[0], -1));
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : process_(std::exchange(other.process_, -1)),
      input_(std::exchange(other.input_, -1)),
      output_(std::exchange(other.output_, -1)),
      status_(other.status_) {}

ChildProcess::~ChildProcess() {
  close_input();
  close_output();
  if (process_ < 0 || ended()) return;
  signal(SIGKILL);
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void ChildProcess::close_input() { close_descriptor(input_); }
void ChildProcess::close_output() { close_descriptor(output_); }

bool ChildProcess::ended() {
  if (status_) return true;
  int status = 0;
  if (::waitpid(process_, &status, WNOHANG) == process_) status_ = status;
  return status_.has_value();
}

void ChildProcess::signal(int number) {
  if (!ended()) ::kill(process_, number);
}

std::string ChildProcess::ending() const {
  if (!status_) return "";
  return WIFSIGNALED(*status_) ? fmt::format("signal {}", WTERMSIG(*status_))
                               : fmt::format("exit code {}", WEXITSTATUS(*status_));
}

}  // namespace ordain::cli
