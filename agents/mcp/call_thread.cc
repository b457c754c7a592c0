// call_thread passes a call back and forth between the thread that handles messages and the one that waits in the call.
// Only one of them runs at a time.
#include "agents/mcp/call_thread.h"

#include <chrono>
#include <sstream>

#include "agents/mcp/mirror.h"

namespace ordain::mcp {
namespace {

thread_local const ClientAnswer* answer_of_this_call = nullptr;

}  // namespace

ApprovalHandler client_answer_handler() {
  return [](const Approval& request) {
    const ClientAnswer* answer = answer_of_this_call;
    if (answer == nullptr || answer->approval != request.id) return ApprovalAnswer{};
    std::istringstream in(answer->approves ? "yes\n" : "no\n");
    std::ostringstream unseen;
    return terminal_handler(in, unseen, "mcp-client")(request);
  };
}

std::unique_ptr<CallThread> CallThread::start(Runtime runtime) {
  std::unique_ptr<CallThread> out(new CallThread(std::move(runtime)));
  CallThread* self = out.get();
  if (!out->thread_.start([self] { self->work(); })) return nullptr;
  return out;
}

CallThread::~CallThread() {
  bool begun = false;
  {
    const std::lock_guard lock(mutex_);
    begun = state_ == State::begun;
  }
  if (begun) (void)finish(Error{"abandoned", "the proxy ended before the tool answered"});
  set(State::stopped);
}

void CallThread::set(State state) {
  {
    const std::lock_guard lock(mutex_);
    state_ = state;
  }
  changed_.notify_all();
}

std::optional<Outcome<Document>> CallThread::begin(GovernedRequest request) {
  request_ = std::move(request);
  set(State::asked);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return state_ == State::begun || state_ == State::done; });
  if (state_ == State::begun) return std::nullopt;
  return take_outcome(lock);
}

Outcome<Document> CallThread::finish(Result<Document> output) {
  output_.emplace(std::move(output));
  set(State::answered);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return state_ == State::done; });
  return take_outcome(lock);
}

Outcome<Document> CallThread::take_outcome(std::unique_lock<std::mutex>&) {
  Outcome<Document> out = std::move(*outcome_);
  outcome_.reset();
  output_.reset();
  state_ = State::idle;
  return out;
}

void CallThread::work() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return state_ == State::asked || state_ == State::stopped; });
      if (state_ == State::stopped) return;
    }
    run();
    set(State::done);
  }
}

void CallThread::run() {
  answer_of_this_call = request_.answer ? &*request_.answer : nullptr;
  bool entered = false;
  const auto tool = [&](const Value& input) {
    entered = true;
    return wait_for_output(input);
  };
  try {
    outcome_.emplace(runtime_.call(request_.capability, request_.input, tool));
  } catch (const std::exception&) {  // in practice only for want of memory, before or after the call
    if (entered) {
      outcome_.emplace(Id128{}, std::vector<std::string>(), Withheld{"", "out of memory", "no_memory", ""});
    } else {
      outcome_.emplace(Id128{}, std::vector<std::string>(), Denied{"", "out of memory", "no_memory", ""});
    }
  }
  answer_of_this_call = nullptr;
}

Result<Document> CallThread::wait_for_output(const Value& input) {
  const auto start = std::chrono::steady_clock::now();
  input_ = Document::copy_of(input);
  set(State::begun);
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return state_ == State::answered; });
  }
  if (!output_->ok() || !request_.is_tool) return std::move(*output_);
  const DetachedDecision decision = runtime_.evaluate_after(
      request_.capability, request_.input.root(), (*output_)->root(), std::chrono::steady_clock::now() - start);
  if (decision.effect != Effect::allow) return std::move(*output_);  // the runtime decides the same, and withholds it
  return mirror_redactions(**output_, decision.obligations);
}

}  // namespace ordain::mcp
