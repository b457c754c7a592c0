// expression_suffix.cc continues the building of expressions: suffixes of operands, and literals
// that contain expressions.
#include <algorithm>
#include <string>

#include "compiler/parse/expression.h"
#include "compiler/parse/tree.h"

namespace ordain::parsing {
namespace {

using grammar::OrdainParser;
using syntax::Expr;
using syntax::ExprKind;

// @returns how many of the children 1, 3, 5, ... are elements: after the last comes a closing
// bracket, perhaps after a comma
size_t element_count(const antlr4::ParserRuleContext* tree) {
  size_t count = 0;
  for (size_t i = 1; i < tree->children.size(); i += 2) {
    if (is_token(tree->children[i])) break;
    ++count;
  }
  return count;
}

// @returns whether the expression has the form a.b.c and may name a message type
bool is_qualified_name(const Expr* expr) {
  while (expr->kind == ExprKind::select && !expr->optional) expr = expr->args[0];
  return expr->kind == ExprKind::ident;
}

}  // namespace

ExpressionBuilder::Sub ExpressionBuilder::suffix(Sub target, OrdainParser::SuffixContext* tree) {
  switch (first_token(tree).getType()) {
    case OrdainParser::DOT:
      return selection(target, tree);
    case OrdainParser::LBRACKET:
      return index(target, tree);
    default:
      return message(target, child<OrdainParser::FieldBlockContext>(tree, 0));
  }
}

ExpressionBuilder::Sub ExpressionBuilder::selection(Sub target, OrdainParser::SuffixContext* tree) {
  const Token& dot = first_token(tree);
  bool optional = tokens_.type(dot.index + 1) == OrdainParser::QUESTION;
  const Token& word = tokens_.at(dot.index + (optional ? 2 : 1));
  bool is_call = tree->children.size() > (optional ? 3U : 2U);
  Span whole = state_.span(target.expr->span.begin, last_token(tree).end);
  std::vector<Expr*> args{target.expr};
  uint32_t depth = target.depth;
  if (is_call) {
    depth = std::max(depth, arguments(static_cast<OrdainParser::ArgumentsContext*>(tree->children.back()), &args));
    if (optional || word.getType() == OrdainParser::ESC_ID) {
      state_.error(
          "syntax", span(word),
          optional ? "`.?` selects a field and cannot call a function" : "a function's name cannot have backticks");
      failed_ = true;
    }
  }
  Sub out = make(is_call ? ExprKind::call : ExprKind::select, whole, span(word), depth + 1);
  out.expr->member = is_call;
  out.expr->optional = optional && !is_call;
  out.expr->name = name(word);
  out.expr->args = state_.arena.copy(args);
  return out;
}

ExpressionBuilder::Sub ExpressionBuilder::index(Sub target, OrdainParser::SuffixContext* tree) {
  bool optional = tree->children.size() == 4;
  Sub key = expression(child<OrdainParser::ExprContext>(tree, optional ? 2 : 1));
  Span whole = state_.span(target.expr->span.begin, last_token(tree).end);
  Span brackets = state_.span(first_token(tree).begin, last_token(tree).end);
  return call(optional ? "_[?_]" : "_[_]", whole, brackets, {target, key});
}

ExpressionBuilder::Sub ExpressionBuilder::message(Sub target, OrdainParser::FieldBlockContext* tree) {
  if (!is_qualified_name(target.expr)) {
    state_.error("syntax", span(first_token(tree)), "only the name of a type may stand before `{`",
                 "is an operator missing?");
    failed_ = true;
  }
  std::vector<Expr*> args{target.expr};
  std::vector<uint8_t> optionals;
  uint32_t depth = target.depth;
  for (size_t i = 0, count = element_count(tree); i < count; ++i) {
    auto* field = child<OrdainParser::FieldInitContext>(tree, 1 + 2 * i);
    bool optional = first_token(field).getType() == OrdainParser::QUESTION;
    args.push_back(field_name(tokens_.at(first_token(field).index + (optional ? 1 : 0))).expr);
    Sub value = expression(static_cast<OrdainParser::ExprContext*>(field->children.back()));
    args.push_back(value.expr);
    depth = std::max(depth, value.depth);
    optionals.push_back(optional ? 1 : 0);
  }
  Span whole = state_.span(target.expr->span.begin, last_token(tree).end);
  Sub out = make(ExprKind::message, whole, target.expr->at, depth + 1);
  out.expr->args = state_.arena.copy(args);
  out.expr->optionals = flags(optionals);
  return out;
}

ExpressionBuilder::Sub ExpressionBuilder::list(OrdainParser::ListLiteralContext* tree) {
  std::vector<Expr*> args;
  std::vector<uint8_t> optionals;
  uint32_t depth = 0;
  for (size_t i = 0, count = element_count(tree); i < count; ++i) {
    auto* element = child<OrdainParser::ListElementContext>(tree, 1 + 2 * i);
    Sub value = expression(static_cast<OrdainParser::ExprContext*>(element->children.back()));
    args.push_back(value.expr);
    depth = std::max(depth, value.depth);
    optionals.push_back(element->children.size() > 1 ? 1 : 0);
  }
  Span whole = state_.span(first_token(tree).begin, last_token(tree).end);
  Sub out = make(ExprKind::list, whole, span(first_token(tree)), depth + 1);
  out.expr->args = state_.arena.copy(args);
  out.expr->optionals = flags(optionals);
  return out;
}

ExpressionBuilder::Sub ExpressionBuilder::map(OrdainParser::MapLiteralContext* tree) {
  std::vector<Expr*> args;
  std::vector<uint8_t> optionals;
  uint32_t depth = 0;
  for (size_t i = 0, count = element_count(tree); i < count; ++i) {
    auto* entry = child<OrdainParser::MapEntryContext>(tree, 1 + 2 * i);
    bool optional = first_token(entry).getType() == OrdainParser::QUESTION;
    Sub key = map_key(entry, optional ? 1 : 0);
    Sub value = expression(static_cast<OrdainParser::ExprContext*>(entry->children.back()));
    args.push_back(key.expr);
    args.push_back(value.expr);
    depth = std::max({depth, key.depth, value.depth});
    optionals.push_back(optional ? 1 : 0);
  }
  Span whole = state_.span(first_token(tree).begin, last_token(tree).end);
  Sub out = make(ExprKind::map, whole, span(first_token(tree)), depth + 1);
  out.expr->args = state_.arena.copy(args);
  out.expr->optionals = flags(optionals);
  return out;
}

ExpressionBuilder::Sub ExpressionBuilder::map_key(OrdainParser::MapEntryContext* tree, size_t at) {
  antlr4::tree::ParseTree* key = tree->children[at];
  if (is<OrdainParser::ExprContext>(key)) return expression(static_cast<OrdainParser::ExprContext*>(key));
  const Token& word = tokens_.at(first_token(tree).index + at);
  if (!record_) {
    state_.error("syntax", span(word), "expected an expression, found " + quote(tokens_.text(word)),
                 "a map's key is an expression; write \"" + std::string(name(word)) + "\" for the text");
    failed_ = true;
  }
  return field_name(word);
}

ExpressionBuilder::Sub ExpressionBuilder::field_name(const Token& token) {
  Sub out = make(ExprKind::literal, span(token), span(token), 1);
  out.expr->value = Value::string(name(token));
  return out;
}

// Turns words before a colon into fields in a test's record: { user: { name: "x" } }. Recurses as
// deep as the tree, whose depth is limited.
void ExpressionBuilder::names_to_fields(Expr* expr) {
  if (expr->kind == ExprKind::list) {
    for (Expr* element : expr->args) names_to_fields(element);
  }
  if (expr->kind != ExprKind::map) return;
  for (size_t i = 0; i < expr->args.size(); i += 2) {
    Expr* key = expr->args[i];
    if (key->kind == ExprKind::ident && !key->leading_dot) {
      key->kind = ExprKind::literal;
      key->value = Value::string(key->name);
      key->name = {};
    }
    names_to_fields(expr->args[i + 1]);
  }
}

}  // namespace ordain::parsing
