// fork tells a process from the children that were forked from it. A child inherits connections and
// locks but none of the threads, so it must not use them.
#pragma once

#include <cstdint>

namespace ordain::detail {

/// @returns a number that is different in every child of a process that called this before. Makes
/// no system call.
uint32_t fork_generation();

/// Remembers the process that made it.
class ProcessMark {
 public:
  /// @returns true in a child process
  bool is_child() const { return made_in_ != fork_generation(); }

 private:
  uint32_t made_in_ = fork_generation();
};

}  // namespace ordain::detail
