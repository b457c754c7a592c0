// DirectoryEvents: sleeps until something happens in a set of directories, or until it is woken.
#pragma once

#include <chrono>
#include <set>
#include <string>
#include <utility>

namespace ordain::detail {

/// inotify behind a narrow door. Where there is none, waiting times out and the caller looks for itself. One thread
/// waits; `wake` may be called from any.
class DirectoryEvents {
 public:
  enum class Seen { nothing, something, policy, woken };

  /// @param listen false: never tells of anything.
  explicit DirectoryEvents(bool listen);
  ~DirectoryEvents();
  DirectoryEvents(const DirectoryEvents&) = delete;
  DirectoryEvents& operator=(const DirectoryEvents&) = delete;

  /// Listens to these directories and no others. @returns false if the system does not tell of all of them.
  bool listen_to(const std::set<std::string>& directories);

  /// Waits for events and takes all that are there: `policy` if one was about a file called *.policy or events were
  /// lost.
  Seen wait(std::chrono::milliseconds timeout);
  /// True while somebody has a file called *.policy open that they have begun to change.
  bool writing() const { return !written_.empty(); }
  void forget_writers() { written_.clear(); }
  /// Makes `wait` return `woken`, now and ever after.
  void wake();

 private:
  Seen take_events();

  int events_ = -1;                                // inotify's descriptor; -1: none
  std::set<std::pair<int, std::string>> written_;  // directory and name, not closed yet
  int wake_[2] = {-1, -1};                         // a pipe
};

}  // namespace ordain::detail
