// shell_parser.h is the reader behind shell_parse.h: shell_parse.cc has its tokens and commands,
// shell_words.cc the pieces of words.
#pragma once

#include "stdlib/shell_parse.h"

namespace ordain::stdlib::shell {

inline constexpr std::string_view kOperators = ";&|<>()";

inline bool is_blank(char c) { return c == ' ' || c == '\t'; }
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_name_byte(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c); }
inline bool ends_word(char c) { return is_blank(c) || c == '\n' || kOperators.find(c) != std::string_view::npos; }

/// The memory that all commands share while they are read: an outer command's items lie below those
/// of the substitutions in its words.
struct Pool {
  Item* items = nullptr;
  size_t top = 0;
};

/// What is known of a word while it is read.
struct WordState {
  uint16_t flags = 0;
  uint32_t equals = 0;
  size_t begin = 0;
  int brace = 0;  // how much of a brace expansion was seen: `{`, then `,` or `..`
};

class Parser {
 public:
  /// With `visitor` nullptr, commands are read but neither checked nor given to anyone.
  Parser(Eval& eval, std::string_view text, Pool& pool, Visitor* visitor, bool* is_compound, int depth)
      : eval_(eval), text_(text), pool_(pool), visitor_(visitor), is_compound_(is_compound), depth_(depth) {}

  bool list(bool in_parentheses);
  bool piece(WordState& word);

  bool done() const { return at_ == text_.size(); }
  size_t at() const { return at_; }

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool at_continuation() const { return peek() == '\\' && peek(1) == '\n'; }
  bool at_process() const { return (peek() == '<' || peek() == '>') && peek(1) == '('; }
  bool is_first() const { return pool_.top == base_; }
  bool fail(std::string_view why) { return shell::fail(eval_, why); }
  void mark_compound() {
    if (depth_ == 1) *is_compound_ = true;
  }

  void skip_blanks();
  bool token(bool in_parentheses, bool* closed);
  bool after_operator();
  bool separator();
  bool parenthesis();
  bool comment();
  bool redirection();
  bool word_item();
  bool word(Item* item);
  bool loop_head(const Item& first);
  bool time_options();
  bool finish();
  void push(const Item& item) { pool_.items[pool_.top++] = item; }

  bool nested(size_t skip, WordState& word);
  bool single_quoted(WordState& word);
  bool double_quoted(WordState& word);
  bool dollar(WordState& word, bool quoted);
  bool parameter(WordState& word, bool quoted);
  bool arithmetic();
  bool backticks(WordState& word, bool quoted);
  void plain(WordState& word);
  static void expands(WordState& word, bool quoted) { word.flags |= quoted ? kExpands : kExpands | kSplits; }

  Eval& eval_;
  std::string_view text_;
  size_t at_ = 0;
  Pool& pool_;
  Visitor* visitor_;
  bool* is_compound_;
  int depth_;
  size_t base_ = 0;         // where the items of the current command begin
  bool continued_ = false;  // whether a continuation, not a blank, precedes the current token
  bool loop_head_ = false;
  bool timed_ = false;
};

}  // namespace ordain::stdlib::shell
