// tokens stores tokens in 32 bytes at most, in one array and with byte offsets. ANTLR's own tokens
// are fifteen times as large.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "antlr4-runtime.h"

#include "compiler/parse/parse.h"
#include "compiler/parse/state.h"

namespace ordain::parsing {

class Token final : public antlr4::Token {
 public:
  Token(size_t type, uint32_t begin, uint32_t end, uint32_t index, bool line_start)
      : begin(begin), end(end), index(index), line_start(line_start), type_(static_cast<uint16_t>(type)) {}

  uint32_t begin;
  uint32_t end;
  uint32_t index;
  bool line_start;    ///< the first token on its line
  bool hole = false;  ///< stands for omitted text, reported as nested too deeply

  void retype(size_t type) { type_ = static_cast<uint16_t>(type); }

  std::string getText() const override { return {}; }  // only ANTLR's own messages would ask for it
  size_t getType() const override { return type_ == kEnd ? antlr4::Token::EOF : type_; }
  size_t getLine() const override { return 0; }
  size_t getCharPositionInLine() const override { return 0; }
  size_t getChannel() const override { return DEFAULT_CHANNEL; }
  size_t getTokenIndex() const override { return index; }
  size_t getStartIndex() const override { return begin; }
  size_t getStopIndex() const override { return end; }
  antlr4::TokenSource* getTokenSource() const override { return nullptr; }
  antlr4::CharStream* getInputStream() const override { return nullptr; }
  std::string toString() const override { return {}; }

 private:
  static constexpr uint16_t kEnd = std::numeric_limits<uint16_t>::max();
  uint16_t type_;
};

/// All tokens of a source, ending with the end of the file, as a stream for ANTLR's parser.
class TokenList final : public antlr4::TokenStream {
 public:
  explicit TokenList(std::string_view text) : text_(text) {}

  std::vector<Token> tokens;
  bool holes = false;

  std::string_view text(const Token& token) const { return text_.substr(token.begin, token.end - token.begin); }
  std::string_view text(uint32_t begin, uint32_t end) const { return text_.substr(begin, end - begin); }
  Token& at(size_t i) { return tokens[i < tokens.size() ? i : tokens.size() - 1]; }
  const Token& at(size_t i) const { return tokens[i < tokens.size() ? i : tokens.size() - 1]; }
  const Token& current() const { return tokens[position_]; }
  size_t type(size_t i) const { return at(i).getType(); }
  size_t position() const { return position_; }

  void consume() override {
    if (position_ + 1 < tokens.size()) ++position_;
  }
  size_t LA(ssize_t k) override {
    antlr4::Token* token = LT(k);
    return token == nullptr ? antlr4::Token::INVALID_TYPE : token->getType();
  }
  antlr4::Token* LT(ssize_t k) override {
    ssize_t i = static_cast<ssize_t>(position_) + (k > 0 ? k - 1 : k);
    return i < 0 ? nullptr : &at(static_cast<size_t>(i));
  }
  antlr4::Token* get(size_t index) const override { return const_cast<Token*>(&at(index)); }
  ssize_t mark() override { return 0; }
  void release(ssize_t) override {}
  size_t index() override { return position_; }
  void seek(size_t index) override { position_ = index < tokens.size() ? index : tokens.size() - 1; }
  size_t size() override { return tokens.size(); }
  std::string getSourceName() const override { return {}; }
  antlr4::TokenSource* getTokenSource() const override { return nullptr; }
  std::string getText(const antlr4::misc::Interval&) override { return {}; }
  std::string getText() override { return {}; }
  std::string getText(antlr4::RuleContext*) override { return {}; }
  std::string getText(antlr4::Token*, antlr4::Token*) override { return {}; }

 private:
  std::string_view text_;
  size_t position_ = 0;
};

inline const Token& as_token(const antlr4::Token* token) { return *static_cast<const Token*>(token); }

/// Splits `state.text` (valid UTF-8) into tokens. Unterminated strings and characters that begin no
/// token are reported and stay as tokens, at which the parser stops silently. Text nested deeper
/// than the limit is reported and left out.
void read_tokens(State& state, TokenList& out);

/// @returns the tokens without ANTLR's types, and without the one that stands for the end of the file
std::vector<Lexeme> lexemes_of(const TokenList& tokens);

}  // namespace ordain::parsing
