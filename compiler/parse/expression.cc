// expression.cc builds expressions: it folds operators by a table, decodes literals, combines signs
// with numbers, and checks limits.
#include "compiler/parse/expression.h"

#include <algorithm>
#include <string>

#include "compiler/parse/literal.h"
#include "compiler/parse/tree.h"

namespace ordain::parsing {
namespace {

using grammar::OrdainParser;
using syntax::Expr;
using syntax::ExprKind;

// Binding strengths: || is 0, && is 1, and the left-associative operators start at 2.
constexpr int kArithmetic = 2;

struct Operator {
  size_t type;
  int level;
  std::string_view name;
};
constexpr Operator kOperators[] = {
    {OrdainParser::OR, 0, "_||_"},         {OrdainParser::AND, 1, "_&&_"},           {OrdainParser::LESS, 2, "_<_"},
    {OrdainParser::LESS_EQUAL, 2, "_<=_"}, {OrdainParser::GREATER_EQUAL, 2, "_>=_"}, {OrdainParser::GREATER, 2, "_>_"},
    {OrdainParser::EQUAL, 2, "_==_"},      {OrdainParser::NOT_EQUAL, 2, "_!=_"},     {OrdainParser::K_IN, 2, "@in"},
    {OrdainParser::PLUS, 3, "_+_"},        {OrdainParser::MINUS, 3, "_-_"},          {OrdainParser::STAR, 4, "_*_"},
    {OrdainParser::SLASH, 4, "_/_"},       {OrdainParser::PERCENT, 4, "_%_"},
};

const Operator& operator_of(size_t type) {
  return *std::find_if(std::begin(kOperators), std::end(kOperators), [&](const Operator& o) { return o.type == type; });
}

}  // namespace

struct ExpressionBuilder::Chain {
  std::vector<Sub> operands;
  std::vector<const Token*> tokens;  ///< the operator before operand i + 1
  std::vector<const Operator*> operators;
};

Expr* ExpressionBuilder::build(OrdainParser::ExprContext* tree) {
  nodes_ = 0;
  failed_ = too_deep_ = record_ = false;
  return finish(expression(tree));
}

Expr* ExpressionBuilder::build_record(OrdainParser::ExprContext* tree) {
  nodes_ = 0;
  failed_ = too_deep_ = false;
  record_ = true;
  Expr* built = finish(expression(tree));
  record_ = false;
  if (built != nullptr) names_to_fields(built);
  return built;
}

bool ExpressionBuilder::build_fields(OrdainParser::FieldBlockContext* tree, std::vector<syntax::FieldInit>* out) {
  bool good = true;
  for (size_t i = 1; i + 1 < tree->children.size(); i += 2) {
    if (is_token(tree->children[i])) break;  // a trailing comma
    auto* field = child<OrdainParser::FieldInitContext>(tree, i);
    if (first_token(field).getType() == OrdainParser::QUESTION) {
      state_.error("syntax", span(first_token(field)), "a field of a test's record cannot be optional",
                   "leave the `?` out");
      good = false;
      continue;
    }
    const Token& token = first_token(field);
    Expr* value = build_record(child<OrdainParser::ExprContext>(field, 2));
    if (value == nullptr) good = false;
    out->push_back({{name(token), span(token)}, value});
  }
  return good;
}

// Limits are checked on the finished expression: the loops above cannot run longer than the source.
Expr* ExpressionBuilder::finish(Sub built) {
  if (too_deep_) {
    state_.error("limit-nesting", deepest_,
                 "operators are nested deeper than " + std::to_string(state_.limits.depth) + " levels",
                 "split the expression with `let`");
    return nullptr;
  }
  if (nodes_ > state_.limits.expression_nodes) {
    state_.error("limit-expression", built.expr->span,
                 "this expression has more than " + std::to_string(state_.limits.expression_nodes) + " parts");
    return nullptr;
  }
  return failed_ ? nullptr : built.expr;
}

std::string_view ExpressionBuilder::name(const Token& token) const {
  std::string_view text = tokens_.text(token);
  return token.getType() == OrdainParser::ESC_ID ? text.substr(1, text.size() - 2) : text;
}

Expr* ExpressionBuilder::literal(const Token& token) {
  failed_ = false;
  Sub built = constant(token, nullptr);
  return failed_ ? nullptr : built.expr;
}

ExpressionBuilder::Sub ExpressionBuilder::make(ExprKind kind, Span span, Span at, uint32_t depth) {
  ++nodes_;
  if (depth > state_.limits.depth && !too_deep_) {
    too_deep_ = true;
    deepest_ = at;
  }
  Expr* expr = state_.arena.make<Expr>();
  expr->kind = kind;
  expr->span = span;
  expr->at = at;
  return {expr, depth};
}

ExpressionBuilder::Sub ExpressionBuilder::call(std::string_view name, Span span, Span at,
                                               const std::vector<Sub>& args) {
  uint32_t depth = 0;
  Expr** list = state_.arena.array<Expr*>(args.size());
  for (size_t i = 0; i < args.size(); ++i) {
    depth = std::max(depth, args[i].depth);
    list[i] = args[i].expr;
  }
  Sub out = make(ExprKind::call, span, at, depth + 1);
  out.expr->name = name;
  out.expr->args = {list, args.size()};
  return out;
}

std::span<const bool> ExpressionBuilder::flags(const std::vector<uint8_t>& optionals) {
  if (std::find(optionals.begin(), optionals.end(), 1) == optionals.end()) return {};
  bool* out = state_.arena.array<bool>(optionals.size());
  std::copy(optionals.begin(), optionals.end(), out);
  return {out, optionals.size()};
}

// --- operators

ExpressionBuilder::Sub ExpressionBuilder::expression(OrdainParser::ExprContext* tree) {
  size_t count = tree->children.size();
  if (count == 1) return chain(child<OrdainParser::ChainContext>(tree, 0));
  // c0 ? c1 : c2 ? c3 : c4 is folded from the right.
  std::vector<Sub> parts;
  for (size_t i = 0; i < count; i += 2) parts.push_back(chain(child<OrdainParser::ChainContext>(tree, i)));
  Sub out = parts.back();
  for (size_t i = parts.size() - 1; i >= 2; i -= 2) {
    const Token& mark = token_at(tree, 2 * i - 3);
    Span whole = state_.span(parts[i - 2].expr->span.begin, out.expr->span.end);
    out = call("_?_:_", whole, span(mark), {parts[i - 2], parts[i - 1], out});
  }
  return out;
}

ExpressionBuilder::Sub ExpressionBuilder::chain(OrdainParser::ChainContext* tree) {
  size_t count = tree->children.size();
  if (count == 1) return operand(child<OrdainParser::OperandContext>(tree, 0));
  Chain chain;
  chain.operands.reserve(count / 2 + 1);
  for (size_t i = 0; i < count; ++i) {
    if (i % 2 == 0) {
      chain.operands.push_back(operand(child<OrdainParser::OperandContext>(tree, i)));
    } else {
      const Token& token = token_at(tree, i);
      chain.tokens.push_back(&token);
      chain.operators.push_back(&operator_of(token.getType()));
    }
  }
  return fold(chain, 0, chain.operands.size(), 0);
}

// Folds operands [first, last), whose operators all bind at `level` or tighter.
ExpressionBuilder::Sub ExpressionBuilder::fold(Chain& chain, size_t first, size_t last, int level) {
  if (last - first == 1) return chain.operands[first];
  if (level == kArithmetic) return fold_arithmetic(chain, first, last);
  Chain parts;
  size_t start = first;
  for (size_t i = first; i + 1 < last; ++i) {
    if (chain.operators[i]->level != level) continue;
    parts.operands.push_back(fold(chain, start, i + 1, level + 1));
    parts.tokens.push_back(chain.tokens[i]);
    parts.operators.push_back(chain.operators[i]);
    start = i + 1;
  }
  parts.operands.push_back(fold(chain, start, last, level + 1));
  return balance(parts, 0, parts.operands.size());
}

// && and || are associative in their values and their faults, so a long run becomes a tree of
// logarithmic depth.
ExpressionBuilder::Sub ExpressionBuilder::balance(Chain& chain, size_t first, size_t last) {
  if (last - first == 1) return chain.operands[first];
  size_t middle = (first + last + 1) / 2;
  Sub left = balance(chain, first, middle);
  Sub right = balance(chain, middle, last);
  Span whole = state_.span(left.expr->span.begin, right.expr->span.end);
  return call(chain.operators[middle - 1]->name, whole, span(*chain.tokens[middle - 1]), {left, right});
}

ExpressionBuilder::Sub ExpressionBuilder::fold_arithmetic(Chain& chain, size_t first, size_t last) {
  struct Pending {
    Sub left;
    const Operator* op;
    const Token* token;
  };
  std::vector<Pending> pending;  // of strictly rising level, so at most three
  Sub right = chain.operands[first];
  auto reduce = [&](int level) {
    while (!pending.empty() && pending.back().op->level >= level) {
      Pending top = pending.back();
      pending.pop_back();
      right = call(top.op->name, state_.span(top.left.expr->span.begin, right.expr->span.end), span(*top.token),
                   {top.left, right});
    }
  };
  for (size_t i = first; i + 1 < last; ++i) {
    reduce(chain.operators[i]->level);
    pending.push_back({right, chain.operators[i], chain.tokens[i]});
    right = chain.operands[i + 1];
  }
  reduce(0);
  return right;
}

// --- operands

ExpressionBuilder::Sub ExpressionBuilder::operand(OrdainParser::OperandContext* tree) {
  uint32_t begin = first_token(tree).index;
  uint32_t prefixes = 0;
  while (tokens_.type(begin + prefixes) == OrdainParser::NOT || tokens_.type(begin + prefixes) == OrdainParser::MINUS)
    ++prefixes;
  // The sign before a number belongs to it: -9223372036854775808 is an int although its digits
  // alone are not.
  const Token* minus = nullptr;
  size_t number = tokens_.type(begin + prefixes);
  uint32_t folded = prefixes;
  if (prefixes > 0 && (number == OrdainParser::INT || number == OrdainParser::FLOAT) &&
      tokens_.type(begin + prefixes - 1) == OrdainParser::MINUS) {
    minus = &tokens_.at(begin + prefixes - 1);
    --folded;
  }
  Sub out = primary(child<OrdainParser::PrimaryContext>(tree, prefixes), minus);
  for (size_t i = prefixes + 1; i < tree->children.size(); ++i)
    out = suffix(out, child<OrdainParser::SuffixContext>(tree, i));
  for (uint32_t i = folded; i > 0; --i) {
    const Token& token = tokens_.at(begin + i - 1);
    std::string_view name = token.getType() == OrdainParser::NOT ? "!_" : "-_";
    out = call(name, state_.span(token.begin, out.expr->span.end), span(token), {out});
  }
  return out;
}

ExpressionBuilder::Sub ExpressionBuilder::primary(OrdainParser::PrimaryContext* tree, const Token* minus) {
  const Token& first = first_token(tree);
  switch (first.getType()) {
    case OrdainParser::LPAREN: {
      Sub out = expression(child<OrdainParser::ExprContext>(tree, 1));
      out.expr->span = state_.span(first.begin, last_token(tree).end);
      return out;
    }
    case OrdainParser::LBRACKET:
      return list(child<OrdainParser::ListLiteralContext>(tree, 0));
    case OrdainParser::LBRACE:
      return map(child<OrdainParser::MapLiteralContext>(tree, 0));
    case OrdainParser::INT:
    case OrdainParser::UINT:
    case OrdainParser::FLOAT:
    case OrdainParser::STRING:
    case OrdainParser::RAW_STRING:
    case OrdainParser::BYTES:
    case OrdainParser::K_TRUE:
    case OrdainParser::K_FALSE:
    case OrdainParser::K_NULL:
      return constant(first, minus);
    default:
      break;
  }
  bool dot = first.getType() == OrdainParser::DOT;
  const Token& word = dot ? tokens_.at(first.index + 1) : first;
  Span whole = state_.span(first.begin, last_token(tree).end);
  bool is_call = tree->children.size() > (dot ? 2U : 1U);
  std::vector<Expr*> args;
  uint32_t depth = is_call ? arguments(static_cast<OrdainParser::ArgumentsContext*>(tree->children.back()), &args) : 0;
  Sub out = make(is_call ? ExprKind::call : ExprKind::ident, whole, span(word), depth + 1);
  out.expr->leading_dot = dot;
  out.expr->name = name(word);
  out.expr->args = state_.arena.copy(args);
  return out;
}

uint32_t ExpressionBuilder::arguments(OrdainParser::ArgumentsContext* tree, std::vector<Expr*>* out) {
  uint32_t depth = 0;
  for (size_t i = 1; i + 1 < tree->children.size(); i += 2) {
    Sub argument = expression(child<OrdainParser::ExprContext>(tree, i));
    depth = std::max(depth, argument.depth);
    out->push_back(argument.expr);
  }
  return depth;
}

ExpressionBuilder::Sub ExpressionBuilder::constant(const Token& token, const Token* minus) {
  Span where = state_.span(minus != nullptr ? minus->begin : token.begin, token.end);
  std::string_view text = tokens_.text(token);
  Value value = Value::null();
  std::string_view decoded;
  bool good = true;
  switch (token.getType()) {
    case OrdainParser::INT:
      good = decode_int(state_, text, where, minus != nullptr, &value);
      break;
    case OrdainParser::UINT:
      good = decode_uint(state_, text, where, &value);
      break;
    case OrdainParser::FLOAT:
      good = decode_float(state_, text, where, minus != nullptr, &value);
      break;
    case OrdainParser::DURATION:
      good = decode_duration(state_, text, where, &value);
      break;
    case OrdainParser::K_TRUE:
      value = Value::boolean(true);
      break;
    case OrdainParser::K_FALSE:
      value = Value::boolean(false);
      break;
    case OrdainParser::STRING:
    case OrdainParser::RAW_STRING:
    case OrdainParser::BYTES:
      good = decode_text(state_, text, token.begin, &decoded);
      value = token.getType() == OrdainParser::BYTES ? Value::bytes(decoded) : Value::string(decoded);
      break;
    default:
      break;
  }
  if (!good || token.hole) failed_ = true;
  Sub out = make(ExprKind::literal, where, where, 1);
  out.expr->value = value;
  return out;
}

}  // namespace ordain::parsing
