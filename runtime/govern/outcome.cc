// outcome.cc describes the outcome of a governed call in one line, safe for a terminal.
#include "ordain/outcome.h"

#include "ordain/approvals.h"
#include "ordain/terminal_text.h"
#include "ordain/time_text.h"

namespace ordain::detail {
namespace {

std::string by(const std::string& rule) { return rule.empty() ? "" : " by " + rule; }
std::string with_fault(const std::string& fault) { return fault.empty() ? "" : " (" + fault + ")"; }

}  // namespace

std::string describe(const Denied& denied) {
  return terminal_text("denied" + by(denied.rule) + ": " + denied.reason + with_fault(denied.fault));
}

std::string describe(const Pending& pending) {
  return terminal_text("waits for approval " + pending.approval_id + " until " + format_time(pending.expires_ns) +
                       ": " + pending.reason);
}

std::string describe(const Withheld& withheld) {
  return terminal_text("executed, but its output is withheld" + by(withheld.rule) + ": " + withheld.reason +
                       with_fault(withheld.fault));
}

std::string describe(const Failed& failed) {
  return terminal_text((failed.executed ? "failed: " : "failed before it was executed: ") + failed.message);
}

}  // namespace ordain::detail
