// ExpressionBuilder turns ANTLR's tree of an expression into ours.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "OrdainParser.h"
#include "compiler/parse/state.h"
#include "compiler/parse/syntax.h"
#include "compiler/parse/tokens.h"

namespace ordain::parsing {

/// Builds expressions. It recurses only over brackets, whose depth was checked when the tokens were
/// read; operators, suffixes and conditionals are loops.
class ExpressionBuilder {
 public:
  ExpressionBuilder(State& state, const TokenList& tokens) : state_(state), tokens_(tokens) {}

  /// @returns nullptr after reporting a mistake
  syntax::Expr* build(grammar::OrdainParser::ExprContext* tree);

  /// Like `build`, for a value that a test writes as a record: in maps, a bare word is a field's
  /// name.
  syntax::Expr* build_record(grammar::OrdainParser::ExprContext* tree);

  /// Reads a record of a test, { field: value, ... }, as fields. @returns false after reporting a
  /// mistake.
  bool build_fields(grammar::OrdainParser::FieldBlockContext* tree, std::vector<syntax::FieldInit>* out);

  /// @returns a literal of kind string or duration from its token; nullptr after errors
  syntax::Expr* literal(const Token& token);

  /// @returns the name in the token of a selector, without backticks
  std::string_view name(const Token& token) const;

 private:
  using Parser = grammar::OrdainParser;
  struct Sub {
    syntax::Expr* expr = nullptr;
    uint32_t depth = 1;  ///< of the tree under `expr`
  };
  struct Chain;

  Sub expression(Parser::ExprContext* tree);
  Sub chain(Parser::ChainContext* tree);
  Sub operand(Parser::OperandContext* tree);
  Sub primary(Parser::PrimaryContext* tree, const Token* minus);
  Sub suffix(Sub target, Parser::SuffixContext* tree);
  Sub selection(Sub target, Parser::SuffixContext* tree);
  Sub index(Sub target, Parser::SuffixContext* tree);
  Sub message(Sub target, Parser::FieldBlockContext* tree);
  Sub list(Parser::ListLiteralContext* tree);
  Sub map(Parser::MapLiteralContext* tree);
  Sub map_key(Parser::MapEntryContext* tree, size_t at);
  Sub constant(const Token& token, const Token* minus);
  uint32_t arguments(Parser::ArgumentsContext* tree, std::vector<syntax::Expr*>* out);

  Sub fold(Chain& chain, size_t first, size_t last, int level);
  Sub fold_arithmetic(Chain& chain, size_t first, size_t last);
  Sub balance(Chain& chain, size_t first, size_t last);

  Sub make(syntax::ExprKind kind, Span span, Span at, uint32_t depth);
  Sub call(std::string_view name, Span span, Span at, const std::vector<Sub>& args);
  Sub field_name(const Token& token);
  void names_to_fields(syntax::Expr* expr);
  syntax::Expr* finish(Sub built);
  Span span(const Token& token) const { return state_.span(token.begin, token.end); }
  std::span<const bool> flags(const std::vector<uint8_t>& optionals);

  State& state_;
  const TokenList& tokens_;
  uint32_t nodes_ = 0;
  bool failed_ = false;
  bool record_ = false;  ///< whether bare words are allowed as keys
  bool too_deep_ = false;
  Span deepest_;
};

}  // namespace ordain::parsing
