// A GovernedCall is one call of an MCP client: the runtime decides it, the server executes it, and the answer comes in
// a later message.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "ordain/begun_call.h"
#include "ordain/runtime.h"

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

class GovernedCall {
 public:
  /// Decides the call, and records its intent if it may run.
  GovernedCall(Runtime runtime, GovernedRequest request);
  /// A call that was not finished fails.
  ~GovernedCall();
  GovernedCall(const GovernedCall&) = delete;
  GovernedCall& operator=(const GovernedCall&) = delete;

  /// @returns whether the call has begun: the tool runs with `input`, and `finish` must follow
  bool may_run() const { return call_ && call_->may_execute(); }
  /// Why the call must not run. Only if it must not.
  Outcome<Document> outcome() const;
  /// What the tool receives, until `finish`.
  const Value& input() const& { return call_->input(); }
  const Value& input() const&& = delete;
  /// Ends the call with the tool's output, or why there is none. Call it once, after a call has begun.
  Outcome<Document> finish(Result<Document> output);

 private:
  Runtime runtime_;
  GovernedRequest request_;
  std::optional<BegunCall> call_;  ///< nothing if there was no memory for it
  std::chrono::steady_clock::time_point start_;
};

}  // namespace ordain::mcp
