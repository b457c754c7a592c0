// file.cc parses files and blocks, and recovers from mistakes. It implements by hand what the
// grammar's rule `file` describes: items in a loop, and statements in blocks.
#include "compiler/parse/file.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "OrdainParser.h"
#include "compiler/parse/errors.h"
#include "compiler/parse/slips.h"
#include "compiler/parse/statements.h"

namespace ordain::parsing {
namespace {

using grammar::OrdainParser;
using P = OrdainParser;
using Words = std::vector<size_t>;

// A kind of block: the words that open its statements, and how messages name it.
struct Block {
  Words openers;
  const char* where;     ///< "in a policy"
  const char* expected;  ///< what its statements are, for messages
  bool brace_ends;       ///< a statement ends with the `}` of its record
};

const Block kFile{
    {P::K_PACKAGE, P::K_IMPORT, P::K_OPTION, P::K_CONTEXT, P::K_CAPABILITY, P::K_LET, P::K_POLICY, P::K_TEST,
     P::K_HISTORY, P::K_RATE, P::K_BUDGET, P::K_LABEL},
    "here",
    "`capability`, `policy`, `let`, `test`, `context`, `import`, `option`, `history`, `rate`, `budget` or `label`",
    true};
const Block kPolicy{{P::K_DENY, P::K_REQUIRE_APPROVAL, P::K_ALLOW, P::K_REDACT, P::K_WARN, P::K_LABEL, P::K_CLEAR,
                     P::K_VERSION, P::K_DESCRIPTION},
                    "in a policy",
                    "a rule (`deny`, `require_approval`, `allow`, `redact`, `warn`, `label`, `clear`)",
                    false};
const Block kCapability{
    {P::K_TYPE, P::K_RISK, P::K_EFFECT, P::K_OWNER, P::K_DESCRIPTION, P::K_SCOPES, P::K_TAGS, P::K_LABELS, P::K_INPUT,
     P::K_OUTPUT},
    "in a capability",
    "`type`, `risk`, `effect`, `owner`, `description`, `scopes`, `tags`, `labels`, `input` or `output`",
    true};
const Block kContext{{}, "in a context", "a name and its fields, such as `agent { team: string }`", true};
const Block kTest{{P::K_CALL, P::K_EXPECT, P::K_LET, P::K_ROWS, P::K_WAIT, P::K_FAILS, P::K_APPROVE, P::K_REJECT},
                  "in a test",
                  "`call`, `expect`, `let`, `rows`, `wait`, `fails`, `approve` or `reject`",
                  false};
const Block kRows{{}, "in a table", "a row, such as `1, \"a\" expect deny;`", false};

bool has(const Words& words, size_t type) { return std::find(words.begin(), words.end(), type) != words.end(); }
bool is_effect(size_t type) {
  return type == P::K_REDACT || type == P::K_WARN || (type >= P::K_DENY && type <= P::K_ALLOW);
}
bool is_label_effect(size_t type) { return type == P::K_LABEL || type == P::K_CLEAR; }

class FileParser {
 public:
  FileParser(State& state, TokenList& tokens)
      : state_(state),
        tokens_(tokens),
        parser_(&tokens),
        builder_(state, tokens),
        strategy_(std::make_shared<ErrorStrategy>(state, tokens)) {
    parser_.removeErrorListeners();
    parser_.setErrorHandler(strategy_);
    parser_.getInterpreter<antlr4::atn::ParserATNSimulator>()->setPredictionMode(antlr4::atn::PredictionMode::SLL);
  }

  void run(syntax::File* out) {
    file_ = out;
    while (!stopped() && type() != antlr4::Token::EOF) item();
  }

  syntax::Expr* lone_expression() {
    syntax::Expr* out = nullptr;
    strategy_->begin(0, nullptr);
    try {
      out = builder_.expressions().build(static_cast<P::ExprContext*>(parser_.loneExpr()->children[0]));
    } catch (const Bail&) {
    }
    return out;
  }

 private:
  size_t type() const { return tokens_.current().getType(); }
  bool stopped() const { return state_.full() || stopped_; }
  Span span(const Token& token) const { return state_.span(token.begin, token.end); }

  // --- statements

  // Parses one statement and passes its tree to `build`. After a mistake, continues after the
  // statement. @returns whether it parsed.
  template <typename Tree, typename Build>
  bool statement(const Block& block, Tree* (P::*rule)(), Build build) {
    size_t start = tokens_.position();
    while (!stopped()) {
      strategy_->begin(start, &block.openers);
      try {
        Tree* tree = (parser_.*rule)();
        build(tree);
        size_t next = tokens_.position();
        parser_.reset();
        tokens_.seek(next);
        return true;
      } catch (const Bail& bail) {
        size_t at = tokens_.position();
        parser_.reset();
        tokens_.seek(bail.retry ? start : at);
        if (!bail.retry) {
          resume(start, block);
          return false;
        }
      }
    }
    return false;
  }

  // Skips the rest of a broken statement that began at `start`: past its `;`, or up to the block's
  // `}` or a word that opens the next statement.
  void resume(size_t start, const Block& block) {
    int depth = 0;
    for (size_t i = start; i < tokens_.position(); ++i) {
      if (tokens_.type(i) == P::LBRACE) ++depth;
      if (tokens_.type(i) == P::RBRACE) --depth;
    }
    if (tokens_.position() == start && type() != P::RBRACE && type() != P::LBRACE) tokens_.consume();
    for (; type() != antlr4::Token::EOF; tokens_.consume()) {
      if (begins_statement(tokens_.position(), block)) return;
      if (type() == P::LBRACE) ++depth;
      if (type() == P::SEMICOLON && depth <= 0) return tokens_.consume();
      if (type() != P::RBRACE) continue;
      if (depth <= 0) return;
      if (--depth == 0 && block.brace_ends) return tokens_.consume();
    }
  }

  // @returns whether a statement of the block or an item of the file seems to begin at token `i`,
  // on a new line
  bool begins_statement(size_t i, const Block& block) const {
    if (!tokens_.at(i).line_start) return false;
    if (begins_item(i)) return true;
    size_t next = tokens_.type(i + 1);
    return has(block.openers, tokens_.type(i)) && next != P::DOT && next != P::COLON && next != P::COMMA &&
           next != P::LPAREN;
  }

  // The words of the file level are names elsewhere; the token after them distinguishes the two.
  bool begins_item(size_t i) const {
    size_t next = tokens_.type(i + 1);
    bool names =
        next == P::ID || next == P::STRING || (next >= P::K_CONTEXT && next <= P::K_DISTINCT && next != P::K_ON);
    switch (tokens_.type(i)) {
      case P::K_CONTEXT:
        return next == P::LBRACE;
      case P::K_OPTION:
      case P::K_LET:
      case P::K_HISTORY:
      case P::K_RATE:
      case P::K_BUDGET:
        return names && tokens_.type(i + 2) == P::ASSIGN;
      case P::K_POLICY:
        return names && (tokens_.type(i + 2) == P::K_ON || tokens_.at(i).line_start);
      case P::K_PACKAGE:
      case P::K_IMPORT:
      case P::K_CAPABILITY:
        return names && tokens_.at(i).line_start;
      case P::K_TEST:
        return next == P::STRING;
      default:
        return false;
    }
  }

  // Handles a token that does not open a statement of the block: corrects a misspelt word, or
  // reports and skips the statement.
  void unknown_statement(const Block& block) {
    Token& token = tokens_.at(tokens_.position());
    size_t start = tokens_.position();
    strategy_->begin(start, &block.openers);
    if (!strategy_->reported_already(start)) {
      size_t slip = token.getType() == P::ID ? nearest_word(parser_, tokens_.text(token), block.openers) : 0;
      std::string found = describe(tokens_, token);
      if (slip != 0) {
        std::string word = words_of(parser_, {slip})[0];
        state_.error("unknown-word", span(token), "unknown word " + found, "did you mean " + quote(word) + "?");
        token.retype(slip);
        return;
      }
      bool is_rule = &block == &kFile && is_effect(token.getType());
      state_.error("syntax", span(token),
                   std::string("expected ") + block.expected + " " + block.where + ", found " + found,
                   is_rule ? "rules stand in a policy: policy NAME on before CAPABILITY { ... }"
                           : statement_help(tokens_, start, &block == &kFile));
    }
    resume(start, block);
  }

  // --- blocks

  // Reads the `{` of a block after its head. Without it, the block is not read at all.
  bool open_block(const std::string& what, size_t start) {
    if (type() == P::LBRACE) {
      tokens_.consume();
      return true;
    }
    size_t at = tokens_.position();
    if (!strategy_->reported_already(at)) {
      const char* comma = what == "policy" || what == "rows" ? "`,` or `{`" : "`{`";
      state_.error("syntax", span(tokens_.current()),
                   std::string("expected ") + comma + " after " + describe(tokens_, tokens_.at(at - 1)) + ", found " +
                       describe(tokens_, tokens_.current()),
                   slip_help(tokens_, start, at));
    }
    return find_block(at);
  }

  // Continues after the `{` of a broken head, if one comes before anything else begins.
  bool find_block(size_t from) {
    tokens_.seek(from);
    for (; type() != antlr4::Token::EOF; tokens_.consume()) {
      if (type() == P::LBRACE) {
        tokens_.consume();
        return true;
      }
      if (type() == P::RBRACE || begins_statement(tokens_.position(), kFile)) return false;
      if (type() == P::SEMICOLON) {
        tokens_.consume();
        return false;
      }
    }
    return false;
  }

  // Parses a head such as `policy x on before y`: like a statement, but after a mistake it looks
  // for the head's block.
  template <typename Tree, typename Build>
  bool head(const std::string& what, Tree* (P::*rule)(), Build build) {
    size_t start = tokens_.position();
    while (!stopped()) {
      strategy_->begin(start, nullptr);
      try {
        build((parser_.*rule)());
        size_t next = tokens_.position();
        parser_.reset();
        tokens_.seek(next);
        return open_block(what, start);
      } catch (const Bail& bail) {
        size_t at = tokens_.position();
        parser_.reset();
        tokens_.seek(start);
        if (!bail.retry) return find_block(std::max(at, start + 1));
      }
    }
    return false;
  }

  // Reads statements up to the block's `}`. Calls `read` at the first token of each.
  template <typename Read>
  void block(const Block& block, size_t start, Read read) {
    size_t opening = tokens_.position() - 1;
    builder_.begin_block();
    while (!stopped()) {
      if (type() == P::RBRACE) return tokens_.consume();
      bool ends = type() == antlr4::Token::EOF;
      if (!ends && !leaves(block)) {
        read();
        continue;
      }
      if (!strategy_->reported_already(tokens_.position())) {
        // The beginning of the block's head, such as `policy payments`.
        std::string_view name =
            tokens_.text(tokens_.at(start).begin, tokens_.at(start + (opening > start + 1 ? 1 : 0)).end);
        Diagnostic& diagnostic =
            state_.error("unclosed-block", span(tokens_.at(opening)), "the `{` of " + quote(name) + " is not closed");
        if (!ends) {
          diagnostic.notes.push_back({Severity::note,
                                      "",
                                      "expected `}` before " + describe(tokens_, tokens_.current()),
                                      span(tokens_.current()),
                                      "",
                                      {}});
        }
      }
      return;
    }
  }

  // @returns whether an item of the file begins, so that the block has no `}`
  bool leaves(const Block& block) const {
    if (&block == &kContext || (&block == &kTest && type() == P::K_LET)) return false;  // also opens a statement there
    return tokens_.current().line_start && begins_item(tokens_.position());
  }

  // --- items

  void item() {
    switch (type()) {
      case P::K_PACKAGE:
        return package();
      case P::K_IMPORT:
        return import();
      case P::K_OPTION:
        statement(kFile, &P::optionDecl, [&](auto* tree) {
          syntax::OptionDecl decl;
          if (builder_.option(tree, &decl)) file_->options.push_back(decl);
        });
        return;
      case P::K_LET:
        return let();
      case P::K_HISTORY:
        statement(kFile, &P::historyDecl, [&](auto* tree) { add_state(&StatementBuilder::history, tree); });
        return;
      case P::K_RATE:
        statement(kFile, &P::rateDecl, [&](auto* tree) { add_state(&StatementBuilder::rate, tree); });
        return;
      case P::K_BUDGET:
        statement(kFile, &P::budgetDecl, [&](auto* tree) { add_state(&StatementBuilder::budget, tree); });
        return;
      case P::K_LABEL:
        statement(kFile, &P::labelDecl, [&](auto* tree) { builder_.label(tree, &file_->labels); });
        return;
      case P::K_CONTEXT:
        return context();
      case P::K_CAPABILITY:
        return capability();
      case P::K_POLICY:
        return policy();
      case P::K_TEST:
        return test();
      case P::SEMICOLON:
        return tokens_.consume();
      case P::RBRACE:
        state_.error("syntax", span(tokens_.current()), "no block is open that this `}` could close");
        return tokens_.consume();
      default:
        unknown_statement(kFile);
    }
  }

  template <typename Tree>
  void add_state(bool (StatementBuilder::*build)(Tree*, syntax::StateDecl*), Tree* tree) {
    syntax::StateDecl decl;
    if ((builder_.*build)(tree, &decl)) file_->states.push_back(decl);
  }

  void package() {
    bool first = tokens_.position() == 0;
    const Token& word = tokens_.current();
    if (!first) {
      state_.error(
          "syntax", span(word),
          file_->package.text.empty() ? "`package` must be the first statement of a file" : "a file has one package");
    }
    statement(kFile, &P::packageDecl, [&](auto* tree) {
      syntax::Name name = builder_.path(static_cast<P::PathContext*>(tree->children[1]));
      if (file_->package.text.empty()) file_->package = name;
    });
  }

  void import() {
    statement(kFile, &P::importDecl, [&](auto* tree) {
      syntax::ImportDecl decl;
      if (builder_.import(tree, &decl)) file_->imports.push_back(decl);
    });
  }

  void let() {
    statement(kFile, &P::letDecl, [&](auto* tree) {
      syntax::LetDecl decl;
      if (builder_.let(tree, &decl)) file_->lets.push_back(decl);
    });
  }

  void context() {
    size_t start = tokens_.position();
    syntax::ContextDecl decl;
    strategy_->begin(start, nullptr);
    tokens_.consume();
    if (!open_block("context", start)) return;
    std::vector<syntax::ContextEntry> entries;
    block(kContext, start, [&] {
      statement(kContext, &P::contextEntry, [&](auto* tree) {
        syntax::ContextEntry entry;
        if (builder_.context_entry(tree, &entry)) entries.push_back(entry);
      });
    });
    decl.span = whole(start);
    decl.entries = state_.arena.copy(entries);
    file_->contexts.push_back(decl);
  }

  Span whole(size_t start) const {
    return state_.span(tokens_.at(start).begin, tokens_.at(tokens_.position() - 1).end);
  }

  void capability() {
    size_t start = tokens_.position();
    syntax::CapabilityDecl decl;
    bool opened = head("capability", &P::capabilityHead, [&](auto* tree) {
      builder_.capability_name(static_cast<P::CapabilityNameContext*>(tree->children[1]), &decl.name);
    });
    if (!opened) return;
    block(kCapability, start, [&] {
      if (!has(kCapability.openers, type())) return unknown_statement(kCapability);
      statement(kCapability, &P::capabilityProperty, [&](auto* tree) { builder_.capability_property(tree, &decl); });
    });
    if (!decl.name.text.empty()) file_->capabilities.push_back(decl);
  }

  void policy() {
    size_t start = tokens_.position();
    syntax::PolicyDecl decl;
    if (!head("policy", &P::policyHead, [&](auto* tree) { builder_.policy_head(tree, &decl); })) return;
    std::vector<syntax::RuleDecl> rules;
    std::vector<syntax::LabelRuleDecl> label_rules;
    bool any_rule = false;
    block(kPolicy, start, [&] {
      size_t word = type();
      if (word == P::K_VERSION || word == P::K_DESCRIPTION) {
        statement(kPolicy, &P::policyProperty, [&](auto* tree) { builder_.policy_property(tree, any_rule, &decl); });
      } else if (is_effect(word)) {
        any_rule = true;
        rule(&rules);
      } else if (is_label_effect(word)) {
        any_rule = true;
        label_rule(&label_rules);
      } else {
        unknown_statement(kPolicy);
      }
    });
    decl.rules = state_.arena.copy(rules);
    decl.label_rules = state_.arena.copy(label_rules);
    if (!decl.name.text.empty()) file_->policies.push_back(decl);
  }

  // Counts a rule that begins here. @returns false after reporting why it cannot be read.
  bool count_rule() {
    // `allow` followed on the next line by `deny;` would parse as one rule named deny.
    const Token& word = tokens_.current();
    const Token& next = tokens_.at(tokens_.position() + 1);
    if (next.line_start && is_effect(next.getType())) {
      state_.error("missing-semicolon", state_.span(word.end, word.end),
                   "expected `;` after " + describe(tokens_, word));
      tokens_.consume();
      return false;
    }
    if (++rule_count_ > state_.limits.rules) {
      state_.error("limit-rules", span(word),
                   "this file has more than " + std::to_string(state_.limits.rules) + " rules");
      stopped_ = true;
      return false;
    }
    return true;
  }

  void label_rule(std::vector<syntax::LabelRuleDecl>* rules) {
    if (!count_rule()) return;
    statement(kPolicy, &P::labelRule, [&](auto* tree) {
      syntax::LabelRuleDecl decl;
      if (builder_.label_rule(tree, &decl)) rules->push_back(decl);
    });
  }

  void rule(std::vector<syntax::RuleDecl>* rules) {
    if (!count_rule()) return;
    statement(kPolicy, &P::policyRule, [&](auto* tree) {
      syntax::RuleDecl decl;
      if (builder_.policy_rule(tree, &decl)) rules->push_back(decl);
    });
  }

  void test() {
    size_t start = tokens_.position();
    syntax::TestDecl decl;
    bool opened = head("test", &P::testHead,
                       [&](auto* tree) { builder_.text(static_cast<P::TextContext*>(tree->children[1]), &decl.name); });
    if (!opened) return;
    std::vector<syntax::TestStep> steps;
    block(kTest, start, [&] {
      if (!has(kTest.openers, type())) return unknown_statement(kTest);
      syntax::TestStep step;
      if (type() == P::K_ROWS) return rows(&steps);
      if (type() == P::K_LET) {
        step.kind = syntax::TestStep::Kind::let;
        statement(kTest, &P::letDecl, [&](auto* tree) {
          if (builder_.fixture(tree, &step.let)) steps.push_back(step);
        });
        return;
      }
      statement(kTest, &P::testStep, [&](auto* tree) {
        if (builder_.test_step(tree, &step)) steps.push_back(step);
      });
    });
    decl.steps = state_.arena.copy(steps);
    file_->tests.push_back(decl);
  }

  void rows(std::vector<syntax::TestStep>* steps) {
    size_t start = tokens_.position();
    syntax::TestStep step;
    step.kind = syntax::TestStep::Kind::rows;
    if (!head("rows", &P::rowsHead, [&](auto* tree) { builder_.rows_head(tree, &step.rows); })) return;
    std::vector<syntax::RowDecl> found;
    block(kRows, start, [&] {
      statement(kRows, &P::rowDecl, [&](auto* tree) {
        syntax::RowDecl row;
        if (builder_.row(tree, &row)) found.push_back(row);
      });
    });
    step.rows.rows = state_.arena.copy(found);
    steps->push_back(step);
  }

  State& state_;
  TokenList& tokens_;
  P parser_;
  StatementBuilder builder_;
  std::shared_ptr<ErrorStrategy> strategy_;
  syntax::File* file_ = nullptr;
  uint32_t rule_count_ = 0;
  bool stopped_ = false;
};

}  // namespace

void parse_statements(State& state, TokenList& tokens, syntax::File* out) { FileParser(state, tokens).run(out); }

syntax::Expr* parse_lone_expression(State& state, TokenList& tokens) {
  return FileParser(state, tokens).lone_expression();
}

}  // namespace ordain::parsing
