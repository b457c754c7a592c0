// outline.h writes what a file consists of: its symbols, the parts that can be folded, its tests, and
// what its tokens mean.
#pragma once

#include <string>

#include "compiler/parse/syntax.h"
#include "lsp/symbols.h"
#include "lsp/text_lines.h"

namespace ordain::lsp {

/// The command that runs a test. Its arguments are the document's URI and the test's name.
inline constexpr std::string_view kRunTest = "ordain.runTest";
/// The command that says what each rule came to for a test's last call. It has the same arguments.
inline constexpr std::string_view kExplainLast = "ordain.explainLast";

/// Elements of `textDocument/documentSymbol`.
std::string document_symbols_json(const syntax::File& file, std::string_view text, const TextLines& lines);
/// Elements of `textDocument/foldingRange`: braces and comments of several lines.
std::string folding_ranges_json(std::string_view text, const TextLines& lines);
/// Elements of `textDocument/codeLens`: "run test" and "explain last" at each test.
std::string code_lenses_json(const syntax::File& file, std::string_view uri, const TextLines& lines);

/// The kinds of tokens, in the order of their numbers.
std::string token_legend_json();
/// The data of `textDocument/semanticTokens/full`.
std::string semantic_tokens_json(std::string_view text, const SymbolIndex& symbols, uint32_t file,
                                 const TextLines& lines);

}  // namespace ordain::lsp
