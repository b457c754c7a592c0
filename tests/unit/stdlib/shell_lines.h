// shell_lines.h makes random shell lines of the tokens on which shells and their readers tend to
// disagree. No line contains a slash, or the name of a program that exists, so that a shell that
// runs it reaches nothing but the test's own programs and directory.
#pragma once

#include <cstdint>
#include <string>

namespace ordain::testing {

/// The programs that lines call; none exists on a system.
inline constexpr const char* kShellPrograms[] = {"qa", "qb", "qc", "qd"};

class ShellLines {
 public:
  explicit ShellLines(uint64_t seed) : state_(seed) {}

  /// A line of everyday form: `shell.commands` must not fault on it.
  std::string simple_line();
  /// A line with reserved words, groups and loops.
  std::string compound_line();
  /// Tokens in any order.
  std::string soup();
  /// Any of these, often with a few bytes changed.
  std::string any_line();

 private:
  uint64_t next();
  size_t below(size_t limit) { return static_cast<size_t>(next() % limit); }
  template <size_t Count>
  std::string pick(const char* const (&list)[Count]) {
    return list[below(Count)];
  }
  std::string simple_word(int depth);
  std::string simple_command(int depth);
  std::string list(int depth);
  std::string compound(int depth);
  void mutate(std::string& line);

  uint64_t state_;
};

}  // namespace ordain::testing
