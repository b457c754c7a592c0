// declarations.cc lays out what a file consists of: its declarations, and the blocks of capabilities
// and contexts.
#include <algorithm>
#include <array>

#include "compiler/format/layouter.h"

namespace ordain::layout {
namespace {

constexpr size_t kBlockIndent = 2;
constexpr size_t kHeadIndent = 4;    // of the later lines of a head or a property
constexpr size_t kMostPadding = 20;  // columns, to bring the `{` of capabilities into one

}  // namespace

std::string Layouter::format() {
  std::vector<Item> items = read_items();
  choose_one_line_blocks(items);
  for (const Item& item : items) {
    const bool first = lines_.empty();
    if (item.kind == ItemKind::empty && !first && !tokens_.has_comments(item.begin)) {
      lines_.back().code += ';';
      continue;
    }
    write_gap(item.begin, 0, first);
    write_item(item);
  }
  write_gap(tokens_.size(), 0, lines_.empty(), true);
  return join_lines(lines_);
}

std::vector<Layouter::Item> Layouter::read_items() const {
  struct Opening {
    std::string_view word;
    ItemKind kind;
  };
  static constexpr std::array<Opening, 8> kOpenings = {{{"let", ItemKind::let},
                                                        {"history", ItemKind::memory},
                                                        {"rate", ItemKind::memory},
                                                        {"budget", ItemKind::budget},
                                                        {"context", ItemKind::context},
                                                        {"capability", ItemKind::capability},
                                                        {"policy", ItemKind::policy},
                                                        {"test", ItemKind::test}}};
  std::vector<Item> out;
  for (uint32_t i = 0; i < tokens_.size();) {
    Item item{.begin = i};
    for (const Opening& opening : kOpenings) {
      if (tokens_.is_word(i, opening.word)) item.kind = opening.kind;
    }
    if (tokens_.is_mark(i, ";")) item.kind = ItemKind::empty;
    const bool block = item.kind >= ItemKind::context;
    item.brace = block ? tokens_.find_mark(i, tokens_.size(), "{") : i;
    item.end = block ? tokens_.after(item.brace) : tokens_.statement_end(i, false);
    item.end = std::min(item.end, tokens_.size());
    out.push_back(item);
    i = item.end;
  }
  return out;
}

void Layouter::write_item(const Item& item) {
  switch (item.kind) {
    case ItemKind::empty:
      return write_line(";");
    case ItemKind::let:
      return write_let(item.begin, item.end, 0);
    case ItemKind::memory:
      return write_memory(item.begin, item.end, 0);
    case ItemKind::statement:
      doc_.clear();
      doc_.open({.more = kHeadIndent});
      add_list(item.begin, item.end);
      doc_.close();
      return write(0);
    default:
      return write_block(item);
  }
}

// --- let

void Layouter::write_let(uint32_t begin, uint32_t end, size_t indent) {
  write_shorter(indent, [&](bool hanging) { add_let(begin, end, hanging); });
}

// @param hanging whether the value begins on a line of its own
void Layouter::add_let(uint32_t begin, uint32_t end, bool hanging) {
  const uint32_t value = begin + 3, semicolon = end - 1;
  const bool indented = hanging || tokens_.has_comments(begin + 1, value + 1);
  doc_.open({.more = indented ? kBlockIndent : 0});
  add_tokens(begin, value);
  if (hanging && !tokens_.has_comments(value)) {
    doc_.hard_break();
  } else {
    add_gap(value, Separator::space);
  }
  add_expression(value, semicolon);
  add_gap(semicolon, Separator::none);
  add_token(semicolon);
  doc_.close();
}

// --- blocks on one line

// Short blocks of capabilities, contexts and budgets stay on one line; of successive capabilities, all or none.
void Layouter::choose_one_line_blocks(std::vector<Item>& items) {
  for (size_t i = 0; i < items.size();) {
    size_t end = i + 1;
    if (items[i].kind == ItemKind::capability) {
      while (end < items.size() && items[end].kind == ItemKind::capability && !tokens_.has_blank(items[end].begin) &&
             !tokens_.has_comments(items[end].begin)) {
        ++end;
      }
      align_capabilities(std::span(items).subspan(i, end - i));
    } else if (items[i].kind == ItemKind::context || items[i].kind == ItemKind::budget) {
      items[i].on_one_line = width_on_one_line(items[i]).has_value();
    }
    i = end;
  }
}

void Layouter::align_capabilities(std::span<Item> run) {
  std::vector<size_t> widths;
  size_t shortest = SIZE_MAX, longest = 0;  // heads
  for (const Item& item : run) {
    const std::optional<size_t> width = width_on_one_line(item);
    if (!width) return;
    widths.push_back(*width);
    shortest = std::min(shortest, flat_width(item.begin, item.brace));
    longest = std::max(longest, flat_width(item.begin, item.brace));
  }
  bool aligned = longest - shortest <= kMostPadding;
  for (size_t i = 0; i < run.size(); ++i) {
    run[i].padding = longest - flat_width(run[i].begin, run[i].brace);
    aligned = aligned && widths[i] + run[i].padding <= kWidth;
  }
  for (Item& item : run) {
    item.on_one_line = true;
    if (!aligned) item.padding = 0;
  }
}

// nullopt if the block needs lines of its own: for its length, for a comment, an empty line, an `output` or a `settle`
// in it.
std::optional<size_t> Layouter::width_on_one_line(const Item& item) {
  if (tokens_.has_comments(item.begin + 1, item.end)) return std::nullopt;
  for (const auto& [begin, end] : statements(item.brace + 1, item.end - 1, true)) {
    if (item.kind == ItemKind::capability && tokens_.is_word(begin, "output")) return std::nullopt;
    if (item.kind == ItemKind::budget && tokens_.is_word(begin, "settle")) return std::nullopt;
    if (begin > item.brace + 1 && tokens_[begin].blank_before) return std::nullopt;
  }
  doc_.clear();
  add_block_on_one_line(item);
  const size_t width = doc_.width_on_one_line();
  return width <= kWidth ? std::optional(width) : std::nullopt;
}

void Layouter::add_block_on_one_line(const Item& item) {
  const bool budget = item.kind == ItemKind::budget;
  doc_.open();
  if (budget) {
    add_memory(item.begin, item.brace);
  } else {
    add_tokens(item.begin, item.brace);
  }
  doc_.spaces(1 + item.padding);
  add_token(item.brace);
  const auto properties = statements(item.brace + 1, item.end - 1, true);
  for (const auto& [begin, end] : properties) {
    doc_.spaces(1);
    if (budget) {
      add_memory(begin, end);
    } else {
      add_property(begin, end);
    }
  }
  if (!properties.empty()) doc_.spaces(1);
  add_token(item.end - 1);
  doc_.close();
}

// --- blocks

void Layouter::write_block(const Item& item) {
  doc_.clear();
  if (item.on_one_line) {
    add_block_on_one_line(item);
    return write(0);
  }
  add_head(item);
  write(0);
  const uint32_t first = item.brace + 1, closing = item.end - 1;
  if (first == closing && !tokens_.has_comments(closing)) {
    lines_.back().code += '}';
    return;
  }
  if (item.kind == ItemKind::policy) {
    write_rules(first, closing);
  } else if (item.kind == ItemKind::test) {
    write_steps(first, closing);
  } else if (item.kind == ItemKind::budget) {
    for (const auto& [begin, end] : statements(first, closing, false)) {
      write_gap(begin, kBlockIndent, begin == first);
      write_memory(begin, end, kBlockIndent);
    }
  } else {
    write_properties(first, closing, item.kind == ItemKind::context);
  }
  write_gap(closing, kBlockIndent, first == closing, true);
  write_line("}");
}

void Layouter::add_head(const Item& item) {
  doc_.open({.more = kHeadIndent});
  if (item.kind == ItemKind::budget) {
    add_memory(item.begin, item.brace);
  } else {
    add_list(item.begin, item.brace);
  }
  add_gap(item.brace, Separator::space);
  add_token(item.brace);
  doc_.close();
}

std::vector<std::pair<uint32_t, uint32_t>> Layouter::statements(uint32_t begin, uint32_t end, bool brace_ends) const {
  std::vector<std::pair<uint32_t, uint32_t>> out;
  for (uint32_t i = begin; i < end;) {
    const uint32_t next = std::min(tokens_.statement_end(i, brace_ends), end);
    out.emplace_back(i, next);
    i = next;
  }
  return out;
}

// A property of a capability or an entry of a context. @param padding columns before its record besides the usual one
void Layouter::add_property(uint32_t begin, uint32_t end, size_t padding) {
  const uint32_t record = tokens_.find_mark(begin, end, "{");
  if (record == end) {
    doc_.open({.more = kHeadIndent});
    add_list(begin, end);
    return doc_.close();
  }
  add_token(begin);
  if (padding > 0) doc_.spaces(padding);
  for (uint32_t i = begin + 1; i < record; ++i) {  // `open`
    add_gap(i, Separator::space);
    add_token(i);
  }
  add_gap(record, Separator::space);
  in_types_ = true;
  add_bracket(record);
  in_types_ = false;
  if (!tokens_.is_mark(end - 1, ";")) return;
  add_gap(end - 1, Separator::none);
  add_token(end - 1);
}

// Short properties share lines; these never do.
bool Layouter::has_line_of_its_own(uint32_t begin) const {
  const std::string_view word = tokens_[begin].text;
  return word == "input" || word == "output" || word == "description";
}

void Layouter::write_properties(uint32_t begin, uint32_t end, bool context) {
  const auto properties = statements(begin, end, true);
  const bool output = std::any_of(properties.begin(), properties.end(),
                                  [&](const auto& each) { return tokens_.is_word(each.first, "output"); });
  for (size_t i = 0; i < properties.size();) {
    const auto [first, first_end] = properties[i];
    write_gap(first, kBlockIndent, i == 0);
    ++i;
    doc_.clear();
    doc_.open();
    add_property(first, first_end);
    if (!context && !has_line_of_its_own(first)) {
      for (; i < properties.size(); ++i) {
        const auto [next, next_end] = properties[i];
        if (has_line_of_its_own(next) || tokens_.has_comments(next) || tokens_[next].blank_before) break;
        doc_.separate(Separator::fill);
        add_property(next, next_end);
      }
    }
    doc_.close();
    // The records of `input` and `output` begin in one column, if that of `input` is on one line.
    if (!context && output && tokens_.is_word(first, "input") &&
        kBlockIndent + doc_.width_on_one_line() + 1 <= kWidth) {
      doc_.clear();
      doc_.open();
      add_property(first, first_end, 1);
      doc_.close();
    }
    write(kBlockIndent);
  }
}

}  // namespace ordain::layout
