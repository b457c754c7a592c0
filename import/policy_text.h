// Policy text as a person would write it: a small model of one .policy file, and its rendering. Everything that comes
// from outside goes through `quote`, `identifier` or a comment, so that no source text can end the string or line it
// stands in.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace ordain::importer {

struct RuleText {
  std::string effect;                   ///< "deny", "require_approval", "allow", "warn"
  std::string name;                     ///< an identifier, or ""
  std::vector<std::string> comments;    ///< lines above the rule
  std::vector<std::string> conditions;  ///< expressions, all of which must hold; none: always
  std::string because;                  ///< plain text, or ""
};

struct PolicyText {
  std::string name;         ///< an identifier
  std::string target;       ///< as `target` writes it
  std::string version;      ///< plain text, or ""
  std::string description;  ///< plain text, or ""
  std::vector<RuleText> rules;
};

struct LetText {
  std::string name;
  std::string expression;
  std::vector<std::string> comments;
};

struct FileText {
  std::vector<std::string> comments;  ///< at the top
  std::string package;
  bool first_match = false;
  std::string context;  ///< a whole `context` declaration, or ""
  std::map<std::string, std::set<std::string>>
      capabilities;  ///< name -> declared input fields, "amount: optional(double)"
  std::vector<LetText> lets;
  std::vector<PolicyText> policies;
};

std::string render(const FileText& file);

/// A string literal.
std::string quote(std::string_view text);
/// A string literal for a regular expression: raw where that is possible.
std::string raw(std::string_view pattern);
/// The number as an expression of type double: "100.0".
std::string number(double value);
/// A word that may stand as the name of a rule, policy or package, made of `text`; `fallback` if nothing of it remains.
std::string identifier(std::string_view text, std::string_view fallback);
/// A capability's name or target as it is written: bare if dotted words, else in quotes.
std::string target(std::string_view name);
/// The expressions joined by `||`, in parentheses if there are several.
std::string any_of(const std::vector<std::string>& expressions);
std::string lower_ascii(std::string_view text);

}  // namespace ordain::importer
