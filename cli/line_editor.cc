// Reads lines at a terminal, by libedit where it was found.
#include "cli/line_editor.h"

#ifdef ORDAIN_HAS_LIBEDIT
#include <editline/readline.h>
#else
#include <iostream>
#endif

#include <clocale>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "cli/terminal.h"

namespace ordain::cli {

#ifdef ORDAIN_HAS_LIBEDIT
namespace {

// The library calls back without a context.
Completer completer_of_editor;
std::vector<std::string> offered_words;

char* next_offered_word(const char*, int state) {
  const auto at = static_cast<size_t>(state);
  return at < offered_words.size() ? ::strdup(offered_words[at].c_str()) : nullptr;
}

char** complete_word(const char* word, int, int) {
  rl_attempted_completion_over = 1;  // no file names
  offered_words = completer_of_editor(word);
  return offered_words.empty() ? nullptr : rl_completion_matches(word, next_offered_word);
}

}  // namespace

LineEditor::LineEditor(Completer completer) {
  static char name[] = "ordain";
  static char breaks[] = " \t\n\"'`!&|<>=+-*/%?,;()[]{}";
  std::setlocale(LC_CTYPE, "");  // characters of several bytes are edited as one
  completer_of_editor = std::move(completer);
  rl_readline_name = name;
  rl_initialize();
  rl_completer_word_break_characters = breaks;
  rl_completion_append_character = '\0';
  rl_attempted_completion_function = complete_word;
}

LineEditor::~LineEditor() { completer_of_editor = nullptr; }

bool LineEditor::next_line(const char* prompt, std::string* line) {
  try_flush();
  char* typed = ::readline(prompt);
  if (typed == nullptr) return false;
  *line = typed;
  std::free(typed);
  if (!line->empty()) ::add_history(line->c_str());
  return true;
}

#else

LineEditor::LineEditor(Completer) {}
LineEditor::~LineEditor() = default;

bool LineEditor::next_line(const char* prompt, std::string* line) {
  try_write(prompt);
  try_flush();
  return static_cast<bool>(std::getline(std::cin, *line));
}

#endif

}  // namespace ordain::cli
