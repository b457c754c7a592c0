// rules.cc lays out the rules of policies and the steps of tests.
#include <algorithm>

#include "compiler/format/layouter.h"

namespace ordain::layout {
namespace {

constexpr size_t kStatementIndent = 2;
constexpr size_t kRowIndent = 4;           // of the rows of a test's table
constexpr size_t kContinuationIndent = 4;  // of a rule's later lines, from the rule on
constexpr size_t kWidestHead = 40;         // columns; longer heads do not move the clauses of other rules

}  // namespace

bool Layouter::is_clause(uint32_t i) const {
  if (!tokens_.is_word(i) || tokens_.is_mark(i - 1, ".") || tokens_.is_mark(i - 1, "?")) return false;
  const std::string_view word = tokens_[i].text;
  return word == "when" || word == "because" || word == "from" || word == "expires" || word == "with";
}

// The end of the clause at `begin`: the next one, or `end`.
uint32_t Layouter::clause_end(uint32_t begin, uint32_t end) const {
  for (uint32_t i = begin + 1; i < end; i = tokens_.after(i)) {
    if (is_clause(i)) return i;
  }
  return end;
}

// --- rules

// Whether the rule's clauses may begin in one column with those of its neighbours.
bool Layouter::has_aligned_head(const RuleRange& rule) const {
  return rule.clauses + 1 < rule.end && !tokens_.has_comments(rule.begin + 1, rule.clauses + 1) &&
         flat_width(rule.begin, rule.clauses) <= kWidestHead;
}

// The clauses of rules begin in one column, up to the next empty line. What is not aligned has one blank before it.
void Layouter::write_rules(uint32_t begin, uint32_t end) {
  std::vector<RuleRange> rules;
  for (const auto& [first, after] : statements(begin, end, false)) {
    rules.push_back({first, clause_end(first, after - 1), after});
  }
  size_t head_width = 0, heads = 0, run_end = 0;
  for (size_t i = 0; i < rules.size(); ++i) {
    if (i == run_end) {
      head_width = heads = 0;
      do {
        const RuleRange& rule = rules[run_end];
        if (has_aligned_head(rule)) {
          head_width = std::max(head_width, flat_width(rule.begin, rule.clauses));
          ++heads;
        }
        ++run_end;
      } while (run_end < rules.size() && !tokens_.has_blank(rules[run_end].begin));
    }
    write_gap(rules[i].begin, kStatementIndent, i == 0);
    const bool aligned = heads > 1 && has_aligned_head(rules[i]);
    write_rule(rules[i], aligned ? 2 + head_width - flat_width(rules[i].begin, rules[i].clauses) : 1);
  }
}

// @param blanks between the rule's head and its clauses
void Layouter::write_rule(const RuleRange& rule, size_t blanks) {
  if (rule.clauses + 1 >= rule.end) {  // a rule without clauses, or `version` or `description`
    doc_.clear();
    doc_.open({.more = kContinuationIndent});
    add_tokens(rule.begin, rule.end);
    doc_.close();
    return write(kStatementIndent);
  }
  write_shorter(kStatementIndent, [&](bool hanging) { add_rule(rule, blanks, hanging); });
}

// If a rule needs several lines, its first ends after the condition.
// @param hanging whether the clauses begin on a line of their own
void Layouter::add_rule(const RuleRange& rule, size_t blanks, bool hanging) {
  const uint32_t semicolon = rule.end - 1;
  doc_.open({.more = kContinuationIndent});
  add_tokens(rule.begin, rule.clauses);
  if (tokens_.has_comments(rule.clauses)) {
    add_gap(rule.clauses, Separator::none);
  } else if (hanging) {
    doc_.hard_break();
  } else {
    doc_.spaces(blanks);
  }
  doc_.open({.aligned = true});
  for (uint32_t i = rule.clauses; i < semicolon;) {
    const uint32_t next = clause_end(i, semicolon);
    add_clause(i, next);
    if (next < semicolon) add_gap(next, tokens_.is_word(i, "when") ? Separator::line : Separator::fill);
    i = next;
  }
  add_gap(semicolon, Separator::none);
  add_token(semicolon);
  doc_.close();
  doc_.close();
}

void Layouter::add_clause(uint32_t begin, uint32_t end) {
  add_token(begin);
  uint32_t value = begin + 1, value_end = end;
  if (tokens_.is_word(begin, "from")) {
    if (value + 1 < end && tokens_.is_word(value + 1, "of")) {  // `any of`, `2 of`
      add_gap(value, Separator::space);
      add_token(value);
      add_gap(value + 1, Separator::space);
      add_token(value + 1);
      value += 2;
    }
    const uint32_t equals = tokens_.find_mark(value, end, "=");
    if (equals < end) value_end = equals - 1;  // `distinct = false`
  }
  add_gap(value, Separator::space);
  add_expression(value, value_end);
  for (uint32_t i = value_end; i < end; ++i) {
    add_gap(i, Separator::space);
    add_token(i);
  }
}

// --- tests

void Layouter::write_steps(uint32_t begin, uint32_t end) {
  for (uint32_t first = begin, after = begin; first < end; first = after) {
    const bool table = tokens_.is_word(first, "rows");
    after = std::min(tokens_.statement_end(first, table), end);
    write_gap(first, kStatementIndent, first == begin);
    if (table) {
      write_table(first, after);
      continue;
    }
    if (tokens_.is_word(first, "let")) {
      write_let(first, after, kStatementIndent);
      continue;
    }
    doc_.clear();
    if (tokens_.is_word(first, "call")) {
      add_call(first, after);
    } else {
      doc_.open({.more = kContinuationIndent});
      add_tokens(first, after);
      doc_.close();
    }
    write(kStatementIndent);
  }
}

// `rows NAME, NAME { ... }`: each row begins a line.
void Layouter::write_table(uint32_t begin, uint32_t end) {
  const uint32_t brace = tokens_.find_mark(begin, end, "{"), closing = end - 1;
  doc_.clear();
  doc_.open({.more = kContinuationIndent});
  add_list(begin, brace);
  add_gap(brace, Separator::space);
  add_token(brace);
  doc_.close();
  write(kStatementIndent);
  if (brace + 1 == closing && !tokens_.has_comments(closing)) {
    lines_.back().code += '}';
    return;
  }
  for (const auto& [first, after] : statements(brace + 1, closing, false)) {
    write_gap(first, kRowIndent, first == brace + 1);
    doc_.clear();
    add_row(first, after);
    write(kRowIndent);
  }
  write_gap(closing, kRowIndent, brace + 1 == closing, true);
  write_line(std::string(kStatementIndent, ' ') + "}");
}

// A row that is too long for a line breaks before each `expect`.
void Layouter::add_row(uint32_t begin, uint32_t end) {
  const uint32_t semicolon = end - 1, values_end = find_word(begin + 1, semicolon, "expect");
  doc_.open({.more = kContinuationIndent});
  doc_.open();
  for (uint32_t i = begin; i < values_end;) {
    const uint32_t comma = tokens_.find_mark(i, values_end, ",");
    if (i > begin) add_gap(i, Separator::fill);
    add_expression(i, comma);
    if (comma < values_end) {
      add_gap(comma, Separator::none);
      add_token(comma);
    }
    i = comma + 1;
  }
  doc_.close();
  for (uint32_t i = values_end; i < semicolon;) {
    const uint32_t next = find_word(i + 1, semicolon, "expect");
    add_gap(i, Separator::line);
    add_tokens(i, next);
    i = next;
  }
  add_gap(semicolon, Separator::none);
  add_token(semicolon);
  doc_.close();
}

void Layouter::add_call(uint32_t begin, uint32_t end) {
  const uint32_t semicolon = end - 1;
  uint32_t parts = begin + 2;  // after the first word of the capability's name
  while (tokens_.is_mark(parts, ".")) parts += 2;
  doc_.open({.more = kStatementIndent});
  add_tokens(begin, parts);
  doc_.close();
  const bool has_input = tokens_.is_mark(parts, "{");
  if (has_input) {
    add_gap(parts, Separator::space);
    add_bracket(parts);
    parts = tokens_.after(parts);
  }
  const bool only_returns = !has_input && tokens_.is_word(parts, "returns") && tokens_.is_mark(parts + 1, "{") &&
                            expression_end(parts + 1, semicolon) == semicolon;
  doc_.open({.more = only_returns ? 0 : kStatementIndent});
  for (uint32_t i = parts; i < semicolon;) {
    const bool bindings = tokens_.is_word(i, "with");
    const uint32_t next = bindings ? semicolon : expression_end(i + 1, semicolon);
    add_gap(i, only_returns ? Separator::space : Separator::line);
    add_token(i);
    add_gap(i + 1, Separator::space);
    if (bindings) {
      add_bindings(i + 1, next);
    } else {
      add_expression(i + 1, next);
    }
    i = next;
  }
  add_gap(semicolon, Separator::none);
  add_token(semicolon);
  doc_.close();
}

// What `with` sets: `agent.team = "ops", now = ...`.
void Layouter::add_bindings(uint32_t begin, uint32_t end) {
  doc_.open({.aligned = true});
  for (uint32_t i = begin; i < end;) {
    const uint32_t comma = tokens_.find_mark(i, end, ",");
    const uint32_t equals = tokens_.find_mark(i, comma, "=");
    if (i > begin) add_gap(i, Separator::fill);
    add_tokens(i, equals);
    add_gap(equals, Separator::space);
    add_token(equals);
    add_gap(equals + 1, Separator::space);
    add_expression(equals + 1, comma);
    if (comma < end) {
      add_gap(comma, Separator::none);
      add_token(comma);
    }
    i = comma + 1;
  }
  doc_.close();
}

}  // namespace ordain::layout
