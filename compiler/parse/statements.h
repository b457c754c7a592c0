// StatementBuilder turns ANTLR's tree of one statement into the structures of the syntax tree.
#pragma once

#include <string_view>
#include <vector>

#include "OrdainParser.h"
#include "compiler/parse/expression.h"
#include "compiler/parse/state.h"
#include "compiler/parse/syntax.h"
#include "compiler/parse/tokens.h"
#include "compiler/parse/tree.h"

namespace ordain::parsing {

/// Builds the structures that the loop over the file collects. Functions that return bool return
/// false after reporting a mistake, and then add nothing.
class StatementBuilder {
 public:
  using Parser = grammar::OrdainParser;

  StatementBuilder(State& state, const TokenList& tokens)
      : state_(state), tokens_(tokens), expressions_(state, tokens) {}

  ExpressionBuilder& expressions() { return expressions_; }

  syntax::Name name(Parser::NameContext* tree) const;
  syntax::Name path(Parser::PathContext* tree) const;
  bool text(Parser::TextContext* tree, syntax::Name* out) const;
  bool capability_name(Parser::CapabilityNameContext* tree, syntax::Name* out) const;

  bool import(Parser::ImportDeclContext* tree, syntax::ImportDecl* out) const;
  bool option(Parser::OptionDeclContext* tree, syntax::OptionDecl* out);
  bool history(Parser::HistoryDeclContext* tree, syntax::StateDecl* out);
  bool rate(Parser::RateDeclContext* tree, syntax::StateDecl* out);
  bool budget(Parser::BudgetDeclContext* tree, syntax::StateDecl* out);
  void label(Parser::LabelDeclContext* tree, std::vector<syntax::Name>* out) const;
  bool let(Parser::LetDeclContext* tree, syntax::LetDecl* out);
  /// A `let` of a test, whose value may be written as a record.
  bool fixture(Parser::LetDeclContext* tree, syntax::LetDecl* out);
  bool context_entry(Parser::ContextEntryContext* tree, syntax::ContextEntry* out) const;
  void capability_property(Parser::CapabilityPropertyContext* tree, syntax::CapabilityDecl* out);
  void policy_head(Parser::PolicyHeadContext* tree, syntax::PolicyDecl* out) const;
  void policy_property(Parser::PolicyPropertyContext* tree, bool after_rules, syntax::PolicyDecl* out);
  bool policy_rule(Parser::PolicyRuleContext* tree, syntax::RuleDecl* out);
  bool label_rule(Parser::LabelRuleContext* tree, syntax::LabelRuleDecl* out);
  bool test_step(Parser::TestStepContext* tree, syntax::TestStep* out);
  void rows_head(Parser::RowsHeadContext* tree, syntax::RowsStep* out) const;
  bool row(Parser::RowDeclContext* tree, syntax::RowDecl* out);

  /// Begins a block, in which every property may occur again.
  void begin_block() { seen_.clear(); }

 private:
  bool data_file(Parser::DataFileContext* tree, syntax::LetDecl* out) const;
  syntax::RecordSyntax* record(Parser::RecordContext* tree) const;
  syntax::TypeSyntax* type(Parser::TypeRefContext* tree) const;
  void type_option(Parser::TypeOptionContext* tree, syntax::TypeSyntax* out) const;
  void named_type(Parser::TypeOptionContext* tree, syntax::TypeSyntax* out) const;
  Value type_value(Parser::TypeLiteralContext* tree) const;
  Value type_number(Parser::TypeNumberContext* tree) const;
  syntax::Target target(Parser::TargetContext* tree) const;
  bool clause(Parser::ClauseContext* tree, syntax::RuleDecl* rule, std::vector<const Token*>* seen);
  bool from_clause(Parser::ClauseContext* tree, syntax::RuleDecl* rule);
  void redact_path(Parser::RedactPathContext* tree, syntax::RuleDecl* rule) const;
  bool call_step(Parser::CallStepContext* tree, syntax::CallStep* out);
  bool outcome(Parser::OutcomeContext* tree, syntax::ExpectStep* out);
  bool binding(Parser::BindingContext* tree, std::vector<syntax::Binding>* out);
  bool first_of_its_kind(const Token& word);
  bool first_clause(const Token& word, std::string_view where, std::vector<const Token*>* seen);
  bool history_clause(Parser::HistoryClauseContext* tree, syntax::StateDecl* out);
  bool budget_clause(Parser::BudgetClauseContext* tree, syntax::StateDecl* out);
  bool duration(const Token& token, syntax::Expr** out);
  bool whole_number(const Token& token, uint64_t* out);
  std::span<const syntax::Name> keys(Parser::KeyClauseContext* tree) const;
  std::span<const syntax::Target> targets(Parser::TargetsContext* tree) const;
  bool answer_step(Parser::AnswerStepContext* tree, syntax::AnswerStep* out);

  Span span(const Token& token) const { return state_.span(token.begin, token.end); }
  Span span(const antlr4::ParserRuleContext* tree) const {
    return state_.span(first_token(tree).begin, last_token(tree).end);
  }
  std::string_view joined(const antlr4::ParserRuleContext* tree) const;

  State& state_;
  const TokenList& tokens_;
  ExpressionBuilder expressions_;
  std::vector<const Token*> seen_;  ///< properties of the block so far
};

}  // namespace ordain::parsing
