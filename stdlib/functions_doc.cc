// functions_doc.cc generates the reference of functions from the function table, so that the two
// cannot differ.
#include <string_view>

#include "ordain/stdlib.h"

namespace ordain {
namespace {

// A vertical bar would end the table cell, even within code, so it is escaped.
void put_cell(std::string& out, std::string_view text) {
  for (char c : text) {
    if (c == '|' || c == '<') out += '\\';
    out += c;
  }
}
void put_code(std::string& out, std::string_view text) {
  out += '`';
  for (char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  out += '`';
}

void put_row(std::string& out, const Overload& row) {
  out += "| ";
  put_code(out, row.name);
  out += " | ";
  put_code(out, row.signature);
  out += " | ";
  put_cell(out, row.doc);
  out += " | ";
  if ((row.flags & kNeverFaults) != 0) out += "never faults";
  if ((row.flags & kMayLock) != 0) out += "may lock or allocate";
  out += " |\n";
}

// What the rows of the functions for shell lines cannot say each by itself.
constexpr std::string_view kShellLines = R"(
## Shell lines

`shell.commands` and its like read a line as bash and dash do. Where the two may differ, and where a
shell would run something that the line does not name, the call faults, so that a rule that denies
denies and a rule that allows does not match. Examples are here-documents, `$'...'`, `case`, `eval`,
a command whose name is `$x` or `{rm,x}`, and arithmetic with variables, as bash evaluates them.

- `shell.commands` takes reserved words (`if`, `then`, `{`, `!`, `time`) and comments away; what is
  left of each command is given as written.
- `shell.split` gives the words of one such command first, so that element 0 is the program. After
  them come assignments (`A=1`) and redirections (`2>log`, `<in`), each as one element. A rule that
  allows should look at these, too: comparing the whole list, as in
  `shell.split(c) == ["git", "status"]`, does. An assignment before a command to `PATH`, `IFS` or
  `LD_...` is a fault, as is a brace expansion.
- `shell.programs` looks through `env`, `sudo`, `doas`, `timeout`, `nice`, `ionice`, `nohup`,
  `setsid`, `stdbuf`, `time`, `xargs`, `command`, `builtin`, `exec`, `busybox`, `find -exec` and
  `sh -c`, and lists them as well. `/bin/rm` is listed as `/bin/rm` and as `rm`. Options that it
  does not know, programs such as `ssh`, `su` and `flock`, and a line that sets `PATH`, are faults.
  What a program runs by its own means (`make`, `git`, `python`, a script) is not seen.
- `shell.reads` and `shell.writes` list the targets of redirections, also of those within `sh -c`. A
  file that a program gets as an argument is not among them.
)";

}  // namespace

std::string functions_markdown(const FunctionTable& table) {
  std::string out =
      "# Functions\n"
      "\n"
      "These are all the functions and operators that an expression may call. The signature\n"
      "`string.(int) -> string` is that of a member function, called as `text.name(1)`. A function\n"
      "`(int, int) -> int` is called as `name(1, 2)`, an operator with the sign in its name: `_+_` as\n"
      "`a + b`, `_[_]` as `a[b]`, `_[?_]` as `a[?b]`, `@in` as `a in b`. Capital letters stand for any\n"
      "type, the same one wherever they recur. Equality, `&&`, `||`, `!`, `?:`, field selection and the\n"
      "macros are part of the language itself.\n"
      "\n"
      "This page is generated from the table that the engine calls. A function that never faults can still\n"
      "exceed the evaluation's budget.\n"
      "\n"
      "| Name | Signature | | |\n"
      "| --- | --- | --- | --- |\n";
  for (const auto& [name, function] : table.all()) {
    for (const Overload* row : function.overloads) put_row(out, *row);
  }
  if (table.find("shell.commands") != nullptr) out += kShellLines;
  return out;
}

}  // namespace ordain
