// shell_programs.cc follows a command line from a program to the programs that it runs in turn.
// shell_table.h says how each such program takes options; what it does not know is a fault. A word
// that only the shell, xargs or find completes is a fault wherever it could choose what is run.
#include "stdlib/shell_programs.h"

#include "stdlib/rows.h"
#include "stdlib/shell_table.h"

namespace ordain::stdlib::shell {
namespace {

constexpr int kMaxPrograms = 16;  // one behind the other
constexpr int kMaxLines = 4;      // lines within lines, each of which may nest deeply

bool sets_variables(std::string_view name) {
  for (std::string_view each : {"export", "readonly", "declare", "typeset", "local", "read", "unset"}) {
    if (name == each) return true;
  }
  return false;
}

// What surrounds a program that another one runs.
struct Place {
  bool from_input = false;    // xargs may add the program's name, or more arguments
  std::string_view replaced;  // what xargs or find replaces in the arguments
  int depth = 0;
};

// How a word begins, whatever its expansions become.
struct Start {
  std::string_view text;
  bool is_whole = false;  // nothing of the word is computed
};

class Walk final : public Visitor {
 public:
  Walk(Eval& eval, Findings& findings) : eval_(eval), findings_(findings) {}
  bool line(std::string_view text);
  bool visit(const Command& command) override;

 private:
  bool program(Words words, Place place);
  bool add(std::string_view name, std::string_view* base);
  bool run(const Runner& runner, Words words, Place place);
  bool ask(const Asker& asker, Words words, const Place& place);
  bool options(const Runner& runner, Words& words, Place& place);
  bool option(const Runner& runner, std::string_view text, Words& words, Place& place);
  bool assignment(const Runner& runner, const Item& item, std::string_view text, bool ended);
  bool short_options(const Runner& runner, std::string_view letters, Words& words, Place& place);
  bool value(Words& words);
  bool variables(Words words);
  bool shell_line(Words words, const Place& place);
  bool shell_options(Words& words, const Place& place, bool* runs_line);
  bool find(Words words, const Place& place);
  bool find_command(Words& words, const Place& place, std::string_view action, bool* certain);
  bool read_start(const Item& item, const Place& place, Start* out);
  bool read_find_word(const Item& item, const Place& place, Start* out);
  bool read_shell_word(const Item& item, const Place& place, std::string_view* out);
  bool set_variable(std::string_view name);
  bool use_home();
  bool text_of(const Item& item, std::string_view* out) { return unquote(eval_, item.text, out); }
  bool changed_lookup() { return fail(eval_, "shell text changes where a command's program is found"); }
  bool computed() { return fail(eval_, "shell text has a computed word that may choose what is run"); }
  bool unknown() { return fail(eval_, "shell text runs a program with an option that is not analysed"); }

  Eval& eval_;
  Findings& findings_;
  int lines_ = 0;
  bool uses_home_ = false;  // a word or a shell depends on a variable of is_tilde_variable
  bool sets_home_ = false;
};

bool is_listable(const Item& item) { return (item.flags & (kSplits | kBraces | kGlob)) == 0; }

bool Walk::line(std::string_view text) {
  if (++lines_ > kMaxLines) return fail(eval_, "shell text has too many lines within lines");
  if (!eval_.charge(text.size() / 2) || !parse(eval_, text, *this)) return false;
  --lines_;
  return true;
}

bool Walk::visit(const Command& command) {
  for (const Item& item : command.items) {
    if (item.role == Role::redirection && item.access != Access::none && !findings_.add_redirection(item)) return false;
  }
  if (command.is_loop_head) return set_variable(command.items[1].text);
  for (const Item& item : command.items) {
    std::string_view name;
    if (item.role != Role::assignment) continue;
    if (!unquote(eval_, item.text.substr(0, item.equals), &name)) return false;
    if (!set_variable(name)) return false;
  }
  Words words(command.items);
  if (words.peek() == nullptr) return true;
  return (!command.is_timed || findings_.add_program("time")) && program(words, {});
}

// Adds a program by the name that calls it and, if that is a path, by its last part.
bool Walk::add(std::string_view name, std::string_view* base) {
  const size_t slash = name.rfind('/');
  *base = slash == std::string_view::npos ? name : name.substr(slash + 1);
  return findings_.add_program(name) && (slash == std::string_view::npos || findings_.add_program(*base));
}

bool Walk::program(Words words, Place place) {
  if (++place.depth > kMaxPrograms) return fail(eval_, "shell text runs too many programs through one another");
  const Item* word = words.next();
  if (word == nullptr) return !place.from_input || fail(eval_, "shell text reads the name of a program");
  if (is_computed(*word)) return fail(eval_, "shell text has a command whose name is computed");
  std::string_view name, base;
  if (!text_of(*word, &name)) return false;
  if (!place.replaced.empty() && name.find(place.replaced) != std::string_view::npos) {
    return fail(eval_, "shell text reads the name of a program");
  }
  if (!add(name, &base) || ((word->flags & kTilde) != 0 && !use_home())) return false;
  const std::string_view tool = tool_of(base);
  // A shell with a version in its name may read a line as neither of the known ones does.
  if (is_refused(tool) || (is_shell(tool) && tool != base)) {
    return fail(eval_, "shell text has a program that runs others and is not analysed");
  }
  if (is_shell(tool)) return shell_line(words, place);
  if (sets_variables(base)) return variables(words);
  if (tool == "find") return find(words, place);
  if (const Asker* asker = find_asker(tool)) return ask(*asker, words, place);
  const Runner* runner = find_runner(tool);
  return runner == nullptr || run(*runner, words, place);
}

bool Walk::run(const Runner& runner, Words words, Place place) {
  if (runner.name == "command") {
    const Item* next = words.peek();
    std::string_view text;
    if (next != nullptr && !text_of(*next, &text)) return false;
    if (text == "-v" || text == "-V") return true;
  }
  if (!options(runner, words, place)) return false;
  if (runner.name == "xargs") {
    if (words.peek() == nullptr && !place.from_input) return findings_.add_program("echo");
    place.from_input = true;
  }
  return program(words, place);
}

// Faults if a word may ask the program to run another one.
bool Walk::ask(const Asker& asker, Words words, const Place& place) {
  if (place.from_input) return computed();
  while (const Item* item = words.next()) {
    Start start;
    if ((item->flags & (kSplits | kBraces)) != 0) return computed();
    if (!read_start(*item, place, &start)) return false;
    if (!start.is_whole && (start.text.empty() || start.text.front() == '-')) return computed();
    if (is_listed(asker.words, start.text, true)) return unknown();
    if (asker.letters.empty() || !start.text.starts_with('-') || start.text == "--") continue;
    if (start.text.starts_with("--") || start.text.find_first_of(asker.letters) != std::string_view::npos) {
      return unknown();
    }
  }
  return true;
}

// A word that xargs or find completes begins with what stands before the text that they replace.
bool Walk::read_start(const Item& item, const Place& place, Start* out) {
  if ((item.flags & kTilde) != 0 && !use_home()) return false;
  out->is_whole = !is_computed(item);
  if (!(out->is_whole ? text_of(item, &out->text) : fixed_start(eval_, item.text, &out->text))) return false;
  if (place.replaced.empty()) return true;
  // An expansion may complete the text that is replaced.
  const size_t replaced = out->is_whole ? out->text.find(place.replaced) : 0;
  if (replaced == std::string_view::npos) return true;
  *out = {out->text.substr(0, replaced), false};
  return true;
}

bool Walk::set_variable(std::string_view name) {
  if (changes_lookup(name)) return changed_lookup();
  if (!is_tilde_variable(name)) return true;
  sets_home_ = true;
  return !uses_home_ || fail(eval_, "shell text sets what `~` stands for and uses it");
}

// Functions may be called after a later assignment, so that the order does not matter.
bool Walk::use_home() {
  uses_home_ = true;
  return !sets_home_ || fail(eval_, "shell text sets what `~` stands for and uses it");
}

bool Walk::variables(Words words) {
  while (const Item* item = words.next()) {
    std::string_view text;
    if (!text_of(*item, &text)) return false;
    if (!set_variable(text.substr(0, text.find('=')))) return false;
  }
  return true;
}

// Skips a value that may be computed, but is one word.
bool Walk::value(Words& words) {
  const Item* item = words.next();
  return item != nullptr && is_listable(*item) ? true : unknown();
}

bool Walk::short_options(const Runner& runner, std::string_view letters, Words& words, Place& place) {
  for (size_t at = 0; at < letters.size(); ++at) {
    if (runner.flags.find(letters[at]) != std::string_view::npos) continue;
    if (runner.numbers && letters.find_first_not_of("0123456789", at) == std::string_view::npos) return true;
    if (runner.with_value.find(letters[at]) == std::string_view::npos) return unknown();
    std::string_view given = letters.substr(at + 1);
    const Item* next = words.peek();
    if (given.empty() && (!value(words) || !text_of(*next, &given))) return false;
    if (runner.name == "xargs" && letters[at] == 'I') {
      const bool separate = at + 1 == letters.size();
      if (separate && (next->flags & (kExpands | kTilde)) != 0) return unknown();
      // What two programs replace is not followed, nor is an empty text.
      if (given.empty() || (!place.replaced.empty() && place.replaced != given)) return unknown();
      place.replaced = given;
    }
    return true;
  }
  return true;
}

bool Walk::option(const Runner& runner, std::string_view text, Words& words, Place& place) {
  if (!text.starts_with("--")) return short_options(runner, text.substr(1), words, place);
  const std::string_view name = text.substr(0, text.find('='));
  const bool is_flag = is_listed(runner.long_flags, name), takes_value = is_listed(runner.long_values, name);
  if (name.size() < text.size()) return takes_value || unknown();
  return is_flag || (takes_value ? value(words) : unknown());
}

// Reads a word with `=` before the program. Wrappers take any name, also one that no shell assigns
// to, such as those of the functions that bash imports.
bool Walk::assignment(const Runner& runner, const Item& item, std::string_view text, bool ended) {
  // Versions of sudo differ in what they do with these.
  if (runner.resumes && (ended || text.starts_with('/'))) return unknown();
  if (!is_listable(item)) return unknown();
  const std::string_view name = text.substr(0, text.find('='));
  return is_evaluated_variable(name) ? changed_lookup() : set_variable(name);
}

// Skips everything before the program that `runner` runs. A word that may turn out to be an option
// would move the program's place, so it is a fault.
bool Walk::options(const Runner& runner, Words& words, Place& place) {
  bool ended = false, assigned = false;
  while (const Item* item = words.peek()) {
    Start start;
    if (!read_start(*item, place, &start)) return false;
    const std::string_view text = start.text;
    const bool takes_options = !ended && (!assigned || runner.resumes);
    if (takes_options && !start.is_whole && (text.empty() || text.front() == '-')) return computed();
    const bool is_option = takes_options && text.starts_with('-') && (text != "-" || runner.name == "env");
    if (!is_option && (!runner.assigns || text.find('=') == std::string_view::npos)) break;
    words.next();
    if (text == "--") {
      ended = true;
    } else if (!is_option) {
      if (!assignment(runner, *item, text, ended)) return false;
      assigned = true;
    } else if (text != "-" && !option(runner, text, words, place)) {
      return false;
    }
  }
  for (int i = 0; i < runner.before; ++i) {
    if (!value(words)) return false;
  }
  return true;
}

bool Walk::read_shell_word(const Item& item, const Place& place, std::string_view* out) {
  Start start;
  if (!read_start(item, place, &start)) return false;
  *out = start.text;
  return start.is_whole || fail(eval_, "shell text has a shell with a computed argument");
}

// Skips the options of a shell. Those of interactive and login shells are faults, as such shells
// run files at home, and so are those that change how words are read.
bool Walk::shell_options(Words& words, const Place& place, bool* runs_line) {
  while (const Item* item = words.peek()) {
    std::string_view text;
    if (!read_shell_word(*item, place, &text)) return false;
    if (!text.starts_with('-') && !text.starts_with('+')) return true;
    words.next();
    if (text == "--" || text == "-") return true;
    if (text == "+") return unknown();
    if (text.starts_with("--")) {
      if (!is_listed(" --norc --noprofile --posix --restricted --verbose ", text)) return unknown();
      continue;
    }
    if (text.substr(1).find_first_not_of("abcefhmnoprstuvxBCEOPT") != std::string_view::npos) return unknown();
    const bool has_line = text.find('c') != std::string_view::npos;
    if (has_line && text.front() == '+') return unknown();
    *runs_line |= has_line;
    const size_t named = text.find_first_of("oO");
    if (named == std::string_view::npos) continue;
    // bash reads `-verbose` and its like as long options, in which `o` takes no value.
    const Item* value = words.next();
    if (named + 1 < text.size() || value == nullptr) return unknown();
    if (!read_shell_word(*value, place, &text)) return false;
    if (text == "keyword") return unknown();
  }
  return true;
}

// Reads the line after `sh -c`. Without `-c` the shell runs a file or its input, which no rule
// sees.
bool Walk::shell_line(Words words, const Place& place) {
  bool runs_line = false;
  if (!use_home() || !shell_options(words, place, &runs_line)) return false;
  const Item* item = words.next();
  if (item == nullptr) {
    return (!runs_line && !place.from_input) || fail(eval_, "shell text has a shell without the line that it runs");
  }
  std::string_view text;
  if (!read_shell_word(*item, place, &text)) return false;
  return !runs_line || line(text);
}

bool Walk::read_find_word(const Item& item, const Place& place, Start* out) {
  if ((item.flags & (kSplits | kBraces)) != 0) return unknown();
  if (!read_start(item, place, out)) return false;
  // The path of a home is whole, as it is neither an action nor the end of one.
  const bool is_home = (item.flags & kTilde) != 0 && (item.flags & (kExpands | kGlob)) == 0;
  if (is_home && place.replaced.empty()) out->is_whole = true;
  return true;
}

bool may_be_predicate(std::string_view start) {
  return start.empty() || std::string_view("-(!,)").find(start.front()) != std::string_view::npos;
}

// Reads find's words: paths, predicates with their values, and actions with their commands.
bool Walk::find(Words words, const Place& place) {
  if (place.from_input) return computed();
  bool certain = true;  // whether it is known which words are predicates
  bool is_value = false;
  while (const Item* item = words.next()) {
    Start start;
    if (!read_find_word(*item, place, &start)) return false;
    const FindWord kind = start.is_whole ? find_word(start.text) : FindWord::unknown;
    if (is_value) {
      is_value = false;
      if (kind == FindWord::action) return unknown();
      if ((item->flags & kGlob) == 0) continue;
      certain = false;  // as a glob may become no word or several
    }
    if (!start.is_whole && may_be_predicate(start.text)) return computed();
    if (kind == FindWord::action && !find_command(words, place, start.text, &certain)) return false;
    is_value = kind == FindWord::with_value && certain;
    if (kind == FindWord::unknown && start.text.starts_with('-')) certain = false;
  }
  return true;
}

// Reads the command after `action`, up to `;` or `{} +`. One computed word may be its end; then
// what follows may be read as find's own words.
bool Walk::find_command(Words& words, const Place& place, std::string_view action, bool* certain) {
  Words command = words;
  bool may_have_ended = false, after_braces = false;
  while (const Item* item = words.next()) {
    Start start;
    if (!read_find_word(*item, place, &start)) return false;
    const bool is_plus = start.text == "+", is_end = is_plus || start.text == ";";
    if (start.is_whole && is_end) {
      if (is_plus && (!after_braces || action.starts_with("-ok"))) return unknown();
      command = command.before(item);
      break;
    }
    if (may_have_ended && (start.is_whole ? find_word(start.text) == FindWord::action : may_be_predicate(start.text))) {
      return computed();
    }
    if (!start.is_whole && (start.text.empty() || is_end)) {
      if ((item->flags & kGlob) != 0) return computed();
      may_have_ended = true;
      *certain = false;
    }
    after_braces = start.is_whole && start.text == "{}";
  }
  Place inner = place;
  if (!inner.replaced.empty() && inner.replaced != "{}") return unknown();
  inner.replaced = "{}";
  return program(command, inner);
}

}  // namespace

bool find_programs(Eval& eval, std::string_view line, Findings& findings) { return Walk(eval, findings).line(line); }

bool changes_lookup(std::string_view name) {
  if (name.ends_with('+')) name.remove_suffix(1);
  return name == "PATH" || name == "IFS" || name == "SHELLOPTS" || name.starts_with("LD_") || name.starts_with("DYLD_");
}

bool is_tilde_variable(std::string_view name) {
  if (name.ends_with('+')) name.remove_suffix(1);
  return name == "HOME" || name == "PWD" || name == "OLDPWD";
}

}  // namespace ordain::stdlib::shell
