// errors.h handles statements that do not parse: it reports one mistake, phrased for the author,
// and lets parsing continue.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <vector>

#include "OrdainParser.h"
#include "compiler/parse/state.h"
#include "compiler/parse/tokens.h"

namespace ordain::parsing {

/// Thrown out of a statement that does not parse, to the loop over statements. The token stream
/// stays at the mistake.
struct Bail {
  bool retry = false;  ///< a misspelt word was corrected: parse the statement again
};

/// @returns the words of `types`, as written
std::vector<std::string> words_of(const antlr4::Parser& parser, std::initializer_list<size_t> types);

/// @returns the type among `types` whose word is nearest to `word`; 0 if none is near
size_t nearest_word(const antlr4::Parser& parser, std::string_view word, const std::vector<size_t>& types);

/// @returns "`x`" or "the end of the file"
std::string describe(const TokenList& tokens, const Token& token);

/// Reports a mistake, inserts a forgotten `;`, and otherwise bails out.
class ErrorStrategy final : public antlr4::ANTLRErrorStrategy {
 public:
  ErrorStrategy(State& state, TokenList& tokens) : state_(state), tokens_(tokens) {}

  /// Begins a statement: sets its first token, and the words that open a statement in this block.
  void begin(size_t first_token, const std::vector<size_t>* openers) {
    first_token_ = first_token;
    openers_ = openers;
  }

  void reset(antlr4::Parser*) override {}
  void sync(antlr4::Parser*) override {
  }  // would check the next token at every turn of every loop; `match` finds mistakes anyway
  bool inErrorRecoveryMode(antlr4::Parser*) override { return false; }
  void reportMatch(antlr4::Parser*) override {}
  antlr4::Token* recoverInline(antlr4::Parser* parser) override;
  void reportError(antlr4::Parser* parser, const antlr4::RecognitionException& e) override;
  void recover(antlr4::Parser* parser, std::exception_ptr e) override;

  /// @returns whether the mistake at token `i` follows from one that was already reported
  bool reported_already(size_t i) const;

 private:
  using Expected = std::vector<size_t>;

  [[noreturn]] void fail(antlr4::Parser* parser, size_t at);
  bool opens_statement(const Token& token) const;
  bool misspelt(antlr4::Parser* parser, size_t at, const Expected& expected);
  bool swallowed_statement(size_t at);
  bool well_known_slip(antlr4::Parser* parser, const Token& token);
  void expected_here(antlr4::Parser* parser, Expected* expected, std::vector<std::string>* phrases) const;

  State& state_;
  TokenList& tokens_;
  size_t first_token_ = 0;
  const std::vector<size_t>* openers_ = nullptr;
};

}  // namespace ordain::parsing
