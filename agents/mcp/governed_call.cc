// governed_call lets the runtime decide calls, with what the person at the client answered.
#include "agents/mcp/governed_call.h"

#include <new>
#include <sstream>
#include <utility>

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

GovernedCall::GovernedCall(Runtime runtime, GovernedRequest request)
    : runtime_(std::move(runtime)), request_(std::move(request)) {
  answer_of_this_call = request_.answer ? &*request_.answer : nullptr;
  try {
    call_.emplace(runtime_.begin({.capability = request_.capability, .input = request_.input}));
  } catch (const std::bad_alloc&) {  // `outcome` says so
  }
  answer_of_this_call = nullptr;
  start_ = std::chrono::steady_clock::now();
}

GovernedCall::~GovernedCall() {
  if (may_run()) (void)finish(Error{"abandoned", "the proxy ended before the tool answered"});
}

Outcome<Document> GovernedCall::outcome() const {
  if (call_) return call_->outcome();
  return {Id128{}, std::vector<std::string>(), Denied{"", "out of memory", "no_memory", ""}};
}

Outcome<Document> GovernedCall::finish(Result<Document> output) {
  try {
    if (!output.ok() || !request_.is_tool) return call_->finish(std::move(output));
    const DetachedDecision decision = runtime_.evaluate_after(
        request_.capability, request_.input.root(), output->root(), std::chrono::steady_clock::now() - start_);
    // What is withheld here, the runtime decides the same about.
    if (decision.effect != Effect::allow) return call_->finish(std::move(output));
    return call_->finish(mirror_redactions(*output, decision.obligations));
  } catch (const std::bad_alloc&) {
    return {Id128{}, std::vector<std::string>(), Withheld{"", "out of memory", "no_memory", ""}};
  }
}

}  // namespace ordain::mcp
