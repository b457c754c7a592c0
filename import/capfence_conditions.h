// The conditions of one CapFence rule as expressions. Two readings of the same keys: a rule that blocks (deny,
// require_approval, warn) matches whatever may be meant; a rule that allows matches only what is surely meant.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "import/fields.h"
#include "import/policy_text.h"

namespace ordain::importer {

/// What the rules of a file lean on.
struct Needs {
  bool said = false;          ///< `said`: the texts of a call
  bool said_as_call = false;  ///< and the call itself as text: `write({"path":"x"})`
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

/// Reads every condition key of `rule` into `out`: conditions, and comments on what was made safe.
void read_conditions(Fields& rule, const RuleReading& reading, RuleText& out);

/// The lets that `needs` asks for.
std::vector<LetText> lets_for(const Needs& needs);

}  // namespace ordain::importer
