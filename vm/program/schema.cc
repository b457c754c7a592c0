// Look-ups in a schema, and the matching of capability names with targets that contain `*`.
#include "ordain/schema.h"

#include <algorithm>

namespace ordain {
namespace {

// `*` matches any characters other than '.'. The match is greedy with one place to return to: the
// latest `*` takes one more character. An earlier `*` need not be tried again, because what follows
// it matched at the first possible place.
bool matches_batch(std::string_view pattern, std::string_view name) {
  size_t p = 0, n = 0;
  size_t star = std::string_view::npos, taken = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos && name[taken] != '.') {
      p = star + 1;
      n = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view name) {
  if (pattern == "*") return true;
  if (!pattern.ends_with(".*")) return matches_batch(pattern, name);
  // `*` never matches a '.', so the head matches as many segments of the name as it has itself.
  std::string_view head = pattern.substr(0, pattern.size() - 2);
  size_t segments = 1 + static_cast<size_t>(std::count(head.begin(), head.end(), '.'));
  size_t dot = std::string_view::npos;
  for (size_t from = 0; segments > 0; --segments, from = dot + 1) {
    dot = name.find('.', from);
    if (dot == std::string_view::npos) return false;
  }
  return dot + 1 < name.size() && matches_batch(head, name.substr(0, dot));
}

const FieldBinding* RecordBinding::find(std::string_view field) const& {
  auto at = std::lower_bound(fields.begin(), fields.end(), field,
                             [](const FieldBinding& a, std::string_view b) { return a.name < b; });
  return at != fields.end() && at->name == field ? &*at : nullptr;
}

bool Capability::has_effect(std::string_view effect) const {
  return std::find(effects.begin(), effects.end(), effect) != effects.end();
}

const Capability* Schema::find_capability(std::string_view name) const& {
  auto at = std::find_if(capabilities.begin(), capabilities.end(), [&](const Capability& c) { return c.name == name; });
  return at == capabilities.end() ? nullptr : &*at;
}

}  // namespace ordain
