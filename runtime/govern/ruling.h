// ruling is the combined verdict of the policies and the host rules about one call.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/decide.h"
#include "runtime/govern/worker.h"
#include "runtime/host/host_ruling.h"

namespace ordain::detail {

struct RulingObligation {
  RuleKind kind = RuleKind::warn;
  std::string_view rule, path, reason;
  Value with;
};

/// Views the program, the worker's scratch (until its next decision), and `host`.
struct Ruling {
  Effect effect = Effect::deny;
  DecisionCode code = DecisionCode::default_effect;
  std::string_view rule, reason;
  RuleId policy_rule = kNone;  ///< `rule`, if a policy declares it
  std::string fault;
  std::vector<RulingObligation> obligations;
  std::vector<std::string_view> from;
  std::vector<AskingRule> approvals;  ///< what each asking rule needs
  int64_t expires_seconds = 0;
  Decision decision;                 ///< of the policies alone
  std::unique_ptr<HostRuling> host;  ///< nullptr if no host rule and no remote was asked

  bool redacts() const;
};

/// The subject of one decision: a bound call of `worker`, and the same call in the form that host
/// rules see.
struct RulingFacts {
  const Call& call;
  const HostCall& seen;
  bool all = false;  ///< list every matching rule
};

/// Decides, into `out`. The host rules are asked only if the policies have not denied, and the
/// remote only if neither has.
void rule(Core& core, Worker& worker, const RulingFacts& facts, Ruling& out);

/// The two parts of `rule`, for a decision whose policies read state: they decide in a turn of the store, which
/// must be quick, so the host is asked outside of it.
class HostRules {
 public:
  /// Selects the rules of the host that apply to the call. `facts` must live as long.
  HostRules(Core& core, const RulingFacts& facts);
  /// Whether any host rule or remote is to be asked.
  bool any() const;
  /// Asks them. May take long.
  std::unique_ptr<HostRuling> ask() const;

 private:
  Core& core_;
  const RulingFacts& facts_;
  HostRuleList rules_;
  std::shared_ptr<const std::vector<HostRule>> shared_;  ///< keeps the runtime's own
};

/// Makes `out` the denial of a call whose state could not be read. `out` views `error`.
void deny_for_state(const Error& error, Ruling& out);

/// Lets the policies alone decide. @param asks_host whether the host is asked too: if no policy applies, it may decide
void rule_by_policies(Core& core, Worker& worker, const RulingFacts& facts, bool asks_host, Ruling& out);
/// Joins what the host said to a ruling of the policies that is not a denial.
void add_host_ruling(Core& core, const RulingFacts& facts, std::unique_ptr<HostRuling> host, Ruling& out);

}  // namespace ordain::detail
