// HostRuling is the combined verdict of the host's own rules and a remote decision point about one
// call.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ordain/host_rules.h"
#include "ordain/remote.h"

namespace ordain::detail {

/// The combined verdict of host rules and a remote decision point. It owns its texts, so that a
/// Ruling may view them.
struct HostRuling {
  std::optional<Effect> effect;
  DecisionCode code = DecisionCode::rule;
  std::string rule, reason, fault;
  struct Asking {
    std::string name, version;
  };
  std::vector<Asking> asking;
  std::vector<AskingRule> needs;  ///< of each in `asking`
  int64_t expires_seconds = 0;
  struct RuleVerdict {
    std::string rule;
    HostVerdict verdict;
  };
  std::vector<RuleVerdict> verdicts;  ///< of every rule that was asked
  std::string remote;                 ///< the remote's answer, for the record; "" if not asked
};

using HostRuleList = std::vector<const HostRule*>;

/// Appends the rules among `rules` that apply to the call.
void select_rules(const std::vector<HostRule>& rules, const HostCall& call, HostRuleList* out);

/// Asks the rules, then the remote if there is one, until one denies.
void ask_host(const HostRuleList& rules, const RemoteOptions& remote, const HostCall& call, HostRuling& out);

/// @returns whether all texts of the verdict are valid UTF-8, as the records require
bool is_text(const HostVerdict& verdict);

}  // namespace ordain::detail
