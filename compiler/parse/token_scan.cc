// token_scan.cc splits policy text into tokens without parsing it.
#include "compiler/parse/token_scan.h"

#include <cctype>

namespace ordain {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f'; }

size_t skip_space(std::string_view text, size_t at) {
  while (at < text.size()) {
    if (is_space(text[at])) {
      ++at;
    } else if (text.substr(at, 2) == "//") {
      while (at < text.size() && text[at] != '\n') ++at;
    } else {
      break;
    }
  }
  return at;
}

// Skips a literal whose opening quote is at `at`. An unterminated string ends with its line, or
// with the text if it is triple-quoted.
size_t skip_quoted(std::string_view text, size_t at, bool raw) {
  char quote = text[at];
  bool triple = at + 2 < text.size() && text[at + 1] == quote && text[at + 2] == quote;
  at += triple ? 3 : 1;
  while (at < text.size()) {
    if (text[at] == '\\' && !raw) {
      at += 2;
    } else if (text[at] == '\n' && !triple) {
      return at;
    } else if (text[at] != quote) {
      ++at;
    } else if (!triple) {
      return at + 1;
    } else if (at + 2 < text.size() && text[at + 1] == quote && text[at + 2] == quote) {
      return at + 3;
    } else {
      ++at;
    }
  }
  return text.size();
}

bool is_string_prefix(std::string_view word, bool* raw) {
  if (word.size() > 2) return false;
  *raw = false;
  for (char c : word) {
    if (c == 'r' || c == 'R') {
      *raw = true;
    } else if (c != 'b' && c != 'B') {
      return false;
    }
  }
  return true;
}

}  // namespace

ScanToken next_token(std::string_view text, size_t from) {
  size_t begin = skip_space(text, from);
  if (begin >= text.size()) return {ScanKind::end, text.size(), text.size()};
  char c = text[begin];
  if (c == '"' || c == '\'') return {ScanKind::quoted, begin, skip_quoted(text, begin, false)};
  if (c == '`') {
    size_t close = text.find_first_of("`\n", begin + 1);
    return {ScanKind::quoted, begin, close == std::string_view::npos ? text.size() : close + 1};
  }
  if (!is_word(c)) return {ScanKind::punctuation, begin, begin + 1};
  size_t end = begin;
  while (end < text.size() && is_word(text[end])) ++end;
  bool raw = false;
  if (end < text.size() && (text[end] == '"' || text[end] == '\'') &&
      is_string_prefix(text.substr(begin, end - begin), &raw)) {
    return {ScanKind::quoted, begin, skip_quoted(text, end, raw)};
  }
  return {ScanKind::word, begin, end};
}

std::string canonical_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  ScanKind previous = ScanKind::punctuation;
  for (ScanToken token = next_token(text, 0); token.kind != ScanKind::end; token = next_token(text, token.end)) {
    if (token.kind != ScanKind::punctuation && previous != ScanKind::punctuation) out.push_back(' ');
    out.append(text.substr(token.begin, token.end - token.begin));
    previous = token.kind;
  }
  return out;
}

}  // namespace ordain
