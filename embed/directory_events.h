// DirectoryEvents sleeps until something happens in a set of directories, or until it is woken.
#pragma once

#include <chrono>
#include <set>
#include <string>
#include <utility>

namespace ordain::detail {

/// A narrow interface to inotify. On systems without it, `wait` times out and the caller looks for
/// changes itself. One thread waits; any thread may call `wake`.
class DirectoryEvents {
 public:
  enum class Seen { nothing, something, policy, woken };

  /// @param listen false: never reports an event.
  explicit DirectoryEvents(bool listen);
  ~DirectoryEvents();
  DirectoryEvents(const DirectoryEvents&) = delete;
  DirectoryEvents& operator=(const DirectoryEvents&) = delete;

  /// Listens to these directories. @returns false if the system does not report the events of all
  /// of them.
  bool listen_to(const std::set<std::string>& directories);

  /// Waits for events and takes all that have arrived. Returns `policy` if one of them was about a
  /// file called *.policy, or if events were lost.
  Seen wait(std::chrono::milliseconds timeout);
  /// True while another process has a file called *.policy open that it has begun to change.
  bool writing() const { return !written_.empty(); }
  void forget_writers() { written_.clear(); }
  /// Makes `wait` return `woken`, now and from then on.
  void wake();

 private:
  Seen take_events();

  int events_ = -1;                                // inotify's descriptor; -1: none
  std::set<std::pair<int, std::string>> written_;  // directory and name, not closed yet
  int wake_[2] = {-1, -1};                         // a pipe
};

}  // namespace ordain::detail
