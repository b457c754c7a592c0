// Text from elsewhere on one line of a terminal, of a log or of a message: the one function that
// makes it safe there.
#pragma once

#include <string>
#include <string_view>

#include "ordain/export.h"

namespace ordain {

/// @returns `text` on one line, with every character visible. Characters that a terminal obeys, that
/// end a line, or that reorder or hide text are written as \u{...}, a line feed as \n, a tab as \t,
/// and bytes that are not UTF-8 as \x... So text from an agent can neither disguise itself nor look
/// like another line. The result of a result is itself.
ORDAIN_API std::string terminal_text(std::string_view text);

}  // namespace ordain
