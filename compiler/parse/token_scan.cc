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

// The end of a literal that begins at `at`. One left open ends with its line, or with the text if it is triple-quoted.
size_t skip_quoted(std::string_view text, size_t at, const QuotedStart& start) {
  at += start.prefix;
  const std::string_view closing = text.substr(at, start.quotes);
  at += start.quotes;
  while (at < text.size()) {
    if (text[at] == '\\' && !start.raw) {
      at += 2;
    } else if (text[at] == '\n' && start.quotes == 1) {
      return at;
    } else if (text.substr(at, start.quotes) == closing) {
      return at + start.quotes;
    } else {
      ++at;
    }
  }
  return text.size();
}

}  // namespace

std::optional<QuotedStart> quoted_start(std::string_view text) {
  QuotedStart out;
  for (; out.prefix < 2 && out.prefix < text.size(); ++out.prefix) {
    const char c = text[out.prefix];
    if (c != 'r' && c != 'R' && c != 'b' && c != 'B') break;
    (c == 'r' || c == 'R' ? out.raw : out.bytes) = true;
  }
  const std::string_view rest = text.substr(out.prefix);
  if (!rest.starts_with('"') && !rest.starts_with('\'')) return std::nullopt;
  if (rest.size() >= 3 && rest[1] == rest[0] && rest[2] == rest[0]) out.quotes = 3;
  return out;
}

ScanToken next_token(std::string_view text, size_t from) {
  size_t begin = skip_space(text, from);
  if (begin >= text.size()) return {ScanKind::end, text.size(), text.size()};
  char c = text[begin];
  if (const auto start = quoted_start(text.substr(begin))) {
    return {ScanKind::quoted, begin, skip_quoted(text, begin, *start)};
  }
  if (c == '`') {
    size_t close = text.find_first_of("`\n", begin + 1);
    return {ScanKind::quoted, begin, close == std::string_view::npos ? text.size() : close + 1};
  }
  if (!is_word(c)) return {ScanKind::punctuation, begin, begin + 1};
  size_t end = begin;
  while (end < text.size() && is_word(text[end])) ++end;
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
