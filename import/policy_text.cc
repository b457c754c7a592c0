// policy_text.cc renders the model of a .policy file as text.
#include "import/policy_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "ordain/terminal_text.h"
#include "vm/value/code_point.h"

namespace ordain::importer {
namespace {

// The words that cannot begin a name, or that are confusing as one.
bool is_word_of_the_language(std::string_view word) {
  static const std::set<std::string_view> kWords = {"as",         "break",
                                                    "const",      "continue",
                                                    "else",       "for",
                                                    "function",   "if",
                                                    "loop",       "namespace",
                                                    "return",     "var",
                                                    "void",       "while",
                                                    "package",    "import",
                                                    "let",        "when",
                                                    "because",    "from",
                                                    "expires",    "with",
                                                    "true",       "false",
                                                    "null",       "in",
                                                    "context",    "policy",
                                                    "option",     "on",
                                                    "before",     "after",
                                                    "deny",       "allow",
                                                    "redact",     "warn",
                                                    "input",      "output",
                                                    "open",       "test",
                                                    "call",       "returns",
                                                    "expect",     "by",
                                                    "capability", "require_approval"};
  return kWords.count(word) > 0;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
// Whether no character of the text is hidden or obeyed by a terminal.
bool is_plain(std::string_view text) { return terminal_text(text) == text; }

void append_comments(std::string& out, const std::vector<std::string>& lines, std::string_view indent) {
  for (const std::string& line : lines) {
    out += fmt::format("{}//{}{}\n", indent, line.empty() ? "" : " ", terminal_text(line));
  }
}

void append_rule(std::string& out, const RuleText& rule) {
  append_comments(out, rule.comments, "  ");
  out += "  " + rule.effect;
  if (!rule.name.empty()) out += " " + rule.name;
  for (size_t i = 0; i < rule.conditions.size(); ++i) {
    out += i == 0 ? "\n    when " : "\n      && ";
    out += rule.conditions[i];
  }
  if (!rule.because.empty()) {
    out += rule.conditions.empty() ? " because " : "\n    because ";
    out += quote(rule.because);
  }
  out += ";\n";
}

void append_named(std::string& out, std::string_view keyword, const std::vector<LetText>& declarations) {
  for (const LetText& one : declarations) {
    out += "\n";
    append_comments(out, one.comments, "");
    out += fmt::format("{} {} = {};\n", keyword, one.name, one.expression);
  }
}

void append_policy(std::string& out, const PolicyText& policy) {
  out += fmt::format("\npolicy {} on before {} {{\n", policy.name, policy.target);
  if (!policy.version.empty()) out += fmt::format("  version {};\n", quote(policy.version));
  if (!policy.description.empty()) out += fmt::format("  description {};\n", quote(policy.description));
  for (const RuleText& rule : policy.rules) {
    if (&rule != &policy.rules.front() || !policy.version.empty() || !policy.description.empty()) out += "\n";
    append_rule(out, rule);
  }
  out += "}\n";
}

}  // namespace

std::string render(const FileText& file) {
  std::string out;
  append_comments(out, file.comments, "");
  out += fmt::format("package {};\n", file.package);
  if (file.first_match) out += "\noption order = first_match;\n";
  if (!file.capabilities.empty()) out += "\n";
  for (const auto& [name, fields] : file.capabilities) {
    const std::string inside = fields.empty() ? "" : fmt::format(" {} ", fmt::join(fields, ", "));
    out += fmt::format("capability {} {{ input open {{{}}} }}\n", target(name), inside);
  }
  append_named(out, "history", file.histories);
  append_named(out, "let", file.lets);
  for (const PolicyText& policy : file.policies) append_policy(out, policy);
  return out;
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (size_t at = 0; at < text.size();) {
    const detail::CodePoint point = detail::code_point_at(text, at);
    const std::string_view bytes = text.substr(at, std::max<size_t>(point.length, 1));
    at += bytes.size();
    if (bytes == "\"" || bytes == "\\") {
      out.append(1, '\\').append(bytes);
    } else if (bytes == "\n") {
      out += "\\n";
    } else if (bytes == "\r") {
      out += "\\r";
    } else if (bytes == "\t") {
      out += "\\t";
    } else if (point.length != 0 && !is_plain(bytes)) {
      // Whoever reviews the policy must see what is hidden.
      out += point.value <= 0xFFFF ? fmt::format("\\u{:04x}", point.value) : fmt::format("\\U{:08x}", point.value);
    } else {
      out += bytes;
    }
  }
  return out + "\"";
}

std::string raw(std::string_view pattern) {
  const bool plain = is_plain(pattern);
  if (plain && pattern.find('"') == std::string_view::npos) return fmt::format("r\"{}\"", pattern);
  if (plain && pattern.find('\'') == std::string_view::npos) return fmt::format("r'{}'", pattern);
  return quote(pattern);
}

std::string number(double value) {
  std::array<char, 400> digits{};
  const auto [end, error] =
      std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed);
  std::string out(digits.data(), error == std::errc() ? end : digits.data());
  if (out.find('.') == std::string::npos) out += ".0";
  return out;
}

std::string identifier(std::string_view text, std::string_view fallback) {
  std::string out;
  for (char c : text) {
    if (is_letter(c) || is_digit(c)) {
      out += c;
    } else if (!out.empty() && out.back() != '_') {
      out += '_';
    }
    if (out.size() >= 60) break;
  }
  while (!out.empty() && out.back() == '_') out.pop_back();
  if (out.empty() || out.find_first_not_of('_') == std::string::npos) out = fallback;
  if (is_digit(out[0])) out = fmt::format("{}_{}", fallback, out);
  if (is_word_of_the_language(out)) out += "_rule";
  return out;
}

std::string target(std::string_view name) {
  bool bare = !name.empty();
  for (size_t begin = 0; bare && begin <= name.size();) {
    const size_t end = std::min(name.find('.', begin), name.size());
    const std::string_view segment = name.substr(begin, end - begin);
    const bool word = !segment.empty() && is_letter(segment[0]) &&
                      std::all_of(segment.begin(), segment.end(), [](char c) { return is_letter(c) || is_digit(c); });
    static const std::set<std::string_view> kNeverNames = {"true", "false", "null", "in"};
    const bool clashes = begin == 0 ? is_word_of_the_language(segment) : kNeverNames.count(segment) > 0;
    bare = segment == "*" || (word && !clashes);
    begin = end + 1;
  }
  return bare ? std::string(name) : quote(name);
}

std::string any_of(const std::vector<std::string>& expressions) {
  return expressions.size() == 1 ? expressions[0] : fmt::format("({})", fmt::join(expressions, " || "));
}

std::string lower_ascii(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

}  // namespace ordain::importer
