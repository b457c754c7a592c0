// labels.cc checks the labels of a session: their declarations, and the rules that raise and clear them.
#include <algorithm>

#include "compiler/check/policy/checker.h"
#include "compiler/fold/fold.h"
#include "compiler/parse/token_scan.h"

namespace ordain::policy {
namespace {

// A label or clear rule while it is turned into bodies.
struct LabelCheck {
  State& state;
  const syntax::PolicyDecl& policy;
  const syntax::LabelRuleDecl& decl;
  PackageId package = 0;
  LabelRule info = {};
  std::vector<LetId> lets = {};
};

std::string word_of(const syntax::LabelRuleDecl& decl) { return decl.is_clear ? "clear" : "label"; }

bool check_stage(LabelCheck& check) {
  if (check.policy.stage == Stage::after) return true;
  check.state.diagnostics.error(
      "label-before", check.decl.rule.word,
      quoted(word_of(check.decl)) + " tells what a call has brought, so it comes after the call",
      "use it in a policy on `after`");
  return false;
}

bool find_label(LabelCheck& check) {
  const std::vector<std::string>& labels = check.state.set.histories.labels;
  const auto known = std::find(labels.begin(), labels.end(), std::string(check.decl.label.text));
  if (known != labels.end()) {
    check.info.label = static_cast<uint32_t>(known - labels.begin());
    return true;
  }
  std::string help = did_you_mean(check.decl.label.text, labels);
  check.state.diagnostics.error(
      "unknown-label", check.decl.label.span, "no label is called " + quoted(check.decl.label.text),
      help.empty() ? "declare it: `label " + std::string(check.decl.label.text) + ";`" : help);
  return false;
}

bool check_clauses(LabelCheck& check) {
  const syntax::RuleDecl& rule = check.decl.rule;
  bool good = true;
  auto refuse = [&](const syntax::Expr* clause, const char* word) {
    if (clause == nullptr) return;
    check.state.diagnostics.error("clause-not-allowed", clause->span,
                                  quoted(word) + " has no meaning in " + quoted(word_of(check.decl)));
    good = false;
  };
  refuse(rule.expires, "expires");
  refuse(rule.with, "with");
  if (!check.decl.is_clear) refuse(rule.from, "from");
  if (check.decl.is_clear && rule.from == nullptr) {
    check.state.diagnostics.error("clear-without-from", rule.word,
                                  "`clear` needs the group whose approval of the call clears the label",
                                  "write `clear " + std::string(check.decl.label.text) + " from \"GROUP\"`");
    good = false;
  }
  return good;
}

// The groups are read when the call has ended, so they are constants.
bool read_groups(LabelCheck& check) {
  if (!check.decl.is_clear) return true;
  State& state = check.state;
  const syntax::Expr& from = *check.decl.rule.from;
  Scope& scope = scope_of(state, check.package, Stage::after, state.undeclared());
  enter_lets(state, scope, check.package, Stage::after, state.undeclared(), true, check.lets, nullptr);
  typed::Expression groups = check_once(state, scope, from, nullptr, nullptr, nullptr);
  if (groups.root == nullptr || groups.root->type->kind == TypeKind::error) return false;
  fold(state.arena, groups);
  if (groups.root->kind == typed::NodeKind::constant) {
    const Value& value = groups.root->value;
    if (value.is(Kind::string)) check.info.groups.emplace_back(value.as_text());
    if (value.is(Kind::list)) {
      for (const Value& group : value.as_list()) {
        if (group.is(Kind::string)) check.info.groups.emplace_back(group.as_text());
      }
    }
  }
  if (!check.info.groups.empty()) return true;
  state.diagnostics.error("bad-from", from.span, "the groups of `clear` are a text, or a list of texts, in quotes");
  return false;
}

void collect_label_reads(LabelCheck& check) {
  Reads reads;
  const syntax::RuleDecl& rule = check.decl.rule;
  for (const syntax::Expr* clause : {rule.when, rule.because, rule.from}) {
    if (clause != nullptr) collect_reads(check.state, *clause, check.package, reads);
  }
  check.lets = let_closure(check.state, reads);
  std::string text = "label rule 1\n" + canonical_text(check.state.text(rule.span)) + "\n";
  append_states(check.state, reads, text);
  check.info.digest = sha256(text);
}

void add_body(LabelCheck& check, CapabilityId capability, bool exact, const GlobSet& globs) {
  State& state = check.state;
  Scope& scope = scope_of(state, check.package, Stage::after, capability);
  std::vector<MissingField> missing;
  std::vector<MissingField>* const lacking = exact ? nullptr : &missing;
  enter_lets(state, scope, check.package, Stage::after, capability, exact, check.lets, lacking);
  auto body = std::make_shared<typed::LabelRuleBody>();
  state.set.histories.label_bodies.push_back(body);
  body->info = check.info;
  body->targets = globs;
  body->span = check.decl.rule.word;
  const syntax::RuleDecl& rule = check.decl.rule;
  if (rule.when != nullptr) body->when = check_once(state, scope, *rule.when, &types::kBool, lacking, nullptr);
  if (rule.because != nullptr)
    body->because = check_once(state, scope, *rule.because, &types::kString, lacking, nullptr);
  if (missing.empty()) {
    state.set.histories.capabilities[capability].label_rules.push_back(body.get());
    return;
  }
  const size_t before = state.diagnostics.items.size();
  state.diagnostics.warning("rule-not-applied", rule.word,
                            quoted(check.info.name) + " does not apply to every capability that its targets match: " +
                                quoted(missing.front().record) + " has no field " +
                                quoted(missing.front().path.substr(missing.front().path.rfind('.') + 1)));
  forget_repeated(state, before, nullptr);
}

void check_label_rule(LabelCheck& check, uint32_t* unnamed) {
  State& state = check.state;
  check.info.what = check.decl.is_clear ? LabelRule::clear : LabelRule::raise;
  check.info.policy = std::string(check.policy.name.text);
  check.info.package = state.packages[check.package].name;
  const syntax::Name& name = check.decl.rule.name;
  check.info.name = check.info.policy + ".";
  check.info.name +=
      name.text.empty() ? word_of(check.decl) + "#" + std::to_string(++*unnamed) : std::string(name.text);
  if (state.rule_names.contains(check.info.name) || !state.label_rule_names.insert(check.info.name).second) {
    state.diagnostics.error("duplicate-rule", name.span, quoted(check.info.name) + " is defined twice");
  }
  collect_label_reads(check);
  const bool placed = check_stage(check);
  const bool labelled = find_label(check);
  if (!check_clauses(check) || !placed || !labelled || !read_groups(check)) return;
  const Targets& targets = targets_of(state, check.policy.targets);
  for (const Targets::Match& match : targets.matches) add_body(check, match.capability, match.exact, {});
  if (targets.any_glob) add_body(check, state.undeclared(), false, targets.globs);
}

}  // namespace

void declare_labels(State& state) {
  std::vector<std::string>& labels = state.set.histories.labels;
  std::map<std::string_view, Span> first;
  for (const syntax::File& file : state.files) {
    for (const syntax::Name& label : file.labels) {
      const auto [known, added] = first.try_emplace(label.text, label.span);
      if (!added) {
        state.diagnostics.error("duplicate-label", label.span, quoted(label.text) + " is declared twice")
            .notes.push_back({Severity::note, "", "first declared here", known->second, "", {}});
        continue;
      }
      if (labels.size() == kMaxLabels) {
        state.diagnostics.error("limit-labels", label.span,
                                "a set of policies may have " + std::to_string(kMaxLabels) + " labels");
        return;
      }
      labels.emplace_back(label.text);
    }
  }
}

void check_label_rules(State& state, const syntax::PolicyDecl& policy, PackageId package) {
  uint32_t unnamed[2] = {};
  for (const syntax::LabelRuleDecl& decl : policy.label_rules) {
    LabelCheck check{state, policy, decl, package};
    check_label_rule(check, &unnamed[decl.is_clear ? 1 : 0]);
  }
}

}  // namespace ordain::policy
