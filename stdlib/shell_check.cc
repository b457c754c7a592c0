// shell_check.cc finds the commands by which a shell runs something that their words do not name:
// names that are computed, builtins that read commands from their arguments, and variables whose
// values the shell evaluates. bash evaluates an index such as `a[$(rm x)]` even if it stands in
// quotes, wherever a builtin takes the name of a variable.
#include <algorithm>

#include "stdlib/shell_parse.h"

namespace ordain::stdlib::shell {
namespace {

template <size_t Count>
bool is_one_of(std::string_view text, const std::string_view (&list)[Count]) {
  return std::find(std::begin(list), std::end(list), text) != std::end(list);
}

bool fail_evaluated(Eval& eval) { return fail(eval, "shell text sets a variable whose value the shell evaluates"); }
bool fail_variable(Eval& eval) { return fail(eval, "shell text has a builtin whose variable is not a plain name"); }
bool fail_computed(Eval& eval) { return fail(eval, "shell text has a command whose name is computed"); }

// Words that are not options must be plain names, or for `assigns` NAME=VALUE.
bool check_variables(Eval& eval, Words words, std::string_view allowed_options, bool assigns) {
  while (const Item* word = words.next()) {
    std::string_view text;
    if (!unquote(eval, word->text, &text)) return false;
    if (text.size() > 1 && (text.front() == '-' || text.front() == '+')) {
      if (text == "--") continue;
      if (text.substr(1).find_first_not_of(allowed_options) != std::string_view::npos) return fail_variable(eval);
      continue;
    }
    const size_t equals = assigns ? std::min(text.find('='), text.size()) : text.size();
    std::string_view name = text.substr(0, equals);
    if (equals < text.size() && name.ends_with('+')) name.remove_suffix(1);
    if (!is_name(name)) return fail_variable(eval);
    if (is_evaluated_variable(name)) return fail_evaluated(eval);
    if (text.substr(equals).starts_with("=(")) return fail_variable(eval);
  }
  return true;
}

// `test -v NAME` evaluates an index, and a word that is computed may be `-v`.
bool check_test(Eval& eval, Words words) {
  while (const Item* word = words.next()) {
    std::string_view text;
    if (!unquote(eval, word->text, &text)) return false;
    if (text == "-v" || text == "-R") return fail_variable(eval);
    const bool counts = text == "$#" || text == "$?" || text == "$$" || text == "$!";
    if (counts || (word->flags & kExpands) == 0) continue;
    if ((word->flags & kSplits) != 0) return fail(eval, "shell text has a test of an expansion without quotes");
    const Item* next = words.peek();
    if (next == nullptr) continue;
    if (!unquote(eval, next->text, &text)) return false;
    if ((next->flags & kExpands) != 0 || text.empty() ||
        std::string_view("=!-<>]").find(text[0]) == std::string_view::npos) {
      return fail(eval, "shell text has a test whose operator is computed");
    }
  }
  return true;
}

bool check_printf(Eval& eval, Words words) {
  const Item* first = words.peek();
  if (first == nullptr) return true;
  std::string_view text;
  if (!unquote(eval, first->text, &text)) return false;
  if (text.starts_with("-v") || text.starts_with('$') || text.starts_with('`')) return fail_variable(eval);
  return true;
}

bool check_wait(Eval& eval, Words words) {
  while (const Item* word = words.next()) {
    std::string_view text;
    if (!unquote(eval, word->text, &text)) return false;
    if (text.starts_with("-p") || ((word->flags & kExpands) != 0 && text != "$!")) return fail_variable(eval);
  }
  return true;
}

bool check_builtin(Eval& eval, std::string_view name, Words words) {
  static constexpr std::string_view kReaders[] = {"eval",     "alias",   "trap",   "let",     "compgen",
                                                  "complete", "compopt", "bind",   "mapfile", "readarray",
                                                  "fc",       "enable",  "getopts"};
  if (is_one_of(name, kReaders)) return fail(eval, "shell text has a builtin that reads commands from its arguments");
  if (name == "hash") {
    const Item* word = words.next();
    return word == nullptr || word->text == "-r" || fail(eval, "shell text changes which program a name stands for");
  }
  if (name == "export" || name == "readonly") return check_variables(eval, words, "pfn", true);
  if (name == "declare" || name == "typeset" || name == "local") return check_variables(eval, words, "xrgplufFI", true);
  if (name == "unset") return check_variables(eval, words, "vf", false);
  if (name == "read") return check_variables(eval, words, "rse", false);
  if (name == "test" || name == "[") return check_test(eval, words);
  if (name == "printf") return check_printf(eval, words);
  if (name == "wait") return check_wait(eval, words);
  return true;
}

// Skips the options of `command`, `builtin` or `exec`. `*runs` becomes false if the command only
// asks about a name.
bool skip_options(Eval& eval, std::string_view name, Words& words, bool* runs) {
  while (const Item* word = words.peek()) {
    std::string_view text;
    if (is_computed(*word)) return fail_computed(eval);
    if (!unquote(eval, word->text, &text)) return false;
    if (!text.starts_with('-')) return true;
    words.next();
    if (text == "--") return true;
    if (name == "command" && text.find_first_of("vV") != std::string_view::npos) {
      *runs = false;
      return true;
    }
    const bool known =
        name == "command" ? text == "-p" : name == "exec" && (text == "-a" || text == "-c" || text == "-l");
    if (!known) return fail(eval, "shell text has an option that is not analysed");
    if (text == "-a" && words.next() == nullptr) return true;
  }
  return true;
}

// What dash and bash read differently around the words of a command.
bool check_items(Eval& eval, const Command& command) {
  bool ended = false, appends = false;
  for (const Item& item : command.items) {
    if (ended && item.role == Role::word)
      return fail(eval, "shell text has words after &>, which ends a command in dash");
    if (appends && item.role == Role::word) return fail(eval, "shell text has NAME+= before a command");
    ended |= item.both;
    if (item.role != Role::assignment) continue;
    std::string_view name;
    if (!unquote(eval, item.text.substr(0, item.equals), &name)) return false;
    if (name.ends_with('+')) {
      appends = true;
      name.remove_suffix(1);
    }
    if (is_evaluated_variable(name)) return fail_evaluated(eval);
  }
  return true;
}

}  // namespace

bool is_computed(const Item& word) {
  if ((word.flags & (kExpands | kBraces)) != 0) return true;
  if ((word.flags & kGlob) != 0) return word.text != "[";
  return (word.flags & kTilde) != 0 && word.text.find('/') == std::string_view::npos;
}

bool is_evaluated_variable(std::string_view name) {
  static constexpr std::string_view kEvaluated[] = {
      "PS0",      "PS1",     "PS2",      "PS4",        "PROMPT_COMMAND", "ENV",          "SECONDS",
      "RANDOM",   "SRANDOM", "LINENO",   "OPTIND",     "HISTCMD",        "EPOCHSECONDS", "EPOCHREALTIME",
      "DIRSTACK", "GROUPS",  "FUNCNAME", "PIPESTATUS", "MAPFILE"};
  return name.starts_with("BASH") || is_one_of(name, kEvaluated);
}

bool check_command(Eval& eval, const Command& command) {
  if (!check_items(eval, command)) return false;
  Words words(command.items);
  while (const Item* word = words.next()) {
    if (is_computed(*word)) return fail_computed(eval);
    std::string_view name;
    if (!unquote(eval, word->text, &name)) return false;
    if (name != "command" && name != "builtin" && name != "exec") return check_builtin(eval, name, words);
    bool runs = true;
    if (!skip_options(eval, name, words, &runs)) return false;
    if (!runs) return true;
  }
  return true;
}

}  // namespace ordain::stdlib::shell
