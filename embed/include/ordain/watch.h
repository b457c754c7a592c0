// PolicyWatcher: policy files on disk, compiled again when they change.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ordain/ordain.h"

namespace ordain {

/// What came of a change on disk.
struct PolicyChange {
  /// The new program, compiled without errors. nullptr: the old one stays in force, and `messages` says why.
  std::shared_ptr<const Program> program;
  std::string messages;  ///< rendered diagnostics: errors, or the warnings of what was loaded
};

struct WatchOptions {
  /// A change is acted on when nothing more has happened for so long: an editor writes in several steps.
  std::chrono::milliseconds debounce{50};
  /// How often files are looked at where the system does not tell of changes (no inotify, or its limit is reached).
  std::chrono::milliseconds poll{500};
  bool always_poll = false;  ///< for file systems that do not tell of the changes that other machines make
  /// How policies are compiled; on the watcher's thread. Default: load_policies.
  std::function<Policies(const std::vector<std::string>&)> load = {};
};

/// Watches policy files and directories, and what they import, on a thread of its own. Files may be replaced by rename,
/// reached by symbolic links, come and go. A policy set with errors, one that changes while it is read, and a set that
/// has lost its last rule never replace a program; an empty file is given two seconds (40 times `debounce`) to be
/// filled.
///
///     Runtime runtime = ...;
///     PolicyWatcher watcher({"policies"}, runtime.program(), [&](const PolicyChange& change) {
///       if (change.program != nullptr) (void)runtime.reload(change.program);
///       std::cerr << change.messages;
///     });
class PolicyWatcher {
 public:
  using OnChange = std::function<void(const PolicyChange&)>;

  /// @param in_force what was compiled from `paths` before; not told again, nor kept. With nullptr, the first program
  /// is told too.
  /// @param on_change called on the watcher's thread, one at a time. Must not throw, nor destroy the watcher. The same
  /// messages are not told twice in a row, nor the program that is in force already (by digest).
  PolicyWatcher(std::vector<std::string> paths, const std::shared_ptr<const Program>& in_force, OnChange on_change,
                WatchOptions options = {});
  /// Stops without delay; waits only for a compilation or a callback under way.
  ~PolicyWatcher();
  PolicyWatcher(const PolicyWatcher&) = delete;
  PolicyWatcher& operator=(const PolicyWatcher&) = delete;

  bool polls() const;  ///< true if the system does not tell of changes and files are looked at instead

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ordain
