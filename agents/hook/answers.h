// Says a verdict in the words of each coding agent, so that it is obeyed: what a client does not
// understand, it takes for consent.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agents/hook/hook_call.h"
#include "ordain/decision_json.h"

namespace ordain::agents {

/// What was decided of a call.
struct Verdict {
  bool denied = false;
  std::string reason = {};  ///< of a denial, for the model and its user
  /// What to put in place of parts of the input or, after the call, of the output.
  std::vector<ParsedDecision::Obligation> redactions = {};
};

/// A denial for this reason.
Verdict make_denial(std::string reason);

/// What a decision of the daemon means. `waiting` is the id of the approval that a person must give,
/// or "".
Verdict verdict_of(const ParsedDecision& decision, std::string_view waiting);

/// What a hook writes, and how it exits.
struct Answer {
  std::string out = {};    ///< standard output
  std::string error = {};  ///< standard error
  int exit_code = 0;
};

/// The answer to a call of a known event. A verdict that the client cannot carry out becomes a
/// denial.
Answer write_answer(Arena& arena, const HookCall& call, const Verdict& verdict);

/// A denial that every client obeys for every event that it can deny: exit code 2, and the reason on
/// standard error. It is for input from which nothing can be learned.
Answer refuse(std::string_view reason);

}  // namespace ordain::agents
