// Pairs the rules of two programs: first those of one name and meaning, then of one meaning, then of
// one name. What is left was added or removed.
#include "ordain/rule_diff.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "vm/program/linked_program.h"

namespace ordain {
namespace {

// How strict a rule is; 0 for obligations, which are not comparable.
int strength_of(RuleKind kind) {
  switch (kind) {
    case RuleKind::deny:
      return 3;
    case RuleKind::require_approval:
      return 2;
    case RuleKind::allow:
      return 1;
    default:
      return 0;
  }
}

RuleChange change_of(RuleKind before, RuleKind after) {
  const int old_strength = strength_of(before), new_strength = strength_of(after);
  if (old_strength == new_strength || old_strength == 0 || new_strength == 0) return RuleChange::changed;
  return new_strength > old_strength ? RuleChange::stronger : RuleChange::weaker;
}

class RulePairs {
 public:
  RulePairs(const Program& older, const Program& newer)
      : old_rules_(older.rules()), new_rules_(newer.rules()), old_of_(new_rules_.size(), kNone) {
    taken_.resize(old_rules_.size());
    pair_by([](const RuleInfo& rule) { return std::pair(rule.digest, rule.name); });
    pair_by([](const RuleInfo& rule) { return std::pair(rule.digest, rule.package); });
    pair_by([](const RuleInfo& rule) { return std::pair(rule.package, rule.name); });
  }

  std::vector<RuleDifference> differences() const {
    std::vector<RuleDifference> out;
    for (RuleId rule = 0; rule < new_rules_.size(); ++rule) {
      const RuleId before = old_of_[rule];
      if (before == kNone) {
        out.push_back({RuleChange::added, kNone, rule});
      } else if (old_rules_[before].digest != new_rules_[rule].digest) {
        out.push_back({change_of(old_rules_[before].kind, new_rules_[rule].kind), before, rule});
      } else if (is_renamed(old_rules_[before], new_rules_[rule])) {
        out.push_back({RuleChange::renamed, before, rule});
      }
    }
    for (RuleId rule = 0; rule < old_rules_.size(); ++rule) {
      if (!taken_[rule]) out.push_back({RuleChange::removed, rule, kNone});
    }
    return out;
  }

 private:
  // The number of an unnamed rule counts those before it, so another number is not another name.
  static bool is_renamed(const RuleInfo& before, const RuleInfo& after) {
    return before.policy != after.policy || (before.name != after.name && before.name.find('#') == std::string::npos);
  }

  // Pairs rules that have the same key and no partner yet, in their order.
  void pair_by(const auto& key_of) {
    std::multimap<decltype(key_of(old_rules_[0])), RuleId> free;
    for (RuleId rule = 0; rule < old_rules_.size(); ++rule) {
      if (!taken_[rule]) free.emplace(key_of(old_rules_[rule]), rule);
    }
    for (RuleId rule = 0; rule < new_rules_.size(); ++rule) {
      if (old_of_[rule] != kNone) continue;
      const auto found = free.find(key_of(new_rules_[rule]));
      if (found == free.end()) continue;
      old_of_[rule] = found->second;
      taken_[found->second] = true;
      free.erase(found);
    }
  }

  std::span<const RuleInfo> old_rules_, new_rules_;
  std::vector<RuleId> old_of_;  ///< by new rule
  std::vector<bool> taken_;     ///< by old rule
};

std::map<std::string, Digest> package_digests(const Program& program) {
  std::map<std::string, Digest> out;
  for (const PackageInfo& package : data_of(program).packages) out.emplace(package.name, package.digest);
  return out;
}

}  // namespace

std::string_view to_string(RuleChange change) {
  static constexpr std::string_view kNames[] = {"added", "removed", "stronger", "weaker", "changed", "renamed"};
  return kNames[static_cast<size_t>(change)];
}

RuleDiff compare_rules(const Program& older, const Program& newer) {
  RuleDiff out{.rules = RulePairs(older, newer).differences()};
  std::set<std::string> listed;
  for (const RuleDifference& each : out.rules) {
    if (each.old_rule != kNone) listed.insert(older.rules()[each.old_rule].package);
    if (each.new_rule != kNone) listed.insert(newer.rules()[each.new_rule].package);
  }
  const std::map<std::string, Digest> before = package_digests(older);
  for (const auto& [name, digest] : package_digests(newer)) {
    const auto known = before.find(name);
    if (known != before.end() && known->second != digest && !listed.contains(name)) out.packages.push_back(name);
  }
  return out;
}

}  // namespace ordain
