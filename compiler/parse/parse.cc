// parse.cc is the entry to the parser: it refuses sources that are not text or too large, and lets
// no exception escape.
#include "compiler/parse/parse.h"

#include <cstdio>
#include <exception>
#include <mutex>
#include <new>
#include <string>

#include "compiler/parse/file.h"
#include "compiler/parse/state.h"
#include "compiler/parse/tokens.h"

namespace ordain {
namespace {

// Guards the table of tokens, and ANTLR's prediction caches, which all its parsers in a process share.
// ANTLR locks its own, but with locks that our race detectors do not understand.
std::mutex& antlr_mutex() {
  static std::mutex mutex;
  return mutex;
}

bool admit(parsing::State& state) {
  if (state.text.size() > state.limits.source_bytes) {
    state.error("limit-source", state.span(0, 0),
                "this file has " + std::to_string(state.text.size()) + " bytes; at most " +
                    std::to_string(state.limits.source_bytes) + " are read");
    return false;
  }
  size_t valid = parsing::valid_utf8_prefix(state.text);
  if (valid == state.text.size()) return true;
  char byte[8];
  std::snprintf(byte, sizeof byte, "0x%02X", static_cast<unsigned char>(state.text[valid]));
  auto at = static_cast<uint32_t>(valid);
  state.error("invalid-utf8", state.span(at, at + 1),
              "this file is not valid UTF-8: byte " + std::string(byte) + " is out of place");
  return false;
}

template <typename Work>
void guarded(Diagnostics& diagnostics, uint32_t file, const ParseLimits& limits, Arena& arena, Work work) {
  parsing::State state{.arena = arena,
                       .diagnostics = diagnostics,
                       .limits = limits,
                       .file = file,
                       .text = diagnostics.sources[file]->text};
  try {
    if (!admit(state)) return;
    std::lock_guard lock(antlr_mutex());
    parsing::TokenList tokens(state.text);
    parsing::read_tokens(state, tokens);
    if (!state.full()) work(state, tokens);
  } catch (const std::bad_alloc&) {
    throw;  // not a mistake of the policies
  } catch (const std::exception& e) {
    diagnostics.error("internal", state.span(0, 0), std::string("the parser failed: ") + e.what());
  }
}

}  // namespace

syntax::File parse(Arena& arena, Diagnostics& diagnostics, uint32_t file, const ParseLimits& limits) {
  syntax::File out;
  out.file = file;
  guarded(diagnostics, file, limits, arena,
          [&](parsing::State& state, parsing::TokenList& tokens) { parsing::parse_statements(state, tokens, &out); });
  return out;
}

syntax::File parse_with_lexemes(Arena& arena, Diagnostics& diagnostics, uint32_t file, std::vector<Lexeme>* lexemes,
                                const ParseLimits& limits) {
  syntax::File out;
  out.file = file;
  guarded(diagnostics, file, limits, arena, [&](parsing::State& state, parsing::TokenList& tokens) {
    *lexemes = parsing::lexemes_of(tokens);
    parsing::parse_statements(state, tokens, &out);
  });
  return out;
}

syntax::Expr* parse_expression(Arena& arena, Diagnostics& diagnostics, uint32_t file, const ParseLimits& limits) {
  syntax::Expr* out = nullptr;
  bool clean = false;
  guarded(diagnostics, file, limits, arena, [&](parsing::State& state, parsing::TokenList& tokens) {
    out = parsing::parse_lone_expression(state, tokens);
    clean = state.errors == 0;
  });
  return clean ? out : nullptr;
}

}  // namespace ordain
