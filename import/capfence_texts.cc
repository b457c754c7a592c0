// capfence_texts.cc translates the text conditions of CapFence's rules into expressions.
#include "import/capfence_texts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "import/patterns.h"

namespace ordain::importer {
namespace {

enum class Kind { shell, sql, other };

// The kind of text that a capability takes determines how a text can hide something. Without a name
// it may be any kind, so the most dangerous one is assumed: a shell's.
Kind kind_of(std::string_view capability) {
  if (capability == "*") return Kind::shell;
  static const std::set<std::string, std::less<>> kShell = {"shell", "bash",     "sh",  "zsh",        "exec",
                                                            "cmd",   "terminal", "run", "powershell", "command"};
  static const std::set<std::string, std::less<>> kSql = {"sql",   "database", "db",        "query",    "postgres",
                                                          "mysql", "sqlite",   "warehouse", "bigquery", "snowflake"};
  bool shell = false;
  std::string segment;
  for (char c : lower_ascii(capability) + ".") {
    const bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (word) {
      segment += c;
      continue;
    }
    if (kSql.count(segment) > 0) return Kind::sql;
    shell |= kShell.count(segment) > 0;
    segment.clear();
  }
  return shell ? Kind::shell : Kind::other;
}

std::string joined(const std::vector<std::string>& expressions, std::string_view with, std::string_view indent) {
  return fmt::format("{}", fmt::join(expressions, fmt::format("\n{}{} ", indent, with)));
}

// @returns a pattern in the form that the rule uses; nothing after reporting why it cannot be used
std::optional<std::string> usable_pattern(Diagnostics& diagnostics, const Yaml& node, bool blocking, RuleText& out) {
  std::string pattern = node.text;
  WithoutLookaround bare = without_lookaround(pattern);
  if (bare.changed && !blocking) {
    diagnostics.error("bad-regex", node.span, "a lookaround in a rule that allows cannot be made safe",
                      "write the pattern without (?=...) and (?!...), which RE2 has not");
    return std::nullopt;
  }
  if (bare.changed) {
    pattern = bare.pattern;
    out.comments.push_back("Safe meaning: the lookaround of " + quote(node.text) +
                           " is left out, so that more is blocked; RE2, which takes linear time, has none.");
    diagnostics.warning("made-safe", node.span, "the lookaround is left out: the rule blocks more than it did");
  }
  if (blocking) {
    // JSON may be written with or without a space after the colon.
    for (size_t at = pattern.find("\": "); at != std::string::npos; at = pattern.find("\": ", at)) {
      pattern.replace(at, 3, "\":\\s*");
    }
    pattern = widen_pattern(pattern);
  }
  if (auto error = pattern_error(pattern)) {
    diagnostics.error("bad-regex", node.span, "not a regular expression: " + *error,
                      "patterns are RE2's: no lookaround, no backreferences");
    return std::nullopt;
  }
  return pattern;
}

struct Texts {
  std::vector<std::string> keywords, patterns;
};

Texts read_texts(Fields& rule, bool blocking, RuleText& out) {
  Texts texts;
  for (const char* key : {"contains", "match_keywords"}) {
    for (const std::string& text : rule.texts(key)) {
      if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
        rule.diagnostics().error("bad-value", rule.any(key)->span,
                                 fmt::format("`{}` has an element of blanks only", key));
      } else {
        texts.keywords.push_back(text);
      }
    }
  }
  const std::vector<std::string> good = rule.texts("match_regex");
  if (good.empty()) return texts;
  for (const Yaml* node : nodes(rule, "match_regex")) {
    if (!node->is_text() || node->text.empty()) continue;
    if (auto pattern = usable_pattern(rule.diagnostics(), *node, blocking, out)) texts.patterns.push_back(*pattern);
  }
  return texts;
}

void block_texts(const Texts& texts, const RuleReading& reading, RuleText& out) {
  std::vector<std::string> tests;
  for (const std::string& keyword : texts.keywords) {
    tests.push_back(fmt::format("t.matches({})", raw(keyword_pattern(keyword))));
  }
  bool numbers_in_json = false;
  for (const std::string& pattern : texts.patterns) {
    tests.push_back(fmt::format("t.matches({})", raw(pattern)));
    const bool digits = pattern.find("0-9") != std::string::npos || pattern.find("\\d") != std::string::npos;
    numbers_in_json |= digits && pattern.find("\":") != std::string::npos;
  }
  if (numbers_in_json && reading.names_keywords_of_a_call) {
    out.comments.push_back("Safe meaning: a number so great that JSON writes it with an exponent counts as matching.");
    tests.push_back(R"re(t.matches(r"[:,\[]-?[0-9.]+e[+-]?[0-9]+[,}\]]"))re");
  }
  reading.needs->said = true;
  reading.needs->said_as_call |= reading.names_keywords_of_a_call;
  out.conditions.push_back(fmt::format("said.exists(t,\n         {})", joined(tests, "||", "         ")));
}

// Excludes what an allowed text must not contain, whatever else it says.
std::string allowed_text(Kind kind, const std::vector<std::string>& tests, bool all_keywords) {
  const std::string wanted = any_of({joined(tests, all_keywords ? "&&" : "||", "             ")});
  switch (kind) {
    case Kind::shell:
      return fmt::format(
          "shell.commands(input[k]).size() > 0 && shell.commands(input[k]).all(t,\n"
          "             ({})\n"
          "             && !t.matches(r\"[<>{{]\") && shell.split(t).all(w, !w.matches(r\"(^|[/=:])\\.[.*?\\[]\")))",
          wanted);
    case Kind::sql:
      return fmt::format("[input[k]].all(t,\n             ({})\n             && !t.matches(r\"(?s);\\s*\\S|--|/\\*\"))",
                         wanted);
    case Kind::other:
      break;
  }
  return fmt::format(
      "[input[k]].all(t,\n             ({})\n"
      "             && !t.matches(r\"[;&|`\\n\\r]|\\$\\(|(^|[/=\\\\])\\.\\.([/\\\\]|$)\"))",
      wanted);
}

void allow_texts(const Texts& texts, const RuleReading& reading, bool all_keywords, RuleText& out) {
  const Kind kind = kind_of(reading.capability);
  std::vector<std::string> keywords, patterns;
  for (const std::string& keyword : texts.keywords) keywords.push_back(fmt::format("t.contains({})", quote(keyword)));
  for (const std::string& pattern : texts.patterns) patterns.push_back(fmt::format("t.matches({})", raw(pattern)));
  std::vector<std::string> wanted;
  for (const auto& group : {std::make_pair(keywords, all_keywords), std::make_pair(patterns, false)}) {
    if (group.first.empty()) continue;
    wanted.push_back(any_of({joined(group.first, group.second ? "&&" : "||", "              ")}));
  }
  if (wanted.size() == 2) wanted = {fmt::format("({}) && ({})", wanted[0], wanted[1])};
  out.comments.push_back(
      kind == Kind::shell ? "Safe meaning: every text of the input must match, and so must every command in it "
                            "(`;`, `&&`, `$(...)`); no redirections, no `..`."
      : kind == Kind::sql ? "Safe meaning: every text of the input must match, and be one statement without comments."
                          : "Safe meaning: every text of the input must match, and hold no `;`, `&`, `|`, `$(...)`, "
                            "line end or `..` path.");
  out.conditions.push_back("input.exists(k, type(input[k]) == string)");
  out.conditions.push_back(
      fmt::format("input.all(k, type(input[k]) in [bool, int, uint, double, null_type]\n"
                  "         || (type(input[k]) == string && {}))",
                  allowed_text(kind, wanted, false)));
}

}  // namespace

std::vector<const Yaml*> nodes(Fields& rule, const std::string& key) {
  std::vector<const Yaml*> out;
  const Yaml* node = rule.any(key);
  if (node == nullptr) return out;
  if (node->is_list()) {
    for (const Yaml& item : node->items) out.push_back(&item);
  } else {
    out.push_back(node);
  }
  return out;
}

void read_text_conditions(Fields& rule, const RuleReading& reading, RuleText& out) {
  std::optional<double> threshold = rule.number("threshold");
  if (threshold && (*threshold < 0 || *threshold > 1)) {
    rule.diagnostics().error("bad-value", rule.any("threshold")->span, "`threshold` must be a number from 0 to 1");
  }
  const Texts texts = read_texts(rule, reading.blocking, out);
  if (texts.keywords.empty() && texts.patterns.empty()) return;
  if (reading.blocking) {
    if (threshold) {
      out.comments.push_back(fmt::format(
          "Safe meaning: one keyword is enough; how many there are (threshold {}) does not count.", *threshold));
    }
    block_texts(texts, reading, out);
    return;
  }
  if (threshold && texts.keywords.size() > 1) {
    out.comments.push_back("Safe meaning: all keywords must be there, whatever the threshold.");
  }
  allow_texts(texts, reading, threshold.has_value(), out);
}

}  // namespace ordain::importer
