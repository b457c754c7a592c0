// anchors.h looks at where a regular expression begins and ends.
#pragma once

#include <string_view>

namespace ordain::lint {

/// Whether a match of the pattern is certainly the whole text: each of its alternatives begins with `^`
/// and ends with `$` (or `\A` and `\z`), outside of multi-line mode.
bool is_anchored(std::string_view pattern);

}  // namespace ordain::lint
