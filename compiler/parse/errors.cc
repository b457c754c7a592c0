// errors.cc phrases syntax errors. ANTLR lists the tokens that it would accept; authors should read
// "an expression" or "a name" instead.
#include "compiler/parse/errors.h"

#include <algorithm>

#include "compiler/parse/slips.h"
#include "compiler/parse/tree.h"

namespace ordain::parsing {
namespace {

using grammar::OrdainParser;
using P = OrdainParser;

constexpr size_t kClauseWords[] = {P::K_WHEN, P::K_BECAUSE, P::K_FROM, P::K_EXPIRES, P::K_WITH};

bool is_word(size_t type) {
  return (type >= P::K_PACKAGE && type <= P::K_IN) || type == P::ID || type == P::ESC_ID || type == P::RESERVED;
}

bool is_operator(size_t type) { return (type >= P::STAR && type <= P::OR && type != P::NOT) || type == P::K_IN; }

std::string spelling(const antlr4::Parser& parser, size_t type) {
  if (type == P::DURATION) return "a duration such as `30m`";
  if (type == antlr4::Token::EOF) return "the end";
  std::string literal = parser.getVocabulary().getLiteralName(type);  // "'when'"
  if (literal.size() < 3) return parser.getVocabulary().getDisplayName(type);
  return "`" + literal.substr(1, literal.size() - 2) + "`";
}

std::string word_of(const antlr4::Parser& parser, size_t type) {
  std::string quoted = spelling(parser, type);
  return quoted.substr(1, quoted.size() - 2);
}

// @returns the grammar rule of the last child, which was read just before the mistake, or SIZE_MAX
size_t last_rule(const antlr4::ParserRuleContext* context) {
  if (context->children.empty() || is_token(context->children.back())) return SIZE_MAX;
  return static_cast<antlr4::RuleContext*>(context->children.back())->getRuleIndex();
}

bool ends_in_expression(size_t rule) {
  switch (rule) {
    case P::RuleExpr:
    case P::RuleChain:
    case P::RuleOperand:
    case P::RuleClause:
    case P::RuleListElement:
    case P::RuleMapEntry:
    case P::RuleFieldInit:
    case P::RuleBinding:
      return true;
    default:
      return false;
  }
}

bool has(const std::vector<size_t>& types, size_t type) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

// Joins phrases as "a, b or c".
std::string alternatives(const std::vector<std::string>& phrases) {
  std::string out;
  for (size_t i = 0; i < phrases.size(); ++i) {
    if (i > 0) out += i + 1 == phrases.size() ? " or " : ", ";
    out += phrases[i];
  }
  return out;
}

// Describes token types in words: groups first, then the remaining types as they are written.
void phrase(const antlr4::Parser& parser, std::vector<size_t> types, std::vector<std::string>* out) {
  auto drop = [&](auto predicate) { types.erase(std::remove_if(types.begin(), types.end(), predicate), types.end()); };
  if (has(types, P::INT) && has(types, P::LBRACE) && has(types, P::STRING) && !has(types, P::LPAREN)) {
    out->push_back("a type");
    drop([](size_t t) {
      return is_word(t) || (t >= P::FLOAT && t <= P::RAW_STRING) || t == P::MINUS || t == P::LBRACE;
    });
  }
  if (has(types, P::INT) && has(types, P::LPAREN)) {
    out->push_back("an expression");
    drop([](size_t t) {
      return (is_word(t) && t != P::K_IN) || (t >= P::FLOAT && t <= P::BYTES) || t == P::NOT || t == P::MINUS ||
             t == P::DOT || t == P::LPAREN || t == P::LBRACKET || t == P::LBRACE;
    });
  } else if (has(types, P::ID)) {
    out->push_back("a name");
    drop(is_word);
  }
  if (has(types, P::INT)) {
    out->push_back("a number");
    drop([](size_t t) { return t == P::INT; });
  }
  if (has(types, P::STRING)) {
    out->push_back("a text in quotes");
    drop([](size_t t) { return t == P::STRING || t == P::RAW_STRING; });
  }
  for (size_t type : types) out->push_back(spelling(parser, type));
}

// The other things that may follow: the parser's list lacks optional parts that it has already
// left.
struct Extras {
  std::vector<std::string> phrases;
  std::vector<size_t> types;
};

void add_rule_extras(const antlr4::ParserRuleContext* context, size_t previous_rule, Extras* out) {
  bool after_item = previous_rule != SIZE_MAX;
  switch (context->getRuleIndex()) {
    case P::RulePolicyRule:
    case P::RuleLabelRule:
      out->phrases.push_back("a clause such as `when`");
      out->types.assign(std::begin(kClauseWords), std::end(kClauseWords));
      break;
    case P::RuleArguments:
    case P::RuleListLiteral:
      out->phrases.push_back(after_item ? "`,`" : "an expression");
      break;
    case P::RuleMapLiteral:
      out->phrases.push_back(after_item ? "`,`" : "a key and a value");
      break;
    case P::RuleFieldBlock:
      out->phrases.push_back(after_item ? "`,`" : "a field and its value");
      break;
    case P::RuleRecord:
      if (context->children.empty()) {
        out->phrases.push_back("`open`");
        out->types.push_back(P::K_OPEN);
      } else {
        out->phrases.push_back(after_item ? "`,`" : "a field and its type");
      }
      break;
    case P::RuleTypeOption:
      if (previous_rule == P::RuleTypeArgument) out->phrases.push_back("`,`");
      break;
    case P::RuleCapabilityProperty:
      if (after_item && previous_rule != P::RuleRecord) out->phrases.push_back("`,`");
      break;
    case P::RuleCallStep:
      out->types = {P::K_LIKE, P::K_RETURNS, P::K_WITH};
      break;
    case P::RuleExpectStep:
    case P::RuleOutcome:
      out->types = {P::K_BY};
      break;
    default:
      break;
  }
}

}  // namespace

std::vector<std::string> words_of(const antlr4::Parser& parser, std::initializer_list<size_t> types) {
  std::vector<std::string> out;
  for (size_t type : types) out.push_back(word_of(parser, type));
  return out;
}

size_t nearest_word(const antlr4::Parser& parser, std::string_view word, const std::vector<size_t>& types) {
  std::vector<std::string> words;
  for (size_t type : types) words.push_back(word_of(parser, type));
  std::string found = nearest(word, words);
  if (found.empty()) return 0;
  return types[static_cast<size_t>(std::find(words.begin(), words.end(), found) - words.begin())];
}

std::string describe(const TokenList& tokens, const Token& token) {
  if (token.getType() == antlr4::Token::EOF) return "the end of the text";
  return quote(tokens.text(token));
}

bool ErrorStrategy::reported_already(size_t i) const {
  size_t type = tokens_.type(i);
  if (type == P::BAD_CHAR || type == P::BAD_STRING) return true;
  // An unterminated string swallows the text after it; do not report that text as missing.
  if (i > 0 && (tokens_.type(i - 1) == P::BAD_STRING || tokens_.type(i - 1) == P::BAD_CHAR)) return true;
  if (!tokens_.holes) return false;
  for (size_t k = first_token_; k <= i; ++k) {
    if (tokens_.at(k).hole) return true;
  }
  return false;
}

bool ErrorStrategy::opens_statement(const Token& token) const {
  size_t type = token.getType();
  if (type == antlr4::Token::EOF || type == P::RBRACE) return true;
  return openers_ != nullptr && has(*openers_, type) && token.index > first_token_ &&
         tokens_.type(token.index + 1) != P::DOT;
}

antlr4::Token* ErrorStrategy::recoverInline(antlr4::Parser* parser) {
  const Token& token = tokens_.current();
  bool wants_semicolon = parser->getExpectedTokens().contains(static_cast<size_t>(P::SEMICOLON));
  if (wants_semicolon && token.index > 0 && opens_statement(token) && !reported_already(token.index)) {
    const Token& previous = tokens_.at(token.index - 1);
    state_.error("missing-semicolon", state_.span(previous.end, previous.end),
                 "expected `;` after " + describe(tokens_, previous));
    return &tokens_.at(token.index - 1);
  }
  fail(parser, token.index);
}

void ErrorStrategy::reportError(antlr4::Parser* parser, const antlr4::RecognitionException& e) {
  // Prediction looks further ahead than the parser has read; report the mistake where prediction
  // found it.
  size_t at = tokens_.position();
  if (e.getOffendingToken() != nullptr) at = std::max(at, as_token(e.getOffendingToken()).index + size_t{0});
  fail(parser, at);
}

void ErrorStrategy::recover(antlr4::Parser*, std::exception_ptr) { throw Bail{}; }

void ErrorStrategy::expected_here(antlr4::Parser* parser, Expected* expected, std::vector<std::string>* phrases) const {
  const antlr4::ParserRuleContext* context = parser->getContext();
  size_t previous_rule = last_rule(context);
  Extras extras;
  if (ends_in_expression(previous_rule)) extras.phrases.push_back("an operator");
  add_rule_extras(context, previous_rule, &extras);
  for (ssize_t type : parser->getExpectedTokens().toList()) expected->push_back(static_cast<size_t>(type));
  *phrases = extras.phrases;
  phrase(*parser, *expected, phrases);
  for (size_t i = phrases->size(); i-- > 1;) {
    if (std::find(phrases->begin(), phrases->begin() + static_cast<ssize_t>(i), (*phrases)[i]) !=
        phrases->begin() + static_cast<ssize_t>(i)) {
      phrases->erase(phrases->begin() + static_cast<ssize_t>(i));
    }
  }
  expected->insert(expected->end(), extras.types.begin(), extras.types.end());
}

// Handles a keyword with one typing error. If a name may precede the keyword, the misspelt keyword
// was read as that name: `deny whn x`.
bool ErrorStrategy::misspelt(antlr4::Parser* parser, size_t at, const Expected& expected) {
  if (has(expected, P::ID)) return false;
  Expected words;
  std::copy_if(expected.begin(), expected.end(), std::back_inserter(words),
               [](size_t t) { return t >= P::K_PACKAGE && t <= P::K_IN; });
  if (words.empty()) return false;
  bool after_name = parser->getContext()->getRuleIndex() == P::RulePolicyRule && at == first_token_ + 2;
  for (size_t i : {at, after_name ? at - 1 : at}) {
    Token& token = tokens_.at(i);
    if (token.getType() != P::ID) continue;
    size_t type = nearest_word(*parser, tokens_.text(token), words);
    if (type == 0) continue;
    state_.error("unknown-word", state_.span(token.begin, token.end), "unknown word " + quote(tokens_.text(token)),
                 "did you mean " + spelling(*parser, type) + "?");
    token.retype(type);
    return true;
  }
  return false;
}

// Recognises constructs from other languages.
bool ErrorStrategy::well_known_slip(antlr4::Parser* parser, const Token& token) {
  const antlr4::ParserRuleContext* context = parser->getContext();
  size_t type = token.getType();
  std::string_view text = tokens_.text(token);
  Span where = state_.span(token.begin, token.end);
  size_t rule = context->getRuleIndex();
  bool operand = rule == P::RulePrimary || rule == P::RuleOperand || rule == P::RuleExpr || rule == P::RuleChain ||
                 rule == P::RuleClause || (rule == P::RuleLetDecl && context->children.size() > 2);
  bool after = ends_in_expression(last_rule(context));
  const auto before = [&](size_t steps) {
    return token.index >= first_token_ + steps ? tokens_.text(tokens_.at(token.index - steps)) : std::string_view();
  };
  if (type == P::DURATION && before(1) == "-" && before(2) == "expires") {
    state_.error("bad-expires", where, "an approval must stay open for some time: `expires` must be positive",
                 "write " + quote(text));
    return true;
  }
  std::string slip = slip_help(tokens_, first_token_, token.index);
  if (type == P::DURATION && slip.empty()) {
    state_.error("misplaced-duration", where, "a duration such as " + quote(text) + " may stand only after `expires`",
                 "write duration(\"" + std::string(text) + "\")");
    return true;
  }
  if (operand && !after &&
      (type == P::RESERVED || type == P::K_PACKAGE || type == P::K_IMPORT || type == P::K_LET || type == P::K_AS)) {
    state_.error("reserved-word", where, quote(text) + " is a reserved word, so an expression cannot use it as a name",
                 text == "if" ? "a conditional reads `condition ? value : otherwise`" : "");
    return true;
  }
  if (!after) return false;
  auto suggest = [&](std::string help) {
    state_.error("syntax", where, "expected an operator, found " + quote(text), std::move(help));
    return true;
  };
  if (!slip.empty() && (type == P::ASSIGN || is_word(type))) return suggest(std::move(slip));
  if (type == P::ASSIGN) return suggest("did you mean `==`?");
  if (text == "and" || text == "AND") return suggest("did you mean `&&`?");
  if (text == "or" || text == "OR") return suggest("did you mean `||`?");
  if (type == P::BAR) return suggest("did you mean `||`?");
  if (text == "is" || text == "equals") return suggest("did you mean `==`?");
  if (text == "not") return suggest("write `!(a in b)`");
  return false;
}

// Recognises `deny a when` followed on the next line by `deny b ...`: the second `deny` was read as
// a name in the condition.
bool ErrorStrategy::swallowed_statement(size_t at) {
  if (openers_ == nullptr || at < first_token_ + 2) return false;
  const Token& word = tokens_.at(at - 1);
  if (!word.line_start || !has(*openers_, word.getType()) || tokens_.type(at) == P::DOT) return false;
  state_.error(
      "syntax", state_.span(word.begin, word.end),
      "expected an expression after " + describe(tokens_, tokens_.at(at - 2)) + ", found " + describe(tokens_, word));
  tokens_.seek(at - 1);
  return true;
}

void ErrorStrategy::fail(antlr4::Parser* parser, size_t at) {
  const Token& token = tokens_.at(at);
  tokens_.seek(at);
  if (reported_already(at)) throw Bail{};
  if (swallowed_statement(at)) throw Bail{};
  if (well_known_slip(parser, token)) throw Bail{};
  Expected expected;
  std::vector<std::string> phrases;
  expected_here(parser, &expected, &phrases);
  if (misspelt(parser, at, expected)) throw Bail{true};

  std::string message = "expected " + (phrases.empty() ? "something else" : alternatives(phrases));
  if (at > first_token_) message += " after " + describe(tokens_, tokens_.at(at - 1));
  message += ", found " + describe(tokens_, token);
  std::string help;
  size_t rule = parser->getContext()->getRuleIndex();
  if (rule == P::RuleExpr && has(expected, P::COLON)) help = "a conditional reads `condition ? value : otherwise`";
  if (rule == P::RulePolicyRule && has(expected, P::K_INPUT)) help = "what is redacted begins with `input` or `output`";
  if (std::string slip = slip_help(tokens_, first_token_, at); !slip.empty()) help = std::move(slip);
  Diagnostic& diagnostic =
      state_.error("syntax", state_.span(token.begin, token.end), std::move(message), std::move(help));

  const auto& opening = as_token(parser->getContext()->start);
  bool closes =
      has(expected, P::RPAREN) || has(expected, P::RBRACKET) || (has(expected, P::RBRACE) && rule != P::RuleRecord);
  bool operand = is_operator(token.getType()) || is_word(token.getType());
  if (closes && (!operand || opens_statement(token))) {
    size_t type = opening.getType();
    if (type == P::LPAREN || type == P::LBRACKET || type == P::LBRACE) {
      diagnostic.notes.push_back({Severity::note,
                                  "",
                                  describe(tokens_, opening) + " is opened here",
                                  state_.span(opening.begin, opening.end),
                                  "",
                                  {}});
    }
  }
  throw Bail{};
}

}  // namespace ordain::parsing
