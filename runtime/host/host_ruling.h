// HostRuling: what the host's own rules and a remote decision point say of one call together.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ordain/host_rules.h"
#include "ordain/remote.h"

namespace ordain::detail {

/// What host rules, and a remote decision point, say together. Owns its texts, so that a Ruling may view them.
struct HostRuling {
  std::optional<Effect> effect;
  DecisionCode code = DecisionCode::rule;
  std::string rule, reason, fault;
  struct Asking {
    std::string name, version;
  };
  std::vector<Asking> asking;
  std::vector<std::string> from;
  int64_t expires_seconds = 0;
  struct Said {
    std::string rule;
    HostVerdict verdict;
  };
  std::vector<Said> said;  ///< every rule that had something to say
  std::string remote;      ///< who decided elsewhere, for the record; "" if it was not asked
};

using HostRuleList = std::vector<const HostRule*>;

/// Appends those of `rules` that are about the call.
void select_rules(const std::vector<HostRule>& rules, const HostCall& call, HostRuleList* out);

/// Asks the rules, then the remote if there is one, until one denies.
void ask_host(const HostRuleList& rules, const RemoteOptions& remote, const HostCall& call, HostRuling& out);

/// Whether all that it says is valid UTF-8: it goes on record.
bool is_text(const HostVerdict& verdict);

}  // namespace ordain::detail
