// Handlers answer calls that need approval. A handler is a function; this header declares the type
// and the built-in ones.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>

#include "ordain/approvals.h"
#include "ordain/export.h"
#include "ordain/terminal_text.h"

namespace ordain {

enum class Verdict : uint8_t {
  wait,     ///< no answer now: the call returns Pending, and a retry finds the decision
  approve,  ///< for every group that is missing and that the approver may answer for
  reject,
};

struct ApprovalAnswer {
  Verdict verdict = Verdict::wait;
  std::string approver;  ///< recorded; "handler" if empty
  std::string note;
  std::string group = {};  ///< approve: only for this group
};

/// Called on the calling thread, possibly by several threads at once; may block. An exception
/// denies the call and leaves the request pending. To answer later from elsewhere, keep the id,
/// return `wait`, and use ApprovalStore.
using ApprovalHandler = std::function<ApprovalAnswer(const Approval& request)>;

/// Leaves every request in the queue, for `ordain approvals`. This is the default.
ORDAIN_API ApprovalHandler queue_handler();

/// Shows the exact call and asks the person at the keyboard yes or no. Anything but yes rejects,
/// including the end of input. Asks one question at a time. The person answers as the call's principal,
/// where a rule asks group "principal", and as anyone, where no rule names a group; all else waits.
ORDAIN_API ApprovalHandler terminal_handler();
/// The streams must outlive the handler.
ORDAIN_API ApprovalHandler terminal_handler(std::istream& in, std::ostream& out, std::string approver = "terminal");

/// Gives the same answer to every request; for tests.
ORDAIN_API ApprovalHandler auto_handler(bool approve, std::string approver = "auto");

/// Asks a function of the host.
ORDAIN_API ApprovalHandler callback_handler(std::function<bool(const Approval&)> approve,
                                            std::string approver = "callback");

/// Describes the request for the person who decides: several lines, safe for a terminal.
ORDAIN_API std::string describe(const Approval& request);

}  // namespace ordain
