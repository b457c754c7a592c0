// token_table.cc computes the table's states by ANTLR, and walks them.
#include "compiler/parse/token_table.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "antlr4-runtime.h"

#include "OrdainLexer.h"

namespace ordain::parsing {
namespace {

// Where ANTLR would read text. It only asks for the position while it computes states, which do not
// depend on it; the start state is computed at the start of any token.
class OneSpace final : public antlr4::CharStream {
 public:
  void consume() override { ++position_; }
  size_t LA(ssize_t k) override { return position_ == 0 && k == 1 ? ' ' : antlr4::IntStream::EOF; }
  ssize_t mark() override { return 0; }
  void release(ssize_t) override {}
  size_t index() override { return position_; }
  void seek(size_t index) override { position_ = index; }
  size_t size() override { return 1; }
  std::string getSourceName() const override { return {}; }
  std::string getText(const antlr4::misc::Interval&) override { return {}; }
  std::string toString() const override { return {}; }

 private:
  size_t position_ = 0;
};

struct LexerParts {
  OneSpace space;
  grammar::OrdainLexer lexer{&space};
  antlr4::atn::LexerATNSimulator& simulator = *lexer.getInterpreter<antlr4::atn::LexerATNSimulator>();
};

class TokenTable : private LexerParts, private antlr4::atn::LexerATNSimulator {
 public:
  TokenTable()
      : LexerATNSimulator(&lexer, lexer.getATN(), simulator._decisionToDFA, simulator.getSharedContextCache()) {
    (void)LexerATNSimulator::match(&space, 0);  // computes the start state
    (void)row_of(getDFA(0).s0);
  }

  TokenMatch find_token(std::string_view text, size_t begin) {
    TokenMatch out;
    size_t row = 0;
    for (size_t at = begin; at < text.size();) {
      // All characters that are not ASCII are alike to the grammar (they occur only in strings and comments).
      const auto byte = std::min<uint8_t>(static_cast<uint8_t>(text[at]), kSymbols - 1);
      int16_t next = rows_[row].next[byte];
      if (next == kUnknown) next = learn(row, byte);
      if (next == kNone) break;
      ++at;
      row = static_cast<size_t>(next);
      if (rows_[row].accepts) out = {rows_[row].type, at, rows_[row].skipped};
    }
    if (out.end == 0) throw std::logic_error("the lexer knows no token for a character");
    return out;
  }

 private:
  using State = antlr4::dfa::DFAState;
  static constexpr int16_t kUnknown = -1, kNone = -2;
  static constexpr uint8_t kSymbols = 128;

  struct Row {
    std::array<int16_t, kSymbols> next;  // the row after a symbol
    State* state = nullptr;
    size_t type = 0;
    bool accepts = false, skipped = false;
  };

  int16_t learn(size_t row, uint8_t symbol) {
    State* target = computeTargetState(&space, rows_[row].state, symbol);
    const int16_t next = target == ERROR.get() ? kNone : row_of(target);
    rows_[row].next[symbol] = next;
    return next;
  }

  int16_t row_of(State* state) {
    const auto [known, added] = numbers_.try_emplace(state, static_cast<int16_t>(rows_.size()));
    if (!added) return known->second;
    if (rows_.size() > std::numeric_limits<int16_t>::max()) throw std::length_error("the lexer has too many states");
    Row row;
    row.next.fill(kUnknown);
    row.state = state;
    row.accepts = state->isAcceptState;
    row.type = state->prediction;
    row.skipped = row.accepts && skips(*state);
    rows_.push_back(row);
    return known->second;
  }

  // The grammar's only action is to skip.
  static bool skips(const State& state) { return state.lexerActionExecutor != nullptr; }

  std::vector<Row> rows_;
  std::unordered_map<State*, int16_t> numbers_;
};

}  // namespace

TokenMatch match_token(std::string_view text, size_t begin) {
  // It is never destroyed, as ANTLR's own tables may be destroyed before it.
  static auto* const table = new TokenTable;
  return table->find_token(text, begin);
}

}  // namespace ordain::parsing
