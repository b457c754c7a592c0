// diagnostics_page.h gives the text of docs/diagnostics.md, which the build puts into the command.
#pragma once

#include <span>
#include <string_view>

namespace ordain::cli {

/// The page in pieces: what is before the first heading, then one piece for each `##` heading.
std::span<const std::string_view> diagnostics_page();

}  // namespace ordain::cli
