#include "cli/table.h"

#include <algorithm>

#include "cli/terminal.h"
#include "vm/value/code_point.h"

namespace ordain::cli {
namespace {

constexpr size_t kGap = 2;               // columns between two cells on a terminal
constexpr size_t kIndent = 8;            // of a second line
constexpr size_t kRowsThatDecide = 200;  // how wide the columns are

// Cuts a safe text to a number of columns.
std::string cut(const std::string& text, size_t most) {
  if (detail::columns_of(text) <= most) return text;
  const size_t wanted = most > 3 ? most - 3 : 0;
  size_t end = 0;
  for (size_t columns = 0; end < text.size();) {
    const detail::CodePoint point = detail::code_point_at(text, end);
    columns += detail::columns_of(point.value);
    if (columns > wanted) break;
    end += std::max<size_t>(point.length, 1);
  }
  return text.substr(0, end) + std::string(std::min<size_t>(most, 3), '.');
}

}  // namespace

TableLayout::TableLayout(const std::vector<Column>& columns, size_t width, const std::vector<Row>& rows)
    : columns_(columns), width_(width), on_first_line_(columns.size()) {
  for (size_t i = 0; i < columns.size(); ++i) {
    size_t widest = rows.empty() || width == 0 ? columns[i].width : columns[i].heading.size();
    if (rows.empty() && widest == 0) widest = width;
    if (width != 0) {
      for (const Row& row : rows) widest = std::max(widest, detail::columns_of(terminal_text(row[i].text)));
      widest = std::min(widest, width);
    }
    widths_.push_back(widest);
  }
  if (width == 0) return;
  const std::vector<size_t> natural = widths_;
  while (!shrink(on_first_line_) && on_first_line_ > 1) {
    --on_first_line_;
    widths_ = natural;
  }
}

// Makes the first `count` columns narrower until they fit, the widest first. @returns false if they cannot
bool TableLayout::shrink(size_t count) {
  const auto total = [&] {
    size_t out = kGap * (count - 1);
    for (size_t i = 0; i < count; ++i) out += widths_[i];
    return out;
  };
  while (total() > width_) {
    size_t widest = count;
    for (size_t i = 0; i < count; ++i) {
      const bool shrinks = columns_[i].least != 0 && widths_[i] > columns_[i].least;
      if (shrinks && (widest == count || widths_[i] > widths_[widest])) widest = i;
    }
    if (widest == count) return false;
    --widths_[widest];
  }
  return true;
}

std::string TableLayout::line_of(const Row& row, bool colour) const {
  std::string out;
  for (size_t i = 0; i < on_first_line_; ++i) {
    std::string text = terminal_text(row[i].text);
    if (width_ != 0) text = cut(text, widths_[i]);
    const size_t columns = detail::columns_of(text);
    const std::string padding(widths_[i] > columns ? widths_[i] - columns : 0, ' ');
    if (columns_[i].right) out += padding;
    out += coloured(text, row[i].colour, colour && row[i].colour != 0).text;
    if (i + 1 == on_first_line_) break;
    if (!columns_[i].right) out += padding;
    out += std::string(width_ != 0 || columns_[i].right ? kGap : 1, ' ');
  }
  out += '\n';
  std::string second;
  for (size_t i = on_first_line_; i < row.size(); ++i) {
    if (row[i].text.empty()) continue;
    if (!second.empty()) second += std::string(kGap, ' ');
    second += terminal_text(row[i].text);
  }
  if (second.empty()) return out;
  const size_t room = width_ > kIndent ? width_ - kIndent : 1;
  return out + std::string(kIndent, ' ') + cut(second, room) + '\n';
}

std::string TableLayout::heading() const {
  Row row;
  for (const Column& column : columns_) row.emplace_back(column.heading);
  return line_of(row);
}

Table::Table(std::vector<Column> columns)
    : columns_(std::move(columns)), width_(terminal_width(stdout)), colour_(wants_colour(stdout)) {}

void Table::add(Row row) {
  if (layout_) return write_out(layout_->line_of(row, colour_));
  first_.push_back(std::move(row));
  if (width_ == 0 || first_.size() == kRowsThatDecide) finish();
}

void Table::finish() {
  if (layout_) return;
  layout_.emplace(columns_, width_, first_);
  write_out(layout_->heading());
  for (const Row& row : first_) write_out(layout_->line_of(row, colour_));
  first_.clear();
}

}  // namespace ordain::cli
