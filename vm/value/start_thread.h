// start_thread is the one place where the library starts threads, so that each caller says what happens if it cannot.
#pragma once

#include <atomic>
#include <thread>
#include <utility>

namespace ordain::vm {

/// Tests set it to make threads fail to start: it returns whether the next one may.
inline std::atomic<bool (*)()> g_may_start_thread{nullptr};

/// Starts a thread that runs `body`, which must not throw. @returns false, with `*thread` unchanged, if the system has
/// no thread or no memory for it; the caller then does without.
template <typename Body>
[[nodiscard]] bool start_thread(std::thread* thread, Body&& body) noexcept {
  try {
    if (const auto may_start = g_may_start_thread.load(); may_start != nullptr && !may_start()) return false;
    *thread = std::thread(std::forward<Body>(body));
    return true;
  } catch (...) {
    return false;
  }
}

/// Joins a thread, if it was started, wherever the scope is left.
class JoinedThread {
 public:
  JoinedThread() = default;
  ~JoinedThread() {
    if (thread_.joinable()) thread_.join();
  }
  JoinedThread(JoinedThread&&) = default;
  JoinedThread& operator=(JoinedThread&&) = delete;

  /// Call it once. @returns false if the thread could not be started.
  template <typename Body>
  [[nodiscard]] bool start(Body&& body) noexcept {
    return start_thread(&thread_, std::forward<Body>(body));
  }

 private:
  std::thread thread_;
};

}  // namespace ordain::vm
