// A remote is a decision point elsewhere that is asked besides the local rules. Ordain has no
// transport of its own; the host provides one.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/export.h"
#include "ordain/host_rules.h"
#include "ordain/result.h"

namespace ordain {

/// One call to decide. The request owns its texts, because the asking call may give up and go on.
struct RemoteRequest {
  std::string id;                                  ///< of the action: 32 hex digits; both stages share it
  std::string event;                               ///< one line of JSON for EventReader; the input is not redacted
  std::chrono::steady_clock::time_point deadline;  ///< a later answer is ignored
};

struct RemoteAnswer {
  Effect effect = Effect::deny;
  std::string rule = {};  ///< the remote's name for the deciding rule; "" if none decided
  std::string reason = {};
  std::vector<std::string> from = {};  ///< require_approval: approver groups
  std::chrono::seconds expires{0};     ///< require_approval: 0 for the default
  std::vector<std::string> warnings = {};
  std::vector<HostRedaction> redactions = {};
  std::vector<AskingRule> approvals = {};  ///< require_approval: what each asking rule of the remote needs
};

/// Reads what an Ordain decision point answers: a decision as decision_json (ordain/decision_json.h)
/// and `ordain eval --json` write it. Any bytes are safe to pass. @returns error "bad_answer" with
/// what is wrong, or with why the decision point refused the event.
ORDAIN_API Result<RemoteAnswer> parse_remote_answer(std::string_view json);

/// The interface that a host implements over its transport. Must be thread-safe: calls ask
/// concurrently.
class ORDAIN_API RemoteDecider {
 public:
  /// Delivers the answer, or an error that says why there is none. Only the first answer before the
  /// deadline counts; calling it again or late, on any thread, does nothing. It may outlive the
  /// runtime.
  using Reply = std::function<void(Result<RemoteAnswer>)>;

  virtual ~RemoteDecider() = default;
  /// Begins to ask. Must not block on anything that may hang: the runtime itself waits for the
  /// answer, until the deadline, and can abandon a missing reply but not a blocked function. A
  /// decider that answers at once, or that has a time limit of its own, may call `reply` before it
  /// returns. An exception counts as an error instead of an answer.
  virtual void ask(RemoteRequest request, Reply reply) = 0;
};

/// Replaces an answer that did not come.
enum class RemoteFallback : uint8_t {
  deny,   ///< a fault: the call is denied, or its output withheld, with code evaluation_error
  local,  ///< the local rules decide alone, as if there were no remote
  allow,  ///< as if the remote had allowed; the local rules apply
};

/// The remote counts as one more package beside the policies: the strictest verdict among its own
/// and those of the local rules applies, and if no local rule decides, the remote's answer does. It
/// is asked last, and not about calls that are already denied.
struct RemoteOptions {
  std::shared_ptr<RemoteDecider> decider = {};  ///< nullptr: no remote is asked
  std::chrono::milliseconds timeout{500};       ///< per decision; a governed call has two
  RemoteFallback fallback = RemoteFallback::deny;
};

}  // namespace ordain
