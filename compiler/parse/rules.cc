// rules.cc continues the building of statements: rules with their clauses, and the steps of tests.
#include <algorithm>
#include <map>
#include <string>

#include "compiler/parse/statements.h"
#include "compiler/parse/tree.h"

namespace ordain::parsing {
namespace {

using grammar::OrdainParser;
using P = OrdainParser;

RuleKind rule_kind(size_t type) {
  switch (type) {
    case P::K_REQUIRE_APPROVAL:
      return RuleKind::require_approval;
    case P::K_ALLOW:
      return RuleKind::allow;
    case P::K_REDACT:
      return RuleKind::redact;
    case P::K_WARN:
      return RuleKind::warn;
    default:
      return RuleKind::deny;
  }
}

}  // namespace

bool StatementBuilder::policy_rule(P::PolicyRuleContext* tree, syntax::RuleDecl* out) {
  const Token& word = first_token(tree);
  out->kind = rule_kind(word.getType());
  out->span = span(tree);
  out->word = span(word);
  bool good = true;
  std::vector<const Token*> clauses;
  for (antlr4::tree::ParseTree* node : tree->children) {
    if (is<P::NameContext>(node)) {
      out->name = name(static_cast<P::NameContext*>(node));
    } else if (is<P::RedactPathContext>(node)) {
      redact_path(static_cast<P::RedactPathContext*>(node), out);
    } else if (is<P::ClauseContext>(node)) {
      good = clause(static_cast<P::ClauseContext*>(node), out, &clauses) && good;
    }
  }
  return good;
}

bool StatementBuilder::clause(P::ClauseContext* tree, syntax::RuleDecl* rule, std::vector<const Token*>* seen) {
  const Token& word = first_token(tree);
  for (const Token* other : *seen) {
    if (other->getType() != word.getType()) continue;
    state_
        .error("duplicate-clause", span(word), quote(tokens_.text(word)) + " is given twice in one rule",
               word.getType() == P::K_WHEN ? "join the conditions with `&&`" : "")
        .notes.push_back({Severity::note, "", "first given here", span(*other), "", {}});
    return false;
  }
  seen->push_back(&word);
  if (word.getType() == P::K_FROM) return from_clause(tree, rule);
  syntax::Expr* value = is<P::ExprContext>(tree->children[1]) ? expressions_.build(child<P::ExprContext>(tree, 1))
                                                              : expressions_.literal(tokens_.at(word.index + 1));
  if (value == nullptr) return false;
  switch (word.getType()) {
    case P::K_WHEN:
      rule->when = value;
      break;
    case P::K_BECAUSE:
      rule->because = value;
      break;
    case P::K_EXPIRES:
      rule->expires = value;
      break;
    default:
      rule->with = value;
      break;
  }
  return true;
}

bool StatementBuilder::from_clause(P::ClauseContext* tree, syntax::RuleDecl* rule) {
  for (antlr4::tree::ParseTree* node : tree->children) {
    if (is<P::FromCountContext>(node)) {
      auto* count = static_cast<P::FromCountContext*>(node);
      rule->need = 1;
      rule->need_span = span(count);
      if (first_token(count).getType() == P::K_ANY) continue;
      const syntax::Expr* number = expressions_.literal(first_token(count));
      if (number == nullptr) return false;
      rule->need = static_cast<uint32_t>(std::min<int64_t>(number->value.i, UINT32_MAX));
      if (rule->need > 0) continue;
      state_.error("bad-from", rule->need_span, "`from 0 of` asks nobody, so nobody could approve",
                   "write how many of the groups must approve");
      return false;
    }
    if (is<P::ExprContext>(node)) rule->from = expressions_.build(static_cast<P::ExprContext*>(node));
  }
  rule->distinct = last_token(tree).getType() != P::K_FALSE || is<P::ExprContext>(tree->children.back());
  return rule->from != nullptr;
}

void StatementBuilder::redact_path(P::RedactPathContext* tree, syntax::RuleDecl* rule) const {
  rule->path_span = span(tree);
  std::vector<syntax::PathStep> steps{{tokens_.text(first_token(tree)), span(first_token(tree))}};
  for (size_t i = 1; i < tree->children.size(); ++i) {
    auto* step = child<P::RedactStepContext>(tree, i);
    bool field = first_token(step).getType() == P::DOT;
    const Token& word = tokens_.at(first_token(step).index + 1);
    steps.push_back({field ? expressions_.name(word) : std::string_view(), field ? span(word) : span(step)});
  }
  rule->path = state_.arena.copy(steps);
}

bool StatementBuilder::test_step(P::TestStepContext* tree, syntax::TestStep* out) {
  const antlr4::tree::ParseTree* step = tree->children[0];
  if (is<P::CallStepContext>(step)) return call_step(child<P::CallStepContext>(tree, 0), &out->call);
  if (is<P::ExpectStepContext>(step)) {
    auto* expect = child<P::ExpectStepContext>(tree, 0);
    out->kind = syntax::TestStep::Kind::expect;
    const bool good = outcome(child<P::OutcomeContext>(expect, 0), &out->expect);
    out->expect.span = span(expect);
    return good;
  }
  if (is<P::WaitStepContext>(step)) {
    out->kind = syntax::TestStep::Kind::wait;
    out->wait.span = span(tree);
    return duration(token_at(child<P::WaitStepContext>(tree, 0), 1), &out->wait.duration);
  }
  out->kind = syntax::TestStep::Kind::answer;
  out->answer.span = span(tree);
  if (is<P::FailsStepContext>(step)) return true;
  return answer_step(child<P::AnswerStepContext>(tree, 0), &out->answer);
}

bool StatementBuilder::call_step(P::CallStepContext* tree, syntax::CallStep* out) {
  out->span = span(tree);
  bool good = capability_name(child<P::CapabilityNameContext>(tree, 1), &out->capability);
  std::vector<syntax::FieldInit> input;
  std::vector<syntax::Binding> with;
  for (antlr4::tree::ParseTree* node : tree->children) {
    if (is<P::FieldBlockContext>(node)) {
      good = expressions_.build_fields(static_cast<P::FieldBlockContext*>(node), &input) && good;
    } else if (is<P::ExprContext>(node)) {
      auto* value = static_cast<P::ExprContext*>(node);
      const bool like = tokens_.type(first_token(value).index - 1) == P::K_LIKE;
      syntax::Expr*& target = like ? out->like : out->returns;
      out->has_returns = out->has_returns || !like;
      target = expressions_.build_record(value);
      good = target != nullptr && good;
    } else if (is<P::BindingContext>(node)) {
      good = binding(static_cast<P::BindingContext*>(node), &with) && good;
    }
  }
  out->input = state_.arena.copy(input);
  out->with = state_.arena.copy(with);
  return good;
}

bool StatementBuilder::binding(P::BindingContext* tree, std::vector<syntax::Binding>* out) {
  syntax::Expr* value = expressions_.build_record(child<P::ExprContext>(tree, 2));
  out->push_back({path(child<P::PathContext>(tree, 0)), value});
  return value != nullptr;
}

bool StatementBuilder::outcome(P::OutcomeContext* tree, syntax::ExpectStep* out) {
  out->span = span(tree);
  syntax::Name effect = name(child<P::NameContext>(tree, 1));
  out->effect = effect.text;
  bool good = true;
  static const std::vector<std::string> kEffects = {"deny", "require_approval", "allow", "redact", "warn", "default"};
  if (std::find(kEffects.begin(), kEffects.end(), effect.text) == kEffects.end()) {
    static const std::map<std::string_view, std::string> kParticiples = {
        {"denied", "deny"},     {"allowed", "allow"}, {"blocked", "deny"}, {"approval", "require_approval"},
        {"redacted", "redact"}, {"warned", "warn"}};
    auto participle = kParticiples.find(effect.text);
    std::string near = participle != kParticiples.end() ? participle->second : nearest(effect.text, kEffects);
    state_.error("unknown-effect", effect.span, "no effect is called " + quote(effect.text),
                 near.empty() ? "effects are `deny`, `require_approval`, `allow`, `redact`, `warn` and `default`"
                              : "did you mean " + quote(near) + "?");
    good = false;
  }
  if (tree->children.size() > 3) {
    antlr4::tree::ParseTree* by = tree->children[3];
    if (is<P::TextContext>(by)) return text(static_cast<P::TextContext*>(by), &out->by) && good;
    out->by = path(static_cast<P::PathContext*>(by));
  }
  return good;
}

void StatementBuilder::rows_head(P::RowsHeadContext* tree, syntax::RowsStep* out) const {
  out->span = span(tree);
  std::vector<syntax::Name> columns;
  for (size_t i = 1; i < tree->children.size(); i += 2) columns.push_back(name(child<P::NameContext>(tree, i)));
  out->columns = state_.arena.copy(columns);
}

bool StatementBuilder::row(P::RowDeclContext* tree, syntax::RowDecl* out) {
  out->span = span(tree);
  bool good = true;
  std::vector<syntax::Expr*> values;
  std::vector<syntax::ExpectStep> expects;
  for (antlr4::tree::ParseTree* node : tree->children) {
    if (is<P::ExprContext>(node)) {
      values.push_back(expressions_.build_record(static_cast<P::ExprContext*>(node)));
      good = values.back() != nullptr && good;
    } else if (is<P::OutcomeContext>(node)) {
      expects.emplace_back();
      good = outcome(static_cast<P::OutcomeContext*>(node), &expects.back()) && good;
    }
  }
  out->values = state_.arena.copy(values);
  out->expects = state_.arena.copy(expects);
  return good;
}

}  // namespace ordain::parsing
