// slips.h recognises what newcomers write from habit: words and signs of other languages.
#pragma once

#include <cstddef>
#include <string>

#include "compiler/parse/tokens.h"

namespace ordain::parsing {

/// @returns what to write instead, where the token `at` does not fit into the statement that begins at
/// `first`; or ""
std::string slip_help(const TokenList& tokens, size_t first, size_t at);

/// @returns what to write instead of a statement that begins with the token `at`; or "". `in_file`: at
/// the level of the file, not in a block.
std::string statement_help(const TokenList& tokens, size_t at, bool in_file);

}  // namespace ordain::parsing
