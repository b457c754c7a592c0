// async runs calls on a queue, a few threads and a watch thread. A call that comes back as Pending
// is parked under its approval's id and queued again once that approval is decided; the watch
// thread checks this and the deadlines.
#include "ordain/async.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#include "runtime/govern/plan_call.h"
#include "vm/value/start_thread.h"

namespace ordain {

using namespace detail;  // NOLINT(google-build-using-namespace): our own internals

using Clock = std::chrono::steady_clock;

struct AsyncCall::State {
  Action action;
  AsyncTool tool;
  Completion done;
  std::optional<Clock::time_point> deadline;
  std::stop_source stop;

  std::mutex mutex;
  bool executing = false, completed = false;
  std::string approval;  // that it waits for; guarded by the pool's mutex

  /// Completes the call; only the first outcome counts.
  void complete(Outcome<Document> outcome) {
    Completion call;
    {
      std::lock_guard lock(mutex);
      if (completed) return;
      completed = true;
      call = std::move(done);
    }
    try {
      if (call) call(std::move(outcome));
    } catch (...) {  // the completion handles its own exceptions
    }
  }
  void refuse(std::string code, std::string reason) {
    complete(Outcome<Document>({}, {}, Denied{"", std::move(reason), std::move(code), ""}));
  }
  /// @returns false if the call was cancelled or has timed out: it must not execute any more
  bool begin() {
    std::lock_guard lock(mutex);
    if (completed || stop.stop_requested()) return false;
    executing = true;
    return true;
  }
  void end() {
    std::lock_guard lock(mutex);
    executing = false;
  }
  /// Asks the tool to stop. @returns whether it was executing.
  bool request_stop() {
    bool was = false;
    {
      std::lock_guard lock(mutex);
      was = executing;
      // Holding the lock, so that begin() either comes first or sees the request.
      stop.request_stop();
    }
    return was;
  }
  bool over() {
    std::lock_guard lock(mutex);
    return completed;
  }
};

void AsyncCall::cancel() const {
  if (state_->request_stop()) return;
  try {
    state_->refuse("cancelled", "the call was cancelled before it executed");
  } catch (const std::bad_alloc&) {
    state_->refuse("cancelled", "out of memory");  // short enough to need none
  }
}

bool AsyncCall::done() const { return state_->over(); }

struct AsyncCalls::Impl {
  using Call = std::shared_ptr<AsyncCall::State>;

  Impl(Runtime runtime, const AsyncOptions& given) : runtime(std::move(runtime)), options(given) {}

  /// The handles share a pointer whose deleter only closes the Impl. The threads keep it alive,
  /// because the last handle may be released on one of them.
  static Result<std::shared_ptr<Impl>> open(Runtime runtime, const AsyncOptions& options) {
    auto impl = std::make_shared<Impl>(std::move(runtime), options);
    std::shared_ptr<Impl> handle(impl.get(), [impl](Impl*) { impl->close(); });
    impl->threads.reserve(options.threads + 1);
    for (size_t i = 0; i <= options.threads; ++i) {
      std::thread thread;
      const bool started = i == 0 ? vm::start_thread(&thread, [impl] { impl->keep_watching(); })
                                  : vm::start_thread(&thread, [impl] { impl->work(); });
      if (started) impl->threads.push_back(std::move(thread));
      if (!started && i > 1) break;  // the threads that run do all the work
      if (!started) return Error{"no_thread", "a thread could not be started"};
    }
    return handle;
  }

  /// Takes the calls that have not begun, and looks up the others one by one: it must not need memory.
  void close() {
    std::vector<Call> deferred;
    {
      std::lock_guard lock(mutex);
      stopping = true;
      deferred.swap(parked);
    }
    for (const Call& call : deferred) AsyncCall(call).cancel();
    while (Call call = take_queued()) AsyncCall(call).cancel();
    while (Call call = take_unstopped()) AsyncCall(call).cancel();
    ready.notify_all();
    watching.notify_all();
    for (auto& thread : threads) {
      if (thread.get_id() == std::this_thread::get_id()) {
        thread.detach();
      } else {
        thread.join();
      }
    }
  }

  /// @returns a call that has not begun; nullptr if there is none
  Call take_queued() {
    std::lock_guard lock(mutex);
    if (queue.empty()) return nullptr;
    Call out = std::move(queue.front());
    queue.pop_front();
    return out;
  }

  /// @returns a call that runs and was not asked to stop; nullptr if there is none
  Call take_unstopped() {
    std::lock_guard lock(mutex);
    const auto at =
        std::find_if(running.begin(), running.end(), [](const Call& call) { return !call->stop.stop_requested(); });
    return at == running.end() ? nullptr : *at;
  }

  bool add(const Call& call) {
    {
      std::lock_guard lock(mutex);
      if (queue.size() + parked.size() >= options.queue) return false;
      // A thread that takes a call over has nobody to report to, so it must not need memory.
      const size_t room = queue.size() + parked.size() + running.size() + 1;
      if (running.capacity() < room) running.reserve(2 * room);
      if (parked.capacity() < room) parked.reserve(2 * room);
      queue.push_back(call);
    }
    ready.notify_one();
    if (call->deadline) watching.notify_one();
    return true;
  }

  // Calls are released without holding the lock: one may own the last handle, in its tool or its
  // completion.

  void work() {
    for (;;) {
      Call call;
      {
        std::unique_lock lock(mutex);
        ready.wait(lock, [&] { return stopping || !queue.empty(); });
        if (queue.empty()) return;
        call = std::move(queue.front());
        queue.pop_front();
        running.push_back(call);  // `add` has made room
      }
      auto approval = run_or_refuse(call);
      {
        std::lock_guard lock(mutex);
        std::erase(running, call);
        if (approval.empty()) continue;
        if (!stopping) {
          call->approval = std::move(approval);
          parked.push_back(call);
          watching.notify_one();
          continue;
        }
      }
      AsyncCall(call).cancel();
    }
  }

  /// Like `run`; a call for which there is no memory is refused.
  std::string run_or_refuse(const Call& call) noexcept {
    try {
      return run(call);
    } catch (const std::bad_alloc&) {
      call->refuse("no_memory", "out of memory");
      return {};
    }
  }

  void keep_watching() noexcept {
    for (;;) {
      try {
        return watch();
      } catch (const std::bad_alloc&) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
    }
  }

  /// Runs one governed call. @returns the approval that it waits for, or "".
  std::string run(const Call& call) {
    if (call->over()) return "";
    const Action& action = call->action;
    bool began = false;
    auto tool = [&](const Value& input) -> Result<Document> {
      began = call->begin();
      if (!began) return Error{"cancelled", "cancelled before the tool was entered"};
      return call->tool(input, call->stop.get_token());
    };
    auto outcome = runtime.call(action.capability, action.input, tool, call_options(action, nullptr));
    if (began) call->end();
    if (outcome.pending() != nullptr && !call->stop.stop_requested()) return outcome.pending()->approval_id;
    call->complete(std::move(outcome));
    return "";
  }

  void watch() {
    for (;;) {
      std::vector<Call> looked, all, decided;
      {
        std::unique_lock lock(mutex);
        if (!stopping) watching.wait_until(lock, next_look());
        if (stopping) return;
        looked = all = parked;
        all.insert(all.end(), queue.begin(), queue.end());
        all.insert(all.end(), running.begin(), running.end());
      }
      expire(all);
      for (const Call& call : looked) {
        if (call->over() || is_decided(call->approval)) decided.push_back(call);
      }
      std::lock_guard lock(mutex);
      for (const Call& call : decided) {
        const bool waits = std::find(parked.begin(), parked.end(), call) != parked.end();
        if (waits && !call->over()) queue.push_back(call);  // first: if there is no memory, it stays parked
        std::erase(parked, call);
      }
      if (!decided.empty()) ready.notify_all();
    }
  }

  Clock::time_point next_look() const {
    auto next = Clock::now() + (parked.empty() ? std::chrono::milliseconds(60'000) : options.poll);
    for (const auto* calls : {&parked, &running}) {
      for (const Call& call : *calls) {
        if (call->deadline && !call->over()) next = std::min(next, *call->deadline);
      }
    }
    for (const Call& call : queue) {
      if (call->deadline && !call->over()) next = std::min(next, *call->deadline);
    }
    return next;
  }

  static void expire(const std::vector<Call>& calls) {
    auto now = Clock::now();
    for (const Call& call : calls) {
      if (!call->deadline || *call->deadline > now || call->over()) continue;
      if (call->request_stop()) {
        call->complete(Outcome<Document>(
            {}, {}, Failed{"timeout", "the tool still executes; its outcome will be on record", true}));
      } else {
        call->refuse("timeout", "the call did not begin to execute in time");
      }
    }
  }

  /// @returns false only while the request waits. A request that cannot be looked up counts as
  /// decided, since the call itself then reports why.
  bool is_decided(const std::string& id) {
    auto found = runtime.approvals().show(id, runtime.now_ns());
    return !found.ok() || found->state != ApprovalState::pending;
  }

  Runtime runtime;
  const AsyncOptions options;
  std::mutex mutex;
  std::condition_variable ready, watching;
  std::deque<Call> queue;
  std::vector<Call> parked, running;
  bool stopping = false;
  std::vector<std::thread> threads;  // the watch thread is the first
};

Result<AsyncCalls> AsyncCalls::open(Runtime runtime, AsyncOptions options) {
  if (options.threads == 0) return Error{"invalid_options", "threads: at least 1"};
  if (options.poll.count() <= 0) return Error{"invalid_options", "poll: must be positive"};
  auto impl = Impl::open(std::move(runtime), options);
  if (!impl) return impl.error();
  return AsyncCalls(std::move(*impl));
}

AsyncCall AsyncCalls::start(Action action, AsyncTool tool, Completion done, std::chrono::milliseconds timeout) const {
  auto state = std::make_shared<AsyncCall::State>();
  state->action = std::move(action);
  state->tool = std::move(tool);
  state->done = std::move(done);
  if (timeout.count() > 0) state->deadline = Clock::now() + timeout;
  if (!impl_->add(state)) state->refuse("queue_full", "too many calls wait");
  return AsyncCall(state);
}

std::future<Outcome<Document>> AsyncCalls::start(Action action, AsyncTool tool,
                                                 std::chrono::milliseconds timeout) const {
  auto promise = std::make_shared<std::promise<Outcome<Document>>>();
  auto future = promise->get_future();
  start(
      std::move(action), std::move(tool),
      [promise](Outcome<Document> outcome) { promise->set_value(std::move(outcome)); }, timeout);
  return future;
}

void AsyncCalls::wake() const { impl_->watching.notify_all(); }

size_t AsyncCalls::waiting() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->parked.size();
}

ApprovalHandler deferred_handler(std::function<void(const Approval&)> notify) {
  return [notify = std::move(notify)](const Approval& request) {
    notify(request);
    return ApprovalAnswer{};
  };
}

}  // namespace ordain
