// A FreezeWatch knows which calls are frozen: those of its database directory, which a thread looks at
// now and then, or of this process alone. Calls ask it without a lock or a system call as long as
// nothing is frozen.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "ordain/freeze.h"
#include "runtime/identity/fork.h"
#include "runtime/state/freeze_file.h"

namespace ordain::state {

/// How often the file is looked at. A freeze must be obeyed within a second.
inline constexpr std::chrono::milliseconds kFreezeLookEvery{400};

/// Thread-safe.
class FreezeWatch {
 public:
  /// @param directory "" if only this process is to be stopped
  explicit FreezeWatch(std::string directory);
  ~FreezeWatch();
  FreezeWatch(const FreezeWatch&) = delete;
  FreezeWatch& operator=(const FreezeWatch&) = delete;

  /// Reads what is frozen, and goes on to do so. @returns error "no_thread"
  Result<void> start();

  /// @returns the freeze that stops the call, if one does
  std::optional<Freeze> find(std::string_view capability, std::string_view agent) const {
    if (!any_.load(std::memory_order_acquire)) return std::nullopt;
    return search(capability, agent);
  }
  std::vector<Freeze> all() const;

  /// Changes what is frozen, for this process at once. `change` may record the change; see change_freezes.
  Result<void> change(const std::function<Result<void>(std::vector<Freeze>&)>& change);

 private:
  friend struct FreezeWatchDeleter;
  using List = std::vector<Freeze>;
  std::optional<Freeze> search(std::string_view capability, std::string_view agent) const;
  std::shared_ptr<const List> list() const;
  void look();
  void publish(List list);
  void keep_looking();

  const std::string directory_;
  const detail::ProcessMark process_;
  std::atomic<bool> any_{false};
  mutable std::mutex list_mutex_;
  std::shared_ptr<const List> list_ = std::make_shared<const List>();

  std::mutex look_mutex_;
  std::optional<FreezeMark> seen_;  ///< the file that was read last
  List read_;                       ///< what it said

  std::mutex ending_mutex_;
  std::condition_variable ending_;
  bool ends_ = false;
  std::thread thread_;
};

/// A forked child leaves the watch alone, because it does not have the thread.
struct FreezeWatchDeleter {
  void operator()(FreezeWatch* watch) const;
};
using OwnedFreezeWatch = std::unique_ptr<FreezeWatch, FreezeWatchDeleter>;

}  // namespace ordain::state
