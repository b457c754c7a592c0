// The matches and conditions of Aegis's rules as expressions, read wide where the rule blocks and narrow where it
// allows.
#pragma once

#include <string>
#include <vector>

#include "import/fields.h"
#include "import/policy_text.h"

namespace ordain::importer {

/// What a rule matches, for finding rules that hide others.
struct GlobMatch {
  std::vector<std::string> type = {"*"}, target = {"*"}, agent = {"*"};
  bool conditional = false;  ///< it has conditions besides
};

/// Whether `wide` matches all that `narrow` does.
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

/// The last step is this action, and the ones before were taken earlier, in this order.
std::vector<std::string> sequence_conditions(const std::vector<IndexStep>& steps);

}  // namespace ordain::importer
