// ANTLR's lexer as a table. ANTLR walks its automaton through hash tables, with a lock for each
// character, which takes two thirds of the time of parsing. The table holds the states that ANTLR
// has computed, each when text first leads to it, and is walked in a few instructions a character.
#pragma once

#include <cstddef>
#include <string_view>

namespace ordain::parsing {

struct TokenMatch {
  size_t type = 0;       ///< of the grammar's lexer
  size_t end = 0;        ///< the offset behind the token
  bool skipped = false;  ///< white space or a comment
};

/// The longest token that begins at offset `begin`, which lies in `text`. Every text begins with some token: a
/// character that begins no other is one of its own. The caller holds the lock for ANTLR (parse.cc).
TokenMatch match_token(std::string_view text, size_t begin);

}  // namespace ordain::parsing
