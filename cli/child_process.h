// A ChildProcess is a program whose standard input and output are pipes to us. What it writes to standard error goes
// where ours goes.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "ordain/result.h"

namespace ordain::cli {

class ChildProcess {
 public:
  /// Starts a program, which is looked up in PATH. @returns error "no_program"
  static Result<ChildProcess> start(const std::vector<std::string>& command);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  /// Closes the pipes, and ends the process if it still runs.
  ~ChildProcess();

  /// Both are non-blocking; -1 once they are closed.
  int input() const { return input_; }
  int output() const { return output_; }
  void close_input();
  void close_output();

  /// Whether it has ended. Does not wait.
  bool ended();
  /// Sends a signal, unless it has ended.
  void signal(int number);
  /// How it ended: "exit code 1", "signal 9"; "" while it runs.
  std::string ending() const;

 private:
  ChildProcess(pid_t process, int input, int output) : process_(process), input_(input), output_(output) {}

  pid_t process_ = -1;
  int input_ = -1, output_ = -1;
  std::optional<int> status_;
};

}  // namespace ordain::cli
