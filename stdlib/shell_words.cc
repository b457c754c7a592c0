// shell_words.cc reads the pieces of which the words of a shell line consist: quotes, escapes,
// variables and substitutions.
#include <algorithm>

#include "stdlib/shell_parser.h"
#include "stdlib/shell_programs.h"

namespace ordain::stdlib::shell {
namespace {

bool is_control(char c) { return (c >= 0 && c < ' ' && c != '\t' && c != '\n') || c == 0x7f; }

// @returns whether a word that begins with `name` and an `=` is an assignment
bool is_assigned(std::string_view name) {
  if (name.ends_with('+')) name.remove_suffix(1);
  bool empty = true;
  for (; !name.empty(); name.remove_prefix(1)) {
    if (name.starts_with("\\\n")) {
      name.remove_prefix(1);
    } else if (!is_name_byte(name.front()) || (empty && is_digit(name.front()))) {
      return false;
    } else {
      empty = false;
    }
  }
  return !empty;
}

// Whether `inside` is what ${...} may hold: a variable with an operator that evaluates nothing. An
// index, an offset or an indirect name would be evaluated, and may run commands.
bool is_harmless_parameter(std::string_view inside) {
  if (inside.size() > 1 && inside.front() == '#') return is_name(inside.substr(1));
  size_t end = 0;
  while (end < inside.size() && is_name_byte(inside[end])) ++end;
  if (end == 0 && !inside.empty() && std::string_view("@*#?-$!").find(inside.front()) != std::string_view::npos) {
    return inside.size() == 1;
  }
  if (end == 0) return false;
  std::string_view rest = inside.substr(end);
  for (std::string_view index : {"[@]", "[*]", "[0]"}) {
    if (rest.starts_with(index)) {
      rest.remove_prefix(index.size());
      break;
    }
  }
  if (rest.empty()) return true;
  if (rest.find_first_of("'\"`\\$\n{}<>()|;&[]~") != std::string_view::npos) return false;
  if (rest.front() == ':' && rest.size() > 1) {
    if (std::string_view("-=?+").find(rest[1]) != std::string_view::npos) return true;
    return rest.find_first_not_of("0123456789:") == std::string_view::npos;
  }
  return std::string_view("-=?+#%/^,").find(rest.front()) != std::string_view::npos;
}

// The text that a double-quoted piece (given without its quotes) stands for. @returns its size
size_t unquote_double(std::string_view inside, char* out) {
  size_t size = 0;
  for (size_t at = 0; at < inside.size(); ++at) {
    const bool escape = inside[at] == '\\' && at + 1 < inside.size() &&
                        std::string_view("$`\"\\\n").find(inside[at + 1]) != std::string_view::npos;
    if (escape && inside[++at] == '\n') continue;
    out[size++] = inside[at];
  }
  return size;
}

}  // namespace

bool is_name(std::string_view text) {
  return !text.empty() && !is_digit(text.front()) && std::all_of(text.begin(), text.end(), is_name_byte);
}

// Reads one quoted piece, escape, substitution, or plain character.
bool Parser::piece(WordState& word) {
  switch (peek()) {
    case '\'':
      return single_quoted(word);
    case '"':
      return double_quoted(word);
    case '$':
      return dollar(word, false);
    case '`':
      return backticks(word, false);
    case '\\':
      if (at_ + 1 >= text_.size()) return fail("shell text ends with a backslash");
      if (is_control(peek(1))) return fail("shell text has a control character outside of quotes");
      word.flags |= at_continuation() ? kContinued : kQuoted;
      at_ += 2;
      return true;
    case '<':
    case '>':
      word.flags |= kProcess;
      return nested(2, word);
    default:
      if (is_control(peek())) return fail("shell text has a control character outside of quotes");
      plain(word);
      ++at_;
      return true;
  }
}

void Parser::plain(WordState& word) {
  const char c = peek();
  if (c == '*' || c == '?' || c == '[') word.flags |= kGlob;
  if (c == '~' && at_ == word.begin) word.flags |= kTilde;
  // The line feed is that of a continuation.
  if (c == '~' && at_ > word.begin && std::string_view("=:\n").find(text_[at_ - 1]) != std::string_view::npos) {
    word.flags |= kLaterTilde;
  }
  if (c == '{' && word.brace == 0) word.brace = 1;
  if (word.brace == 1 && (c == ',' || (c == '.' && (peek(1) == '.' || peek(1) == '\\')))) word.brace = 2;
  if (word.brace == 2 && c == '}') word.flags |= kBraces;
  if (c == '=' && word.equals == 0 && is_assigned(text_.substr(word.begin, at_ - word.begin))) {
    word.equals = static_cast<uint32_t>(at_ - word.begin);
  }
}

bool Parser::nested(size_t skip, WordState& word) {
  word.flags |= kExpands;
  at_ += skip;
  return after_operator() && list(true);
}

bool Parser::single_quoted(WordState& word) {
  const size_t end = text_.find('\'', at_ + 1);
  if (end == std::string_view::npos) return fail("shell text has an unmatched quote");
  word.flags |= kQuoted;
  at_ = end + 1;
  return true;
}

bool Parser::double_quoted(WordState& word) {
  word.flags |= kQuoted;
  for (++at_; !done();) {
    switch (peek()) {
      case '"':
        ++at_;
        return true;
      case '\\':
        at_ = std::min(at_ + 2, text_.size());
        break;
      case '$':
        if (!dollar(word, true)) return false;
        break;
      case '`':
        if (!backticks(word, true)) return false;
        break;
      default:
        ++at_;
    }
  }
  return fail("shell text has an unmatched quote");
}

bool Parser::dollar(WordState& word, bool quoted) {
  const char c = peek(1);
  switch (c) {
    case '(':
      if (peek(2) == '(') {
        expands(word, quoted);
        return arithmetic();
      }
      expands(word, quoted);
      return nested(2, word);
    case '{':
      return parameter(word, quoted);
    case '[':
      return fail("shell text has $[...], which is arithmetic in bash only");
    case '\'':
    case '"':
      if (!quoted) return fail("shell text has $'...' or $\"...\" quoting, which dash does not know");
      break;
    case '\\':
      if (peek(2) == '\n') return fail("shell text has a $ that is continued on the next line");
      break;
    default:
      break;
  }
  ++at_;
  if (c != '\0' && std::string_view("@*#?-$!").find(c) != std::string_view::npos) {
    expands(word, quoted);
    ++at_;
  } else if (is_digit(c)) {
    expands(word, quoted);
    ++at_;
  } else if (is_name_byte(c)) {
    expands(word, quoted);
    while (is_name_byte(peek())) ++at_;
  }
  return true;
}

bool Parser::parameter(WordState& word, bool quoted) {
  const size_t end = text_.find('}', at_);
  if (end == std::string_view::npos) return fail("shell text has an unmatched brace");
  const std::string_view inside = text_.substr(at_ + 2, end - at_ - 2);
  if (!is_harmless_parameter(inside)) {
    return fail("shell text has quotes or expansions within ${...}, or an operator that evaluates a value");
  }
  const size_t name = std::find_if_not(inside.begin(), inside.end(), is_name_byte) - inside.begin();
  const std::string_view variable = inside.substr(0, name);
  if (inside.substr(name).find('=') != std::string_view::npos &&
      (is_evaluated_variable(variable) || changes_lookup(variable) || is_tilde_variable(variable))) {
    return fail("shell text sets a variable whose value the shell evaluates");
  }
  expands(word, quoted);
  at_ = end + 1;
  return true;
}

// Accepts only numbers and operators: bash evaluates the values of variables, which may run
// commands.
bool Parser::arithmetic() {
  int open = 0;
  for (at_ += 3; !done(); ++at_) {
    const char c = peek();
    if (c == '(') ++open;
    if (c == ')' && open-- == 0) {
      if (peek(1) != ')') break;
      at_ += 2;
      return true;
    }
    if (!is_digit(c) && std::string_view(" \t+-*/%<>=!&|^~?:,()").find(c) == std::string_view::npos) break;
  }
  return fail("shell text has arithmetic with more than numbers");
}

// The shells look for the closing backtick first, whatever the quotes inside, and read the text
// between as commands afterwards.
bool Parser::backticks(WordState& word, bool quoted) {
  const size_t end = text_.find('`', at_ + 1);
  if (end == std::string_view::npos) return fail("shell text has an unmatched backtick");
  const std::string_view inside = text_.substr(at_ + 1, end - at_ - 1);
  if (inside.find('\\') != std::string_view::npos) return fail("shell text has a backslash within backticks");
  if (quoted && inside.find('"') != std::string_view::npos)
    return fail("shell text has quotes within quoted backticks");
  expands(word, quoted);
  Parser parser(eval_, inside, pool_, visitor_, is_compound_, depth_);
  if (!parser.list(false)) return false;
  at_ = end + 1;
  return true;
}

bool unquote(Eval& eval, std::string_view word, std::string_view* out) {
  auto* bytes = eval.array<char>(word.size() + 1);
  Pool pool;
  const bool nests = word.find_first_of("$`<>") != std::string_view::npos;
  if (nests) pool.items = eval.array<Item>(count_pieces(word));
  if (bytes == nullptr || (nests && pool.items == nullptr)) return false;
  bool ignored = false;
  Parser parser(eval, word, pool, nullptr, &ignored, 0);
  size_t size = 0;
  while (!parser.done()) {
    const size_t begin = parser.at();
    WordState state;
    if (!parser.piece(state)) return false;
    const std::string_view part = word.substr(begin, parser.at() - begin);
    if (part.front() == '"') {
      size += unquote_double(part.substr(1, part.size() - 2), bytes + size);
      continue;
    }
    const bool quotes = part.front() == '\'';
    std::string_view left = quotes ? part.substr(1, part.size() - 2) : part;
    if (part.front() == '\\') left = part == "\\\n" ? std::string_view() : part.substr(1);
    size = static_cast<size_t>(std::copy(left.begin(), left.end(), bytes + size) - bytes);
  }
  *out = {bytes, size};
  return true;
}

bool fixed_start(Eval& eval, std::string_view word, std::string_view* out) {
  auto* bytes = eval.array<char>(word.size() + 1);
  if (bytes == nullptr) return false;
  size_t size = 0;
  bool quoted = false;  // by double quotes
  for (size_t at = 0; at < word.size(); ++at) {
    const char c = word[at];
    if (c == '$' || c == '`' || (!quoted && std::string_view("*?[{<>~").find(c) != std::string_view::npos)) break;
    if (c == '"') {
      quoted = !quoted;
    } else if (c == '\'' && !quoted) {
      while (++at < word.size() && word[at] != '\'') bytes[size++] = word[at];
    } else if (c == '\\' && at + 1 < word.size() &&
               (!quoted || std::string_view("$`\"\\\n").find(word[at + 1]) != std::string_view::npos)) {
      if (word[++at] != '\n') bytes[size++] = word[at];
    } else {
      bytes[size++] = c;
    }
  }
  *out = {bytes, size};
  return true;
}

}  // namespace ordain::stdlib::shell
