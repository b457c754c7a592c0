// Verifies rules and their lists. Ranges may share entries, so each property is counted once
// over all entries, and a range is checked by subtracting counts: the time is linear in the size of
// the tables, however much ranges overlap.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ordain/eval.h"
#include "vm/program/verify.h"
#include "vm/program/verify_index.h"

namespace ordain::vm {
namespace {

// Counts how many of the first n entries have a property.
class Counter {
 public:
  void add(bool has) { sums_.push_back(sums_.back() + (has ? 1 : 0)); }
  void add_number(uint64_t number) { sums_.push_back(sums_.back() + number); }
  uint64_t in(Range range) const { return sums_[range.first + range.count] - sums_[range.first]; }
  bool all(Range range) const { return in(range) == range.count; }
  bool none(Range range) const { return in(range) == 0; }
  // For properties of an entry and the entry before it: the first entry of a range has none before
  // it.
  bool none_between(Range range) const { return range.count < 2 || none({range.first + 1, range.count - 1}); }

 private:
  std::vector<uint64_t> sums_{0};
};

class RulesChecker {
 public:
  explicit RulesChecker(const ProgramData& data) : data_(data) {}

  std::string check() {
    using Step = std::string (RulesChecker::*)();
    for (Step step : {&RulesChecker::rules, &RulesChecker::rule_codes, &RulesChecker::condition_parts,
                      &RulesChecker::package_rules, &RulesChecker::capability_rules}) {
      if (std::string wrong = (this->*step)(); !wrong.empty()) return wrong;
    }
    return "";
  }

 private:
  std::string rules() {
    for (const PackageInfo& package : data_.packages) {
      if (!valid_utf8(package.name)) return "a package's name is not UTF-8";
      if (package.budget > kMaxBudgetCost) return fmt::format("package `{}`: its budget is too large", package.name);
    }
    for (const RuleInfo& rule : data_.rules) {
      if (!valid_utf8(rule.name) || !valid_utf8(rule.policy) || !valid_utf8(rule.package) ||
          !valid_utf8(rule.redact_path)) {
        return "a rule's name is not UTF-8";
      }
      const auto bad = [&rule](std::string_view what) { return fmt::format("rule `{}`: {}", rule.name, what); };
      if (rule.name.empty()) return "a rule has no name";
      if (rule.kind > RuleKind::warn || rule.stage > Stage::after) return bad("its kind or stage is not known");
      if (rule.location != kNone && rule.location >= data_.locations.size()) return bad("its location is not there");
      if ((rule.kind == RuleKind::redact) == rule.redact_path.empty()) return bad("a redact, and only it, has a path");
    }
    return policy_versions();
  }

  std::string policy_versions() {
    const std::vector<PolicyVersion>& all = data_.policy_versions;
    for (size_t i = 0; i < all.size(); ++i) {
      if (!valid_utf8(all[i].policy) || !valid_utf8(all[i].version)) return "a policy's version is not UTF-8";
      if (i > 0 && all[i - 1].policy >= all[i].policy) return "the policies' versions are not sorted";
    }
    return "";
  }

  bool clause(uint32_t predicate, std::initializer_list<uint8_t> kinds) const {
    if (predicate == kNone) return true;
    if (predicate >= data_.predicates.size()) return false;
    return std::ranges::find(kinds, data_.predicates[predicate].result) != kinds.end() || kinds.size() == 0;
  }

  std::string rule_codes() {
    const auto kind = [](Kind k) { return static_cast<uint8_t>(k); };
    for (const RuleCode& code : data_.rule_codes) {
      if (code.rule >= data_.rules.size()) return "a rule's code is of a rule that is not there";
      const auto bad = [&](std::string_view what) {
        return fmt::format("rule `{}`: {}", data_.rules[code.rule].name, what);
      };
      if (!clause(code.condition, {kind(Kind::boolean)})) return bad("its condition is not a predicate of kind bool");
      if (!clause(code.because, {kind(Kind::string), kAnyKind})) return bad("its `because` is not a string");
      if (!clause(code.from, {kind(Kind::string), kind(Kind::list), kAnyKind}))
        return bad("its `from` is not a string or list");
      if (code.from == kNone && (code.need != 0 || !code.distinct)) return bad("it counts groups, but has no `from`");
      if (!clause(code.expires, {kind(Kind::duration), kAnyKind})) return bad("its `expires` is not a duration");
      if (!clause(code.with, {})) return bad("its `with` is not a predicate");
      if (code.because_text != kNone &&
          (code.because_text >= data_.constants.size() || !data_.constants[code.because_text].is(Kind::string))) {
        return bad("its `because` is not a string constant");
      }
      if (code.target_set != kNone && code.target_set >= data_.target_sets.size())
        return bad("its targets are not there");
    }
    return "";
  }

  std::string condition_parts() {
    uint32_t before = 0;
    for (const ConditionPart& part : data_.condition_parts) {
      if (part.code >= data_.rule_codes.size()) return "a part of a condition is of code that is not there";
      const auto bad = [&](std::string_view what) {
        return fmt::format("rule `{}`: a part of its condition {}", data_.rules[data_.rule_codes[part.code].rule].name,
                           what);
      };
      if (part.code < before) return bad("is out of order");
      before = part.code;
      if (part.predicate == kNone || !clause(part.predicate, {static_cast<uint8_t>(Kind::boolean)})) {
        return bad("is not a predicate of kind bool");
      }
      if (part.location >= data_.locations.size() || part.begin > part.end) return bad("has no place");
    }
    return "";
  }

  void count_entries() {
    RuleId before = 0;
    for (const uint32_t entry : data_.rule_list) {
      const RuleCode& code = data_.rule_codes[entry];
      const RuleInfo& rule = data_.rules[code.rule];
      for (size_t kind = 0; kind < of_kind_.size(); ++kind) of_kind_[kind].add(static_cast<size_t>(rule.kind) == kind);
      after_.add(rule.stage == Stage::after);
      targeted_.add(code.target_set != kNone);
      descent_.add(code.rule <= before);
      before = code.rule;
    }
  }

  bool holds_its_kinds_only(const PackageRules& package, const RuleListInfo& list) const {
    const Range entries = (package.*list.member).entries;
    uint64_t count = 0;
    for (size_t kind = 0; kind < of_kind_.size(); ++kind) {
      if (list.holds(static_cast<RuleKind>(kind))) count += of_kind_[kind].in(entries);
    }
    return count == entries.count;
  }

  std::string package_rules() {
    for (const uint32_t entry : data_.rule_list) {
      if (entry >= data_.rule_codes.size()) return "the rule list names code that is not there";
    }
    if (data_.index_notes.size() != data_.rule_list.size())
      return "there is not one note for each entry of the rule list";
    if (std::ranges::any_of(data_.index_notes, [](IndexNote note) { return note > IndexNote::too_wide; })) {
      return "a note of the rule list is not known";
    }
    if (std::string wrong = index_.verify(); !wrong.empty()) return wrong;
    count_entries();
    uint32_t before = 0;
    for (const PackageRules& package : data_.package_rules) {
      if (package.package >= data_.packages.size()) return "the rules of a package that is not there";
      const auto bad = [&](std::string_view what) {
        return fmt::format("rules of package `{}`: {}", data_.packages[package.package].name, what);
      };
      if (package.first_match > 1) return bad("its order is not known");
      uint64_t entries = 0, after = 0, targeted = 0;
      for (const RuleRange& rules : package.lists()) {
        const Range range = rules.entries;
        if (!inside(range, data_.rule_list.size())) return bad("a range is outside the rule list");
        if (std::string wrong = index_.verify(rules); !wrong.empty()) return bad(wrong);
        if (!descent_.none_between(range)) return bad("its rules are not in source order");
        entries += range.count;
        after += after_.in(range);
        targeted += targeted_.in(range);
      }
      for (const RuleListInfo& list : kRuleLists) {
        if (!holds_its_kinds_only(package, list)) return bad("a rule is in the wrong list");
      }
      if (package.first_match == 0 && package.answers.entries.count != 0)
        return bad("only a first_match package has answers");
      plan_entries_.add_number(entries);
      plan_after_.add_number(after);
      plan_targeted_.add_number(targeted);
      plan_descent_.add(package.package <= before);
      before = package.package;
    }
    return "";
  }

  std::string capability_rules() {
    const size_t capabilities = data_.schema.capabilities.size();
    if (data_.capability_rules.empty() && data_.rule_list.empty()) return "";
    if (data_.capability_rules.size() != capabilities + 1) return "there is not one list of rules for each capability";
    for (size_t i = 0; i <= capabilities; ++i) {
      const std::string name =
          i < capabilities ? "`" + data_.schema.capabilities[i].name + "`" : "undeclared capabilities";
      for (const size_t stage : {0u, 1u}) {
        const Range range = data_.capability_rules[i].packages[stage];
        const auto bad = [&](std::string_view what) { return fmt::format("rules of {}: {}", name, what); };
        if (!inside(range, data_.package_rules.size())) return bad("its packages are not there");
        if (!plan_descent_.none_between(range)) return bad("its packages are not in order");
        const uint64_t entries = plan_entries_.in(range);
        if (entries > 3 * data_.rules.size()) return bad("it has more entries than there are rules");
        if (plan_after_.in(range) != (stage == 1 ? entries : 0)) return bad("a rule is of the other stage");
        if (plan_targeted_.in(range) != (i == capabilities ? entries : 0))
          return bad("a rule's targets are not for it");
      }
    }
    return "";
  }

  const ProgramData& data_;
  IndexChecker index_{data_};
  std::array<Counter, 5> of_kind_;
  Counter after_, targeted_, descent_;
  Counter plan_entries_, plan_after_, plan_targeted_, plan_descent_;
};

}  // namespace

std::string verify_rules(const ProgramData& data) { return RulesChecker(data).check(); }

}  // namespace ordain::vm
