// overlaps.cc reports rules that have no effect, because another rule of their package answers every
// call that they match. Conditions are compared by their keys, so the passes stay linear.
#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "compiler/diagnostic/words.h"
#include "compiler/lint/bodies.h"
#include "compiler/lint/demands.h"
#include "compiler/lint/lint.h"

namespace ordain::lint {
namespace {

using typed::RuleBody;

bool is_answer(RuleKind kind) { return kind != RuleKind::redact && kind != RuleKind::warn; }
bool blocks(RuleKind kind) { return kind == RuleKind::deny || kind == RuleKind::require_approval; }

// --- first_match: the rules before a rule

/// A rule that decides every call that reaches it and meets a condition.
struct Answered {
  RuleId by = 0;
  GlobSet targets;
};

class Shadows {
 public:
  Shadows(const typed::PolicySet& set, DemandTable& demands) : set_(set), demands_(demands), rules_(set.rules.size()) {}

  void visit(const typed::RuleList& list) {
    std::map<uint32_t, std::vector<Answered>> always;                      // by package
    std::map<std::pair<uint32_t, uint32_t>, std::vector<Answered>> where;  // by package and condition
    for (size_t i = 0; i < list.rules.size(); ++i) {
      const RuleBody& body = *list.rules[i];
      const uint32_t package = set_.rule_packages[body.rule];
      const RuleKind kind = set_.rules[body.rule].kind;
      if (!set_.packages[package].first_match || !is_answer(kind)) continue;
      // For undeclared capabilities each rule has its globs; in the other lists no rule has globs.
      const GlobSet targets = i < list.targets.size() ? list.targets[i] : GlobSet{};
      const Demands& demands = demands_.of(body);
      Rule& rule = rules_[body.rule];
      rule.seen = true;
      const Answered* by = find(always[package], targets);
      rule.always = rule.always && by != nullptr;
      if (by == nullptr) by = find_condition(where, package, demands, targets);
      if (by != nullptr) {
        rule.by = by->by;
        continue;
      }
      rule.gets_turn = true;
      if (is_unconditional(body)) {
        always[package].push_back({body.rule, targets});
      } else if (demands.whole != kNone && (blocks(kind) || !body.when.root->may_fault)) {
        // An allow whose condition faults does not match, and a later rule may then answer.
        where[{package, demands.whole}].push_back({body.rule, targets});
      }
    }
  }

  void report(Diagnostics& diagnostics) const {
    for (RuleId id = 0; id < rules_.size(); ++id) {
      const Rule& rule = rules_[id];
      if (!rule.seen || rule.gets_turn) continue;
      Diagnostic& warning = diagnostics.warning(
          "shadowed", set_.rule_spans[id],
          quoted(set_.rules[id].name) + " is never reached: " + quoted(set_.rules[rule.by].name) +
              " comes before it and " + (rule.always ? "always matches" : "matches whenever it does"));
      warning.notes.push_back({Severity::note, "", "this rule answers first", set_.rule_spans[rule.by], "", {}});
    }
  }

 private:
  struct Rule {
    bool seen = false, gets_turn = false, always = true;
    RuleId by = 0;
  };

  static const Answered* find(const std::vector<Answered>& before, const GlobSet& targets) {
    const auto by = std::find_if(before.begin(), before.end(),
                                 [&](const Answered& each) { return (targets & ~each.targets).none(); });
    return by == before.end() ? nullptr : &*by;
  }

  static const Answered* find_condition(const std::map<std::pair<uint32_t, uint32_t>, std::vector<Answered>>& where,
                                        uint32_t package, const Demands& demands, const GlobSet& targets) {
    const auto answered = [&](uint32_t condition) -> const Answered* {
      const auto known = where.find({package, condition});
      return known == where.end() ? nullptr : find(known->second, targets);
    };
    if (demands.whole != kNone) {
      if (const Answered* by = answered(demands.whole)) return by;
    }
    for (const uint32_t part : demands.parts) {
      if (const Answered* by = answered(part)) return by;
    }
    return nullptr;
  }

  const typed::PolicySet& set_;
  DemandTable& demands_;
  std::vector<Rule> rules_;
};

// --- otherwise: the stronger rules, in any order

/// Finds rules that a stronger rule of the same package and targets always overrides: one without a
/// condition, or with a condition that holds whenever the rule's own does.
class Overrides {
 public:
  Overrides(const typed::PolicySet& set, DemandTable& demands)
      : set_(set), demands_(demands), rules_(reach_of_rules(set)) {}

  void report(Diagnostics& diagnostics) {
    for (RuleId id = 0; id < rules_.size(); ++id) {
      const Reach& rule = rules_[id];
      if (rule.body == nullptr || !blocks(kind_of(id)) || is_first_match(id)) continue;
      if (rule.unconditional) add(key(id, kAlways), id);
      if (!rule.unconditional && rule.alone) add(key(id, demands_.of(*rule.body).whole), id);
    }
    for (RuleId id = 0; id < rules_.size(); ++id) {
      const Reach& rule = rules_[id];
      const RuleKind kind = kind_of(id);
      const bool can_be_overridden = kind == RuleKind::allow || kind == RuleKind::require_approval;
      if (rule.body == nullptr || rule.unconditional || !can_be_overridden || is_first_match(id)) continue;
      if (const RuleId by = find(id, kAlways); by != kNone) {
        report(diagnostics, id, by, "always");
      } else if (rule.alone) {
        report_condition(diagnostics, id);
      }
    }
  }

 private:
  using Key = std::tuple<uint32_t, uint64_t, uint32_t>;  ///< package, places, condition
  static constexpr uint32_t kAlways = kNone - 1;

  RuleKind kind_of(RuleId id) const { return set_.rules[id].kind; }
  bool is_first_match(RuleId id) const { return set_.packages[set_.rule_packages[id]].first_match; }
  Key key(RuleId id, uint32_t condition) const { return {set_.rule_packages[id], rules_[id].places, condition}; }

  // The strongest rule stands for the others.
  void add(const Key& key, RuleId id) {
    if (std::get<2>(key) == kNone) return;
    const auto [known, added] = blockers_.emplace(key, id);
    if (!added && kind_of(id) == RuleKind::deny && kind_of(known->second) != RuleKind::deny) known->second = id;
  }

  // @returns a stronger rule with that condition, or kNone
  RuleId find(RuleId id, uint32_t condition) const {
    const auto found = blockers_.find(key(id, condition));
    if (found == blockers_.end()) return kNone;
    const bool is_stronger = kind_of(id) == RuleKind::allow || kind_of(found->second) == RuleKind::deny;
    return is_stronger ? found->second : kNone;
  }

  void report_condition(Diagnostics& diagnostics, RuleId id) {
    const Demands& demands = demands_.of(*rules_[id].body);
    std::vector<uint32_t> conditions = demands.parts;
    if (demands.whole != kNone) conditions.push_back(demands.whole);
    for (const uint32_t condition : conditions) {
      const RuleId by = find(id, condition);
      if (by == kNone) continue;
      return report(diagnostics, id, by, "then");
    }
  }

  void report(Diagnostics& diagnostics, RuleId id, RuleId by, const std::string& when) const {
    const bool denies = kind_of(by) == RuleKind::deny;
    Diagnostic& warning = diagnostics.warning(
        "shadowed", set_.rule_spans[id],
        quoted(set_.rules[id].name) + " has no effect: " + quoted(set_.rules[by].name) + " " + when + " " +
            (denies ? "denies" : "requires an approval") + ", and " + quoted(to_string(kind_of(by))) + " wins over " +
            quoted(to_string(kind_of(id))) + " in any order",
        when == "always"
            ? "give the other rule a condition, or write `option order = first_match;` with this rule first"
            : "take what this rule matches out of the other rule's condition");
    warning.notes.push_back({Severity::note,
                             "",
                             when == "always" ? "this rule always matches" : "this rule matches whenever it does",
                             set_.rule_spans[by],
                             "",
                             {}});
  }

  const typed::PolicySet& set_;
  DemandTable& demands_;
  std::vector<Reach> rules_;
  std::map<Key, RuleId> blockers_;
};

}  // namespace

void warn_shadowed(Diagnostics& diagnostics, const typed::PolicySet& set) {
  DemandTable demands;
  Overrides(set, demands).report(diagnostics);
  if (std::none_of(set.packages.begin(), set.packages.end(), [](const auto& each) { return each.first_match; })) return;
  Shadows shadows(set, demands);
  for (const auto& lists : set.lists) {
    for (const typed::RuleList& list : lists) shadows.visit(list);
  }
  shadows.report(diagnostics);
}

}  // namespace ordain::lint
