// memory.cc lays out what a set of policies remembers between calls: histories, rates and budgets.
// Most of their words can also be names of fields and lets, so a clause ends where its grammar says,
// and not at the next word that could open another.
#include <algorithm>

#include "compiler/format/layouter.h"

namespace ordain::layout {
namespace {

constexpr size_t kMemoryIndent = 4;  // of the later lines of a declaration or of a statement in its block

}  // namespace

void Layouter::write_memory(uint32_t begin, uint32_t end, size_t indent) {
  doc_.clear();
  doc_.open({.more = kMemoryIndent});
  add_memory(begin, end);
  doc_.close();
  write(indent);
}

// A history, a rate, the head of a budget, or a statement in a budget's block. Lines break between clauses.
void Layouter::add_memory(uint32_t begin, uint32_t end) {
  for (uint32_t i = begin; i < end;) {
    if (tokens_.is_mark(i, ";")) {
      add_gap(i, Separator::none);
      add_token(i);
      ++i;
      continue;
    }
    // `signed` belongs to the sum before it.
    if (i > begin) add_gap(i, tokens_.is_word(i, "signed") ? Separator::space : Separator::fill);
    const uint32_t next = memory_part_end(i, end);
    const bool expression = tokens_.is_word(i, "sum") || tokens_.is_word(i, "when") || tokens_.is_word(i, "take") ||
                            tokens_.is_word(i, "settle");
    if (expression) {
      add_token(i);
      add_gap(i + 1, Separator::space);
      add_expression(i + 1, next);
    } else {
      add_list(i, next);
    }
    i = next;
  }
}

// The end of the clause at `begin`, or of what stands before the first clause.
uint32_t Layouter::memory_part_end(uint32_t begin, uint32_t end) const {
  const auto is = [&](std::string_view word) { return tokens_.is_word(begin, word); };
  if (is("history")) return names_end(begin + 4, end);  // `history NAME = VERB targets`
  if (is("rate")) return std::min(begin + 6, end);      // `rate NAME = N in DURATION`
  if (is("budget")) return std::min(begin + 4, end);    // `budget NAME = AMOUNT`
  if (is("sum") || is("when") || is("take") || is("settle")) {
    const uint32_t semicolon = tokens_.find_mark(begin, end, ";");
    return expression_end(begin + 1, semicolon);
  }
  if (is("by") || is("on")) return names_end(begin + 1, end);
  if (is("signed")) return begin + 1;
  if (is("up")) return std::min(begin + 3, end);                                        // `up to N`
  if (is("each") && tokens_.is_word(begin + 2, "in")) return std::min(begin + 4, end);  // `each day in ZONE`
  return std::min(begin + 2, end);  // `each day`, `at once`, `within DURATION`, `burst N`
}

// The end of the targets or paths at `begin`, which are joined by dots and commas.
uint32_t Layouter::names_end(uint32_t begin, uint32_t end) const {
  uint32_t i = begin + 1;
  while (i < end && (tokens_.is_mark(i, ".") || tokens_.is_mark(i, ","))) i += 2;
  return std::min(i, end);
}

}  // namespace ordain::layout
