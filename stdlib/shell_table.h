// shell_table.h knows the programs that run other programs: those whose arguments are read, and
// those that are refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ordain::stdlib::shell {

/// A program that runs the program named by its arguments.
struct Runner {
  std::string_view name;
  std::string_view flags = "";        ///< short options without a value
  std::string_view with_value = "";   ///< short options with a value
  std::string_view long_flags = "";   ///< long options without a value, each between blanks
  std::string_view long_values = "";  ///< long options with a value; after `=` if they are also flags
  int before = 0;                     ///< arguments before the program
  bool assigns = false;               ///< takes words with `=` before the program
  bool resumes = false;               ///< takes options after such words, too
  bool numbers = false;               ///< takes options such as -10
};

/// A program that runs another one only if some of its words ask for that.
struct Asker {
  std::string_view name;
  std::string_view letters = "";  ///< short options that ask for it; long options always do
  std::string_view words = "";    ///< words that ask for it, each between blanks, also if shortened
};

/// How `find` reads a word that begins with `-`.
enum class FindWord : uint8_t { action, with_value, alone, unknown };

/// @returns the tool behind the last part of a program's path: `find` for `gfind` or `find.distrib`,
/// `bash` for `bash5.2`
std::string_view tool_of(std::string_view name);

const Runner* find_runner(std::string_view tool);
const Asker* find_asker(std::string_view tool);
bool is_shell(std::string_view tool);
/// @returns whether `tool` runs others in ways that are not followed
bool is_refused(std::string_view tool);
/// @returns whether `list`, which has blanks around each of its words, has this one, or with
/// `shortened` one that begins with it
bool is_listed(std::string_view list, std::string_view word, bool shortened = false);
FindWord find_word(std::string_view word);

/// The names of all these programs, as a part of docs/functions.md.
std::string runners_markdown();

}  // namespace ordain::stdlib::shell
