// code_help.h says what docs/diagnostics.md says of a code. The build puts the page into the library.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ordain::lsp {

/// The page in pieces: what is before the first heading, then one piece for each `##` heading.
std::span<const std::string_view> diagnostics_page();

/// What the page says of one code.
struct CodeHelp {
  std::string code, severity, meaning, example;
  std::string_view section;  ///< below the code's own heading; or empty
};

std::optional<CodeHelp> find_code_help(std::string_view code);
std::vector<std::string> documented_codes();

}  // namespace ordain::lsp
