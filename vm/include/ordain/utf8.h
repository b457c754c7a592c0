// The one test for UTF-8 that every boundary uses.
#pragma once

#include <string_view>

#include "ordain/export.h"

namespace ordain {

/// True if `text` is well-formed UTF-8: no overlong form, surrogate, or code point past U+10FFFF.
ORDAIN_API bool valid_utf8(std::string_view text);

}  // namespace ordain
