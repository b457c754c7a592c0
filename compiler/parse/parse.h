// parse turns text into a syntax tree. Only the parser knows about ANTLR.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "compiler/parse/syntax.h"
#include "ordain/arena.h"
#include "ordain/diagnostic.h"

namespace ordain {

/// The limits of one file. Exceeding one is a diagnostic (code `limit-...`).
struct ParseLimits {
  uint32_t source_bytes = 16 << 20;
  uint32_t nesting = 200;  ///< depth of nested brackets
  uint32_t depth = 400;  ///< of an expression's tree: operators, conditionals, selections, calls within one another; a
                         ///< run of && or of || counts with the logarithm of its length
  uint32_t expression_nodes = 100'000;
  uint32_t rules = 200'000;
  uint32_t literal_bytes = 1 << 20;  ///< of one string or bytes literal
  uint32_t errors = 100;             ///< parsing of the file stops after this many
};

enum class LexemeKind : uint8_t {
  word,     ///< a name, in backticks too, or a word of the language
  literal,  ///< a number, a duration, a string or bytes
  punctuation,
};

/// Bytes [begin, end) of a source: a token as the author wrote it.
struct Lexeme {
  LexemeKind kind = LexemeKind::punctuation;
  uint32_t begin = 0;
  uint32_t end = 0;
};

/// Parses `diagnostics.sources[file]` and reports every mistake that it can distinguish. Never
/// throws, whatever the bytes. It returns the file even after errors, with the parts that could be
/// read; check `diagnostics.has_errors()`.
syntax::File parse(Arena& arena, Diagnostics& diagnostics, uint32_t file, const ParseLimits& limits = {});

/// Like `parse`, and sets `*lexemes` to all tokens of the file, in order. After errors they may be
/// incomplete.
syntax::File parse_with_lexemes(Arena& arena, Diagnostics& diagnostics, uint32_t file, std::vector<Lexeme>* lexemes,
                                const ParseLimits& limits = {});

/// Parses one CEL expression. @returns nullptr after errors.
syntax::Expr* parse_expression(Arena& arena, Diagnostics& diagnostics, uint32_t file, const ParseLimits& limits = {});

}  // namespace ordain
