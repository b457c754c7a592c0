// shell_runner.h runs shell lines in real shells, so that they can do no harm: as nobody if the
// test runs as root, within an empty directory, without programs but the test's own, and with
// limits on time, memory, processes and file sizes.
#pragma once

#include <string>
#include <vector>

namespace ordain::testing {

/// What a line ran: the program's name and its arguments.
using ShellCall = std::vector<std::string>;

class ShellRunner {
 public:
  /// `stub` is the executable built from shell_stub.c. @throws std::runtime_error
  explicit ShellRunner(const std::string& stub);
  ~ShellRunner();
  ShellRunner(const ShellRunner&) = delete;
  ShellRunner& operator=(const ShellRunner&) = delete;

  /// Runs each line in a subshell of one process of `shell`. @returns what each line ran; lines
  /// that take too long are cut off
  std::vector<std::vector<ShellCall>> run(const std::string& shell, const std::vector<std::string>& lines);

  size_t cut_off() const { return cut_off_; }

 private:
  void run_from(const std::string& shell, const std::vector<std::string>& lines, size_t first);
  void start(const std::string& shell) const;
  std::string read(const std::string& name) const;

  std::string root_;  ///< has the folders `bin` and `work`, the script and the log
  size_t cut_off_ = 0;
};

}  // namespace ordain::testing
