// rules.cc checks policies and their rules. A rule is checked for the capabilities that its
// policy's targets name, but only once for all capabilities for which it has the same meaning.
#include <algorithm>
#include <utility>

#include "compiler/check/policy/checker.h"

namespace ordain::policy {
namespace {

// The result of checking a rule for a capability.
struct Outcome {
  const typed::RuleBody* body = nullptr;  ///< nullptr: it does not apply
  bool counted = false;
  std::string why_not = {};
};

// A rule while it is turned from syntax into bodies.
struct RuleCheck {
  State& state;
  const syntax::PolicyDecl& policy;
  const syntax::RuleDecl& rule;
  bool twin = false;  ///< of a policy whose name is already used; its rules' names then are, too
  RuleId id = 0;
  RuleContext context = {};
  Reads reads = {};                                     ///< of all clauses
  std::vector<LetId> lets = {};                         ///< closure
  AccessSet* accesses = nullptr;                        ///< of input and output, even through lets, or nullptr
  std::unordered_map<uint64_t, Outcome> outcomes = {};  ///< by the key of a capability's accesses
  size_t applied = 0;                                   ///< to how many matched capabilities it applies
  std::vector<std::pair<CapabilityId, std::string>> not_applied = {};
  bool path_declared = false;    ///< some capability declares the path of this redact rule
  PathFit path_undeclared = {};  ///< of a capability that does not, but is open
};

struct ClauseRow {
  const char* word;
  syntax::Expr* syntax::RuleDecl::* clause;
  bool allowed[5];  ///< by RuleKind: deny, require_approval, allow, redact, warn
};
constexpr ClauseRow kClauses[] = {
    {"from", &syntax::RuleDecl::from, {false, true, false, false, false}},
    {"expires", &syntax::RuleDecl::expires, {false, true, false, false, false}},
    {"with", &syntax::RuleDecl::with, {false, false, false, true, false}},
};

void check_clause_kinds(State& state, const syntax::RuleDecl& rule, Stage stage) {
  for (const ClauseRow& row : kClauses) {
    const syntax::Expr* clause = rule.*row.clause;
    if (clause == nullptr || row.allowed[static_cast<int>(rule.kind)]) continue;
    state.diagnostics.error(
        "clause-not-allowed", clause->span, quoted(row.word) + " has no meaning in " + quoted(to_string(rule.kind)),
        row.clause == &syntax::RuleDecl::with ? "only `redact` takes it" : "only `require_approval` takes it");
  }
  if (rule.kind == RuleKind::require_approval && stage == Stage::after) {
    state.diagnostics.error("approval-after", rule.word, "`require_approval` comes too late after the call",
                            "use it in a policy on `before`, or `deny` to withhold the output");
  }
}

void check_redact_root(State& state, const syntax::RuleDecl& rule, Stage stage) {
  if (rule.kind != RuleKind::redact || rule.path.empty()) return;
  std::string_view wanted = stage == Stage::before ? "input" : "output";
  std::string_view root = rule.path[0].field;
  if (root != wanted) {
    state.diagnostics.error("redact-path", rule.path[0].span,
                            std::string("a redaction ") + (stage == Stage::before ? "before" : "after") +
                                " the call is of its " + std::string(wanted) + ", not of " + quoted(root),
                            "start the path with `" + std::string(wanted) + "`");
  } else if (rule.path.size() == 1 && stage == Stage::before) {
    state.diagnostics.error("redact-path", rule.path[0].span, "the input as a whole cannot be redacted",
                            "name a field: `input.field`");
  }
}

// Names unnamed rules: "deny#2" is the second unnamed deny of its policy.
std::string rule_name(const syntax::RuleDecl& rule, uint32_t* unnamed) {
  if (!rule.name.text.empty()) return std::string(rule.name.text);
  return std::string(to_string(rule.kind)) + "#" + std::to_string(++unnamed[static_cast<int>(rule.kind)]);
}

typed::Expression check_clause(RuleCheck& check, const Scope& scope, const syntax::Expr* clause, const Type* expected,
                               std::vector<MissingField>* missing, const Diagnostic* about) {
  if (clause == nullptr) return {};
  return check_once(check.state, scope, *clause, expected, missing, about);
}

bool is_text(const Type& type) {
  return type.kind == TypeKind::string || type.kind == TypeKind::dyn || type.kind == TypeKind::error;
}

void check_from_type(RuleCheck& check, const typed::Expression& from, const Diagnostic* about) {
  if (from.root == nullptr || is_text(*from.root->type)) return;
  const Type& type = *from.root->type;
  if (type.kind == TypeKind::list && !type.params.empty() &&
      (is_text(*type.params[0]) || type.params[0]->kind == TypeKind::param)) {
    return;
  }
  size_t before = check.state.diagnostics.items.size();
  check.state.diagnostics.error("type-mismatch", check.rule.from->span,
                                "`from` must be a string or a list of strings, this is " + to_string(type));
  forget_repeated(check.state, before, about);
}

typed::RuleBody* check_body(RuleCheck& check, const Scope& scope, std::vector<MissingField>* missing,
                            const Diagnostic* about) {
  typed::RuleBody* body = check.state.arena.make<typed::RuleBody>();
  body->rule = check.id;
  const syntax::RuleDecl& rule = check.rule;
  body->when = check_clause(check, scope, rule.when, &types::kBool, missing, about);
  body->because = check_clause(check, scope, rule.because, &types::kString, missing, about);
  body->from = check_clause(check, scope, rule.from, nullptr, missing, about);
  check_from_type(check, body->from, about);
  body->need = rule.need;
  body->need_span = rule.need_span;
  body->distinct = rule.distinct;
  body->expires = check_clause(check, scope, rule.expires, &types::kDuration, missing, about);
  body->with = check_clause(check, scope, rule.with, nullptr, missing, about);
  return body;
}

std::string missing_text(const MissingField& missing) {
  size_t dot = missing.path.rfind('.');
  std::string field = dot == std::string::npos ? missing.path : missing.path.substr(dot + 1);
  return quoted(missing.record) + " has no field " + quoted(field);
}

// Treats the redact path like an access of the rule: a field missing from an exact target is an
// error.
bool check_path(RuleCheck& check, CapabilityId capability, bool exact, std::string* why_not) {
  if (check.rule.kind != RuleKind::redact) return true;
  PathFit fit = fit_redact_path(check.state, check.rule, check.context.stage, capability);
  if (fit.fits && fit.open == nullptr)
    check.path_declared = check.path_declared || capability != check.state.undeclared();
  if (fit.fits && fit.open != nullptr && check.path_undeclared.open == nullptr) check.path_undeclared = fit;
  if (fit.fits) return true;
  *why_not = missing_text(fit.missing);
  if (exact) {
    size_t before = check.state.diagnostics.items.size();
    std::string name = fit.missing.path.substr(fit.missing.path.rfind('.') + 1);
    const CapabilityShape& shape = check.state.shapes[capability];
    const Type* type = check.context.stage == Stage::before ? shape.input : shape.output;
    std::vector<std::string> candidates;
    for (size_t i = 1; type != nullptr && type->kind == TypeKind::record; ++i) {
      candidates = field_names(*type->record);
      const RecordField* field = i < check.rule.path.size() ? type->record->find(check.rule.path[i].field) : nullptr;
      type = field != nullptr ? field->type : nullptr;
      if (type != nullptr && type->kind == TypeKind::list) type = type->params[0], ++i;
    }
    check.state.diagnostics.error("unknown-field", fit.missing.span, *why_not, did_you_mean(name, candidates));
    forget_repeated(check.state, before, nullptr);
  }
  return false;
}

// Capabilities differ only in the data that calls bring. A missing host attribute is missing
// everywhere: it is a mistake, not a reason for the rule not to apply.
void report_missing_context(RuleCheck& check, std::vector<MissingField>& missing) {
  State& state = check.state;
  auto of_call = [](const MissingField& field) {
    return is_input_or_output(std::string_view(field.path).substr(0, field.path.find('.')));
  };
  for (const MissingField& field : missing) {
    if (of_call(field)) continue;
    std::vector<std::string> candidates;
    for (const Root& root : state.roots) {
      if (field.record == root.name && root.scalar == nullptr) candidates = field_names(*root.meaning.type->record);
    }
    size_t before = state.diagnostics.items.size();
    state.diagnostics.error("unknown-field", field.span, missing_text(field),
                            did_you_mean(field.path.substr(field.path.rfind('.') + 1), candidates));
    forget_repeated(state, before, nullptr);
  }
  std::erase_if(missing, [&](const MissingField& field) { return !of_call(field); });
}

Outcome& outcome_for(RuleCheck& check, CapabilityId capability, bool exact) {
  State& state = check.state;
  const CapabilityShape& shape = state.shapes[capability];
  bool undeclared = shape.input == nullptr && shape.output == nullptr;
  if (undeclared) capability = state.undeclared();
  if (check.accesses == nullptr) {  // same meaning for all; no capability can lack a field
    capability = state.undeclared();
    exact = true;
  }
  // A field missing from an exact target is reported for that target; under a glob each capability
  // has its own reason.
  uint64_t key = exact ? 1 : 0;
  if (check.accesses != nullptr) {
    MeaningGroup group = group_of(state, *check.accesses, capability);
    key = group.lacking ? (uint64_t{1} << 63) + uint64_t{capability} * 2 + key : group.id;
  }
  auto [known, added] = check.outcomes.try_emplace(key);
  Outcome& outcome = known->second;
  if (!added) return outcome;
  Scope& scope = scope_of(state, check.context.package, check.context.stage, capability);
  scope.target_input = shape.input;
  scope.target_output = shape.output;
  std::vector<MissingField> missing;
  enter_lets(state, scope, check.context.package, check.context.stage, capability, exact, check.lets,
             exact ? nullptr : &missing);
  Diagnostic about{Severity::note, "", "", check.policy.name.span, "", {}};
  bool tell = !exact && capability != state.undeclared();
  if (tell)
    about.message =
        "in the check for " + quoted(state.set.schema.capabilities[capability].name) + ", which the targets match";
  const typed::RuleBody* body = check_body(check, scope, exact ? nullptr : &missing, tell ? &about : nullptr);
  scope.target_input = scope.target_output = nullptr;
  report_missing_context(check, missing);
  if (!missing.empty()) {
    outcome.why_not = missing_text(missing.front());
  } else if (check_path(check, capability, exact, &outcome.why_not)) {
    outcome.body = body;
  }
  return outcome;
}

std::string names_of(const State& state, const std::vector<std::pair<CapabilityId, std::string>>& capabilities) {
  std::string out;
  for (const auto& [id, why] : capabilities) {
    out += out.empty() ? "" : ", ";
    out += quoted(state.set.schema.capabilities[id].name);
  }
  return out;
}

// A rule that blocks calls is expected to protect every capability that its targets match.
bool protects(RuleKind kind) { return kind == RuleKind::deny || kind == RuleKind::require_approval; }

void report_reach(RuleCheck& check) {
  if (check.not_applied.empty()) return;
  State& state = check.state;
  const std::string& name = state.set.rules[check.id].name;
  if (check.applied == 0) {
    state.diagnostics.error(
        "rule-fits-nowhere", check.rule.word,
        quoted(name) + " applies to no capability that its targets match: " + check.not_applied.front().second);
    return;
  }
  size_t all = check.not_applied.size() + check.applied;
  bool gap = protects(check.rule.kind);
  state.diagnostics.add(
      gap ? Severity::warning : Severity::note, "rule-not-applied", check.rule.word,
      quoted(name) + " applies to " + std::to_string(check.applied) + " of " + std::to_string(all) +
          " capabilities that its targets match, not to " + names_of(state, check.not_applied) + ": " +
          check.not_applied.front().second,
      gap ? "if that is meant, write `// ordain: allow(rule-not-applied) REASON` in the line before the rule" : "");
}

void warn_undeclared_path(RuleCheck& check) {
  const PathFit& fit = check.path_undeclared;
  if (check.path_declared || fit.open == nullptr) return;
  std::string name = fit.missing.path.substr(fit.missing.path.rfind('.') + 1);
  check.state.diagnostics.warning("redact-undeclared", fit.missing.span,
                                  quoted(fit.open->name) + " is open, but declares no field " + quoted(name) +
                                      ": nothing is redacted unless a call brings it",
                                  did_you_mean(name, field_names(*fit.open)));
}

// Without a declaration of the output, a misspelt field of it is not found.
void warn_undeclared_output(RuleCheck& check) {
  if (check.accesses == nullptr) return;
  const auto& accesses = check.accesses->accesses;
  auto reads = std::find_if(accesses.begin(), accesses.end(),
                            [](const Access& access) { return access.root == "output" && !access.path.empty(); });
  if (reads == accesses.end()) return;
  for (const Targets::Match& match : check.context.targets->matches) {
    const Capability& capability = check.state.set.schema.capabilities[match.capability];
    if (!match.exact || !capability.declared || check.state.shapes[match.capability].output != nullptr) continue;
    check.state.diagnostics.warning("undeclared-output", check.rule.word,
                                    quoted(capability.name) + " declares no `output`, so `output." +
                                        std::string(reads->path[0]) + "` is not checked",
                                    "declare it: `output { ... }`, or `output open { ... }` if it has further fields");
    return;
  }
}

void collect_rule_reads(RuleCheck& check) {
  State& state = check.state;
  const syntax::RuleDecl& rule = check.rule;
  for (const syntax::Expr* clause : {rule.when, rule.because, rule.from, rule.expires, rule.with}) {
    if (clause != nullptr) collect_reads(state, *clause, check.context.package, check.reads);
  }
  check.lets = let_closure(state, check.reads);
  for (LetId let : check.lets) state.lets[let].referenced = true;
  if (!check.reads.lets.empty())
    state.file_lets[rule.word.file].insert(check.reads.lets.begin(), check.reads.lets.end());
  std::vector<Access> accesses;
  auto add = [&](const std::vector<Access>& all) {
    for (const Access& access : all) {
      if (is_input_or_output(access.root)) accesses.push_back(access);
    }
  };
  add(check.reads.accesses);
  for (LetId let : check.lets) add(state.lets[let].reads.accesses);
  if (rule.kind == RuleKind::redact && !rule.path.empty() && is_input_or_output(rule.path[0].field)) {
    Access access{rule.path[0].field, {}};
    for (size_t i = 1; i < rule.path.size() && !rule.path[i].field.empty(); ++i) {
      access.path.push_back(rule.path[i].field);
    }
    accesses.push_back(std::move(access));
  }
  if (!accesses.empty()) check.accesses = &access_set(state, std::move(accesses));
}

bool too_large(RuleCheck& check) {
  uint64_t nodes = check.reads.nodes;
  for (LetId id : check.reads.lets) {
    const Let& let = check.state.lets[id];
    if (!let.broken) nodes = std::min(kMaxExpandedNodes + 1, nodes + let.expanded_nodes);
  }
  if (nodes <= kMaxExpandedNodes) return false;
  check.state.diagnostics.error("limit-let", check.rule.word,
                                "this rule grows past " + std::to_string(kMaxExpandedNodes) +
                                    " nodes when the lets that it uses are written out");
  return true;
}

void apply(RuleCheck& check) {
  State& state = check.state;
  const Targets& targets = *check.context.targets;
  auto& lists = state.set.lists[static_cast<int>(check.context.stage)];
  size_t errors_before = state.diagnostics.items.size();
  for (const Targets::Match& match : targets.matches) {
    Outcome& outcome = outcome_for(check, match.capability, match.exact);
    if (outcome.body != nullptr) {
      lists[match.capability].rules.push_back(outcome.body);
      ++check.applied;
      if (!outcome.counted) check.context.distinct.push_back(match.capability);
      outcome.counted = true;
    } else if (!match.exact) {
      check.not_applied.emplace_back(match.capability, outcome.why_not);
    }
  }
  if (targets.any_glob) {
    // An undeclared capability cannot lack a field, so there is a body even after errors.
    if (const typed::RuleBody* body = outcome_for(check, state.undeclared(), false).body) {
      lists.back().rules.push_back(body);
      lists.back().targets.push_back(targets.globs);
    }
  }
  bool errors = std::any_of(state.diagnostics.items.begin() + static_cast<std::ptrdiff_t>(errors_before),
                            state.diagnostics.items.end(),
                            [](const Diagnostic& item) { return item.severity == Severity::error; });
  if (errors) return;
  report_reach(check);
  warn_undeclared_path(check);
  warn_undeclared_output(check);
}

void add_rule(RuleCheck& check, const std::string& name, const std::string& package) {
  State& state = check.state;
  RuleInfo info;
  info.name = std::string(check.policy.name.text) + "." + name;
  info.policy = std::string(check.policy.name.text);
  info.package = package;
  info.kind = check.rule.kind;
  info.stage = check.context.stage;
  if (check.rule.kind == RuleKind::redact) info.redact_path = redact_path_text(check.rule);
  state.set.rules.push_back(std::move(info));
  state.set.rule_spans.push_back(check.rule.word);
  state.set.rule_packages.push_back(check.context.package);
}

void check_rule(State& state, const syntax::PolicyDecl& policy, const syntax::RuleDecl& rule, PackageId package,
                const Targets& targets, bool twin, uint32_t* unnamed) {
  RuleCheck check{state, policy, rule, twin, static_cast<RuleId>(state.set.rules.size())};
  check.context.targets = &targets;
  check.context.stage = policy.stage;
  check.context.package = package;
  add_rule(check, rule_name(rule, unnamed), state.packages[package].name);
  const std::string& name = state.set.rules.back().name;
  auto [known, added] = state.rule_names.emplace(name, check.id);
  if (!added && !twin) {
    Diagnostic& error = state.diagnostics.error("duplicate-rule", rule.name.span, quoted(name) + " is defined twice");
    error.notes.push_back({Severity::note, "", "first defined here", state.set.rule_spans[known->second], "", {}});
  }
  check_clause_kinds(state, rule, policy.stage);
  check_redact_root(state, rule, policy.stage);
  warn_agent_chosen(state, rule, package);
  warn_placeholder(state, rule);
  refuse_secret_reads(state, rule, package, targets);
  collect_rule_reads(check);
  if (too_large(check)) return;
  apply(check);
  state.set.rules[check.id].digest = rule_digest(state, rule, check.reads, check.context);
}

void check_policy(State& state, const syntax::PolicyDecl& policy, PackageId package) {
  auto [known, added] = state.policy_names.emplace(std::string(policy.name.text), policy.name.span);
  if (!added) {
    Diagnostic& error = state.diagnostics.error(
        "duplicate-policy", policy.name.span, "a policy " + quoted(policy.name.text) + " is already in this set",
        "choose another: a name is unique in the whole set, across packages and stages");
    error.notes.push_back({Severity::note, "", "first defined here", known->second, "", {}});
  }
  if (!policy.version.empty()) {
    state.set.policy_versions.push_back({std::string(policy.name.text), std::string(policy.version)});
  }
  if (policy.rules.empty() && policy.label_rules.empty()) {
    state.diagnostics.warning("empty-policy", policy.name.span, "policy " + quoted(policy.name.text) + " has no rules");
  }
  const Targets& targets = targets_of(state, policy.targets);
  uint32_t unnamed[5] = {};
  for (const syntax::RuleDecl& rule : policy.rules) {
    check_rule(state, policy, rule, package, targets, !added, unnamed);
  }
  check_label_rules(state, policy, package);
}

}  // namespace

void check_policies(State& state) {
  for (uint32_t file = 0; file < state.files.size(); ++file) {
    for (const syntax::PolicyDecl& policy : state.files[file].policies) {
      check_policy(state, policy, state.file_packages[file]);
    }
  }
}

}  // namespace ordain::policy
