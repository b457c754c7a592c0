// shell.cc splits shell lines for rules: into the simple commands that would run, and a command
// into its words. Shells differ and hide much, so any text that could be read in two ways
// (here-documents, $'...', nested quoting in ${...}, ...) is a fault. A rule therefore never relies
// on a reading that the shell may not share.
#include <algorithm>
#include <cstring>

#include "stdlib/rows.h"

namespace ordain::stdlib {
namespace {

constexpr int kMaxNesting = 50;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
bool ends_word(char c) { return is_blank(c) || c == '\n' || c == ';' || c == '&' || c == '|' || c == '(' || c == ')'; }

class Scanner {
 public:
  /// `out` receives the commands; with nullptr they are only counted.
  Scanner(Eval& eval, std::string_view text, Value* out) : eval_(eval), text_(text), out_(out) {}

  bool commands(char close);
  bool skip_part();

  bool done() const { return at_ == text_.size(); }
  size_t at() const { return at_; }
  void move(size_t to) { at_ = to; }
  char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  char previous() const { return at_ > 0 ? text_[at_ - 1] : '\n'; }
  size_t count() const { return count_; }
  bool fail(std::string_view why) { return fail_with(eval_, FaultCode::invalid_argument, why); }
  bool part_of_redirection() const;

 private:
  bool skip_single_quoted();
  bool skip_double_quoted();
  bool skip_dollar();
  bool skip_parameter();
  bool skip_comment();
  bool substitution(size_t skip, char close);
  bool add(size_t begin, size_t end);

  Eval& eval_;
  std::string_view text_;
  size_t at_ = 0;
  Value* out_;
  size_t count_ = 0;
  int depth_ = 0;
  int backticks_ = 0;
};

// @returns whether this is the & of `2>&1` or the | of `>| file`
bool Scanner::part_of_redirection() const {
  if (peek() == '&') return previous() == '>' || previous() == '<';
  return peek() == '|' && previous() == '>';
}

// Reads commands up to `close`, or to the end of the text if `close` is NUL; `at_` is then after
// it.
bool Scanner::commands(char close) {
  if (++depth_ > kMaxNesting) return fail("shell text is nested too deeply");
  size_t begin = at_;
  while (true) {
    if (done() ? close != '\0' : peek() == ')' && close != ')')
      return fail("shell text has an unmatched parenthesis or backtick");
    char c = peek();
    if (done() || c == close) {
      if (!add(begin, at_)) return false;
      if (!done()) ++at_;
      --depth_;
      return true;
    }
    bool separator = c == ';' || c == '\n' || ((c == '&' || c == '|') && !part_of_redirection());
    if (separator || c == '(') {
      if (!add(begin, at_)) return false;
      ++at_;
      if (c == '(' && !commands(')')) return false;
      begin = at_;
    } else if (c == '#' && ends_word(previous())) {
      if (!skip_comment()) return false;
    } else if (!skip_part()) {
      return false;
    }
  }
}

// Skips one quoted piece, substitution, or plain character.
bool Scanner::skip_part() {
  switch (peek()) {
    case '\'':
      return skip_single_quoted();
    case '"':
      return skip_double_quoted();
    case '$':
      return skip_dollar();
    case '`':
      return substitution(1, '`');
    case '\\':
      if (backticks_ > 0) return fail("shell text has a backslash within backticks");
      if (at_ + 1 >= text_.size()) return fail("shell text ends with a backslash");
      at_ += 2;
      return true;
    case '<':
      if (peek(1) == '<' && peek(2) != '<') return fail("shell text has a here-document");
      if (peek(1) == '<') {
        at_ += 3;
        return true;
      }
      [[fallthrough]];
    case '>':
      if (peek(1) == '(') return substitution(2, ')');
      break;
    default:
      break;
  }
  ++at_;
  return true;
}

bool Scanner::skip_single_quoted() {
  size_t end = text_.find('\'', at_ + 1);
  if (end == std::string_view::npos) return fail("shell text has an unmatched quote");
  at_ = end + 1;
  return true;
}

bool Scanner::skip_double_quoted() {
  for (++at_; !done();) {
    char c = peek();
    if (c == '"') {
      ++at_;
      return true;
    }
    if (c == '$' && peek(1) == '\'') {
      ++at_;
      continue;
    }
    if (c == '$' || c == '`' || c == '\\') {
      if (c == '$' && peek(1) == '"') {
        ++at_;
        continue;
      }
      if (!skip_part()) return false;
    } else {
      ++at_;
    }
  }
  return fail("shell text has an unmatched quote");
}

bool Scanner::skip_dollar() {
  switch (peek(1)) {
    case '(':
      return substitution(2, ')');
    case '{':
      return skip_parameter();
    case '\'':
      return fail("shell text has $'...' quoting");
    default:
      ++at_;
      return true;
  }
}

// Skips ${name...}, but only without quotes and expansions inside, whose reading depends on the
// shell.
bool Scanner::skip_parameter() {
  size_t end = text_.find('}', at_);
  if (end == std::string_view::npos) return fail("shell text has an unmatched brace");
  std::string_view inside = text_.substr(at_ + 2, end - at_ - 2);
  bool named = !inside.empty() && inside.find_first_of(" \t\r\n|;&(<>") != 0;
  if (!named || inside.find_first_of("'\"`\\$") != std::string_view::npos) {
    return fail("shell text has quotes or expansions within ${...}");
  }
  at_ = end + 1;
  return true;
}

bool Scanner::skip_comment() {
  size_t end = std::min(text_.find('\n', at_), text_.size());
  if (text_.substr(at_, end - at_).find_first_of("'\"`\\$()") != std::string_view::npos) {
    return fail("shell text has quotes within a comment");
  }
  at_ = end;
  return true;
}

bool Scanner::substitution(size_t skip, char close) {
  if (close == '`' && backticks_ > 0) return fail("shell text has nested backticks");
  at_ += skip;
  backticks_ += close == '`' ? 1 : 0;
  bool ok = commands(close);
  backticks_ -= close == '`' ? 1 : 0;
  return ok;
}

// Removes a reserved word from the front, if there is one.
bool strip_reserved(std::string_view* text) {
  for (std::string_view word :
       {"{", "}", "!", "if", "then", "else", "elif", "fi", "do", "done", "while", "until", "time"}) {
    if (text->starts_with(word) && (text->size() == word.size() || is_blank((*text)[word.size()]))) {
      text->remove_prefix(word.size());
      return true;
    }
  }
  return false;
}

bool Scanner::add(size_t begin, size_t end) {
  std::string_view command = text_.substr(begin, end - begin);
  do {
    while (!command.empty() && is_blank(command.front())) command.remove_prefix(1);
    // The shell skips a backslash before the end of a line, so a command may start after it.
    while (command.starts_with("\\\n")) command.remove_prefix(2);
    while (!command.empty() && is_blank(command.front())) command.remove_prefix(1);
  } while (strip_reserved(&command));
  while (!command.empty() && is_blank(command.back())) command.remove_suffix(1);
  if (command.starts_with("function ") || command.starts_with("coproc ") || command.starts_with("case ")) {
    return fail("shell text has a construct that is not analysed");
  }
  if (command.empty() || command.starts_with('#')) return true;
  if (out_ != nullptr) out_[count_] = Value::string(command);
  ++count_;
  return true;
}

bool refuse_nul(Eval& eval, std::string_view text) {
  if (text.find('\0') == std::string_view::npos) return true;
  return fail_with(eval, FaultCode::invalid_argument, "shell text has a NUL");
}

bool commands(Eval& eval, const Value* args, Value* result) {
  std::string_view text = args[0].as_text();
  if (!refuse_nul(eval, text)) return false;
  auto breaks = static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return c == ';' || c == '&' || c == '|' || c == '\n' || c == '(' || c == '`';
  }));
  auto* out = eval.array<Value>(2 * breaks + 1);
  if (out == nullptr) return false;
  Scanner scanner(eval, text, out);
  if (!scanner.commands('\0')) return false;
  // A substitution ends before the command around it, so sort the commands by where they start.
  std::sort(out, out + scanner.count(),
            [](const Value& a, const Value& b) { return a.text != b.text ? a.text < b.text : a.aux > b.aux; });
  return give(result, Value::list({out, scanner.count()}));
}
uint64_t commands_cost(const Value* args) { return args[0].aux / 2; }

// A word under construction: the bytes that remain when quotes are removed.
struct Words {
  Value* list;
  size_t count = 0;
  char* put;
  char* begin;
  bool open = false;

  void add(std::string_view text) {
    std::memcpy(put, text.data(), text.size());
    put += text.size();
    open = true;
  }
  void close() {
    if (open) list[count++] = text_at(begin, static_cast<size_t>(put - begin));
    begin = put;
    open = false;
  }
};

// Adds the text that a double-quoted piece (given without its quotes) stands for.
void add_double_quoted(Words& words, std::string_view inside) {
  words.add("");
  for (size_t at = 0; at < inside.size(); ++at) {
    bool escape = inside[at] == '\\' && at + 1 < inside.size() && std::strchr("$`\"\\\n", inside[at + 1]) != nullptr;
    if (escape && inside[++at] == '\n') continue;
    words.add(inside.substr(at, 1));
  }
}

bool split_into(Scanner& scanner, std::string_view text, Words& words) {
  while (!scanner.done()) {
    size_t begin = scanner.at();
    char c = scanner.peek();
    if (is_blank(c)) {
      words.close();
      scanner.move(begin + 1);
      continue;
    }
    if (ends_word(c) && !scanner.part_of_redirection()) return scanner.fail("shell text is not one simple command");
    if (c == '#' && ends_word(scanner.previous())) return scanner.fail("shell text has a comment");
    if (!scanner.skip_part()) return false;
    std::string_view part = text.substr(begin, scanner.at() - begin);
    if (c == '\'') {
      words.add(part.substr(1, part.size() - 2));
    } else if (c == '"') {
      add_double_quoted(words, part.substr(1, part.size() - 2));
    } else if (c == '\\') {
      if (part[1] != '\n') words.add(part.substr(1));
    } else {
      words.add(part);
    }
  }
  words.close();
  return true;
}

bool split(Eval& eval, const Value* args, Value* result) {
  std::string_view text = args[0].as_text();
  if (!refuse_nul(eval, text)) return false;
  auto blanks = static_cast<size_t>(std::count_if(text.begin(), text.end(), is_blank));
  auto* list = eval.array<Value>(blanks + 1);
  auto* bytes = list == nullptr ? nullptr : eval.array<char>(text.size() + 1);
  if (bytes == nullptr) return false;
  Words words{.list = list, .put = bytes, .begin = bytes};
  Scanner scanner(eval, text, nullptr);
  if (!split_into(scanner, text, words)) return false;
  return give(result, Value::list({list, words.count}));
}

}  // namespace

void add_shell(FunctionTable& table) {
  const Overload rows[] = {
      {"shell.commands", "shell_commands", "(string) -> list(string)", commands,
       "The simple commands of a shell line, those in $(...) and backticks included; a fault where shells may differ.",
       commands_cost},
      {"shell.split", "shell_split", "(string) -> list(string)", split,
       "The words of one simple command, quotes taken off, nothing expanded; a fault on an unmatched quote.",
       commands_cost},
  };
  add_rows(table, rows);
}

}  // namespace ordain::stdlib
