// code_help.cc reads the tables and sections of docs/diagnostics.md.
#include "lsp/code_help.h"

#include <algorithm>
#include <utility>

namespace ordain::lsp {
namespace {

std::string_view trim_cell(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// Splits `| a | b |` at its bars; `\|` is a bar within a cell.
std::vector<std::string> cells_of(std::string_view line) {
  std::vector<std::string> out;
  std::string cell;
  for (size_t at = 1; at < line.size(); ++at) {
    if (line[at] == '\\' && at + 1 < line.size() && line[at + 1] == '|') {
      cell += line[++at];
    } else if (line[at] == '|') {
      out.emplace_back(trim_cell(cell));
      cell.clear();
    } else {
      cell += line[at];
    }
  }
  return out;
}

std::vector<CodeHelp> rows_of(std::string_view piece) {
  std::vector<CodeHelp> out;
  while (!piece.empty()) {
    const size_t end = std::min(piece.find('\n'), piece.size());
    const std::string_view line = piece.substr(0, end);
    piece.remove_prefix(std::min(end + 1, piece.size()));
    if (!line.starts_with("| `")) continue;
    std::vector<std::string> cells = cells_of(line);
    if (cells.size() < 4 || cells[0].size() < 3) continue;
    out.push_back({cells[0].substr(1, cells[0].size() - 2), cells[1], cells[2], cells[3], {}});
  }
  return out;
}

// @returns what stands below the heading `### CODE`; or ""
std::string_view section_of(std::string_view piece, std::string_view code) {
  const size_t begin = piece.find("\n### " + std::string(code) + "\n");
  if (begin == std::string_view::npos) return {};
  piece.remove_prefix(piece.find('\n', begin + 1) + 1);
  std::string_view out = piece.substr(0, piece.find("\n### "));
  while (out.starts_with('\n')) out.remove_prefix(1);
  while (out.ends_with('\n')) out.remove_suffix(1);
  return out;
}

}  // namespace

std::optional<CodeHelp> find_code_help(std::string_view code) {
  for (const std::string_view piece : diagnostics_page()) {
    for (CodeHelp& row : rows_of(piece)) {
      if (row.code != code) continue;
      row.section = section_of(piece, code);
      return std::move(row);
    }
  }
  return std::nullopt;
}

std::vector<std::string> documented_codes() {
  std::vector<std::string> out;
  for (const std::string_view piece : diagnostics_page()) {
    for (CodeHelp& row : rows_of(piece)) out.push_back(std::move(row.code));
  }
  return out;
}

}  // namespace ordain::lsp
