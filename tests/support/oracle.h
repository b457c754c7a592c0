// The oracle is a plain walk over the typed tree, written to be obvious. The engines are tested
// against it.
#pragma once

#include <string>
#include <vector>

#include "compiler/check/expression/typed.h"
#include "ordain/call.h"
#include "ordain/decide.h"

namespace ordain::oracle {

/// The result of an expression: a value, or a fault at a place.
struct Outcome {
  bool ok = false;
  Value value;
  Fault fault;  ///< `location` is not used
  Span at;      ///< where the fault is
};

/// Evaluates under a fresh budget. Values live in `arena`, `call` and the tree.
Outcome evaluate(Arena& arena, const typed::Expression& expression, const Schema& schema, const Call& call,
                 const Context& context, const Budget& budget = {});

/// A Decision by value, comparable with that of an engine.
struct Verdict {
  Effect effect = Effect::deny;
  DecisionCode code = DecisionCode::default_effect;
  std::string rule;  ///< name, or ""
  std::string reason;
  std::vector<std::string> matched;      ///< names, in source order
  std::vector<std::string> obligations;  ///< "redact output.iban with \"***\" by leaks.x", "warn because ... by ..."
  std::vector<std::string> from;
  int64_t expires_seconds = 0;
  std::vector<AskingRule> approvals;  ///< in source order
  std::string fault;                  ///< "rule: code: message at line:column", or ""

  bool operator==(const Verdict&) const = default;
};
std::string to_string(const Verdict& verdict);

/// @returns the decision that `decide_all` must make
Verdict decide(Arena& arena, const typed::PolicySet& set, const std::vector<std::shared_ptr<const Source>>& sources,
               const Call& call, const Context& context, const DecideOptions& options = {});

/// @returns an engine's Decision in the same form
Verdict describe(const Program& program, const Decision& decision);

}  // namespace ordain::oracle
