// ruling: what the policies and the host's host rules say of one call together.
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

/// Views of the program, of the worker's scratch (until its next decision), and of `host`.
struct Ruling {
  Effect effect = Effect::deny;
  DecisionCode code = DecisionCode::default_effect;
  std::string_view rule, reason;
  RuleId policy_rule = kNone;  ///< `rule`, if it is a policy's
  std::string fault;
  std::vector<RulingObligation> obligations;
  std::vector<std::string_view> from;
  int64_t expires_seconds = 0;
  Decision decision;                 ///< of the program alone
  std::unique_ptr<HostRuling> host;  ///< nullptr where none of them was asked

  bool redacts() const;
};

/// What one decision is about: a bound call of `worker`, and the same for host rules.
struct RulingFacts {
  const Call& call;
  const HostCall& seen;
  bool all = false;  ///< list every matching rule
};

/// Decides, into `out`. Host rules are asked only where the policies have not denied, and the remote where neither
/// has.
void rule(Core& core, Worker& worker, const RulingFacts& facts, Ruling& out);

}  // namespace ordain::detail
