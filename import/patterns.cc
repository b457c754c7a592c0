// patterns.cc translates keywords, globs and regular expressions of other formats into RE2
// patterns.
#include "import/patterns.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "ordain/stdlib.h"
#include "ordain/value.h"

namespace ordain::importer {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

void append_escaped(std::string& out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte < 0x20 || byte == 0x7F) {
    out += fmt::format("\\x{:02x}", byte);
    return;
  }
  if (std::string_view(R"(\.+*?()|[]{}^$-)").find(c) != std::string_view::npos) out += '\\';
  out += c;
}

// @returns whether a word is a dash and one to three different letters: "-rf", "-R"
bool is_flags(std::string_view word) {
  if (word.size() < 2 || word.size() > 4 || word[0] != '-') return false;
  for (size_t i = 1; i < word.size(); ++i) {
    if (!is_letter(word[i]) || word.find(word[i], i + 1) != std::string_view::npos) return false;
  }
  return true;
}

// Matches the flags in any order, in one word or several, with other flags before, between and
// after them.
std::string flags_pattern(std::string_view letters) {
  std::vector<size_t> order(letters.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::string orders;
  do {
    if (!orders.empty()) orders += '|';
    orders += R"(-\w*)";
    for (size_t i = 0; i < order.size(); ++i) {
      if (i > 0) orders += R"((?:\w*|\w*\s+(?:-\S+\s+)*-\w*))";
      orders += letters[order[i]];
    }
  } while (std::next_permutation(order.begin(), order.end()));
  return fmt::format(R"((?:-\S+\s+)*(?:{})\w*(?:\s+-\S+)*)", orders);
}

// @returns the offset after the group that opens at `at`; npos if the group does not end
size_t group_end(std::string_view pattern, size_t at) {
  int depth = 0;
  bool in_class = false;
  for (; at < pattern.size(); ++at) {
    const char c = pattern[at];
    if (c == '\\') {
      ++at;
    } else if (in_class) {
      in_class = c != ']';
    } else if (c == '[') {
      in_class = true;
      // A bracket right after the opening one is a literal.
      if (at + 1 < pattern.size() && pattern[at + 1] == '^') ++at;
      if (at + 1 < pattern.size() && pattern[at + 1] == ']') ++at;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && --depth == 0) {
      return at + 1;
    }
  }
  return std::string_view::npos;
}

bool starts_lookaround(std::string_view text) {
  return text.starts_with("(?=") || text.starts_with("(?!") || text.starts_with("(?<=") || text.starts_with("(?<!");
}

// @returns the offset after `*`, `+`, `?`, `{2,3}` and their modifiers at `at`
size_t quantifier_end(std::string_view pattern, size_t at) {
  if (at >= pattern.size()) return at;
  if (pattern[at] == '{') {
    const size_t end = pattern.find('}', at);
    if (end == std::string_view::npos) return at;
    at = end + 1;
  } else if (pattern[at] == '*' || pattern[at] == '+' || pattern[at] == '?') {
    ++at;
  } else {
    return at;
  }
  return at < pattern.size() && (pattern[at] == '?' || pattern[at] == '+') ? at + 1 : at;
}

}  // namespace

std::string escape_pattern(std::string_view text) {
  std::string out;
  for (char c : text) append_escaped(out, c);
  return out;
}

std::string keyword_pattern(std::string_view keyword) {
  std::string out = "(?is)";
  for (size_t at = 0; at < keyword.size();) {
    const bool first = at == 0;
    size_t end = at;
    while (end < keyword.size() && is_blank(keyword[end])) ++end;
    if (end > at) {
      const bool pipe_follows = end < keyword.size() && keyword[end] == '|';
      if (!pipe_follows) out += first ? R"((?:^|\s))" : end == keyword.size() ? R"((?:\s|$))" : R"(\s+)";
      at = end;
      continue;
    }
    if (keyword[at] == '|') {
      const bool left = keyword.find_first_not_of(" \t\r\n|") < at;
      const size_t right = keyword.find_first_not_of(" \t\r\n", at + 1);
      out += left && right != std::string_view::npos ? R"([^;&]*\|)" : R"(\|)";
      if (right != std::string_view::npos) out += R"(\s*)";
      at = right == std::string_view::npos ? keyword.size() : right;
      continue;
    }
    while (end < keyword.size() && !is_blank(keyword[end]) && keyword[end] != '|') ++end;
    const std::string_view word = keyword.substr(at, end - at);
    const bool alone = (first || is_blank(keyword[at - 1])) && (end == keyword.size() || is_blank(keyword[end]));
    out += alone && is_flags(word) ? flags_pattern(word.substr(1)) : escape_pattern(word);
    at = end;
  }
  return out;
}

std::string widen_pattern(std::string_view pattern) {
  // Ignoring case, a negated set excludes more characters, so the pattern as written must remain as
  // an alternative.
  const bool narrows = pattern.find("[^") != std::string_view::npos || pattern.find("\\P") != std::string_view::npos ||
                       pattern.find(":^") != std::string_view::npos;
  if (narrows) return fmt::format("(?:{})|(?ims:{})", pattern, pattern);
  return fmt::format("(?ims){}", pattern);
}

WithoutLookaround without_lookaround(std::string_view pattern) {
  WithoutLookaround out;
  bool in_class = false;
  for (size_t at = 0; at < pattern.size();) {
    const char c = pattern[at];
    if (!in_class && starts_lookaround(pattern.substr(at))) {
      const size_t end = group_end(pattern, at);
      if (end != std::string_view::npos) {
        at = quantifier_end(pattern, end);
        out.changed = true;
        continue;
      }
    }
    if (c == '\\' && at + 1 < pattern.size()) {
      out.pattern += pattern.substr(at, 2);
      at += 2;
      continue;
    }
    if (c == '[' && !in_class) {
      in_class = true;
      size_t end = at + 1;
      if (end < pattern.size() && pattern[end] == '^') ++end;
      if (end < pattern.size() && pattern[end] == ']') ++end;
      out.pattern += pattern.substr(at, end - at);
      at = end;
      continue;
    }
    if (c == ']') in_class = false;
    out.pattern += c;
    ++at;
  }
  return out;
}

std::optional<std::string> pattern_error(const std::string& pattern) {
  const Overload* matches = standard_library().find_overload("matches_string");
  if (matches == nullptr || matches->preparation.prepare == nullptr) return "this build has no regular expressions";
  std::string error;
  if (matches->preparation.prepare(Value::string(pattern), &error) == nullptr) return error;
  return std::nullopt;
}

bool is_glob(std::string_view text) { return text.find_first_of("*?[") != std::string_view::npos; }

std::string glob_pattern(std::string_view glob) {
  std::string out;
  for (size_t at = 0; at < glob.size(); ++at) {
    const char c = glob[at];
    if (c == '*') {
      if (!out.ends_with(".*")) out += ".*";
      continue;
    }
    if (c == '?') {
      out += '.';
      continue;
    }
    if (c != '[') {
      append_escaped(out, c);
      continue;
    }
    size_t first = at + 1;
    const bool negated = first < glob.size() && (glob[first] == '!' || glob[first] == '^');
    if (negated) ++first;
    const size_t end = glob.find(']', first + 1);
    if (end == std::string_view::npos) {
      out += "\\[";
      continue;
    }
    out += negated ? "[^" : "[";
    for (size_t i = first; i < end; ++i) {
      if (glob[i] == '-' && i > first && i + 1 < end) {
        out += '-';
      } else {
        append_escaped(out, glob[i]);
      }
    }
    out += ']';
    at = end;
  }
  return out;
}

}  // namespace ordain::importer
