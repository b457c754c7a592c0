// Tables on standard output. On a terminal they stay within its width; elsewhere their columns have the
// widths that scripts are used to, and nothing is shortened.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ordain::cli {

struct Column {
  std::string heading;
  size_t width = 0;    ///< where standard output is not a terminal; longer texts push the rest aside
  size_t least = 0;    ///< to how many columns texts may be shortened on a terminal; 0: never
  bool right = false;  ///< aligned
};

/// One cell. Its text may come from anywhere: it is made safe.
struct Cell {
  Cell(std::string shown) : text(std::move(shown)) {}  // NOLINT(google-explicit-constructor): most cells are texts
  Cell(std::string shown, int terminal_colour) : text(std::move(shown)), colour(terminal_colour) {}

  std::string text;
  int colour = 0;  ///< as `coloured` takes it, where that is wanted; 0: none
};
using Row = std::vector<Cell>;

/// Where the columns stand. Those that do not fit within a terminal's width follow on a second line.
class TableLayout {
 public:
  /// @param width of the terminal; 0: standard output is not one
  /// @param columns must outlive the layout
  /// @param rows decide how wide the columns are on a terminal; without rows, their usual width does
  TableLayout(const std::vector<Column>& columns, size_t width, const std::vector<Row>& rows = {});

  /// The row as one line or two, each with its end.
  std::string line_of(const Row& row, bool colour = false) const;
  std::string heading() const;

 private:
  bool shrink(size_t count);

  const std::vector<Column>& columns_;
  const size_t width_;
  std::vector<size_t> widths_;
  size_t on_first_line_;
};

/// Prints a heading and rows. On a terminal the first rows decide how wide the columns are.
class Table {
 public:
  explicit Table(std::vector<Column> columns);
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  void add(Row row);
  /// Prints what has not been printed yet. To be called after the last row.
  void finish();

 private:
  const std::vector<Column> columns_;
  const size_t width_;
  const bool colour_;
  std::vector<Row> first_;
  std::optional<TableLayout> layout_;  // once it is known
};

}  // namespace ordain::cli
