// policy_text is a small model of one .policy file, and renders it as a person would write it. All
// text from outside goes through `quote`, `identifier` or a comment, so that it cannot end the
// string or line that contains it.
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
  std::vector<std::string> conditions;  ///< expressions that must all hold; none: always
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
  std::map<std::string, std::set<std::string>>
      capabilities;                ///< name -> declared input fields, "amount: optional(double)"
  std::vector<LetText> histories;  ///< what is remembered: what follows `history NAME =`
  std::vector<LetText> lets;
  std::vector<PolicyText> policies;
};

std::string render(const FileText& file);

/// @returns a string literal
std::string quote(std::string_view text);
/// @returns a string literal for a regular expression: raw if possible
std::string raw(std::string_view pattern);
/// @returns the number as an expression of type double: "100.0"
std::string number(double value);
/// Makes a word from `text` that can name a rule, policy or package; @returns `fallback` if no
/// usable character remains.
std::string identifier(std::string_view text, std::string_view fallback);
/// @returns a capability's name or target in policy syntax: bare if it is a dotted identifier,
/// otherwise in quotes
std::string target(std::string_view name);
/// @returns the expressions joined by `||`, in parentheses if there are several
std::string any_of(const std::vector<std::string>& expressions);
std::string lower_ascii(std::string_view text);

}  // namespace ordain::importer
