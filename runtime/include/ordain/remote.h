// Remote: a decision point elsewhere, asked besides the local rules. Ordain brings no transport; the host gives one.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/host_rules.h"
#include "ordain/result.h"

namespace ordain {

/// One call to decide. It owns its texts, because the caller may give up and go on.
struct RemoteRequest {
  std::string id;  ///< of the action, 32 hex digits; before and after have the same
  std::string
      event;  ///< one line of JSON for EventReader or `ordain eval --events`; the input is as it came, before `redact`
  std::chrono::steady_clock::time_point deadline;  ///< an answer that comes later is ignored
};

struct RemoteAnswer {
  Effect effect = Effect::deny;
  std::string rule = {};  ///< that decided, by the remote's name for it; "" if none did
  std::string reason = {};
  std::vector<std::string> from = {};  ///< require_approval: approver groups
  std::chrono::seconds expires{0};     ///< require_approval: 0 for the default
  std::vector<std::string> warnings = {};
  std::vector<HostRedaction> redactions = {};
};

/// Reads the bytes that an Ordain decision point answers: a decision as decision_json (ordain/decision_json.h) and
/// `ordain eval --json` write it. Any bytes are safe to pass. @returns error "bad_answer" with what is wrong, or with
/// why the decision point refused the event.
Result<RemoteAnswer> parse_remote_answer(std::string_view json);

/// What a host implements over its transport. Thread-safe: calls ask at once.
class RemoteDecider {
 public:
  /// Gives the answer, or why there is none. The first one before the deadline counts; calling it again or late, on any
  /// thread, does nothing. It may outlive the runtime.
  using Reply = std::function<void(Result<RemoteAnswer>)>;

  virtual ~RemoteDecider() = default;
  /// Begins to ask. Must not wait for what may hang: the runtime waits for the answer by itself, until the deadline,
  /// and can leave a reply that does not come but not this function. What can answer at once, or has a time limit of
  /// its own, may call `reply` before it returns. An exception is as an answer that says why there is none.
  virtual void ask(RemoteRequest request, Reply reply) = 0;
};

/// What stands in for an answer that did not come.
enum class RemoteFallback : uint8_t {
  deny,   ///< a fault: the call is denied, or its output withheld, with code evaluation_error
  local,  ///< the local rules alone, as if there were no remote
  allow,  ///< as if the remote had allowed; the local rules hold
};

/// The remote is one more package beside the policies: the strictest of what it and the local rules say holds, and
/// where no local rule speaks its answer does. It is asked last, and not about what is denied already.
struct RemoteOptions {
  std::shared_ptr<RemoteDecider> decider = {};  ///< nullptr: no remote is asked
  std::chrono::milliseconds timeout{500};       ///< for each decision; a governed call has two
  RemoteFallback fallback = RemoteFallback::deny;
};

}  // namespace ordain
