// lint.cc lists the checks, and decides which of them are made in every compilation: those whose
// findings are certainly mistakes.
#include "compiler/lint/lint.h"

#include <algorithm>
#include <iterator>

namespace ordain {

void warn_mistakes(Diagnostics& diagnostics, const std::vector<syntax::File>& files, const typed::PolicySet& set) {
  lint::warn_conditions(diagnostics, set);
  lint::warn_shadowed(diagnostics, set);
  lint::warn_unanswerable(diagnostics, set);
  lint::warn_confusable_names(diagnostics, files);
  lint::warn_bidi_controls(diagnostics);
}

void warn_style(Diagnostics& diagnostics, const std::vector<syntax::File>& files, const typed::PolicySet& set) {
  lint::warn_text_tests(diagnostics, set);
  lint::warn_repeated(diagnostics, set);
  lint::warn_hasty(diagnostics, set);
  lint::warn_similar_names(diagnostics, files);
  lint::warn_invisible_characters(diagnostics);
  lint::warn_broad_allows(diagnostics, files);
  lint::warn_untyped_fields(diagnostics, files);
  lint::warn_unused(diagnostics, files, set);
  lint::warn_clock_in_tests(diagnostics, set);
}

namespace lint {

bool is_style(std::string_view code) {
  static constexpr std::string_view kCodes[] = {
      "shell-text",      "path-prefix",         "case-evasion",  "space-evasion",   "url-prefix",
      "suffix-boundary", "unanchored-regex",    "repeated-rule", "redundant-allow", "hasty-approval",
      "similar-names",   "invisible-character", "broad-allow",   "untyped-field",   "unused-let",
      "unused-import",   "unused-capability",   "clock-in-test", "untested-rule",
  };
  return std::find(std::begin(kCodes), std::end(kCodes), code) != std::end(kCodes);
}

}  // namespace lint
}  // namespace ordain
