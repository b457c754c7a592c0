// anchors.cc splits a pattern into its alternatives. It needs to know brackets, classes and escapes,
// and nothing else of the syntax.
#include "compiler/lint/anchors.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace ordain::lint {
namespace {

constexpr int kDeepestGroup = 8;

// @returns the end of the element at `at`: of a character, an escape, a class or a bracket
size_t element_end(std::string_view pattern, size_t at) {
  if (pattern[at] == '\\') return std::min(at + 2, pattern.size());
  if (pattern[at] != '[') return at + 1;
  size_t end = at + 1;
  if (end < pattern.size() && pattern[end] == '^') ++end;
  if (end < pattern.size() && pattern[end] == ']') ++end;  // a `]` in first place is a member
  while (end < pattern.size() && pattern[end] != ']') end += pattern[end] == '\\' ? 2 : 1;
  return std::min(end + 1, pattern.size());
}

std::vector<std::string_view> alternatives_of(std::string_view pattern) {
  std::vector<std::string_view> out;
  size_t begin = 0;
  int depth = 0;
  for (size_t at = 0; at < pattern.size(); at = element_end(pattern, at)) {
    if (pattern[at] == '(') ++depth;
    if (pattern[at] == ')') --depth;
    if (pattern[at] != '|' || depth != 0) continue;
    out.push_back(pattern.substr(begin, at - begin));
    begin = at + 1;
  }
  out.push_back(pattern.substr(begin));
  return out;
}

// Takes flags such as `(?i)` off the front. @returns false if they make `^` and `$` match within the text
bool skip_flags(std::string_view* pattern) {
  while (pattern->starts_with("(?")) {
    const size_t end = pattern->find_first_not_of("imsU-", 2);
    if (end == std::string_view::npos || (*pattern)[end] != ')') return true;
    if (pattern->substr(2, end - 2).find('m') != std::string_view::npos) return false;
    pattern->remove_prefix(end + 1);
  }
  return true;
}

// @returns the contents if the text is one group and nothing else; or the text itself
std::string_view inside_group(std::string_view text) {
  if (!text.starts_with('(')) return text;
  int depth = 0;
  for (size_t at = 0; at < text.size(); at = element_end(text, at)) {
    if (text[at] == '(') ++depth;
    if (text[at] == ')' && --depth == 0) {
      if (at + 1 != text.size()) return text;
      text = text.substr(1, at - 1);
      if (text.starts_with("?:")) return text.substr(2);
      if (const size_t name = text.find('>'); text.starts_with("?P<") && name != std::string_view::npos)
        return text.substr(name + 1);
      return text;
    }
  }
  return text;
}

bool ends_with_anchor(std::string_view text) {
  if (!text.ends_with('$') && !text.ends_with("\\z")) return false;
  const size_t anchor = text.size() - (text.ends_with('$') ? 1 : 2);
  size_t backslashes = 0;
  while (backslashes < anchor && text[anchor - 1 - backslashes] == '\\') ++backslashes;
  return backslashes % 2 == 0;
}

bool alternatives_are_anchored(std::string_view pattern, int depth) {
  if (!skip_flags(&pattern) || depth == kDeepestGroup) return false;
  const std::vector<std::string_view> alternatives = alternatives_of(pattern);
  return std::all_of(alternatives.begin(), alternatives.end(), [&](std::string_view one) {
    if ((one.starts_with('^') || one.starts_with("\\A")) && ends_with_anchor(one)) return true;
    const std::string_view inner = inside_group(one);
    return inner.size() < one.size() && alternatives_are_anchored(inner, depth + 1);
  });
}

}  // namespace

bool is_anchored(std::string_view pattern) { return alternatives_are_anchored(pattern, 0); }

}  // namespace ordain::lint
