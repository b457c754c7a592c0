// folded.cc reports mistakes that show once constants are folded: rules that can never match, rules
// that are never reached, and times that have passed before they begin.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/check/policy/check.h"
#include "compiler/check/policy/checker.h"

namespace ordain {
namespace {

using typed::Node;
using typed::NodeKind;
using typed::RuleBody;

bool is_constant(const Node* node, Kind kind) {
  return node != nullptr && node->kind == NodeKind::constant && node->value.is(kind);
}

// --- conditions that contradict themselves

/// Names the value that a node computes, so that two nodes with the same key have the same value.
/// Empty if naming it is not worthwhile.
std::string key_of(const Node& node, int depth = 0) {
  if (depth > 8) return "";
  std::string out;
  switch (node.kind) {
    case NodeKind::slot:
      return "s" + std::to_string(node.slot);
    case NodeKind::constant:
      if (node.value.is(Kind::string)) return "'" + std::string(node.value.as_text()) + "'";
      if (node.value.is(Kind::integer)) return "i" + std::to_string(node.value.i);
      return "";
    case NodeKind::select:
      out = "." + std::string(node.field) + "(";
      break;
    case NodeKind::call:
      if (node.overload == nullptr) return "";
      out = node.overload->id + "(";
      break;
    default:
      return "";
  }
  for (const Node* arg : node.args) {
    std::string part = key_of(*arg, depth + 1);
    if (part.empty()) return "";
    out += part + ",";
  }
  return out + ")";
}

/// The values that some conjuncts allow for one key.
struct Interval {
  std::optional<Value> low, high;
  bool low_open = false, high_open = false;

  void at_least(const Value& value, bool open) {
    Ordering order = low ? compare(value, *low) : Ordering::greater;
    if (order == Ordering::equal) low_open = low_open || open;
    if (order != Ordering::greater) return;
    low = value;
    low_open = open;
  }
  void at_most(const Value& value, bool open) {
    Ordering order = high ? compare(value, *high) : Ordering::less;
    if (order == Ordering::equal) high_open = high_open || open;
    if (order != Ordering::less) return;
    high = value;
    high_open = open;
  }
  bool empty() const {
    if (!low || !high) return false;
    Ordering order = compare(*low, *high);
    return order == Ordering::greater || order == Ordering::none ||
           (order == Ordering::equal && (low_open || high_open));
  }
};

std::string_view comparison_of(const Node& node) {
  if (node.kind == NodeKind::equal) return "_==_";
  if (node.kind != NodeKind::call) return "";
  if (node.overload != nullptr) return node.overload->name;
  return node.function != nullptr ? std::string_view(node.function->name) : "";
}

// The results that a function can have.
struct KnownRange {
  std::string_view function;
  int64_t low, high;
};
constexpr KnownRange kKnownRanges[] = {
    {"size", 0, INT64_MAX}, {"getMonth", 0, 11},         {"getDate", 1, 31},  {"getDayOfMonth", 0, 30},
    {"getDayOfWeek", 0, 6}, {"getDayOfYear", 0, 365},    {"getHours", 0, 23}, {"getMinutes", 0, 59},
    {"getSeconds", 0, 59},  {"getMilliseconds", 0, 999},
};

// @returns all values that the node can have, if it is a call of a function with known results. Of a
// duration, getHours() and the like count the whole time.
Interval known_interval(const Node& node) {
  Interval out;
  if (node.kind != NodeKind::call || node.overload == nullptr || node.args.empty()) return out;
  std::string_view name = node.overload->name;
  if (name != "size" && node.args[0]->type->kind != TypeKind::timestamp) return out;
  for (const KnownRange& range : kKnownRanges) {
    if (range.function != name) continue;
    out.low = Value::integer(range.low);
    out.high = Value::integer(range.high);
  }
  return out;
}

void narrow(std::map<std::string, Interval>& intervals, const Node& conjunct) {
  std::string_view name = comparison_of(conjunct);
  if (conjunct.args.size() != 2 || name.size() < 3) return;
  const Node* left = conjunct.args[0];
  const Node* right = conjunct.args[1];
  bool mirrored = left->kind == NodeKind::constant;
  if (mirrored) std::swap(left, right);
  if (right->kind != NodeKind::constant || compare(right->value, right->value) != Ordering::equal) return;
  std::string key = key_of(*left);
  if (key.empty()) return;
  Interval& interval = intervals.try_emplace(key, known_interval(*left)).first->second;
  bool less = name == "_<_" || name == "_<=_";
  bool greater = name == "_>_" || name == "_>=_";
  bool open = name == "_<_" || name == "_>_";
  if (name == "_==_") {
    interval.at_least(right->value, false);
    interval.at_most(right->value, false);
  } else if (less || greater) {
    if (less != mirrored) {
      interval.at_most(right->value, open);
    } else {
      interval.at_least(right->value, open);
    }
  }
}

/// @returns whether the condition contradicts itself, as `hour >= 18 && hour < 8` does, or what is known
/// of a function, as `now.getHours() > 23` does
bool contradicts_itself(const Node& condition) {
  std::map<std::string, Interval> intervals;
  std::vector<const Node*> todo{&condition};
  while (!todo.empty()) {
    const Node* node = todo.back();
    todo.pop_back();
    if (node->kind == NodeKind::and_) {
      todo.insert(todo.end(), node->args.begin(), node->args.end());
    } else if (is_constant(node, Kind::boolean) && !node->value.as_bool()) {
      return true;
    } else {
      narrow(intervals, *node);
    }
  }
  return std::any_of(intervals.begin(), intervals.end(), [](const auto& entry) { return entry.second.empty(); });
}

bool never_holds(const RuleBody& body) {
  return body.when.root != nullptr && (never_applies(body) || contradicts_itself(*body.when.root));
}

// --- the passes

template <typename Visit>
void for_each_body(const typed::PolicySet& set, Visit visit) {
  for (const auto& lists : set.lists) {
    const RuleBody* previous = nullptr;
    for (const typed::RuleList& list : lists) {
      for (const RuleBody* body : list.rules) {
        if (body != previous) visit(*body);
        previous = body;
      }
    }
  }
}

Span condition_span(const typed::PolicySet& set, const RuleBody& body) {
  Span span = body.when.root != nullptr ? body.when.root->span : Span{};
  return span.end > span.begin ? span : set.rule_spans[body.rule];
}

void warn_never_matches(Diagnostics& diagnostics, const typed::PolicySet& set) {
  struct Verdict {
    bool seen = false, may_hold = false;
    Span span;
  };
  std::vector<Verdict> verdicts(set.rules.size());
  std::unordered_set<const RuleBody*> done;
  for_each_body(set, [&](const RuleBody& body) {
    Verdict& verdict = verdicts[body.rule];
    if (verdict.may_hold || !done.insert(&body).second) return;
    if (!verdict.seen) verdict.span = condition_span(set, body);
    verdict.seen = true;
    verdict.may_hold = !never_holds(body);
  });
  for (RuleId rule = 0; rule < verdicts.size(); ++rule) {
    if (!verdicts[rule].seen || verdicts[rule].may_hold) continue;
    diagnostics.warning("never-matches", verdicts[rule].span,
                        "this condition can never hold, so " + quoted(set.rules[rule].name) + " never matches");
  }
}

void check_expiry(Diagnostics& diagnostics, const typed::PolicySet& set) {
  std::vector<bool> reported(set.rules.size());
  for_each_body(set, [&](const RuleBody& body) {
    const Node* expires = body.expires.root;
    if (!is_constant(expires, Kind::duration) || reported[body.rule]) return;
    if (expires->value.i > 0 || (expires->value.i == 0 && expires->value.nanos() > 0)) return;
    reported[body.rule] = true;
    Span span = expires->span.end > expires->span.begin ? expires->span : set.rule_spans[body.rule];
    diagnostics.error("bad-expires", span, "an approval must stay open for some time: `expires` must be positive");
  });
}

/// @returns how many groups the folded clause can name at most; nothing if that is only known at run time
std::optional<size_t> most_groups(const Node& from) {
  if (is_constant(&from, Kind::string)) return 1;
  if (from.kind == NodeKind::list) return from.args.size();
  if (!is_constant(&from, Kind::list)) return std::nullopt;
  std::set<std::string_view> groups;
  for (const Value& group : from.value.as_list()) {
    if (group.is(Kind::string)) groups.insert(group.as_text());
  }
  return groups.size();
}

void check_need(Diagnostics& diagnostics, const typed::PolicySet& set) {
  std::vector<bool> reported(set.rules.size());
  for_each_body(set, [&](const RuleBody& body) {
    if (body.need == 0 || body.from.root == nullptr || reported[body.rule]) return;
    const std::optional<size_t> most = most_groups(*body.from.root);
    if (!most || body.need <= *most) return;
    reported[body.rule] = true;
    diagnostics.error(
        "bad-from", body.need_span,
        "`from` needs the approval of " + std::to_string(body.need) + " groups, but names " + std::to_string(*most),
        "name more groups, or ask for fewer");
  });
}

/// The rule that decides every call that reaches it, so that later rules are never reached.
struct Answered {
  RuleId by = 0;
  GlobSet targets;
};

bool is_answer(RuleKind kind) { return kind != RuleKind::redact && kind != RuleKind::warn; }
bool is_unconditional(const RuleBody& body) {
  return body.when.root == nullptr || (is_constant(body.when.root, Kind::boolean) && body.when.root->value.as_bool());
}

class Shadows {
 public:
  explicit Shadows(const typed::PolicySet& set) : set_(set), rules_(set.rules.size()) {}

  void visit(const typed::RuleList& list) {
    std::map<uint32_t, std::vector<Answered>> answered;  // by package
    for (size_t i = 0; i < list.rules.size(); ++i) {
      const RuleBody& body = *list.rules[i];
      uint32_t package = set_.rule_packages[body.rule];
      if (!set_.packages[package].first_match || !is_answer(set_.rules[body.rule].kind)) continue;
      // For undeclared capabilities each rule has its globs; in the other lists no rule has globs.
      GlobSet targets = i < list.targets.size() ? list.targets[i] : GlobSet{};
      std::vector<Answered>& before = answered[package];
      auto by =
          std::find_if(before.begin(), before.end(), [&](const Answered& a) { return (targets & ~a.targets).none(); });
      Rule& rule = rules_[body.rule];
      rule.seen = true;
      if (by != before.end()) {
        rule.by = by->by;
      } else {
        rule.gets_turn = true;
        if (is_unconditional(body)) before.push_back({body.rule, targets});
      }
    }
  }

  void report(Diagnostics& diagnostics) const {
    for (RuleId id = 0; id < rules_.size(); ++id) {
      const Rule& rule = rules_[id];
      if (!rule.seen || rule.gets_turn) continue;
      Diagnostic& warning =
          diagnostics.warning("shadowed", set_.rule_spans[id],
                              quoted(set_.rules[id].name) + " is never reached: " + quoted(set_.rules[rule.by].name) +
                                  " comes before it and always matches");
      warning.notes.push_back({Severity::note, "", "this rule answers first", set_.rule_spans[rule.by], "", {}});
    }
  }

 private:
  struct Rule {
    bool seen = false, gets_turn = false;
    RuleId by = 0;
  };
  const typed::PolicySet& set_;
  std::vector<Rule> rules_;
};

/// Finds rules that another rule of the same package and targets always overrides: a conditional
/// `allow` beside an unconditional `deny` or `require_approval`.
class Overrides {
 public:
  explicit Overrides(const typed::PolicySet& set) : set_(set), rules_(set.rules.size()) {}

  void visit(const typed::RuleList& list, uint64_t place) {
    for (size_t i = 0; i < list.rules.size(); ++i) {
      const RuleBody& body = *list.rules[i];
      Rule& rule = rules_[body.rule];
      rule.places = rule.places * 1'099'511'628'211U + place;
      rule.unconditional = (!rule.seen || rule.unconditional) && is_unconditional(body);
      rule.seen = true;
    }
  }

  void report(Diagnostics& diagnostics) const {
    std::map<std::pair<uint32_t, uint64_t>, RuleId> blockers;  // by package and places
    for (RuleId id = 0; id < rules_.size(); ++id) {
      RuleKind kind = set_.rules[id].kind;
      bool blocks = kind == RuleKind::deny || kind == RuleKind::require_approval;
      if (!rules_[id].seen || !rules_[id].unconditional || !blocks || first_match(id)) continue;
      auto [known, added] = blockers.emplace(key(id), id);
      if (!added && kind == RuleKind::deny && set_.rules[known->second].kind != kind) known->second = id;
    }
    for (RuleId id = 0; id < rules_.size(); ++id) {
      if (!rules_[id].seen || rules_[id].unconditional || set_.rules[id].kind != RuleKind::allow) continue;
      auto blocker = blockers.find(key(id));
      if (blocker == blockers.end() || first_match(id)) continue;
      report(diagnostics, id, blocker->second);
    }
  }

 private:
  struct Rule {
    bool seen = false, unconditional = false;
    uint64_t places = 0;  ///< a hash of the capabilities that it applies to
  };

  bool first_match(RuleId id) const { return set_.packages[set_.rule_packages[id]].first_match; }
  std::pair<uint32_t, uint64_t> key(RuleId id) const { return {set_.rule_packages[id], rules_[id].places}; }

  void report(Diagnostics& diagnostics, RuleId id, RuleId by) const {
    bool denies = set_.rules[by].kind == RuleKind::deny;
    Diagnostic& warning = diagnostics.warning(
        "shadowed", set_.rule_spans[id],
        quoted(set_.rules[id].name) + " has no effect: " + quoted(set_.rules[by].name) + " always " +
            (denies ? "denies" : "requires an approval") + ", and " + quoted(to_string(set_.rules[by].kind)) +
            " wins over `allow` in any order",
        "give the other rule a condition, or write `option order = first_match;` with this rule first");
    warning.notes.push_back({Severity::note, "", "this rule always matches", set_.rule_spans[by], "", {}});
  }

  const typed::PolicySet& set_;
  std::vector<Rule> rules_;
};

}  // namespace

void check_folded(Diagnostics& diagnostics, const typed::PolicySet& set) {
  warn_never_matches(diagnostics, set);
  check_expiry(diagnostics, set);
  check_need(diagnostics, set);
  Overrides overrides(set);
  uint64_t place = 0;
  for (const auto& lists : set.lists) {
    for (const typed::RuleList& list : lists) overrides.visit(list, ++place);
  }
  overrides.report(diagnostics);
  bool first_match = std::any_of(set.packages.begin(), set.packages.end(), [](const auto& p) { return p.first_match; });
  if (!first_match) return;
  Shadows shadows(set);
  for (const auto& lists : set.lists) {
    for (const typed::RuleList& list : lists) shadows.visit(list);
  }
  shadows.report(diagnostics);
}

}  // namespace ordain
