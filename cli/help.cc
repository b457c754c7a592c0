// ordain help: explains a command, or the code of a diagnostic by what docs/diagnostics.md says of it.
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"
#include "cli/diagnostics_page.h"
#include "cli/terminal.h"
#include "ordain/diagnostic.h"

namespace ordain::cli {
namespace {

/// A row of one of the page's tables.
struct Row {
  std::string code, severity, meaning, example;
};

std::string_view trim_blanks(std::string_view text) {
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
      out.emplace_back(trim_blanks(cell));
      cell.clear();
    } else {
      cell += line[at];
    }
  }
  return out;
}

std::vector<Row> rows_of(std::string_view piece) {
  std::vector<Row> out;
  while (!piece.empty()) {
    const size_t end = std::min(piece.find('\n'), piece.size());
    const std::string_view line = piece.substr(0, end);
    piece.remove_prefix(std::min(end + 1, piece.size()));
    if (!line.starts_with("| `")) continue;
    std::vector<std::string> cells = cells_of(line);
    if (cells.size() < 4 || cells[0].size() < 3) continue;
    out.push_back({cells[0].substr(1, cells[0].size() - 2), cells[1], cells[2], cells[3]});
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

std::string text_of(const Row& row, std::string_view piece) {
  std::string out = fmt::format("{} ({})\n{}\n", row.code, row.severity, row.meaning);
  if (!row.example.empty()) out += fmt::format("for example {}\n", row.example);
  const std::string_view section = section_of(piece, row.code);
  if (!section.empty()) out += fmt::format("\n{}\n", section);
  return out;
}

int explain(const Command& root, const std::string& topic) {
  std::string text = root.help_of(topic);
  std::vector<std::string> known;
  for (const std::string_view piece : diagnostics_page()) {
    for (const Row& row : rows_of(piece)) {
      known.push_back(row.code);
      if (row.code == topic && text.empty()) text = text_of(row, piece);
    }
  }
  if (!text.empty()) {
    write_out(text);
    return kOk;
  }
  for (const CommandShape& command : root.shape().commands) known.push_back(command.name);
  const std::string near = nearest(topic, known);
  complain(fmt::format("no command and no diagnostic is called `{}`{}", topic,
                       near.empty() ? "" : fmt::format(", did you mean `{}`?", near)));
  return kUsage;
}

}  // namespace

void add_help(Command root) {
  auto topic = std::make_shared<std::string>();
  Command command = root.add_command("help", "Explain a command, or the code of a diagnostic");
  command.add_option("TOPIC", *topic, "a command such as `check`, or a code such as `never-matches`");
  command.set_footer("docs/diagnostics.md lists every code.\nExit codes: 0 explained, 2 no such topic.");
  command.set_action([root, topic] {
    if (!topic->empty()) return explain(root, *topic);
    write_out(root.help_of(""));
    return static_cast<int>(kOk);
  });
}

}  // namespace ordain::cli
