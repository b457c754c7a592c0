// file.h declares the loop over a file's statements. It gives ANTLR one statement at a time, so
// that a mistake loses only one statement and memory use stays small.
#pragma once

#include "compiler/parse/state.h"
#include "compiler/parse/syntax.h"
#include "compiler/parse/tokens.h"

namespace ordain::parsing {

/// Parses all statements of a file whose tokens have been read.
void parse_statements(State& state, TokenList& tokens, syntax::File* out);

/// Parses the tokens as one expression. @returns nullptr after errors.
syntax::Expr* parse_lone_expression(State& state, TokenList& tokens);

}  // namespace ordain::parsing
