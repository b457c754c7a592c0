// tokens.cc turns text into tokens, with byte offsets, and limits nesting to the depth that the later
// passes can recurse over.
#include "compiler/parse/tokens.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "OrdainLexer.h"
#include "OrdainParser.h"
#include "compiler/parse/token_scan.h"
#include "compiler/parse/token_table.h"

namespace ordain::parsing {
namespace {

using grammar::OrdainLexer;

struct Lookalike {
  std::string_view text;
  std::string_view help;
};
constexpr Lookalike kLookalikes[] = {
    {"#", "a comment begins with `//`"},
    {"&", "did you mean `&&`?"},
    {"\u201C", "use straight quotes: \""},
    {"\u201D", "use straight quotes: \""},
    {"\u2018", "use straight quotes: '"},
    {"\u2019", "use straight quotes: '"},
    {"\u2260", "did you mean `!=`?"},
    {"\u2264", "did you mean `<=`?"},
    {"\u2265", "did you mean `>=`?"},
    {"\u00A0", "replace the no-break space by a common one"},
    {"$", "write a bare number, such as 100.0"},
    {"~", "for a regular expression, write `text.matches(r\"...\")`"},
    {"\\", "a backslash may stand in strings only"},
    {"`", "a name in backticks holds letters, digits, `_`, `.`, `/`, `-` and spaces"},
};

std::string help_for(std::string_view text) {
  for (const Lookalike& lookalike : kLookalikes) {
    if (text.starts_with(lookalike.text)) return std::string(lookalike.help);
  }
  return "";
}

// The open brackets, and whether the current text is nested too deeply to keep.
class Nesting {
 public:
  Nesting(State& state, TokenList& out) : state_(state), out_(out) {}

  /// Notes a token. @returns false if it must be left out.
  bool keep(size_t type, uint32_t begin, uint32_t end) {
    if (skipped_ > 0) return skip(type);
    switch (type) {
      case OrdainLexer::LPAREN:
      case OrdainLexer::LBRACKET:
      case OrdainLexer::LBRACE:
        if (open_.size() >= state_.limits.nesting) return start_hole(begin, end);
        open_.push_back(type);
        break;
      case OrdainLexer::RPAREN:
        close(OrdainLexer::LPAREN);
        break;
      case OrdainLexer::RBRACKET:
        close(OrdainLexer::LBRACKET);
        break;
      case OrdainLexer::RBRACE:
        drop_unclosed();
        close(OrdainLexer::LBRACE);
        break;
      case OrdainLexer::SEMICOLON:
        drop_unclosed();
        break;
      default:
        break;
    }
    return true;
  }

 private:
  void close(size_t opening) {
    if (!open_.empty() && open_.back() == opening) open_.pop_back();
  }
  // A `;` or `}` ends all parentheses: those that are still open lack their end, and must not
  // affect the next statement.
  void drop_unclosed() {
    while (!open_.empty() && open_.back() != OrdainLexer::LBRACE) open_.pop_back();
  }

  bool start_hole(uint32_t begin, uint32_t end) {
    state_.error("limit-nesting", state_.span(begin, end),
                 "brackets are nested deeper than " + std::to_string(state_.limits.nesting) + " levels");
    out_.tokens.emplace_back(OrdainLexer::K_NULL, begin, end, static_cast<uint32_t>(out_.tokens.size()), false);
    out_.tokens.back().hole = true;
    out_.holes = true;
    skipped_ = 1;
    return false;
  }

  bool skip(size_t type) {
    if (type == OrdainLexer::SEMICOLON) {
      skipped_ = 0;
      drop_unclosed();
      return true;
    }
    if (type == OrdainLexer::LPAREN || type == OrdainLexer::LBRACKET || type == OrdainLexer::LBRACE) ++skipped_;
    if (type == OrdainLexer::RPAREN || type == OrdainLexer::RBRACKET || type == OrdainLexer::RBRACE) --skipped_;
    return false;
  }

  State& state_;
  TokenList& out_;
  std::vector<size_t> open_;
  size_t skipped_ = 0;  ///< brackets open within the omitted text
};

void report_bad_characters(State& state, uint32_t begin, uint32_t end) {
  std::string_view text = state.text.substr(begin, end - begin);
  auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x20 || first == 0x7F) {
    char code[16];
    std::snprintf(code, sizeof code, "U+%04X", first);
    state.error("unexpected-character", state.span(begin, end), "unexpected control character " + std::string(code));
    return;
  }
  state.error("unexpected-character", state.span(begin, end), "unexpected character " + quote(text), help_for(text));
}

void report_open_string(State& state, uint32_t begin, uint32_t end) {
  std::string_view text = state.text.substr(begin, end - begin);
  const QuotedStart start = quoted_start(text).value_or(QuotedStart());
  const bool is_long = start.quotes == 3;
  const std::string closing(text.substr(std::min(start.prefix, text.size()), start.quotes));
  const uint32_t shown = is_long ? begin + static_cast<uint32_t>(start.prefix + start.quotes) : end;
  state.error("unclosed-string", state.span(begin, shown), "this string is not closed",
              is_long ? "close it with " + closing : "close it with " + closing + " on the same line");
}

bool has_newline(std::string_view text, uint32_t begin, uint32_t end) {
  return std::memchr(text.data() + begin, '\n', end - begin) != nullptr;
}

}  // namespace

void read_tokens(State& state, TokenList& out) {
  Nesting nesting(state, out);
  out.tokens.reserve(state.text.size() / 5 + 16);
  size_t at = state.text.starts_with("\xEF\xBB\xBF") ? 3 : 0;  // behind a byte order mark

  uint32_t last_end = 0;
  while (at < state.text.size() && !state.full()) {
    const auto begin = static_cast<uint32_t>(at);
    const TokenMatch match = match_token(state.text, at);
    at = match.end;
    if (match.skipped) continue;
    if (match.type == OrdainLexer::BAD_CHAR) {
      // A run of bad characters is one mistake, and a non-ASCII character is several bytes.
      auto bad = [&](size_t i) {
        return static_cast<unsigned char>(state.text[i]) >= 0x80 || state.text[i] == state.text[begin];
      };
      while (at < state.text.size() && bad(at)) ++at;
    }
    auto end = static_cast<uint32_t>(at);
    bool line_start = out.tokens.empty() || has_newline(state.text, last_end, begin);
    last_end = end;
    if (!nesting.keep(match.type, begin, end)) continue;
    if (match.type == OrdainLexer::BAD_CHAR) report_bad_characters(state, begin, end);
    if (match.type == OrdainLexer::BAD_STRING) report_open_string(state, begin, end);
    out.tokens.emplace_back(match.type, begin, end, static_cast<uint32_t>(out.tokens.size()), line_start);
  }
  auto size = static_cast<uint32_t>(state.text.size());
  out.tokens.emplace_back(antlr4::Token::EOF, size, size, static_cast<uint32_t>(out.tokens.size()), true);
}

namespace {

LexemeKind lexeme_kind(size_t type) {
  switch (type) {
    case OrdainLexer::DURATION:
    case OrdainLexer::FLOAT:
    case OrdainLexer::INT:
    case OrdainLexer::UINT:
    case OrdainLexer::STRING:
    case OrdainLexer::RAW_STRING:
    case OrdainLexer::BYTES:
      return LexemeKind::literal;
    case OrdainLexer::RESERVED:
    case OrdainLexer::ID:
    case OrdainLexer::ESC_ID:
      return LexemeKind::word;
    default:
      return type >= OrdainLexer::K_PACKAGE && type <= OrdainLexer::K_IN ? LexemeKind::word : LexemeKind::punctuation;
  }
}

}  // namespace

std::vector<Lexeme> lexemes_of(const TokenList& tokens) {
  std::vector<Lexeme> out;
  out.reserve(tokens.tokens.size());
  for (const Token& token : tokens.tokens) {
    if (token.getType() == antlr4::Token::EOF) break;
    out.push_back({lexeme_kind(token.getType()), token.begin, token.end});
  }
  return out;
}

}  // namespace ordain::parsing
