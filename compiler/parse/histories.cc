// histories.cc continues the building of statements: what is remembered between calls, the rules about labels, and the
// steps of tests that tell a story.
#include <algorithm>
#include <string>

#include "compiler/parse/literal.h"
#include "compiler/parse/statements.h"
#include "compiler/parse/tree.h"

namespace ordain::parsing {
namespace {

using StateP = grammar::OrdainParser;

}  // namespace

bool StatementBuilder::duration(const Token& token, syntax::Expr** out) {
  *out = expressions_.literal(token);
  if (*out == nullptr) return false;
  const Value& value = (*out)->value;
  if (value.i > 0 || (value.i == 0 && value.nanos() > 0)) return true;
  state_.error("bad-duration", span(token), "this duration must be longer than nothing");
  return false;
}

bool StatementBuilder::whole_number(const Token& token, uint64_t* out) {
  const syntax::Expr* number = expressions_.literal(token);
  if (number == nullptr) return false;
  *out = static_cast<uint64_t>(number->value.i);
  if (number->value.i > 0 && number->value.i <= 1'000'000) return true;
  state_.error("bad-number", span(token), "this must be a number from 1 to 1000000");
  return false;
}

// Like first_of_its_kind, for the clauses of one declaration.
bool StatementBuilder::first_clause(const Token& word, std::string_view where, std::vector<const Token*>* seen) {
  for (const Token* other : *seen) {
    if (other->getType() != word.getType()) continue;
    state_
        .error("duplicate-clause", span(word),
               quote(tokens_.text(word)) + " is given twice in one " + std::string(where))
        .notes.push_back({Severity::note, "", "first given here", span(*other), "", {}});
    return false;
  }
  seen->push_back(&word);
  return true;
}

std::span<const syntax::Name> StatementBuilder::keys(StateP::KeyClauseContext* tree) const {
  std::vector<syntax::Name> out;
  for (size_t i = 1; i < tree->children.size(); i += 2) out.push_back(path(child<StateP::PathContext>(tree, i)));
  return state_.arena.copy(out);
}

std::span<const syntax::Target> StatementBuilder::targets(StateP::TargetsContext* tree) const {
  std::vector<syntax::Target> out;
  for (size_t i = 0; i < tree->children.size(); i += 2) out.push_back(target(child<StateP::TargetContext>(tree, i)));
  return state_.arena.copy(out);
}

bool StatementBuilder::history(StateP::HistoryDeclContext* tree, syntax::StateDecl* out) {
  out->kind = StateKind::history;
  out->span = span(tree);
  out->name = name(child<StateP::NameContext>(tree, 1));
  out->verb = name(child<StateP::NameContext>(tree, 3));
  out->targets = targets(child<StateP::TargetsContext>(tree, 4));
  bool good = true;
  std::vector<const Token*> seen;
  for (size_t i = 5; i + 1 < tree->children.size(); ++i) {
    auto* clause = child<StateP::HistoryClauseContext>(tree, i);
    good = first_clause(first_token(clause), "history", &seen) && history_clause(clause, out) && good;
  }
  return good;
}

bool StatementBuilder::history_clause(StateP::HistoryClauseContext* tree, syntax::StateDecl* out) {
  if (is<StateP::KeyClauseContext>(tree->children[0])) {
    out->keys = keys(child<StateP::KeyClauseContext>(tree, 0));
    out->keys_span = span(tree);
    return true;
  }
  switch (first_token(tree).getType()) {
    case StateP::K_SUM:
      out->is_signed = last_token(tree).getType() == StateP::K_SIGNED && tree->children.size() == 3;
      out->amount = expressions_.build(child<StateP::ExprContext>(tree, 1));
      return out->amount != nullptr;
    case StateP::K_WHEN:
      out->when = expressions_.build(child<StateP::ExprContext>(tree, 1));
      return out->when != nullptr;
    case StateP::K_WITHIN:
      return duration(token_at(tree, 1), &out->window);
    default: {
      uint64_t most = 0;
      if (!whole_number(token_at(tree, 2), &most)) return false;
      out->up_to = most;
      return true;
    }
  }
}

bool StatementBuilder::rate(StateP::RateDeclContext* tree, syntax::StateDecl* out) {
  out->kind = StateKind::rate;
  out->span = span(tree);
  out->name = name(child<StateP::NameContext>(tree, 1));
  out->limit_span = span(token_at(tree, 3));
  bool good = whole_number(token_at(tree, 3), &out->limit);
  good = duration(token_at(tree, 5), &out->window) && good;
  size_t at = 6;
  if (token_at(tree, at).getType() == StateP::K_BURST) {
    uint64_t burst = 0;
    good = whole_number(token_at(tree, at + 1), &burst) && good;
    out->burst = burst;
    at += 2;
  }
  out->targets = targets(child<StateP::TargetsContext>(tree, at + 1));
  auto* key = child<StateP::KeyClauseContext>(tree, at + 2);
  out->keys = keys(key);
  out->keys_span = span(key);
  return good;
}

bool StatementBuilder::budget(StateP::BudgetDeclContext* tree, syntax::StateDecl* out) {
  out->kind = StateKind::budget;
  out->span = span(tree);
  out->name = name(child<StateP::NameContext>(tree, 1));
  const Token& total = token_at(tree, 3);
  out->limit_span = span(total);
  out->total = expressions_.literal(total);
  bool good = out->total != nullptr;
  std::vector<const Token*> seen;
  for (antlr4::tree::ParseTree* node : tree->children) {
    if (is<StateP::BudgetClauseContext>(node)) {
      auto* clause = static_cast<StateP::BudgetClauseContext*>(node);
      good = first_clause(first_token(clause), "budget", &seen) && budget_clause(clause, out) && good;
    } else if (is<StateP::BudgetTakeContext>(node)) {
      auto* take = static_cast<StateP::BudgetTakeContext*>(node);
      out->amount = expressions_.build(child<StateP::ExprContext>(take, 1));
      out->targets = targets(child<StateP::TargetsContext>(take, 3));
      good = out->amount != nullptr && good;
    } else if (is<StateP::BudgetSettleContext>(node)) {
      out->settle = expressions_.build(child<StateP::ExprContext>(static_cast<StateP::BudgetSettleContext*>(node), 1));
      good = out->settle != nullptr && good;
    }
  }
  return good;
}

bool StatementBuilder::budget_clause(StateP::BudgetClauseContext* tree, syntax::StateDecl* out) {
  if (is<StateP::KeyClauseContext>(tree->children[0])) {
    out->keys = keys(child<StateP::KeyClauseContext>(tree, 0));
    out->keys_span = span(tree);
    return true;
  }
  if (!out->period.text.empty()) {
    state_.error("duplicate-clause", span(tree), "a budget has one period: `at once`, or `each` with a name")
        .notes.push_back({Severity::note, "", "first given here", out->period.span, "", {}});
    return false;
  }
  if (first_token(tree).getType() == StateP::K_AT) {
    out->period = {"at once", span(tree)};
    return true;
  }
  out->period = name(child<StateP::NameContext>(tree, 1));
  return tree->children.size() < 4 || text(child<StateP::TextContext>(tree, 3), &out->zone);
}

void StatementBuilder::label(StateP::LabelDeclContext* tree, std::vector<syntax::Name>* out) const {
  for (size_t i = 1; i + 1 < tree->children.size(); i += 2) out->push_back(name(child<StateP::NameContext>(tree, i)));
}

bool StatementBuilder::label_rule(StateP::LabelRuleContext* tree, syntax::LabelRuleDecl* out) {
  const Token& word = first_token(tree);
  out->is_clear = word.getType() == StateP::K_CLEAR;
  out->rule.span = span(tree);
  out->rule.word = span(word);
  bool good = true;
  std::vector<const Token*> clauses;
  for (antlr4::tree::ParseTree* node : tree->children) {
    if (is<StateP::NameContext>(node)) {
      out->rule.name = out->label;
      out->label = name(static_cast<StateP::NameContext*>(node));
    } else if (is<StateP::ClauseContext>(node)) {
      good = clause(static_cast<StateP::ClauseContext*>(node), &out->rule, &clauses) && good;
    }
  }
  return good;
}

bool StatementBuilder::answer_step(StateP::AnswerStepContext* tree, syntax::AnswerStep* out) {
  out->what =
      first_token(tree).getType() == StateP::K_APPROVE ? syntax::AnswerStep::approve : syntax::AnswerStep::reject;
  for (size_t i = 1; i + 1 < tree->children.size(); i += 2) {
    const size_t word = token_at(tree, i).getType();
    antlr4::tree::ParseTree* value = tree->children[i + 1];
    syntax::Name* to = word == StateP::K_FROM ? &out->group : &out->approver;
    if (is<StateP::NameContext>(value)) {
      *to = name(static_cast<StateP::NameContext*>(value));
    } else if (!text(static_cast<StateP::TextContext*>(value), to)) {
      return false;
    }
  }
  return true;
}

}  // namespace ordain::parsing
