// compare_rules says how the rules of two sets of policies differ, without any event.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/export.h"
#include "ordain/program.h"

namespace ordain {

enum class RuleChange : uint8_t {
  added = 0,
  removed = 1,
  stronger = 2,  ///< of the same name, from `allow` towards `deny`
  weaker = 3,
  changed = 4,  ///< of the same name: the rule, its targets, or a `let` or declaration that it uses
  renamed = 5,  ///< the same rule under another name
};
ORDAIN_API std::string_view to_string(RuleChange change);

/// A rule that differs. kNone stands for the set that does not have it.
struct RuleDifference {
  RuleChange change = RuleChange::added;
  RuleId old_rule = kNone;
  RuleId new_rule = kNone;
};

struct RuleDiff {
  std::vector<RuleDifference> rules;  ///< those of the new set in source order, then the removed ones
  /// Packages of both sets that differ although none of their rules does: in the order of rules, in an
  /// option, in declarations or lets.
  std::vector<std::string> packages;

  bool empty() const { return rules.empty() && packages.empty(); }
};

/// Compares rules by the digests of their meanings, and by name where these differ. Rules that only
/// moved within their package are the same; the package is then listed.
ORDAIN_API RuleDiff compare_rules(const Program& older, const Program& newer);

}  // namespace ordain
