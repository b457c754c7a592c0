// SharedState is the store of one runtime: what its calls remember. It is opened when the first
// program needs it, so programs without state pay nothing.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>

#include "ordain/runtime.h"
#include "runtime/identity/fork.h"
#include "runtime/state/metering.h"

namespace ordain::detail {

/// @returns the code of a denial for an error of metering: its own, or "state_unavailable" if the store could not be
/// used
std::string_view state_code(const Error& error);

/// Thread-safe.
class SharedState {
 public:
  /// @param options must outlive the state
  explicit SharedState(const RuntimeOptions& options) : options_(options) {}
  ~SharedState();
  SharedState(const SharedState&) = delete;
  SharedState& operator=(const SharedState&) = delete;

  /// Opens the store, if it is not open. Its time zones are those of `program`, whose functions must outlive it.
  /// @returns the store, or its error
  Result<state::Store*> open(const Program& program);

 private:
  friend struct SharedStateDeleter;
  void keep_renewing();

  const RuntimeOptions& options_;
  const ProcessMark process_;
  std::mutex mutex_;
  std::unique_ptr<state::Store> store_;
  std::thread renewer_;  ///< says now and then that this process lives
  std::condition_variable ending_;
  bool ends_ = false;
};

/// A forked child leaves the state alone: the thread is not there, and the file is the parent's.
struct SharedStateDeleter {
  void operator()(SharedState* state) const;
};
using OwnedState = std::unique_ptr<SharedState, SharedStateDeleter>;

}  // namespace ordain::detail
