// Reads lines that a person types at a terminal, with editing, history and completion. The library behind it is
// included by line_editor.cc alone; without that library, lines are read as the terminal gives them.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace ordain::cli {

/// Returns what may stand in place of the word that is being typed.
using Completer = std::function<std::vector<std::string>(const std::string& word)>;

/// There can be one at a time, because the library keeps its state in the process. What is typed is kept in memory
/// only, because it may hold what nobody should find in a file.
class LineEditor {
 public:
  explicit LineEditor(Completer completer);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  /// Reads the next line from standard input, without its end. @returns false at the end of the input
  bool next_line(const char* prompt, std::string* line);
};

}  // namespace ordain::cli
