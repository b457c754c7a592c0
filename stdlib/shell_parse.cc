// shell_parse.cc splits a shell line into tokens and commands. A token begins where bash and dash
// begin one, never because of what the byte before it is: `#` opens a comment only at the start of
// a token, `&` belongs to a redirection only if its token began with `<`, `>` or `&>`.
#include "stdlib/shell_parse.h"

#include <algorithm>

#include "stdlib/rows.h"
#include "stdlib/shell_parser.h"

namespace ordain::stdlib::shell {
namespace {

constexpr int kMaxNesting = 50;

// How a word that may begin a command is used.
enum class Reserved : uint8_t { none, prefix, time, loop, refused };

Reserved reserved(std::string_view word) {
  for (std::string_view each : {"{", "}", "!", "if", "then", "else", "elif", "fi", "do", "done", "while", "until"}) {
    if (word == each) return Reserved::prefix;
  }
  if (word == "time") return Reserved::time;
  if (word == "for") return Reserved::loop;
  for (std::string_view each : {"function", "coproc", "case", "esac", "select", "in", "[["}) {
    if (word == each) return Reserved::refused;
  }
  return Reserved::none;
}

Access access_of(std::string_view operation) {
  while (!operation.empty() && is_digit(operation.front())) operation.remove_prefix(1);
  if (operation == "<") return Access::read;
  if (operation == "<>") return Access::read_write;
  return operation == "<&" || operation == "<<<" ? Access::none : Access::write;
}

bool is_plain(const Item& item) { return (item.flags & ~kContinued) == 0; }

// Removes the continuations of a plain word, as far as they fit: reserved words are short.
std::string_view plain_text(const Item& item, char (&buffer)[16]) {
  if (!is_plain(item)) return item.text == "[[" ? item.text : std::string_view();
  if ((item.flags & kContinued) == 0) return item.text;
  size_t size = 0;
  for (size_t at = 0; at < item.text.size(); ++at) {
    if (item.text[at] == '\\') {
      ++at;
    } else if (size < sizeof(buffer)) {
      buffer[size++] = item.text[at];
    }
  }
  return {buffer, size};
}

}  // namespace

// Reads commands up to the end of the text or, in parentheses, to the one that closes them.
bool Parser::list(bool in_parentheses) {
  if (++depth_ > kMaxNesting) return fail("shell text is nested too deeply");
  const size_t base = base_;
  const bool loop_head = loop_head_, timed = timed_;
  base_ = pool_.top;
  loop_head_ = timed_ = false;
  for (bool closed = false; !closed;) {
    if (!token(in_parentheses, &closed)) return false;
  }
  base_ = base;
  loop_head_ = loop_head;
  timed_ = timed;
  --depth_;
  return true;
}

bool Parser::token(bool in_parentheses, bool* closed) {
  skip_blanks();
  if (done() || peek() == ')') {
    if (done() == in_parentheses) return fail("shell text has an unmatched parenthesis");
    if (!finish()) return false;
    if (!done()) ++at_;
    *closed = true;
    return true;
  }
  const char c = peek();
  if (c == '#') return comment();
  if (c == '(') return parenthesis();
  if (c == '\n' || c == ';' || c == '|' || (c == '&' && peek(1) != '>')) return finish() && separator();
  const bool numbered = is_digit(c) && (peek(1) == '<' || peek(1) == '>');
  if (c == '&' || numbered || ((c == '<' || c == '>') && !at_process())) return redirection();
  return word_item();
}

void Parser::skip_blanks() {
  continued_ = false;
  while (is_blank(peek()) || at_continuation()) {
    continued_ = at_continuation();
    at_ += continued_ ? 2 : 1;
  }
}

// Shells disagree on operators that go on after a backslash at the end of a line.
bool Parser::after_operator() {
  if (!at_continuation()) return true;
  size_t next = at_;
  while (text_.substr(next).starts_with("\\\n")) next += 2;
  const bool goes_on =
      next < text_.size() && (text_[next] == '#' || kOperators.find(text_[next]) != std::string_view::npos);
  return !goes_on || fail("shell text has an operator that is continued on the next line");
}

bool Parser::separator() {
  mark_compound();
  const char c = text_[at_++];
  if (c == '\n') return true;
  if ((c == '&' || c == '|') && (peek() == c || (c == '|' && peek() == '&'))) ++at_;
  return after_operator();
}

// A subshell at the start of a command, or the `()` of a function's definition.
bool Parser::parenthesis() {
  if (peek(1) == '(') return fail("shell text has ((, which is arithmetic in bash only");
  mark_compound();
  ++at_;
  if (!after_operator()) return false;
  if (is_first()) return list(true);
  const Item& name = pool_.items[base_];
  const bool defines = pool_.top == base_ + 1 && name.role == Role::word && name.flags == 0;
  skip_blanks();
  if (!defines || loop_head_ || peek() != ')') return fail("shell text has a parenthesis within a command");
  ++at_;
  pool_.top = base_;
  return after_operator();
}

bool Parser::comment() {
  if (continued_) return fail("shell text has a comment right after a continued line");
  const size_t end = std::min(text_.find('\n', at_), text_.size());
  if (text_.substr(at_, end - at_).find_first_of("'\"`\\$()") != std::string_view::npos) {
    return fail("shell text has quotes within a comment");
  }
  at_ = end;
  return true;
}

bool Parser::redirection() {
  Item item{.role = Role::redirection};
  const size_t begin = at_;
  if (is_digit(peek())) ++at_;
  item.both = peek() == '&';
  if (item.both) ++at_;
  const char c = text_[at_++];
  if (item.both) {
    if (peek() == '>') ++at_;
  } else if (c == '>') {
    if (peek() == '>' || peek() == '&' || peek() == '|') ++at_;
  } else if (peek() == '&' || peek() == '>') {
    ++at_;
  } else if (peek() == '<') {
    if (peek(1) != '<') return fail("shell text has a here-document");
    at_ += 2;
  }
  item.operation = text_.substr(begin, at_ - begin);
  // bash reads `>&-rm` as `>&-` and `rm`.
  const bool closes = peek() == '-' && at_ + 1 < text_.size() && !ends_word(peek(1));
  if (item.operation.ends_with('&') && (at_continuation() || closes)) {
    return fail("shell text has a redirection that closes a file right before a word");
  }
  item.access = access_of(item.operation);
  if (!after_operator()) return false;
  skip_blanks();
  if (done() || peek() == '#' || (ends_word(peek()) && !at_process())) {
    return fail("shell text has a redirection without a target");
  }
  const bool both = item.both;
  const Access access = item.access;
  const std::string_view operation = item.operation;
  if (!word(&item)) return false;
  item.role = Role::redirection;
  item.both = both;
  item.operation = operation;
  // bash expands the word after `>&` twice, so that it even runs the commands in `>&'$(rm x)'`.
  if (operation.ends_with('&') && item.text.find_first_of("\\'\"`$~*?[{") != std::string_view::npos) {
    return fail("shell text has a quote or an expansion after `>&` or `<&`");
  }
  const bool duplicates =
      operation.ends_with('&') && item.text.find_first_not_of("0123456789-") == std::string_view::npos;
  item.access = duplicates ? Access::none : access;
  push(item);
  return true;
}

bool Parser::word_item() {
  Item item;
  if (!word(&item)) return false;
  if (is_first()) {
    char buffer[16];
    switch (reserved(plain_text(item, buffer))) {
      case Reserved::refused:
        return fail("shell text has a construct that is not analysed");
      case Reserved::loop:
        return loop_head(item);
      case Reserved::time:
        mark_compound();
        timed_ = true;
        return time_options();
      case Reserved::prefix:
        mark_compound();
        return true;
      case Reserved::none:
        break;
    }
  }
  const bool only_assignments = std::all_of(pool_.items + base_, pool_.items + pool_.top,
                                            [](const Item& each) { return each.role != Role::word; });
  if (item.equals > 0 && only_assignments) item.role = Role::assignment;
  push(item);
  return true;
}

// bash takes `-p` and `--` after `time`, where dash runs a program with options of its own.
bool Parser::time_options() {
  for (std::string_view option : {"-p", "--"}) {
    skip_blanks();
    if (text_.substr(at_).starts_with(option) && (at_ + 2 == text_.size() || ends_word(peek(2)))) at_ += 2;
  }
  skip_blanks();
  const bool plain = done() || ends_word(peek()) || is_name_byte(peek()) || peek() == '{' || peek() == '!' ||
                     peek() == '/' || peek() == '.';
  return plain || fail("shell text has `time` before something other than a plain name");
}

bool Parser::loop_head(const Item& first) {
  loop_head_ = true;
  push(first);
  skip_blanks();
  if (done() || ends_word(peek())) return fail("shell text has an incomplete loop");
  Item name;
  if (!word(&name)) return false;
  if (!is_name(name.text) || is_evaluated_variable(name.text)) {
    return fail("shell text has a loop whose variable is not analysed");
  }
  push(name);
  skip_blanks();
  if (done() || peek() == '\n' || peek() == ';') return true;
  if (ends_word(peek())) return fail("shell text has an incomplete loop");
  Item next;
  if (!word(&next)) return false;
  char buffer[16];
  const std::string_view text = plain_text(next, buffer);
  if (text == "in") {
    push(next);
    return true;
  }
  mark_compound();
  return text == "do" || text == "{" ? finish() : fail("shell text has an incomplete loop");
}

// Ends a simple command.
bool Parser::finish() {
  const bool is_loop_head = loop_head_, is_timed = timed_;
  loop_head_ = timed_ = false;
  if (is_first()) return true;
  const Item *first = pool_.items + base_, *last = pool_.items + pool_.top - 1;
  const std::string_view start = first->role == Role::redirection ? first->operation : first->text;
  Command command{.items = {first, pool_.top - base_}, .is_loop_head = is_loop_head, .is_timed = is_timed};
  command.text = {start.data(), static_cast<size_t>(last->text.data() + last->text.size() - start.data())};
  command.is_outermost = depth_ == 1;
  if (visitor_ != nullptr && !((is_loop_head || check_command(eval_, command)) && visitor_->visit(command)))
    return false;
  pool_.top = base_;
  return true;
}

bool Parser::word(Item* item) {
  WordState state{.begin = at_};
  while (!done() && (!ends_word(peek()) || at_process())) {
    if (at_process() &&
        text_.substr(state.begin, at_ - state.begin).find_first_not_of("0123456789\\\n") == std::string_view::npos &&
        at_ > state.begin) {
      return fail("shell text has a number before a process substitution");
    }
    if (!piece(state)) return false;
  }
  *item = Item{.flags = state.flags, .equals = state.equals, .text = text_.substr(state.begin, at_ - state.begin)};
  if (peek() == '<' || peek() == '>') {
    const bool number = item->text.find_first_not_of("0123456789\\\n") == std::string_view::npos;
    const bool variable = item->text.front() == '{' && item->text.size() > 1 && item->text != "{}";
    if (number || variable) return fail("shell text has a redirection of a descriptor that is not one digit");
  }
  return true;
}

bool fail(Eval& eval, std::string_view literal) { return fail_with(eval, FaultCode::invalid_argument, literal); }

// An item begins at the start of a list, or after a byte that ends a word.
size_t count_pieces(std::string_view line) {
  return 2 +
         static_cast<size_t>(std::count_if(line.begin(), line.end(), [](char c) { return ends_word(c) || c == '`'; }));
}

bool parse(Eval& eval, std::string_view line, Visitor& visitor, bool* is_compound) {
  if (line.find_first_of(std::string_view("\0\1\x7f", 3)) != std::string_view::npos) {
    return fail(eval, "shell text has a character that shells use for themselves");
  }
  Pool pool{.items = eval.array<Item>(count_pieces(line))};
  if (pool.items == nullptr) return false;
  bool ignored = false;
  Parser parser(eval, line, pool, &visitor, is_compound == nullptr ? &ignored : is_compound, 0);
  return parser.list(false);
}

}  // namespace ordain::stdlib::shell
