// remote: asks the decision point elsewhere, and makes a verdict of what comes back, or of what does not.
#pragma once

#include <string>

#include "ordain/remote.h"

namespace ordain::detail {

struct RemoteVerdict {
  std::string rule;     ///< "remote:payments.large", or "remote"
  HostVerdict verdict;  ///< without effect: the local rules are alone
  std::string fault;    ///< why there was no answer, where that denies
  std::string record;   ///< who decided, for the record: "allow by payments.small", "no answer: ..."
};

/// Blocks until there is an answer, at most until the time is up.
RemoteVerdict consult(const RemoteOptions& options, const HostCall& call);

}  // namespace ordain::detail
