// parse: text to syntax tree. ANTLR stays behind this header.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "compiler/parse/syntax.h"
#include "ordain/arena.h"
#include "ordain/diagnostic.h"

namespace ordain {

/// What one file may hold. Each has its diagnostic (code `limit-...`).
struct ParseLimits {
  uint32_t source_bytes = 16 << 20;
  uint32_t nesting = 200;  ///< brackets within one another
  uint32_t depth = 400;  ///< of an expression's tree: operators, conditionals, selections, calls within one another; a
                         ///< run of && or of || counts with the logarithm of its length
  uint32_t expression_nodes = 100'000;
  uint32_t rules = 200'000;
  uint32_t literal_bytes = 1 << 20;  ///< of one string or bytes literal
  uint32_t errors = 100;             ///< then parsing of the file stops
};

/// Parses `diagnostics.sources[file]`, reporting every mistake it can tell apart. Never throws on any bytes. The file
/// is returned even after errors, with what could be read; check `diagnostics.has_errors()`.
syntax::File parse(Arena& arena, Diagnostics& diagnostics, uint32_t file, const ParseLimits& limits = {});

/// Parses one CEL expression; nullptr after errors.
syntax::Expr* parse_expression(Arena& arena, Diagnostics& diagnostics, uint32_t file, const ParseLimits& limits = {});

}  // namespace ordain
