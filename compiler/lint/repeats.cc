// repeats.cc reports rules that could be left out: those that repeat another one, and an `allow` with a
// condition beside one without.
#include <map>
#include <string>
#include <utility>

#include "compiler/diagnostic/words.h"
#include "compiler/lint/bodies.h"
#include "compiler/lint/demands.h"
#include "compiler/lint/keys.h"
#include "compiler/lint/lint.h"

namespace ordain::lint {
namespace {

class Repeats {
 public:
  explicit Repeats(const typed::PolicySet& set) : set_(set), rules_(reach_of_rules(set)) {}

  void report(Diagnostics& diagnostics) {
    std::map<std::string, RuleId> first;
    for (RuleId id = 0; id < rules_.size(); ++id) {
      std::string key = key_of_rule(id);
      if (key.empty()) continue;
      const auto [known, added] = first.emplace(std::move(key), id);
      if (!added) report_repeated(diagnostics, id, known->second);
    }
    std::map<std::pair<uint32_t, uint64_t>, RuleId> open;  // by package and places
    for (RuleId id = 0; id < rules_.size(); ++id) {
      if (is_candidate(id) && set_.rules[id].kind == RuleKind::allow && rules_[id].unconditional)
        open.emplace(std::pair(set_.rule_packages[id], rules_[id].places), id);
    }
    for (RuleId id = 0; id < rules_.size(); ++id) {
      if (!is_candidate(id) || set_.rules[id].kind != RuleKind::allow || rules_[id].unconditional) continue;
      const auto by = open.find({set_.rule_packages[id], rules_[id].places});
      if (by != open.end()) report_redundant(diagnostics, id, by->second);
    }
  }

 private:
  // With first_match, warn_shadowed finds what is never reached.
  bool is_candidate(RuleId id) const {
    return rules_[id].body != nullptr && !set_.packages[set_.rule_packages[id]].first_match;
  }

  // @returns whether the clause is absent, or its key was added
  static bool add_clause(std::string& out, const typed::Expression& clause) {
    out += '|';
    if (clause.root == nullptr) return true;
    const std::string key = key_of(*clause.root);
    out += key;
    return !key.empty();
  }

  // Names what a rule does where it matches, and when it matches; "" if that has no name.
  std::string key_of_rule(RuleId id) {
    const Reach& rule = rules_[id];
    if (!is_candidate(id) || !rule.alone) return "";
    const uint32_t condition = demands_.of(*rule.body).whole;
    if (condition == kNone && !rule.unconditional) return "";
    const RuleInfo& info = set_.rules[id];
    const typed::RuleBody& body = *rule.body;
    std::string out = std::to_string(static_cast<int>(info.kind)) + "|" + std::to_string(set_.rule_packages[id]) + "|" +
                      std::to_string(rule.places) + "|" + std::to_string(condition) + "|" + info.redact_path;
    bool good = true;
    if (info.kind == RuleKind::require_approval) {
      out += "|" + std::to_string(body.need) + (body.distinct ? "d" : "s");
      good = add_clause(out, body.from) && add_clause(out, body.expires);
    }
    if (info.kind == RuleKind::redact) good = add_clause(out, body.with);
    if (info.kind == RuleKind::warn) good = add_clause(out, body.because);
    return good ? out : "";
  }

  void report_repeated(Diagnostics& diagnostics, RuleId id, RuleId by) const {
    Diagnostic& warning = diagnostics.warning("repeated-rule", set_.rule_spans[id],
                                              quoted(set_.rules[id].name) + " repeats " + quoted(set_.rules[by].name),
                                              "leave one of them out");
    warning.notes.push_back({Severity::note, "", "this rule says the same", set_.rule_spans[by], "", {}});
  }

  void report_redundant(Diagnostics& diagnostics, RuleId id, RuleId by) const {
    Diagnostic& warning = diagnostics.warning(
        "redundant-allow", set_.rule_spans[id],
        quoted(set_.rules[id].name) + " allows nothing that " + quoted(set_.rules[by].name) + " does not allow anyway",
        "leave it out, or give the other rule a condition");
    warning.notes.push_back({Severity::note, "", "this rule always matches", set_.rule_spans[by], "", {}});
  }

  const typed::PolicySet& set_;
  std::vector<Reach> rules_;
  DemandTable demands_;
};

}  // namespace

void warn_repeated(Diagnostics& diagnostics, const typed::PolicySet& set) { Repeats(set).report(diagnostics); }

}  // namespace ordain::lint
