// shell_programs.cc follows a command line from a program to the programs that it runs in turn. A
// table says how each such program takes options; what the table does not know is a fault.
#include "stdlib/shell_programs.h"

#include <algorithm>

#include "stdlib/rows.h"

namespace ordain::stdlib::shell {
namespace {

constexpr int kMaxPrograms = 16;  // one behind the other
constexpr int kMaxLines = 4;      // lines within lines, each of which may nest deeply

// A program that runs the program named by its arguments.
struct Runner {
  std::string_view name;
  std::string_view flags;             // short options without a value
  std::string_view with_value = "";   // short options with a value
  std::string_view long_flags = "";   // long options without a value, each between blanks
  std::string_view long_values = "";  // long options with a value
  int before = 0;                     // arguments before the program
  bool assigns = false;               // takes NAME=VALUE before the program
  bool numbers = false;               // takes options such as -10
};

constexpr Runner kRunners[] = {
    {.name = "env",
     .flags = "i0v",
     .with_value = "uC",
     .long_flags = " --ignore-environment --null --debug ",
     .long_values = " --unset --chdir ",
     .assigns = true},
    {.name = "sudo",
     .flags = "AbEHKkNnPS",
     .with_value = "CDghpRTtUru",
     .long_flags = " --askpass --background --preserve-env --set-home --non-interactive --stdin --preserve-groups ",
     .long_values = " --user --group --host --prompt --chdir --chroot --close-from --command-timeout --role --type "
                    "--preserve-env ",
     .assigns = true},
    {.name = "doas", .flags = "n", .with_value = "u"},
    {.name = "timeout",
     .flags = "vfp",
     .with_value = "ks",
     .long_flags = " --preserve-status --foreground --verbose ",
     .long_values = " --kill-after --signal ",
     .before = 1},
    {.name = "nice", .flags = "", .with_value = "n", .long_values = " --adjustment ", .numbers = true},
    {.name = "ionice", .flags = "t", .with_value = "cn", .long_values = " --class --classdata "},
    {.name = "nohup", .flags = ""},
    {.name = "setsid", .flags = "cfw", .long_flags = " --ctty --fork --wait "},
    {.name = "stdbuf", .flags = "", .with_value = "ioe", .long_values = " --input --output --error "},
    {.name = "time",
     .flags = "pvqa",
     .with_value = "fo",
     .long_flags = " --portability --verbose --quiet --append ",
     .long_values = " --format --output "},
    {.name = "xargs",
     .flags = "0prtxo",
     .with_value = "adEILnPs",
     .long_flags = " --null --interactive --no-run-if-empty --verbose --exit --open-tty ",
     .long_values = " --arg-file --delimiter --max-args --max-procs --max-lines --max-chars "},
    {.name = "command", .flags = "p"},
    {.name = "builtin", .flags = ""},
    {.name = "exec", .flags = "cl", .with_value = "a"},
    {.name = "busybox", .flags = ""},
    {.name = "toybox", .flags = ""},
};

// Programs that run others in ways that are not followed.
constexpr std::string_view kUnknown[] = {"chroot",
                                         "flock",
                                         "watch",
                                         "strace",
                                         "ltrace",
                                         "gdb",
                                         "parallel",
                                         "su",
                                         "runuser",
                                         "script",
                                         "unshare",
                                         "nsenter",
                                         "setpriv",
                                         "systemd-run",
                                         "unbuffer",
                                         "expect",
                                         "firejail",
                                         "bwrap",
                                         "perf",
                                         "valgrind",
                                         "taskset",
                                         "numactl",
                                         "prlimit",
                                         "cgexec",
                                         "choom",
                                         "chrt",
                                         "entr",
                                         "at",
                                         "batch",
                                         "ssh",
                                         "rsh",
                                         "pkexec",
                                         "gosu",
                                         "su-exec",
                                         "tini",
                                         "dumb-init",
                                         "setarch",
                                         "linux32",
                                         "linux64",
                                         "faketime",
                                         "fakeroot",
                                         "torsocks",
                                         "proxychains",
                                         "dbus-run-session",
                                         "xvfb-run",
                                         "run-parts",
                                         "start-stop-daemon",
                                         "rlwrap",
                                         "zsh",
                                         "ksh",
                                         "mksh",
                                         "fish",
                                         "csh",
                                         "tcsh",
                                         "rbash",
                                         "pwsh",
                                         "sudoedit",
                                         "setuidgid",
                                         "chpst",
                                         "softlimit",
                                         "capsh",
                                         "sg",
                                         "newgrp",
                                         "catchsegv",
                                         "exec.d",
                                         "ld.so"};

bool is_shell(std::string_view name) { return name == "sh" || name == "bash" || name == "dash" || name == "ash"; }

bool sets_variables(std::string_view name) {
  for (std::string_view each : {"export", "readonly", "declare", "typeset", "local", "read", "unset"}) {
    if (name == each) return true;
  }
  return false;
}

bool is_listed(std::string_view list, std::string_view option) {
  for (size_t at = list.find(option); at != std::string_view::npos; at = list.find(option, at + 1)) {
    if (at > 0 && list[at - 1] == ' ' && list[at + option.size()] == ' ') return true;
  }
  return false;
}

// What surrounds a program that another one runs.
struct Place {
  bool from_input = false;    // xargs may add the program's name, or more arguments
  std::string_view replaced;  // what xargs or find replaces in the arguments
  int depth = 0;
};

class Walk final : public Visitor {
 public:
  Walk(Eval& eval, Findings& findings) : eval_(eval), findings_(findings) {}
  bool line(std::string_view text);
  bool visit(const Command& command) override;

 private:
  bool program(Words words, Place place);
  bool add(std::string_view name, std::string_view* base);
  bool options(const Runner& runner, Words& words, Place& place);
  bool short_options(const Runner& runner, std::string_view letters, Words& words, Place& place);
  bool value(Words& words);
  bool variables(Words words);
  bool shell_line(Words words, const Place& place);
  bool find(Words words, Place place);
  bool text_of(const Item& item, std::string_view* out) { return unquote(eval_, item.text, out); }
  bool changed_lookup() { return fail(eval_, "shell text changes where a command's program is found"); }
  bool unknown() { return fail(eval_, "shell text runs a program with an option that is not analysed"); }

  Eval& eval_;
  Findings& findings_;
  int lines_ = 0;
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
  if (command.is_loop_head) return !changes_lookup(command.items[1].text) || changed_lookup();
  for (const Item& item : command.items) {
    std::string_view name;
    if (item.role != Role::assignment) continue;
    if (!unquote(eval_, item.text.substr(0, item.equals), &name)) return false;
    if (changes_lookup(name)) return changed_lookup();
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
  if (!add(name, &base)) return false;
  if (std::find(std::begin(kUnknown), std::end(kUnknown), base) != std::end(kUnknown) || base.starts_with("ld-linux")) {
    return fail(eval_, "shell text has a program that runs others and is not analysed");
  }
  if (is_shell(base)) return shell_line(words, place);
  if (sets_variables(base)) return variables(words);
  if (base == "find") return find(words, place);
  for (const Runner& runner : kRunners) {
    if (base != runner.name) continue;
    if (base == "command") {
      const Item* next = words.peek();
      std::string_view text;
      if (next != nullptr && !text_of(*next, &text)) return false;
      if (text == "-v" || text == "-V") return true;
    }
    place.from_input |= base == "xargs";
    if (!options(runner, words, place)) return false;
    if (base == "xargs" && words.peek() == nullptr) return findings_.add_program("echo");
    return program(words, place);
  }
  return true;
}

bool Walk::variables(Words words) {
  while (const Item* item = words.next()) {
    std::string_view text;
    if (!text_of(*item, &text)) return false;
    if (changes_lookup(text.substr(0, text.find('=')))) return changed_lookup();
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
      if (next != nullptr && letters.substr(at + 1).empty() && (next->flags & kExpands) != 0) return unknown();
      place.replaced = given;
    }
    return true;
  }
  return true;
}

// Skips everything before the program that `runner` runs.
bool Walk::options(const Runner& runner, Words& words, Place& place) {
  while (const Item* item = words.peek()) {
    std::string_view text;
    if (is_computed(*item)) break;
    if (!text_of(*item, &text)) return false;
    if (!text.starts_with('-') || (text == "-" && runner.name != "env")) break;
    words.next();
    if (text == "-") continue;
    if (text == "--") break;
    if (!text.starts_with("--")) {
      if (!short_options(runner, text.substr(1), words, place)) return false;
      continue;
    }
    const std::string_view option = text.substr(0, text.find('='));
    const bool has_value = option.size() < text.size();
    if (has_value ? !is_listed(runner.long_values, option)
                  : !is_listed(runner.long_flags, option) && !is_listed(runner.long_values, option)) {
      return unknown();
    }
    if (!has_value && !is_listed(runner.long_flags, option) && !value(words)) return false;
  }
  while (runner.assigns && words.peek() != nullptr) {
    const Item& item = *words.peek();
    std::string_view text;
    if (!text_of(item, &text)) return false;
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos || !is_name(text.substr(0, equals))) break;
    if (!is_listable(item)) return unknown();
    const std::string_view name = text.substr(0, equals);
    if (changes_lookup(name) || is_evaluated_variable(name)) return changed_lookup();
    words.next();
  }
  for (int i = 0; i < runner.before; ++i) {
    if (!value(words)) return false;
  }
  return true;
}

// Reads the line after `sh -c`. Without `-c` the shell runs a file or its input, which no rule
// sees.
bool Walk::shell_line(Words words, const Place& place) {
  bool runs_line = false;
  while (const Item* item = words.peek()) {
    std::string_view text;
    if (is_computed(*item)) return fail(eval_, "shell text has a shell with a computed argument");
    if (!text_of(*item, &text)) return false;
    if (text.size() < 2 || (text.front() != '-' && text.front() != '+')) break;
    words.next();
    if (text == "--") break;
    if (text.starts_with("--")) {
      if (!is_listed(" --norc --noprofile --posix --login --restricted --verbose ", text)) return unknown();
      continue;
    }
    for (char c : text.substr(1)) {
      runs_line |= c == 'c';
      if ((c == 'o' || c == 'O') && !value(words)) return false;
    }
  }
  const Item* item = words.next();
  if (!runs_line) return true;
  if (item == nullptr) return fail(eval_, "shell text has a shell without the line that it runs");
  if (is_computed(*item)) return fail(eval_, "shell text has a shell with a computed argument");
  std::string_view text;
  if (!text_of(*item, &text)) return false;
  if (!place.replaced.empty() && text.find(place.replaced) != std::string_view::npos) return unknown();
  return line(text);
}

// Reads the programs after -exec and its like, each up to `;` or `+`.
bool Walk::find(Words words, Place place) {
  int computed = 0;
  place.replaced = "{}";
  while (const Item* item = words.next()) {
    std::string_view text;
    if ((item->flags & (kSplits | kBraces)) != 0) return unknown();
    if (!text_of(*item, &text)) return false;
    if ((item->flags & kExpands) != 0 && ++computed > 1) return unknown();
    if (text != "-exec" && text != "-execdir" && text != "-ok" && text != "-okdir") continue;
    if (!program(words, place)) return false;
  }
  return true;
}

}  // namespace

bool find_programs(Eval& eval, std::string_view line, Findings& findings) { return Walk(eval, findings).line(line); }

bool changes_lookup(std::string_view name) {
  if (name.ends_with('+')) name.remove_suffix(1);
  return name == "PATH" || name == "IFS" || name == "SHELLOPTS" || name.starts_with("LD_") || name.starts_with("DYLD_");
}

}  // namespace ordain::stdlib::shell
