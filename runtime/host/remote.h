// remote asks a decision point elsewhere, and turns its answer, or the lack of an answer, into a
// verdict.
#pragma once

#include <string>

#include "ordain/remote.h"

namespace ordain::detail {

struct RemoteVerdict {
  std::string rule;     ///< "remote:payments.large", or "remote"
  HostVerdict verdict;  ///< without an effect, the local rules decide alone
  std::string fault;    ///< why there was no answer, if that denies
  std::string record;   ///< for the record: "allow by payments.small", "no answer: ..."
};

/// Blocks until there is an answer, at most until the deadline.
RemoteVerdict consult(const RemoteOptions& options, const HostCall& call);

}  // namespace ordain::detail
