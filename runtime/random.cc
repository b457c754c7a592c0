// Id128: random names. The system's generator is asked for many at once, because a system call costs more than a
// decision.
#include <pthread.h>
#include <sys/random.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "ordain/identity.h"

namespace ordain {
namespace {

std::atomic<uint32_t> fork_generation{1};
void note_fork() { fork_generation.fetch_add(1, std::memory_order_relaxed); }

/// Random bytes of one thread. A child process must not hand out what its parent still holds.
struct Pool {
  std::array<uint8_t, 4096> bytes;
  size_t used = sizeof(bytes);
  uint32_t generation = 0;

  void refill() {
    static const int registered = pthread_atfork(nullptr, nullptr, note_fork);
    (void)registered;
    for (size_t have = 0; have < bytes.size();) {
      ssize_t got = getrandom(bytes.data() + have, bytes.size() - have, 0);
      if (got < 0 && errno != EINTR) std::abort();  // no randomness, no unique ids: nothing may go on
      if (got > 0) have += static_cast<size_t>(got);
    }
    used = 0;
    generation = fork_generation.load(std::memory_order_relaxed);
  }
};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

Id128 Id128::random() {
  thread_local Pool pool;
  Id128 out;
  if (pool.used + out.bytes.size() > pool.bytes.size() ||
      pool.generation != fork_generation.load(std::memory_order_relaxed)) {
    pool.refill();
  }
  std::memcpy(out.bytes.data(), pool.bytes.data() + pool.used, out.bytes.size());
  std::memset(pool.bytes.data() + pool.used, 0, out.bytes.size());
  pool.used += out.bytes.size();
  return out;
}

std::string Id128::hex() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out(32, '0');
  for (size_t i = 0; i < bytes.size(); ++i) {
    out[2 * i] = kDigits[bytes[i] >> 4];
    out[2 * i + 1] = kDigits[bytes[i] & 15];
  }
  return out;
}

bool Id128::parse(std::string_view hex, Id128* out) {
  if (hex.size() != 32) return false;
  for (size_t i = 0; i < 16; ++i) {
    int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out->bytes[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

}  // namespace ordain
