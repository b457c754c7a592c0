// expressions.cc lays out expressions, types and everything else in brackets.
#include <algorithm>
#include <array>

#include "compiler/format/layouter.h"

namespace ordain::layout {
namespace {

struct BinaryOperator {
  std::string_view text;
  int strength;  // the loosest is 0
};
constexpr std::array<BinaryOperator, 15> kBinaryOperators = {{{"||", 0},
                                                              {"&&", 1},
                                                              {"<", 2},
                                                              {"<=", 2},
                                                              {">", 2},
                                                              {">=", 2},
                                                              {"==", 2},
                                                              {"!=", 2},
                                                              {"in", 2},
                                                              {"|", 3},  // of types
                                                              {"+", 3},
                                                              {"-", 3},
                                                              {"*", 4},
                                                              {"/", 4},
                                                              {"%", 4}}};
constexpr int kLogical = 1;      // && and looser: each of their operands has a line of its own, if not all fit on one
constexpr int kOperand = 5;      // no binary operator
constexpr size_t kLongPath = 8;  // selections, with more of which a line may break before each

int strength_of(std::string_view text) {
  for (const BinaryOperator& each : kBinaryOperators) {
    if (each.text == text) return each.strength;
  }
  return kOperand;
}

}  // namespace

void Layouter::add_gap(uint32_t i, Separator separator, bool first, bool closing) {
  if (tokens_[i].glued) return;
  const auto comments = tokens_.comments(i);
  if (comments.empty()) return doc_.separate(separator, closing);
  for (const Comment& comment : comments) {
    const bool begins = first && &comment == &comments.front();
    if (!comment.trailing) doc_.hard_break(false, comment.blank_before && !begins);
    doc_.comment(comment.text);
  }
  doc_.hard_break(closing, tokens_[i].blank_before && !closing);
}

// What is before a token where no line should break, outside of expressions: there a star is a part of a target.
Separator Layouter::usual_separator(uint32_t i) const {
  const bool word_before = tokens_.is_word(i - 1);
  const bool mark_before = tokens_[i - 1].kind == LexemeKind::punctuation;
  if (tokens_[i].kind != LexemeKind::punctuation && !mark_before) return Separator::space;
  if (in_types_ && word_before && tokens_.is_mark(i, "-")) return Separator::space;
  if (word_before && (tokens_.is_mark(i, "{") || tokens_.is_mark(i, "*"))) return Separator::space;
  if (tokens_.is_mark(i - 1, "*") && tokens_[i].kind != LexemeKind::punctuation) return Separator::space;
  if (tokens_.is_mark(i, "=") || tokens_.is_mark(i - 1, "=")) return Separator::space;
  if (tokens_.is_mark(i - 1, ",") || tokens_.is_mark(i - 1, ":")) return Separator::space;
  return Separator::none;
}

void Layouter::add_tokens(uint32_t begin, uint32_t end) {
  for (uint32_t i = begin; i < end; ++i) {
    if (i > begin) add_gap(i, usual_separator(i));
    add_token(i);
  }
}

// Tokens among which lines may break after commas.
void Layouter::add_list(uint32_t begin, uint32_t end) {
  for (uint32_t i = begin; i < end; ++i) {
    if (i > begin) add_gap(i, tokens_.is_mark(i - 1, ",") ? Separator::fill : usual_separator(i));
    add_token(i);
  }
}

size_t Layouter::flat_width(uint32_t begin, uint32_t end) const {
  size_t width = 0;
  for (uint32_t i = begin; i < end; ++i) {
    if (i > begin && usual_separator(i) == Separator::space) ++width;
    width += columns_of(tokens_[i].text);
  }
  return width;
}

// A conditional, or what is between its `?` and `:`.
void Layouter::add_expression(uint32_t begin, uint32_t end) {
  std::vector<uint32_t> marks;
  for (uint32_t i = begin; i < end; i = tokens_.after(i)) {
    const bool question = tokens_.is_mark(i, "?") && i > begin && !tokens_.is_mark(i - 1, ".");
    if (question || tokens_.is_mark(i, ":")) marks.push_back(i);
  }
  const uint32_t first_end = marks.empty() ? end : marks[0];
  if (!marks.empty()) doc_.open({.more = 2, .aligned = true});
  add_chain(begin, first_end, operators_in(begin, first_end));
  for (size_t i = 0; i < marks.size(); ++i) {
    add_gap(marks[i], Separator::line);
    add_token(marks[i]);
    const uint32_t part = marks[i] + 1, part_end = i + 1 < marks.size() ? marks[i + 1] : end;
    add_gap(part, Separator::space);
    add_chain(part, part_end, operators_in(part, part_end));
  }
  if (!marks.empty()) doc_.close();
}

std::vector<uint32_t> Layouter::operators_in(uint32_t begin, uint32_t end) const {
  std::vector<uint32_t> out;
  for (uint32_t i = begin; i < end; i = tokens_.after(i)) {
    if (i == begin || strength_of(tokens_[i].text) == kOperand) continue;
    if (in_types_ && !tokens_.is_mark(i, "|")) continue;
    if (tokens_[i].kind == LexemeKind::literal || (tokens_.is_word(i) && tokens_.is_mark(i - 1, "."))) continue;
    if (ends_operand(i - 1)) out.push_back(i);  // otherwise a minus is a sign
  }
  return out;
}

// Whether the token can be the last of an operand: what follows is then an operator, or not part of the expression.
bool Layouter::ends_operand(uint32_t i) const {
  return tokens_[i].kind == LexemeKind::literal || tokens_.closes(i) ||
         (tokens_.is_word(i) && !tokens_.is_word(i, "in"));
}

// The end of the expression at `begin`, behind which a word begins something else; or `end`. No word but `in` continues
// an expression after an operand, so words that can be names are told from those that open a clause.
uint32_t Layouter::expression_end(uint32_t begin, uint32_t end) const {
  for (uint32_t i = tokens_.after(begin); i < end; i = tokens_.after(i)) {
    if (tokens_.is_word(i) && !tokens_.is_word(i, "in") && ends_operand(i - 1)) return i;
  }
  return end;
}

// The first of the tokens [begin, end), outside of brackets, that is the word and follows an operand; or `end`.
uint32_t Layouter::find_word(uint32_t begin, uint32_t end, std::string_view word) const {
  for (uint32_t i = begin; i < end; i = tokens_.after(i)) {
    if (tokens_.is_word(i, word) && ends_operand(i - 1)) return i;
  }
  return end;
}

// Operands with the binary operators between them. The lines of those that bind loosest break first.
void Layouter::add_chain(uint32_t begin, uint32_t end, std::span<const uint32_t> operators) {
  if (operators.empty()) return add_operand(begin, end);
  int loosest = kOperand;
  for (const uint32_t i : operators) loosest = std::min(loosest, strength_of(tokens_[i].text));
  doc_.open({.aligned = true});
  uint32_t part = begin;
  size_t first = 0;  // of the operators within the part
  for (size_t i = 0; i < operators.size(); ++i) {
    const uint32_t at = operators[i];
    if (strength_of(tokens_[at].text) != loosest) continue;
    add_chain(part, at, operators.subspan(first, i - first));
    add_gap(at, loosest <= kLogical ? Separator::line : Separator::fill);
    add_token(at);
    part = at + 1;
    first = i + 1;
    add_gap(part, Separator::space);
  }
  add_chain(part, end, operators.subspan(first));
  doc_.close();
}

// Signs, a name, literal or bracket, and its selections, calls and indices. With two calls or more, lines may break
// before the member calls.
void Layouter::add_operand(uint32_t begin, uint32_t end) {
  size_t calls = 0, dots = 0;
  for (uint32_t i = begin; i < end; i = tokens_.after(i)) {
    if (i == begin) continue;
    if (tokens_.is_mark(i, "(") && tokens_.is_word(i - 1)) ++calls;
    if (tokens_.is_mark(i, ".")) ++dots;
  }
  const bool long_path = dots > kLongPath;
  const bool breaks = calls >= 2 || long_path;
  if (breaks) doc_.open({.more = 2});
  for (uint32_t i = begin; i < end; i = tokens_.after(i)) {
    const bool call = i + 2 < end && tokens_.is_mark(i + 2, "(");
    if (i > begin) {
      const bool may_break = breaks && tokens_.is_mark(i, ".") && (long_path || call);
      add_gap(i, may_break ? Separator::softfill : usual_separator(i));
    }
    if (tokens_.opens(i)) {
      add_bracket(i);
    } else {
      add_token(i);
    }
  }
  if (breaks) doc_.close();
}

// Whether the bracket holds another and nothing else, so that both may open on one line: `[{`.
bool Layouter::contains_one_bracket(uint32_t opening, bool one_each) const {
  const uint32_t inner = opening + 1, closing = tokens_[opening].partner;
  return !one_each && (tokens_.is_mark(inner, "{") || tokens_.is_mark(inner, "[")) &&
         tokens_[inner].partner + 1 == closing && !tokens_.has_comments(inner) && !tokens_.has_comments(closing);
}

// A comma before the closing bracket asks for one element on each line.
void Layouter::add_bracket(uint32_t opening, bool inside_another) {
  const uint32_t closing = tokens_[opening].partner;
  const Separator edge = tokens_.is_mark(opening, "{") ? Separator::line : Separator::softline;
  add_token(opening);
  if (opening + 1 == closing) {
    doc_.open({.more = 2});
    add_gap(closing, Separator::none, true, true);
    doc_.close();
    return add_token(closing);
  }
  const bool one_each = tokens_.is_mark(closing - 1, ",");
  if (!inside_another && contains_one_bracket(opening, one_each)) {
    if (edge == Separator::line) doc_.spaces(1);
    add_bracket(opening + 1, true);
    if (edge == Separator::line) doc_.spaces(1);
    return add_token(closing);
  }
  doc_.open({.more = 2});
  add_elements(opening + 1, closing, edge, one_each);
  if (one_each && !tokens_.has_comments(closing)) {
    doc_.hard_break(true);
  } else {
    add_gap(closing, edge, false, true);
  }
  add_token(closing);
  doc_.close();
}

// An empty line between elements stays, so that each side of it begins a line.
void Layouter::add_elements(uint32_t begin, uint32_t end, Separator edge, bool one_each) {
  for (uint32_t i = begin; i < end;) {
    const uint32_t comma = tokens_.find_mark(i, end, ",");
    const bool first = i == begin;
    const bool blank = tokens_[i].blank_before && !first;
    if (!tokens_.has_comments(i) && (one_each || blank)) {
      doc_.hard_break(false, blank);
    } else {
      add_gap(i, first ? edge : Separator::fill, first);
    }
    add_element(i, comma);
    if (comma < end) {
      add_gap(comma, Separator::none);
      add_token(comma);
    }
    i = comma + 1;
  }
}

// `value` or `key: value`, of which `?` may stand in front.
void Layouter::add_element(uint32_t begin, uint32_t end) {
  if (tokens_.is_mark(begin, "?")) {
    add_token(begin);
    add_gap(++begin, Separator::none);
  }
  uint32_t colon = end;
  size_t conditionals = 0;  // whose `:` is still to come
  for (uint32_t i = begin; i < end && colon == end; i = tokens_.after(i)) {
    if (tokens_.is_mark(i, "?") && i > begin && !tokens_.is_mark(i - 1, ".")) ++conditionals;
    if (tokens_.is_mark(i, ":") && conditionals-- == 0) colon = i;
  }
  add_expression(begin, colon);
  if (colon == end) return;
  add_gap(colon, Separator::none);
  add_token(colon);
  add_gap(colon + 1, Separator::space);
  add_expression(colon + 1, end);
}

}  // namespace ordain::layout
