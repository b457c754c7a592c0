// capfence_conditions translates the conditions of one CapFence rule into expressions. It reads the
// same keys in two ways: a rule that blocks (deny, require_approval, warn) matches everything that
// its author may have meant; a rule that allows matches only what the author certainly meant.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "import/fields.h"
#include "import/policy_text.h"

namespace ordain::importer {

/// The lets that the rules of a file need.
struct Needs {
  bool said = false;          ///< the let `said`: the texts of a call
  bool said_as_call = false;  ///< also the call itself as text: `write({"path":"x"})`
  bool other_amounts = false;
  bool other_paths = false;
};

struct RuleReading {
  bool blocking = true;
  bool names_keywords_of_a_call = false;    ///< from `rules`: keywords may be a tool's name
  std::string capability;                   ///< "*" if the rule names none
  std::set<std::string>* fields = nullptr;  ///< input fields to declare
  Needs* needs = nullptr;
};

/// Reads every condition key of `rule` into `out`: conditions, and comments on what was changed for
/// safety.
void read_conditions(Fields& rule, const RuleReading& reading, RuleText& out);

/// @returns the lets that `needs` asks for
std::vector<LetText> lets_for(const Needs& needs);

}  // namespace ordain::importer
