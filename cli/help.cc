// ordain help: explains a command, or the code of a diagnostic by what docs/diagnostics.md says of it.
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"
#include "cli/terminal.h"
#include "lsp/code_help.h"
#include "ordain/diagnostic.h"

namespace ordain::cli {
namespace {

std::string text_of(const lsp::CodeHelp& row) {
  std::string out = fmt::format("{} ({})\n{}\n", row.code, row.severity, row.meaning);
  if (!row.example.empty()) out += fmt::format("for example {}\n", row.example);
  if (!row.section.empty()) out += fmt::format("\n{}\n", row.section);
  return out;
}

int explain(const Command& root, const std::string& topic) {
  std::string text = root.help_of(topic);
  if (text.empty()) {
    if (const auto row = lsp::find_code_help(topic)) text = text_of(*row);
  }
  if (!text.empty()) {
    write_out(text);
    return kOk;
  }
  std::vector<std::string> known = lsp::documented_codes();
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
