// tokens.h presents a parsed file as the formatter needs it: every token in order, with the comments
// and the empty line before it, and with its partner if it is a bracket.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "compiler/parse/parse.h"

namespace ordain::layout {

struct Comment {
  std::string_view text;  ///< from `//` on, without the white space at its end
  bool trailing = false;  ///< stands on the line of the token before it
  bool blank_before = false;
};

struct Token {
  std::string_view text;
  LexemeKind kind = LexemeKind::punctuation;
  bool blank_before = false;  ///< an empty line is directly before it
  bool glued = false;         ///< a word directly behind a number, as in `5in x`; digests tell it from `5 in x`
  uint32_t comments_begin = 0, comments_end = 0;
  uint32_t partner = 0;  ///< of a bracket; otherwise its own index
};

/// The tokens of a text that parses without errors. The one after the last stands for the end of the
/// file: it is empty, and has the comments after the last token. Indices past it mean it.
class Tokens {
 public:
  /// `text` must outlive this. A byte order mark is not part of what is read.
  Tokens(std::string_view text, const std::vector<Lexeme>& lexemes);

  uint32_t size() const { return static_cast<uint32_t>(tokens_.size() - 1); }
  const Token& operator[](uint32_t i) const { return tokens_[i < tokens_.size() ? i : tokens_.size() - 1]; }
  std::span<const Comment> comments(uint32_t i) const;
  bool has_comments(uint32_t i) const { return !comments(i).empty(); }
  /// Whether a comment is before any of the tokens [begin, end).
  bool has_comments(uint32_t begin, uint32_t end) const;
  /// Whether an empty line is before the token or its comments.
  bool has_blank(uint32_t i) const;

  bool is_mark(uint32_t i, std::string_view mark) const;
  bool is_word(uint32_t i) const { return (*this)[i].kind == LexemeKind::word; }
  bool is_word(uint32_t i, std::string_view word) const { return is_word(i) && (*this)[i].text == word; }
  bool opens(uint32_t i) const { return (*this)[i].partner > i && i < size(); }
  bool closes(uint32_t i) const { return (*this)[i].partner < i && i < size(); }

  /// The index after the token, or after the whole bracket that it opens.
  uint32_t after(uint32_t i) const { return opens(i) ? (*this)[i].partner + 1 : i + 1; }
  /// The first of the tokens [begin, end), outside of brackets, that is the mark; or `end`.
  uint32_t find_mark(uint32_t begin, uint32_t end, std::string_view mark) const;
  /// The end of the statement at `begin`: after its `;`, or with `brace_ends` after its `}` and a `;` behind that.
  uint32_t statement_end(uint32_t begin, bool brace_ends) const;

 private:
  void read_gap(std::string_view text, uint32_t begin, uint32_t end, Token* token);
  void match_brackets();

  std::vector<Token> tokens_;
  std::vector<Comment> comments_;
};

/// The length of the byte order mark with which the text begins, or 0.
inline uint32_t byte_order_mark_size(std::string_view text) { return text.starts_with("\xEF\xBB\xBF") ? 3 : 0; }

}  // namespace ordain::layout
