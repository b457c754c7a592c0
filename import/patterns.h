// Texts, globs and regular expressions of other formats as RE2 patterns. What blocks is made to match more than was
// written (so that no spelling slips through), what allows never to match more.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ordain::importer {

/// A pattern that finds `keyword` however it is spelt: any case; any white space for a space; words between the ends of
/// a pipe; flags such as -rf in any order, split, and among others.
std::string keyword_pattern(std::string_view keyword);

/// A pattern for all that `pattern` matches, and the same in any case and across lines.
std::string widened(std::string_view pattern);

struct WithoutLookaround {
  std::string pattern;
  bool changed = false;
};
/// Takes `(?=...)`, `(?!...)`, `(?<=...)`, `(?<!...)` out, which RE2 has not: what remains matches all that `pattern`
/// did.
WithoutLookaround without_lookaround(std::string_view pattern);

/// Why RE2 refuses the pattern; nothing if it does not.
std::optional<std::string> pattern_error(const std::string& pattern);

/// Every character of `text` as itself.
std::string escaped(std::string_view text);

bool is_glob(std::string_view text);
/// The inside of a pattern for a glob: `*` any text, `?` one character, `[...]` one of a set.
std::string glob_pattern(std::string_view glob);

}  // namespace ordain::importer
