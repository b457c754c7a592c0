// fixes.cc does what help says. Each cure checks that the text around the mistake is what the help is
// about, because help is written for people.
#include "lsp/fixes.h"

#include <algorithm>
#include <cctype>
#include <utility>
#include <vector>

#include "compiler/parse/token_scan.h"

namespace ordain::lsp {
namespace {

constexpr std::string_view kOperatorBytes = "=!<>&|";

bool is_word_byte(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

bool is_blank_byte(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool consists_of_words(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_word_byte);
}

bool consists_of_operators(std::string_view text) {
  return !text.empty() && text.find_first_not_of(kOperatorBytes) == std::string_view::npos;
}

bool is_same_in_any_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  });
}

// What stands between `before` and `after` in a text that begins and ends so; or "".
std::string_view between(std::string_view text, std::string_view before, std::string_view after) {
  if (text.size() <= before.size() + after.size() || !text.starts_with(before) || !text.ends_with(after)) return {};
  text.remove_prefix(before.size());
  text.remove_suffix(after.size());
  return text;
}

// The first code in backticks after `before`, with which the help begins; or "".
std::string_view code_after(std::string_view help, std::string_view before) {
  if (!help.starts_with(before)) return {};
  help.remove_prefix(before.size());
  if (!help.starts_with('`')) return {};
  const size_t end = help.find('`', 1);
  return end == std::string_view::npos ? std::string_view() : help.substr(1, end - 1);
}

// A mistake and the text around it.
struct Slip {
  const Diagnostic& item;
  std::string_view text;
  size_t begin = 0, end = 0;

  std::string_view help() const { return item.help; }
  std::string_view there() const { return text.substr(begin, end - begin); }
  std::string_view before() const { return text.substr(0, begin); }
  std::string_view after() const { return text.substr(end); }
  char last_before() const { return begin > 0 ? text[begin - 1] : '\n'; }

  // Where the text before ends without blanks, and where the text after begins without them.
  size_t end_before() const {
    size_t at = begin;
    while (at > 0 && is_blank_byte(text[at - 1])) --at;
    return at;
  }
  size_t begin_after() const {
    size_t at = end;
    while (at < text.size() && is_blank_byte(text[at])) ++at;
    return at;
  }
  // Whether the operand stands right before the mistake, or right after it, as a whole.
  bool follows(std::string_view operand) const {
    const size_t stop = end_before();
    if (operand.empty() || !text.substr(0, stop).ends_with(operand)) return false;
    const char c = stop > operand.size() ? text[stop - operand.size() - 1] : ' ';
    return !is_word_byte(c) && c != '.';
  }
  bool precedes(std::string_view operand) const {
    const size_t start = begin_after();
    if (operand.empty() || !text.substr(start).starts_with(operand)) return false;
    const char c = start + operand.size() < text.size() ? text[start + operand.size()] : ' ';
    return !is_word_byte(c) && c != '.' && c != '(' && c != '[';
  }
};

std::optional<Fix> write_instead(size_t begin, size_t end, std::string text) {
  return Fix{"write `" + text + "`", begin, end, std::move(text)};
}

std::optional<Fix> write_instead(const Slip& slip, std::string_view text) {
  return write_instead(slip.begin, slip.end, std::string(text));
}

std::optional<Fix> insert_before(const Slip& slip, std::string_view text) {
  return Fix{"insert `" + std::string(text) + "`", slip.begin, slip.begin, std::string(text) + " "};
}

// --- the cures

// "did you mean `x`?", where the place of the mistake is the word that x is meant for
std::optional<Fix> write_what_is_meant(const Slip& slip) {
  std::string_view word = between(slip.help(), "did you mean `", "`?");
  const std::string_view message = slip.item.message;
  const size_t question = message.rfind("did you mean `");
  if (slip.help().empty() && question != std::string_view::npos) {
    word = between(message.substr(question), "did you mean `", "`?");
  }
  if (word.empty() || word.find('`') != std::string_view::npos) return std::nullopt;
  Slip at = slip;
  const bool quotes =
      at.there().size() >= 2 && (at.there()[0] == '"' || at.there()[0] == '\'') && at.there().back() == at.there()[0];
  if (quotes && word[0] != at.there()[0]) {
    ++at.begin;
    --at.end;
  }
  const bool is_member = word.size() > at.there().size() + 1 && word.ends_with("." + std::string(at.there()));
  const bool is_name = at.item.code == "undeclared-reference" && consists_of_words(at.there());
  const bool is_it = is_name || !is_word_byte(word[0]) || is_member || is_same_in_any_case(word, at.there()) ||
                     !nearest(at.there(), {std::string(word)}).empty();
  if (at.there().empty() || !is_it) return std::nullopt;
  return write_instead(at, word);
}

std::optional<Fix> insert_semicolon(const Slip& slip) {
  if (slip.item.code != "missing-semicolon") return std::nullopt;
  return Fix{"insert `;`", slip.begin, slip.end, ";"};
}

// "write `5.0`", "write `string(input.n)`": an operand in another type
std::optional<Fix> convert_operand(const Slip& slip) {
  const std::string_view code = code_after(slip.help(), "write ");
  if (code.empty()) return std::nullopt;
  std::vector<std::string_view> operands;
  if (code.ends_with(".0")) operands.push_back(code.substr(0, code.size() - 2));
  for (const std::string_view call : {"string(", "int(", "uint(", "double(", "timestamp(", "duration("}) {
    operands.push_back(between(code, call, ")"));
  }
  for (const std::string_view operand : operands) {
    if (operand.empty()) continue;
    if (slip.there() == operand) return write_instead(slip, code);
    if (slip.precedes(operand)) {
      const size_t begin = slip.begin_after();
      return write_instead(begin, begin + operand.size(), std::string(code));
    }
    if (slip.follows(operand)) {
      const size_t end = slip.end_before();
      return write_instead(end - operand.size(), end, std::string(code));
    }
  }
  return std::nullopt;
}

// "write `x in list`" and "write `text.contains(x)`", in place of an operator and its operands
std::optional<Fix> exchange_operands(const Slip& slip) {
  const std::string_view code = code_after(slip.help(), "write ");
  const auto around = [&](std::string_view left, std::string_view right) {
    return slip.follows(left) && slip.precedes(right);
  };
  const auto whole = [&](std::string_view left, std::string_view right) {
    return write_instead(slip.end_before() - left.size(), slip.begin_after() + right.size(), std::string(code));
  };
  for (size_t in = code.find(" in "); in != std::string_view::npos; in = code.find(" in ", in + 1)) {
    const std::string_view element = code.substr(0, in), list = code.substr(in + 4);
    if (around(list, element)) return whole(list, element);
    const std::string receiver = std::string(list) + ".", arguments = "(" + std::string(element) + ")";
    if (slip.before().ends_with(receiver) && slip.after().starts_with(arguments)) {
      return write_instead(slip.begin - receiver.size(), slip.end + arguments.size(), std::string(code));
    }
  }
  if (const size_t call = code.find(".contains("); call != std::string_view::npos && code.ends_with(")")) {
    const std::string_view text = code.substr(0, call), part = between(code.substr(call), ".contains(", ")");
    if (around(part, text)) return whole(part, text);
  }
  return std::nullopt;
}

// "write `!has(x)`" where x is compared with null; "test it before, `has(x) && ...`"
std::optional<Fix> guard_optional(const Slip& slip) {
  if (slip.item.code != "unguarded-optional") return std::nullopt;
  const std::string test = "has(" + std::string(slip.there()) + ")";
  if (const std::string_view code = code_after(slip.help(), "write "); code == test || code == "!" + test) {
    const size_t next = slip.begin_after();
    const ScanToken null = next_token(slip.text, next + 2);
    const bool compared = slip.text.substr(next, 2) == "==" || slip.text.substr(next, 2) == "!=";
    if (!compared || slip.text.substr(null.begin, null.end - null.begin) != "null") return std::nullopt;
    return write_instead(slip.begin, null.end, std::string(code));
  }
  if (code_after(slip.help(), "test it before, ") != test + " && ...") return std::nullopt;
  const std::string_view before = slip.text.substr(0, slip.end_before());
  const bool in_brackets = before.size() > 1 && before.ends_with('(') && !is_word_byte(before[before.size() - 2]);
  const bool first = before.ends_with("&&") || in_brackets || slip.follows("when");
  if (!first) return std::nullopt;  // the test would belong to a part of the condition only
  return Fix{"test `" + test + "` before", slip.begin, slip.begin, test + " && "};
}

// "write `!=`" for `<>`
std::optional<Fix> write_operator(const Slip& slip) {
  const std::string_view code = between(slip.help(), "write `", "`");
  if (slip.item.code != "syntax" || !consists_of_operators(code) || !consists_of_operators(slip.there())) {
    return std::nullopt;
  }
  size_t begin = slip.begin;
  while (begin > 0 && kOperatorBytes.find(slip.text[begin - 1]) != std::string_view::npos) --begin;
  return write_instead(begin, slip.end, std::string(code));
}

// `# text` and `/* text */`
std::optional<Fix> write_comment(const Slip& slip) {
  if (slip.help() != "a comment begins with `//`") return std::nullopt;
  if (slip.there() == "#") return write_instead(slip, "//");
  if (slip.there() != "/" || !slip.after().starts_with('*')) return std::nullopt;
  const size_t line = std::min(slip.text.find('\n', slip.end), slip.text.size());
  const size_t close = slip.text.find("*/", slip.end + 1);
  if (close == std::string_view::npos || close >= line) return std::nullopt;
  if (slip.text.substr(close + 2, line - close - 2).find_first_not_of(" \t\r") != std::string_view::npos) {
    return std::nullopt;  // the comment would hide what follows
  }
  std::string_view inner = slip.text.substr(slip.end + 1, close - slip.end - 1);
  while (!inner.empty() && is_blank_byte(inner.back())) inner.remove_suffix(1);
  return write_instead(slip.begin, close + 2, "//" + std::string(inner));
}

std::optional<Fix> write_other_characters(const Slip& slip) {
  const std::string_view help = slip.help();
  if (help.starts_with("use straight quotes: ") && slip.item.code == "unexpected-character") {
    return write_instead(slip, help.substr(help.size() - 1));
  }
  if (help.starts_with("write a bare number") && slip.there() == "$")
    return Fix{"remove `$`", slip.begin, slip.end, ""};
  if (help == "write a number without `_`" && slip.there().starts_with('_')) {
    std::string digits(slip.there());
    std::erase(digits, '_');
    return Fix{"remove `_`", slip.begin, slip.end, digits};
  }
  const bool escape = slip.item.code == "invalid-escape" && help.starts_with("write `\\\\` for a backslash");
  if (escape && slip.there().starts_with('\\')) return write_instead(slip, "\\" + std::string(slip.there()));
  return std::nullopt;
}

// "write this name in quotes: `"github/*"`", "a name has no `-`: write `too_large`"
std::optional<Fix> write_name(const Slip& slip) {
  const std::string_view quoted = code_after(slip.help(), "write this name in quotes: ");
  if (const std::string_view name = between(quoted, "\"", "\""); !name.empty()) {
    const size_t first = slip.begin >= name.size() ? slip.begin - name.size() + 1 : 0;
    for (size_t at = first; at <= slip.begin; ++at) {
      if (slip.text.substr(at).starts_with(name)) return write_instead(at, at + name.size(), std::string(quoted));
    }
  }
  const std::string_view name = code_after(slip.help(), "a name has no `-`: write ");
  for (size_t at = name.find('_'); at != std::string_view::npos; at = name.find('_', at + 1)) {
    const std::string_view left = name.substr(0, at), right = name.substr(at + 1);
    if (left.empty() || right.empty() || !slip.before().ends_with(left) || !slip.after().starts_with(right)) continue;
    return write_instead(slip.begin - left.size(), slip.end + right.size(), std::string(name));
  }
  return std::nullopt;
}

// A word or sign of the statement is missing, or another one stands in its place.
std::optional<Fix> complete_statement(const Slip& slip) {
  const std::string_view message = slip.item.message, there = slip.there();
  if (const std::string_view word = code_after(slip.help(), "start the path with "); !word.empty()) {
    return write_instead(slip, word);
  }
  if (slip.help() == "write `by` before the rule's name") return insert_before(slip, "by");
  if (slip.item.code != "syntax" || there.empty()) return std::nullopt;
  if (message.starts_with("expected `on` after ")) {
    const bool has_name = message != "expected `on` after `on`, found `" + std::string(there) + "`";
    if (has_name && (there == "before" || there == "after")) return insert_before(slip, "on");
    if (there == ":") return Fix{"write `on`", slip.begin, slip.end, " on"};
  }
  if (message.starts_with("expected `=` after ")) {
    if (there == ":" && slip.after().starts_with('=')) return write_instead(slip.begin, slip.end + 1, "=");
    if (there == "==") return write_instead(slip, "=");
    if (is_word_byte(there[0]) || there[0] == '"' || there[0] == '\'') return insert_before(slip, "=");
  }
  return std::nullopt;
}

// Functions and values that have another name here: "write `text.lowerAscii()`", "write `true`"
std::optional<Fix> write_other_name(const Slip& slip) {
  const std::string_view code = code_after(slip.help(), "write ");
  const bool is_function = slip.item.code == "unknown-function" || slip.item.code == "no-fields";
  const bool called = slip.after().starts_with('(');
  if (is_function && slip.last_before() == '.') {
    const size_t dot = code.rfind('.');
    const std::string_view name = dot == std::string_view::npos ? "" : between(code.substr(dot), ".", "()");
    if (consists_of_words(name)) return write_instead(slip, std::string(name) + (called ? "" : "()"));
  }
  if (is_function && called && slip.last_before() != '.' && code == "size(x)") return write_instead(slip, "size");
  const bool is_type = slip.item.code == "unknown-type" && consists_of_words(slip.there());
  if (is_type && consists_of_words(code)) return write_instead(slip, code);
  if (slip.item.code != "undeclared-reference") return std::nullopt;
  if (code == "true" || code == "false" || code == "null") return write_instead(slip, code);
  if (slip.help() == "the arguments of a call are `input`") return write_instead(slip, "input");
  return std::nullopt;
}

std::optional<Fix> write_without_quotes(const Slip& slip) {
  if (!slip.help().starts_with("write it without quotes: ")) return std::nullopt;
  const std::string_view inner = between(slip.there(), "\"", "\"");
  return consists_of_words(inner) ? write_instead(slip, inner) : std::nullopt;
}

// A comment that accepts nothing goes, with its line if it has one to itself.
std::optional<Fix> remove_comment(const Slip& slip) {
  if (slip.item.code != "unused-acknowledgement") return std::nullopt;
  size_t begin = slip.begin;
  while (begin > 0 && (slip.text[begin - 1] == ' ' || slip.text[begin - 1] == '\t')) --begin;
  const bool alone = begin == 0 || slip.text[begin - 1] == '\n';
  const size_t end = alone && slip.end < slip.text.size() ? slip.end + 1 : slip.end;
  return Fix{"remove the comment", begin, end, ""};
}

}  // namespace

std::optional<Fix> fix_of(const Diagnostic& item, const Source& source) {
  if (item.span.begin > item.span.end || item.span.end > source.text.size()) return std::nullopt;
  const Slip slip{item, source.text, item.span.begin, item.span.end};
  for (auto* cure : {insert_semicolon, write_what_is_meant, guard_optional, convert_operand, exchange_operands,
                     write_operator, write_comment, write_other_characters, write_name, complete_statement,
                     write_other_name, write_without_quotes, remove_comment}) {
    if (std::optional<Fix> fix = cure(slip)) return fix;
  }
  return std::nullopt;
}

std::optional<Fix> acceptance_of(const Diagnostic& item, const Source& source) {
  const bool about_comments = item.code == "bad-acknowledgement" || item.code == "unused-acknowledgement";
  if (item.severity != Severity::warning || about_comments || source.is_data) return std::nullopt;
  const std::string_view text = source.text;
  // The statement is what lies between `;`, `{` and `}` outside of brackets, as in compiler/acknowledge.cc.
  size_t begin = 0;
  int depth = 0;
  bool opens = true, found = false;
  for (ScanToken token = next_token(text, 0); token.kind != ScanKind::end && token.begin <= item.span.begin;
       token = next_token(text, token.end)) {
    if (std::exchange(opens, false)) {
      begin = token.begin;
      depth = 0;
    }
    found = item.span.begin < token.end;
    if (token.kind != ScanKind::punctuation) continue;
    const char c = text[token.begin];
    if (c == '(' || c == '[') ++depth;
    if (c == ')' || c == ']') --depth;
    opens = depth <= 0 && (c == ';' || c == '{' || c == '}');
  }
  if (!found) return std::nullopt;  // the warning is about a comment, or about no text
  const size_t newline = begin == 0 ? std::string_view::npos : text.rfind('\n', begin - 1);
  const size_t line = newline == std::string_view::npos ? 0 : newline + 1;
  size_t indent_end = line;
  while (indent_end < begin && (text[indent_end] == ' ' || text[indent_end] == '\t')) ++indent_end;
  const std::string indent(text.substr(line, indent_end - line));
  const std::string comment = "// ordain: allow(" + item.code + ") ";
  const std::string title = "accept `" + item.code + "` here (write why behind the comment)";
  if (indent_end == begin) return Fix{title, begin, begin, comment + "\n" + indent};
  return Fix{title, begin, begin, "\n" + indent + comment + "\n" + indent};
}

}  // namespace ordain::lsp
