// The loop over a file's statements: one at a time to ANTLR, so that a mistake costs one statement and memory stays
// small.
#pragma once

#include "compiler/parse/state.h"
#include "compiler/parse/syntax.h"
#include "compiler/parse/tokens.h"

namespace ordain::parsing {

/// Parses all statements of a file whose tokens were read.
void parse_statements(State& state, TokenList& tokens, syntax::File* out);

/// Parses the tokens as one expression; nullptr after errors.
syntax::Expr* parse_lone_expression(State& state, TokenList& tokens);

}  // namespace ordain::parsing
