// Layouter chooses the layout of a file. It depends on nothing but the tokens, the comments, and the
// places of comments and empty lines, all of which the layout keeps. So formatting a second time
// changes nothing, and two files that differ only in their line breaks and spaces become the same.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "compiler/format/doc.h"
#include "compiler/format/tokens.h"

namespace ordain::layout {

class Layouter {
 public:
  /// `tokens` must be those of a file that parses, and outlive this.
  explicit Layouter(const Tokens& tokens) : tokens_(tokens) {}

  /// The file in canonical layout, ending with a line feed unless it is empty.
  std::string format();

 private:
  enum class ItemKind : uint8_t { empty, statement, let, memory, context, capability, budget, policy, test };

  /// A declaration of the file: the tokens [begin, end), and the `{` of its block.
  struct Item {
    ItemKind kind = ItemKind::statement;
    uint32_t begin = 0, end = 0, brace = 0;
    bool on_one_line = false;
    size_t padding = 0;  ///< spaces before the `{`, besides the usual one
  };

  /// A rule, or a property of a policy. `clauses` is its first clause, or its `;`.
  struct RuleRange {
    uint32_t begin = 0, clauses = 0, end = 0;
  };

  // --- declarations.cc
  std::vector<Item> read_items() const;
  void choose_one_line_blocks(std::vector<Item>& items);
  void align_capabilities(std::span<Item> run);
  std::optional<size_t> width_on_one_line(const Item& item);
  void add_block_on_one_line(const Item& item);
  void write_item(const Item& item);
  void write_let(uint32_t begin, uint32_t end, size_t indent);
  void add_let(uint32_t begin, uint32_t end, bool hanging);
  void write_block(const Item& item);
  void add_head(const Item& item);
  void add_property(uint32_t begin, uint32_t end, size_t padding = 0);
  void write_properties(uint32_t begin, uint32_t end, bool context);
  bool has_line_of_its_own(uint32_t begin) const;
  std::vector<std::pair<uint32_t, uint32_t>> statements(uint32_t begin, uint32_t end, bool brace_ends) const;

  // --- memory.cc: what is remembered between calls
  void write_memory(uint32_t begin, uint32_t end, size_t indent);
  void add_memory(uint32_t begin, uint32_t end);
  uint32_t memory_part_end(uint32_t begin, uint32_t end) const;
  uint32_t names_end(uint32_t begin, uint32_t end) const;

  // --- rules.cc
  void write_rules(uint32_t begin, uint32_t end);
  void write_rule(const RuleRange& rule, size_t blanks);
  void add_rule(const RuleRange& rule, size_t blanks, bool hanging);
  void add_clause(uint32_t begin, uint32_t end);
  bool is_clause(uint32_t i) const;
  bool has_aligned_head(const RuleRange& rule) const;
  uint32_t clause_end(uint32_t begin, uint32_t end) const;
  void write_steps(uint32_t begin, uint32_t end);
  void write_table(uint32_t begin, uint32_t end);
  void add_row(uint32_t begin, uint32_t end);
  void add_call(uint32_t begin, uint32_t end);
  void add_bindings(uint32_t begin, uint32_t end);

  // --- expressions.cc: each adds the tokens [begin, end), but not what is before the first
  void add_expression(uint32_t begin, uint32_t end);
  void add_chain(uint32_t begin, uint32_t end, std::span<const uint32_t> operators);
  void add_operand(uint32_t begin, uint32_t end);
  void add_bracket(uint32_t opening, bool inside_another = false);
  void add_elements(uint32_t begin, uint32_t end, Separator edge, bool one_each);
  void add_element(uint32_t begin, uint32_t end);
  void add_tokens(uint32_t begin, uint32_t end);
  void add_list(uint32_t begin, uint32_t end);
  std::vector<uint32_t> operators_in(uint32_t begin, uint32_t end) const;
  bool ends_operand(uint32_t i) const;
  uint32_t expression_end(uint32_t begin, uint32_t end) const;
  uint32_t find_word(uint32_t begin, uint32_t end, std::string_view word) const;
  bool contains_one_bracket(uint32_t opening, bool one_each) const;
  Separator usual_separator(uint32_t i) const;
  void add_token(uint32_t i) { doc_.text(tokens_[i].text); }
  /// Adds what is before token `i`: its comments, or else the separator.
  void add_gap(uint32_t i, Separator separator, bool first = false, bool closing = false);
  size_t flat_width(uint32_t begin, uint32_t end) const;

  // --- lines
  void write(size_t indent);
  void write_lines(Doc::Printed printed);
  /// Writes the comments and the empty lines before a statement, or before the end of a block.
  void write_gap(uint32_t i, size_t indent, bool first, bool closing = false);
  void write_line(std::string code) { lines_.push_back({.code = std::move(code)}); }
  /// Lays the statement out by `add(false)`, or by `add(true)` if that gives shorter lines where the first are too
  /// long.
  template <typename Add>
  void write_shorter(size_t indent, Add add);

  const Tokens& tokens_;
  bool in_types_ = false;  ///< within a record of a declaration, where a minus is always a sign
  Doc doc_;
  std::vector<Line> lines_;
};

template <typename Add>
void Layouter::write_shorter(size_t indent, Add add) {
  doc_.clear();
  add(false);
  Doc::Printed printed = doc_.print(indent);
  if (printed.widest > kWidth) {
    doc_.clear();
    add(true);
    Doc::Printed other = doc_.print(indent);
    if (other.widest < printed.widest) printed = std::move(other);
  }
  write_lines(std::move(printed));
}

/// Joins lines to text. Comments behind the code of successive lines begin in the same column if they stay within the
/// width there.
std::string join_lines(const std::vector<Line>& lines);

}  // namespace ordain::layout
