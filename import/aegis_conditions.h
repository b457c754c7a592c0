// aegis_conditions translates the matches and conditions of Aegis's rules into expressions. It
// reads them widely if the rule blocks, and narrowly if the rule allows.
#pragma once

#include <string>
#include <vector>

#include "import/fields.h"
#include "import/policy_text.h"

namespace ordain::importer {

/// The globs that a rule matches, for finding rules that hide others.
struct GlobMatch {
  std::vector<std::string> type = {"*"}, target = {"*"}, agent = {"*"};
  bool conditional = false;  ///< it also has conditions
};

/// @returns whether `wide` matches everything that `narrow` does
bool covers(const GlobMatch& wide, const GlobMatch& narrow);

/// Reads `type`, `target` and `agent`.
GlobMatch read_match(Fields& match, bool blocking, RuleText& out);

struct ConditionNeeds {
  bool minute = false, weekday = false;
};

/// Reads time_after, time_before, weekdays and param_*.
ConditionNeeds read_aegis_conditions(Fields& conditions, bool blocking, RuleText& out);

struct IndexStep {
  std::string type = "*", target = "*";  ///< globs
};

/// What must hold of an action for it to be a step; nothing if every action is. What the host does not tell counts as
/// matching.
std::vector<std::string> step_conditions(const IndexStep& step);

}  // namespace ordain::importer
