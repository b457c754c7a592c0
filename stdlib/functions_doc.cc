// functions_doc.cc generates the reference of functions from the function table, so that the two
// cannot differ.
#include <string_view>

#include "ordain/stdlib.h"
#include "stdlib/shell_table.h"

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
- `shell.programs` looks through the programs below that run others, and lists them as well.
  `/bin/rm` is listed as `/bin/rm` and as `rm`. Options that it does not know, a computed word that
  may choose what is run (`timeout "$x" 5 rm`, `find . "$x"`), a program of the table behind `xargs`
  whose own words are not complete, login shells, and a line that sets `PATH`, are faults. So is a
  line that sets `HOME` if it also runs a shell or has a word such as `~/x`. What a program runs by
  its own means (`make`, `git`, `python`, a script) is not seen.
- `shell.reads` and `shell.writes` list the targets of redirections, also of those within `sh -c`. A
  file that a program gets as an argument is not among them. A target with `~` is a fault.
)";

// Costs follow from code, so they are written by hand; a test finds functions that are missing.
constexpr std::string_view kCosts = R"(
## Costs

Each condition has a budget of steps ([language.md](language.md)). A function that is not named here
costs nothing beyond the loop around it.

- **Reading and copying text** costs a step for ten bytes: `size` of a string, `_<_`, `_<=_`, `_>_`
  and `_>=_` of strings and bytes (the shorter one), `_+_` (both), `int`, `uint`, `double` and
  `duration` of a string, `string` of bytes, `base64.encode`, `base64.decode`, `charAt`,
  `substring`, `trim`, `lowerAscii`, `upperAscii`, `reverse`, `strings.quote` (twice as much),
  `startsWith` and `endsWith` (the other string), `paths.normalize`, `isWithin`, and a text that is
  looked up as a key by `_[_]`, `_[?_]` or `@in`. So does comparing texts of the same size with
  `==`.
- **Searching for text** costs a step for two bytes, and more if the text sought is longer than 64
  bytes: `contains`, `indexOf`, `replace`, `split`. A single byte is found at a step for ten.
  `lastIndexOf` costs a step for ten bytes, and as much again for each 32 bytes of the text sought.
- **Regular expressions** (`matches`, `regex.extract`, `regex.extractAll`, `regex.replace`) cost a
  step for 40 bytes of text if the pattern is a constant of up to 1,024 instructions; RE2 makes some
  one to three for each byte that the pattern can match, counting `x{20}` as twenty. Each further
  1,024 instructions cost as much again. `regex.extractAll` and `regex.replace` search the rest of
  the text again after each match. Finding a group costs the bytes of the match times the
  instructions, divided by two; so does every search for a pattern that is known only at run time,
  whose compilation costs 200 steps an instruction, too.
- **Lists** cost a step an element: `@in` (a text that is looked up costs a step for ten bytes of it
  and each element, too), `reverse`, `distinct` (which compares each element with those before it),
  `join`, `math.greatest`, `math.least`, `optional.unwrap`, `unwrapOpt`, `flatten`, `lists.range`;
  `_+_` a step for ten elements. `sort` and `@sortByAssociatedKeys` cost n log n steps, times two,
  and more for long texts. `sets.contains`, `sets.equivalent` and `sets.intersects` cost a step for
  each pair.
- **Whole values** cost a step for each part: `texts`, which walks them twice, and `json.encode` and
  `format`, which also write text.
- **The rest**: `shell.commands`, `shell.split`, `shell.programs`, `shell.reads` and `shell.writes`
  cost a step for two bytes of the line. `string` of a double costs 4, and a time in a time zone 50:
  `getFullYear`, `getMonth`, `getDate`, `getDayOfMonth`, `getDayOfWeek`, `getDayOfYear`, `getHours`,
  `getMinutes`, `getSeconds`, `getMilliseconds`.
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
  if (table.find("shell.commands") != nullptr) out += std::string(kShellLines) + stdlib::shell::runners_markdown();
  if (table.find("matches") != nullptr) out += kCosts;
  return out;
}

}  // namespace ordain
