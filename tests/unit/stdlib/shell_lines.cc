// shell_lines.cc is the generator of random shell lines.
#include "tests/unit/stdlib/shell_lines.h"

namespace ordain::testing {

// splitmix64
uint64_t ShellLines::next() {
  state_ += 0x9e3779b97f4a7c15;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

std::string ShellLines::simple_word(int depth) {
  static constexpr const char* kWords[] = {
      "a",        "-rf",      "'a b'",   "\"a b\"", "a\\ b",    "\"$x\"", "$x",    "*.c", "a=b",   "{}",  "a#b",
      "\"\"",     "\\;",      "${x}",    "$?",      "\"a'b\"",  "'a\"b'", "--o=v", "x:y", "2",     "\\>", "\\<",
      "\\ #",     "a\\\nb",   "${x:-a}", "if",      "then",     "time",   "!",     "do",  "é",     "~",   "'#'",
      "$((1+2))", "\"`qd`\"", "`qd`",    "'\\'",    "\"\\\\\"", "%s",     "a,b",   "@",   "a\\;b", "^"};
  if (depth > 0 && below(10) == 0) return "$(" + list(depth - 1) + ")";
  if (depth > 0 && below(20) == 0) return "\"$(" + list(depth - 1) + ")\"";
  return pick(kWords);
}

std::string ShellLines::simple_command(int depth) {
  static constexpr const char* kNames[] = {"qa",     "qb", "qc",   "qd",   "q'a'", "q\\b",
                                           "\"qc\"", "qa", "\\qd", "echo", "true"};
  static constexpr const char* kAssignments[] = {"A=1 ", "A='a b' ", "A=$x ", "A= "};
  static constexpr const char* kRedirections[] = {" >f",   " 2>f",    " >>f", " 2>&1", " <f",    " >|f",
                                                  " 1>&2", " >\"f\"", "> f",  " <&-",  " >'a b'"};
  std::string out;
  if (below(8) == 0) out += pick(kAssignments);
  if (below(12) == 0) out += "2>f ";
  out += pick(kNames);
  for (size_t words = below(4); words > 0; --words)
    out += (below(12) == 0 ? "\t" : below(20) == 0 ? " \\\n" : " ") + simple_word(depth);
  for (size_t files = below(6) / 4; files > 0; --files) out += pick(kRedirections);
  return out;
}

std::string ShellLines::list(int depth) {
  static constexpr const char* kSeparators[] = {"; ", " && ", " || ", " | ", "\n", " & ", ";", "|", "&&"};
  std::string out = simple_command(depth);
  for (size_t more = below(5) / 2; more > 0; --more) out += pick(kSeparators) + simple_command(depth);
  return out;
}

std::string ShellLines::simple_line() {
  std::string out = list(2);
  if (below(12) == 0) out += " # a comment; qd x";
  if (below(12) == 0) out += "\n";
  return out;
}

std::string ShellLines::compound(int depth) {
  static constexpr const char* kEnds[] = {"; ", "\n", "; \\\n", " ;"};
  if (depth == 0 || below(4) == 0) return list(1);
  const std::string end = pick(kEnds);
  switch (below(11)) {
    case 0:
      return "{ " + compound(depth - 1) + end + "}";
    case 1:
      return "(" + compound(depth - 1) + ")";
    case 2:
      return "if " + compound(depth - 1) + end + "then " + compound(depth - 1) + end + "fi";
    case 3:
      return "if " + compound(depth - 1) + end + "then\n" + compound(depth - 1) + end + "else\t" + compound(depth - 1) +
             end + "fi";
    case 4:
      return "while " + compound(depth - 1) + end + "do " + compound(depth - 1) + end + "break" + end + "done";
    case 5:
      return "for x in a b" + end + "do " + compound(depth - 1) + end + "done";
    case 6:
      return "for x do " + compound(depth - 1) + end + "done";
    case 7:
      return "! " + compound(depth - 1);
    case 8:
      return "time " + std::string(below(3) == 0 ? "-p " : "") + compound(depth - 1);
    case 9:
      return "fn() { " + compound(0) + end + "}; fn";
    default:
      return compound(depth - 1) + end + compound(depth - 1);
  }
}

std::string ShellLines::compound_line() { return compound(3); }

std::string ShellLines::soup() {
  static constexpr const char* kTokens[] = {"qa",
                                            "qb",
                                            "qc",
                                            "qd",
                                            "qa x",
                                            "qb x",
                                            " ",
                                            " ",
                                            " ",
                                            " ",
                                            " ",
                                            "\t",
                                            "\n",
                                            "\\\n",
                                            "\r",
                                            "\v",
                                            ";",
                                            "&",
                                            "|",
                                            "&&",
                                            "||",
                                            "|&",
                                            ";;",
                                            ";&",
                                            "(",
                                            ")",
                                            "((",
                                            "))",
                                            "<",
                                            ">",
                                            ">>",
                                            "<<",
                                            "<<<",
                                            "<>",
                                            ">&",
                                            "<&",
                                            ">|",
                                            "&>",
                                            "&>>",
                                            "2>",
                                            "10>",
                                            "<(",
                                            ">(",
                                            "{x}>",
                                            "2",
                                            "-",
                                            "'",
                                            "\"",
                                            "\\",
                                            "`",
                                            "$",
                                            "$(",
                                            "${",
                                            "}",
                                            "{",
                                            "$'",
                                            "$\"",
                                            "$((",
                                            "$[",
                                            "]",
                                            "[",
                                            "[[",
                                            "]]",
                                            "#",
                                            " #",
                                            "\\#",
                                            "\\ #",
                                            "\\>",
                                            "\\<",
                                            "\\&",
                                            "\\|",
                                            "\\;",
                                            "\\\\",
                                            "if",
                                            "then",
                                            "else",
                                            "elif",
                                            "fi",
                                            "do",
                                            "done",
                                            "while",
                                            "until",
                                            "for",
                                            "for x",
                                            "in",
                                            "case",
                                            "esac",
                                            "x)",
                                            "time",
                                            "time -p",
                                            "time --",
                                            "!",
                                            "{ ",
                                            "; }",
                                            "function",
                                            "function fn",
                                            "coproc",
                                            "select x",
                                            "fn",
                                            "A=1",
                                            "A=",
                                            "A+=1",
                                            "x=qa",
                                            "$x",
                                            "\"$x\"",
                                            "${x}",
                                            "${x:-qb}",
                                            "$?",
                                            "$$",
                                            "{qa,x}",
                                            "{a..b}",
                                            "{a,b}",
                                            "EOF",
                                            "<<EOF\n",
                                            "\nEOF\n",
                                            "eval",
                                            "command",
                                            "builtin",
                                            "exec",
                                            "exec qa",
                                            "alias z=qa",
                                            "z",
                                            "trap 'qa y' EXIT",
                                            "'qa y'",
                                            "\"qb z\"",
                                            "~",
                                            "*",
                                            "?",
                                            "f",
                                            ">f",
                                            "<f",
                                            "a",
                                            "=",
                                            ",",
                                            "..",
                                            "%",
                                            "^",
                                            "@",
                                            "é",
                                            "\xC2\xA0",
                                            "!(",
                                            "@(",
                                            "1",
                                            "0",
                                            "+",
                                            "-v",
                                            "-p",
                                            "--",
                                            "a[",
                                            "a[$(qa y)]",
                                            "test",
                                            "unset",
                                            "read",
                                            "export",
                                            "'a[$(qa y)]'",
                                            "declare",
                                            "let",
                                            "printf",
                                            "$_",
                                            "$!",
                                            "$#",
                                            "$@",
                                            "$-",
                                            "echo",
                                            "true",
                                            "y",
                                            "z",
                                            "set"};
  std::string out;
  for (size_t count = 1 + below(14); count > 0; --count) {
    out += pick(kTokens);
    if (below(3) == 0) out += " ";
  }
  return out;
}

// Inserts, removes or doubles a few pieces.
void ShellLines::mutate(std::string& line) {
  static constexpr const char* kPieces[] = {"\\\n", "\\", "\r", "'", "\"",  "`",  " ",  "\t",   "\n", "#",
                                            " #",   ";",  "&",  "|", "(",   ")",  "<",  ">",    "$",  "{",
                                            "}",    "=",  "!",  "2", "\\ ", "&>", "$(", "time "};
  for (size_t count = 1 + below(3); count > 0; --count) {
    const size_t at = below(line.size() + 1);
    const size_t how = below(4);
    if (how == 0 && at < line.size()) {
      line.erase(at, 1);
    } else if (how == 1 && at < line.size()) {
      line.insert(at, line.substr(at, 1 + below(4)));
    } else {
      line.insert(at, pick(kPieces));
    }
  }
}

std::string ShellLines::any_line() {
  const size_t kind = below(10);
  std::string line = kind < 4 ? soup() : kind < 7 ? compound_line() : simple_line();
  if (kind >= 4 && below(3) != 0) mutate(line);
  return line;
}

}  // namespace ordain::testing
