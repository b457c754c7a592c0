// playground_page.h gives the text of cli/playground.html, which the build puts into the command.
#pragma once

#include <span>
#include <string_view>

namespace ordain::cli {

std::span<const std::string_view> playground_html();

}  // namespace ordain::cli
