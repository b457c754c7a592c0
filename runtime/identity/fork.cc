// fork.cc counts the forks between the first process and this one.
#include "runtime/identity/fork.h"

#include <pthread.h>

#include <atomic>

namespace ordain::detail {
namespace {

std::atomic<uint32_t> generation{1};
void note_fork() { generation.fetch_add(1, std::memory_order_relaxed); }

}  // namespace

uint32_t fork_generation() {
  static const int registered = pthread_atfork(nullptr, nullptr, note_fork);
  (void)registered;
  return generation.load(std::memory_order_relaxed);
}

}  // namespace ordain::detail
