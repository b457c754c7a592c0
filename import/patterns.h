// patterns translates texts, globs and regular expressions of other formats into RE2 patterns. The
// pattern of a rule that blocks is widened, so that no spelling slips through; the pattern of a
// rule that allows never matches more than was written.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ordain::importer {

/// @returns a pattern that finds `keyword` in any spelling: any case; any white space for a space;
/// other words around a pipe; flags such as -rf in any order, split, and among others
std::string keyword_pattern(std::string_view keyword);

/// @returns a pattern that matches everything `pattern` does, and also in any case and across lines
std::string widen_pattern(std::string_view pattern);

struct WithoutLookaround {
  std::string pattern;
  bool changed = false;
};
/// Removes `(?=...)`, `(?!...)`, `(?<=...)`, `(?<!...)`, which RE2 does not have. The result
/// matches everything that `pattern` did.
WithoutLookaround without_lookaround(std::string_view pattern);

/// @returns why RE2 refuses the pattern; nothing if RE2 accepts it
std::optional<std::string> pattern_error(const std::string& pattern);

/// @returns a pattern that matches `text` literally
std::string escape_pattern(std::string_view text);

bool is_glob(std::string_view text);
/// Translates a glob into a pattern without anchors: `*` is any text, `?` one character, `[...]`
/// one character of a set.
std::string glob_pattern(std::string_view glob);

}  // namespace ordain::importer
