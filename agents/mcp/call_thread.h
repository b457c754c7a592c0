// A CallThread runs one governed call at a time. The runtime runs a call from its decision to its outcome in one piece,
// with the tool in between; a proxy gets the tool's output in another message. So the call waits on a thread of its own
// until the output has come.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "ordain/runtime.h"
#include "vm/value/start_thread.h"

namespace ordain::mcp {

/// What the person at the client said about an approval.
struct ClientAnswer {
  std::string approval;  ///< its id
  bool approves = false;
};

/// Passes on the ClientAnswer of the call that asks, as terminal_handler passes on what the person at the keyboard
/// says: for the principal, or where no rule names a group. Without an answer to this very request, the call waits. A
/// runtime whose clients may answer has this handler.
ApprovalHandler client_answer_handler();

struct GovernedRequest {
  std::string capability;
  Document input;
  std::optional<ClientAnswer> answer = {};
  bool is_tool = false;  ///< the output is the result of a tool: see mirror_redactions
};

class CallThread {
 public:
  /// @returns nullptr if the system has no thread
  static std::unique_ptr<CallThread> start(Runtime runtime);
  /// A call that has begun fails.
  ~CallThread();
  CallThread(const CallThread&) = delete;
  CallThread& operator=(const CallThread&) = delete;

  /// Decides the call. @returns the outcome if the call must not run. Otherwise it has begun: the tool runs with
  /// `input`, and `finish` must follow.
  std::optional<Outcome<Document>> begin(GovernedRequest request);
  /// What the tool receives. Only after a call has begun.
  const Document& input() const& { return input_; }
  Document input() const&& = delete;
  /// Ends the call with the tool's output, or why there is none. Only after a call has begun.
  Outcome<Document> finish(Result<Document> output);

 private:
  enum class State { idle, asked, begun, answered, done, stopped };

  explicit CallThread(Runtime runtime) : runtime_(std::move(runtime)) {}
  void work();
  void run();
  Result<Document> wait_for_output(const Value& input);
  Outcome<Document> take_outcome(std::unique_lock<std::mutex>& lock);
  void set(State state);

  Runtime runtime_;
  std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::idle;
  GovernedRequest request_;
  Document input_;
  std::optional<Result<Document>> output_;
  std::optional<Outcome<Document>> outcome_;
  vm::JoinedThread thread_;  // the last member: it uses the others
};

}  // namespace ordain::mcp
