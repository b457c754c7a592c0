// fixes.h turns what a diagnostic's help says into changes of the text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "ordain/diagnostic.h"

namespace ordain::lsp {

/// A change that mends a mistake.
struct Fix {
  std::string title;
  size_t begin = 0, end = 0;  ///< bytes that `text` takes the place of
  std::string text;
};

/// @returns how to do what the diagnostic says, if that is one certain change of its text; nullopt where the author
/// has to decide something, such as where a string ends
std::optional<Fix> fix_of(const Diagnostic& item, const Source& source);

/// @returns the comment that accepts a warning, before the statement that the warning is about. The author writes the
/// reason behind it: without one it accepts nothing. nullopt for errors, and where no comment would help
std::optional<Fix> acceptance_of(const Diagnostic& item, const Source& source);

}  // namespace ordain::lsp
