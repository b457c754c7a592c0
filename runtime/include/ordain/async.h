// Asynchronous calls are governed calls on a few threads that complete through a callback or a
// future. A call that waits for approval occupies no thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "ordain/export.h"
#include "ordain/plan.h"

namespace ordain {

struct AsyncOptions {
  size_t threads = 4;
  /// How often the approvals of waiting calls are looked up. After AsyncCalls::wake they are looked
  /// up at once.
  std::chrono::milliseconds poll{200};
  size_t queue = 4096;  ///< calls that may wait for a thread or approval; beyond it: "queue_full"
};

/// The tool of an asynchronous call. Cancellation and a timeout request `stop`: a slow tool should
/// check it, and return an error. May throw.
using AsyncTool = std::function<Result<Document>(const Value& input, std::stop_token stop)>;
using Completion = std::function<void(Outcome<Document>)>;

/// A call that was started. Copies are handles of the same call.
class ORDAIN_API AsyncCall {
 public:
  /// Asks the call to end. If it has not begun to execute, it never will: it completes as Denied
  /// with code "cancelled". Otherwise its stop token is triggered, and it completes with the tool's
  /// result.
  void cancel() const;
  bool done() const;

 private:
  friend class AsyncCalls;
  struct State;
  explicit AsyncCall(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

/// Runs governed calls. It is a handle; copies share the threads. When the last handle is
/// destroyed, calls that have not begun complete as cancelled; calls that execute are asked to
/// stop, and the destructor waits for them. The last handle may be destroyed inside a tool or a
/// completion: the destructor then does not wait for that one thread, which ends and releases the
/// runtime soon after the tool or completion returns.
///
/// A call completes exactly once, on one of the threads or on the thread that cancels it. An
/// exception from a completion is dropped, because the call is over and recorded by then. With a
/// timeout, the call completes in time: as Denied with code "timeout" if it has not begun to
/// execute; otherwise as Failed with code "timeout", while its tool is asked to stop. The tool's
/// own outcome is recorded when it returns.
class ORDAIN_API AsyncCalls {
 public:
  /// Does with fewer threads if the system has no more. @returns error "invalid_options", or
  /// "no_thread" if not even two can be started.
  static Result<AsyncCalls> open(Runtime runtime, AsyncOptions options = {});

  /// Starts a call. A `timeout` of zero means no timeout.
  AsyncCall start(Action action, AsyncTool tool, Completion done,
                  std::chrono::milliseconds timeout = std::chrono::milliseconds(0)) const;
  std::future<Outcome<Document>> start(Action action, AsyncTool tool,
                                       std::chrono::milliseconds timeout = std::chrono::milliseconds(0)) const;

  /// Looks up the approvals of all waiting calls now.
  void wake() const;
  /// @returns the number of calls that wait for approval
  size_t waiting() const;

 private:
  struct Impl;
  explicit AsyncCalls(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

/// A handler that passes each request to `notify` and lets the call wait: the answer comes later,
/// through ApprovalStore.
ORDAIN_API ApprovalHandler deferred_handler(std::function<void(const Approval&)> notify);

}  // namespace ordain
