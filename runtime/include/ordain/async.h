// Asynchronous calls: governed calls on a few threads, answered by a callback or a future. A call that waits for
// approval holds no thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "ordain/plan.h"

namespace ordain {

struct AsyncOptions {
  size_t threads = 4;
  /// How often approvals are looked up for calls that wait for one. Those given in this process through
  /// AsyncCalls::wake are seen at once.
  std::chrono::milliseconds poll{200};
  size_t queue = 4096;  ///< calls that may wait for a thread or for approval; more are denied with "queue_full"
};

/// The tool of an asynchronous call. `stop` is requested by cancellation and by a timeout: a tool that takes long
/// should look at it, and return an error. May throw.
using AsyncTool = std::function<Result<Document>(const Value& input, std::stop_token stop)>;
using Completion = std::function<void(Outcome<Document>)>;

/// One call under way. Copies are handles of the same call.
class AsyncCall {
 public:
  /// Asks the call to end. One that has not begun to execute never will: it completes as Denied with code "cancelled".
  /// One that executes is told by its stop token, and completes with what its tool returns.
  void cancel() const;
  bool done() const;

 private:
  friend class AsyncCalls;
  struct State;
  explicit AsyncCall(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

/// Runs governed calls. A handle; copies share the threads. When the last one goes, calls that have not begun complete
/// as cancelled, and those that execute are told to stop and are waited for. It may go in a tool or a completion: then
/// the thread it goes on is the one that is not waited for; it ends, and lets go of the runtime, soon after that
/// returns.
///
/// A call completes exactly once, on one of the threads (or on the one that cancels it). What a completion throws is
/// dropped: the call is over and recorded by then. With a timeout the call completes in time: as Denied with code
/// "timeout" if it has not begun to execute; otherwise as Failed with code "timeout" while its tool is told to stop,
/// and what becomes of that is recorded as its outcome when it returns.
class AsyncCalls {
 public:
  /// @returns error "invalid_options".
  static Result<AsyncCalls> open(Runtime runtime, AsyncOptions options = {});

  /// `timeout` zero: none.
  AsyncCall start(Action action, AsyncTool tool, Completion done,
                  std::chrono::milliseconds timeout = std::chrono::milliseconds(0)) const;
  std::future<Outcome<Document>> start(Action action, AsyncTool tool,
                                       std::chrono::milliseconds timeout = std::chrono::milliseconds(0)) const;

  /// Looks now for calls whose approval was decided.
  void wake() const;
  /// Calls that wait for approval.
  size_t waiting() const;

 private:
  struct Impl;
  explicit AsyncCalls(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

/// A handler that tells `notify` of each request and lets the call wait: the answer comes later, through ApprovalStore.
ApprovalHandler deferred_handler(std::function<void(const Approval&)> notify);

}  // namespace ordain
