// ruling: what the policies and the host's native rules say of one call together.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/decide.h"
#include "ordain/native.h"
#include "runtime/worker.h"

namespace ordain::detail {

struct RulingObligation {
  RuleKind kind = RuleKind::warn;
  std::string_view rule, path, reason;
  Value with;
};

/// What native rules, and a remote decision point, say together. Owns its texts, so that a Ruling may view them.
struct NativeRuling {
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
    NativeVerdict verdict;
  };
  std::vector<Said> said;  ///< every rule that had something to say
  std::string remote;      ///< who decided elsewhere, for the record; "" if it was not asked
};

/// Views of the program, of the worker's scratch (until its next decision), and of `native`.
struct Ruling {
  Effect effect = Effect::deny;
  DecisionCode code = DecisionCode::default_effect;
  std::string_view rule, reason;
  RuleId policy_rule = kNone;  ///< `rule`, if it is a policy's
  std::string fault;
  std::vector<RulingObligation> obligations;
  std::vector<std::string_view> from;
  int64_t expires_seconds = 0;
  Decision decision;                     ///< of the program alone
  std::unique_ptr<NativeRuling> native;  ///< nullptr where none of them was asked

  bool redacts() const;
};

/// Whether all that it says is valid UTF-8: it goes on record.
bool is_text(const NativeVerdict& verdict);

/// What one decision is about: a bound call of `worker`, and the same for native rules.
struct RulingFacts {
  const Call& call;
  const NativeCall& seen;
  bool all = false;  ///< list every matching rule
};

/// Decides, into `out`. Native rules are asked only where the policies have not denied, and the remote where neither
/// has.
void rule(Core& core, Worker& worker, const RulingFacts& facts, Ruling& out);

}  // namespace ordain::detail
