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
  return out;
}

}  // namespace ordain
