// PolicyWatcher watches policy files on disk and compiles them again when they change.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ordain/export.h"
#include "ordain/ordain.h"

namespace ordain {

/// The result of a change on disk.
struct PolicyChange {
  /// The new program, compiled without errors. If it is nullptr, the old program stays in force,
  /// and `messages` says why.
  std::shared_ptr<const Program> program;
  std::string messages;  ///< rendered diagnostics: errors, or warnings about the new program
};

struct WatchOptions {
  /// The watcher acts on a change when nothing more has happened for this long, because editors
  /// write in several steps.
  std::chrono::milliseconds debounce{50};
  /// How often the watcher looks at files if the system does not report changes (without inotify,
  /// or at its limit).
  std::chrono::milliseconds poll{500};
  bool always_poll = false;  ///< for file systems that do not report changes by other machines
  /// Compiles the policies, on the watcher's thread. The default is load_policies.
  std::function<Policies(const std::vector<std::string>&)> load = {};
};

/// Watches policy files and directories, and the files that they import or take data from, on a thread of its own.
/// Files may be replaced by rename, reached through symbolic links, added and removed. A program is
/// never replaced by a policy set with errors, by one that changes while it is read, or by one that
/// has lost its last rule. An empty file is given two seconds (40 times `debounce`) to be filled.
///
///     Runtime runtime = ...;
///     PolicyWatcher watcher({"policies"}, runtime.program(), [&](const PolicyChange& change) {
///       if (change.program != nullptr) (void)runtime.reload(change.program);
///       std::cerr << change.messages;
///     });
class ORDAIN_API PolicyWatcher {
 public:
  using OnChange = std::function<void(const PolicyChange&)>;

  /// @param in_force the program compiled from `paths` before. It is not reported again, and not
  /// kept. If it is nullptr, the first program is reported too.
  /// @param on_change called on the watcher's thread, one call at a time. It must not throw, and
  /// must not destroy the watcher. The same messages are not reported twice in a row, and neither
  /// is the program in force (by digest).
  PolicyWatcher(std::vector<std::string> paths, const std::shared_ptr<const Program>& in_force, OnChange on_change,
                WatchOptions options = {});
  /// Stops without delay, except that it waits for a compilation or a callback in progress.
  ~PolicyWatcher();
  PolicyWatcher(const PolicyWatcher&) = delete;
  PolicyWatcher& operator=(const PolicyWatcher&) = delete;

  bool polls() const;  ///< true if the system does not report changes, so files are looked at instead

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ordain
