// tokens.cc finds the comments and empty lines between tokens, and the partner of each bracket.
#include "compiler/format/tokens.h"

#include <algorithm>

namespace ordain::layout {
namespace {

std::string_view without_space_at_end(std::string_view text) {
  const size_t last = text.find_last_not_of(" \t\r\f");
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

bool ends_in_quote(std::string_view literal) { return literal.ends_with('"') || literal.ends_with('\''); }

}  // namespace

Tokens::Tokens(std::string_view text, const std::vector<Lexeme>& lexemes) {
  tokens_.reserve(lexemes.size() + 1);
  uint32_t from = byte_order_mark_size(text);
  for (const Lexeme& lexeme : lexemes) {
    Token token{.text = text.substr(lexeme.begin, lexeme.end - lexeme.begin), .kind = lexeme.kind};
    read_gap(text, from, lexeme.begin, &token);
    token.glued = token.kind == LexemeKind::word && !tokens_.empty() && from == lexeme.begin &&
                  tokens_.back().kind == LexemeKind::literal && !ends_in_quote(tokens_.back().text);
    tokens_.push_back(token);
    from = lexeme.end;
  }
  Token end;
  read_gap(text, from, static_cast<uint32_t>(text.size()), &end);
  tokens_.push_back(end);
  match_brackets();
}

// Reads the white space and the comments between two tokens.
void Tokens::read_gap(std::string_view text, uint32_t begin, uint32_t end, Token* token) {
  token->comments_begin = static_cast<uint32_t>(comments_.size());
  uint32_t lines = 0;  // since the last token or comment
  const bool after_token = !tokens_.empty();
  for (uint32_t at = begin; at < end; ++at) {
    if (text[at] == '\n') ++lines;
    if (text[at] != '/') continue;
    const auto line_end = static_cast<uint32_t>(std::min<size_t>(text.find('\n', at), end));
    const bool first = comments_.size() == token->comments_begin;
    comments_.push_back({.text = without_space_at_end(text.substr(at, line_end - at)),
                         .trailing = first && after_token && lines == 0,
                         .blank_before = lines > 1});
    lines = 0;
    at = line_end - 1;  // the line's end is counted next
  }
  token->blank_before = lines > 1;
  token->comments_end = static_cast<uint32_t>(comments_.size());
}

void Tokens::match_brackets() {
  std::vector<uint32_t> open;
  for (uint32_t i = 0; i < tokens_.size(); ++i) {
    tokens_[i].partner = i;
    if (tokens_[i].kind != LexemeKind::punctuation || tokens_[i].text.size() != 1) continue;
    const char mark = tokens_[i].text[0];
    if (mark == '(' || mark == '[' || mark == '{') open.push_back(i);
    if ((mark != ')' && mark != ']' && mark != '}') || open.empty()) continue;
    tokens_[i].partner = open.back();
    tokens_[open.back()].partner = i;
    open.pop_back();
  }
}

std::span<const Comment> Tokens::comments(uint32_t i) const {
  const Token& token = (*this)[i];
  return std::span(comments_).subspan(token.comments_begin, token.comments_end - token.comments_begin);
}

bool Tokens::has_comments(uint32_t begin, uint32_t end) const {
  return begin < end && (*this)[begin].comments_begin != (*this)[end - 1].comments_end;
}

bool Tokens::has_blank(uint32_t i) const {
  const auto before = comments(i);
  return (*this)[i].blank_before ||
         std::any_of(before.begin(), before.end(), [](const Comment& comment) { return comment.blank_before; });
}

bool Tokens::is_mark(uint32_t i, std::string_view mark) const {
  const Token& token = (*this)[i];
  return token.kind == LexemeKind::punctuation && token.text == mark;
}

uint32_t Tokens::find_mark(uint32_t begin, uint32_t end, std::string_view mark) const {
  for (uint32_t i = begin; i < end; i = after(i)) {
    if (is_mark(i, mark)) return i;
  }
  return end;
}

uint32_t Tokens::statement_end(uint32_t begin, bool brace_ends) const {
  for (uint32_t i = begin; i < size(); i = after(i)) {
    if (is_mark(i, ";")) return i + 1;
    if (!brace_ends || !opens(i) || !is_mark(i, "{")) continue;
    const uint32_t next = after(i);
    return is_mark(next, ";") ? next + 1 : next;
  }
  return size();
}

}  // namespace ordain::layout
