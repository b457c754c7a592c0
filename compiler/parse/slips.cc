// slips.cc is a list of slips and their cures. A slip is recognised by the tokens around it alone.
#include "compiler/parse/slips.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "OrdainParser.h"

namespace ordain::parsing {
namespace {

using P = grammar::OrdainParser;

constexpr const char* kRuleForm = "a policy reads `policy NAME on before CAPABILITY { deny NAME when CONDITION; }`";

// The tokens around a slip, and where the statement is in which it was made.
struct Place {
  const TokenList& tokens;
  size_t first;
  size_t at;

  std::string_view text(size_t i) const { return tokens.text(tokens.at(i)); }
  std::string_view found() const { return text(at); }
  std::string_view next() const { return text(at + 1); }
  std::string_view before(size_t steps = 1) const { return at >= first + steps ? text(at - steps) : ""; }
  size_t type_before() const { return at > first ? tokens.type(at - 1) : antlr4::Token::INVALID_TYPE; }
  bool joined(size_t i) const { return tokens.at(i).begin == tokens.at(i - 1).end; }
  std::string_view opening() const { return text(first); }
};

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_string(size_t type) { return type == P::STRING || type == P::RAW_STRING; }

// @returns the word of the clause that the place is in: "when", "from"; or ""
std::string_view clause_of(const Place& place) {
  for (size_t i = place.at; i-- > place.first;) {
    if (is_one_of(place.text(i), {"when", "because", "from", "expires", "with"})) return place.text(i);
  }
  return {};
}

std::string operator_help(const Place& place) {
  std::string_view found = place.found(), before = place.before();
  if (found == "=" && place.next() == "~") return "for a regular expression, write `text.matches(r\"...\")`";
  if ((found == "=" && place.next() == ">") || (found == ">" && before == "-")) {
    return "a macro names its variable first: `list.exists(x, CONDITION)`";
  }
  if (found == ">" && before == "<") return "write `!=`";
  if (found == "=" && (before == "!=" || before == "==")) return "write `" + std::string(before) + "`";
  const bool time_limit = place.tokens.type(place.at + 1) == P::DURATION;  // `for 30m`
  if (found == "for" && before != "let" && !time_limit)
    return "write `list.map(x, VALUE)`, or `list.filter(x, CONDITION)`";
  if (found == "like") return "write `text.matches(r\"...\")`, `text.startsWith(\"...\")` or `text.endsWith(\"...\")`";
  if (is_one_of(found, {"matches", "contains", "startsWith", "endsWith"})) {
    return "it is called on its text: `text." + std::string(found) + "(\"...\")`";
  }
  if (before == "%") return "`%` is the remainder of a division; write a fraction such as `0.1` for ten percent";
  if (before == "not" && place.opening() == "expect") {
    return "an `expect` names the effect that must come, such as `allow`, or `default` where no rule speaks";
  }
  if (before == "not") return "write `!(CONDITION)` for not";
  return "";
}

std::string literal_help(const Place& place) {
  std::string_view found = place.found(), before = place.before();
  size_t type = place.tokens.type(place.at);
  if (is_string(type) && is_string(place.type_before())) {
    return "write a quote inside a string as \\' or \\\", or use the other kind of quotes around it";
  }
  if (is_string(type) && (before == "f" || before == "F")) {
    return "a string has no expressions in it: join parts with `+`, as in \"amount \" + string(input.amount)";
  }
  bool number = place.type_before() == P::INT || place.type_before() == P::FLOAT;
  if (number && place.joined(place.at) && found.starts_with('_')) return "write a number without `_`";
  if (number && clause_of(place) == "expires") return "write a duration such as `30m`, `2h` or `45s`";
  if (found == "," && place.type_before() == P::STRING && place.before(2) == "{") {
    return "a list of values is written in brackets: `[\"a\", \"b\"]`";
  }
  return "";
}

// Slips in what is remembered between calls.
std::string memory_help(const Place& place) {
  const std::string_view opening = place.opening(), found = place.found(), before = place.before();
  if (!is_one_of(opening, {"history", "rate", "budget"})) return "";
  if (place.before(2) == "," && is_one_of(before, {"by", "within", "sum", "when", "up", "on"})) {
    return "leave out the comma before `" + std::string(before) + "`";
  }
  if (opening == "rate" && place.at == place.first + 4) {
    return "a rate reads `rate NAME = 20 in 1m on CAPABILITY by KEYS;`";
  }
  if ((before == "within" && place.before(2) != ".") ||
      (opening == "rate" && before == "in" && place.at == place.first + 5)) {
    return "write a duration without quotes and blanks, such as `30m`, `24h` or `7d`";
  }
  if (opening != "history") return "";
  const bool verb = is_one_of(place.text(place.first + 3), {"begun", "done", "failed", "denied"});
  if (!verb && (place.at == place.first + 4 || place.at == place.first + 5)) {
    return "say which calls count: `history NAME = begun CAPABILITY by KEYS;`, or `done`, `failed` or `denied`";
  }
  if (found == "count") return "a history counts by itself: leave this out, and read `NAME.count` in a rule";
  if (found == "in") return "the length of a window stands after `within`, as in `within 24h`";
  return "";
}

// Slips in what a redaction names.
std::string redaction_help(const Place& place) {
  if (place.opening() != "redact" || !clause_of(place).empty()) return "";
  const std::string_view found = place.found(), before = place.before();
  if (before == "[" && is_string(place.tokens.type(place.at))) return "write a field after a dot: `output.FIELD`";
  if (before == "[" || (before == "." && found == "*")) return "for every element of a list, write `[*]`";
  if (found == ",") return "a rule redacts one value: write a rule for each";
  if (place.at > place.first + 2 && is_one_of(found, {"to", "as", "by", "using", "="})) {
    return "what is shown instead stands after `with`";
  }
  return "";
}

std::string clause_help(const Place& place) {
  std::string_view found = place.found(), clause = clause_of(place);
  if (clause == "from" && is_one_of(found, {",", "or", "and", "OR", "AND"})) {
    return "write a list of groups: `from [\"a\", \"b\"]`, of which each must approve, or `from any of [\"a\", "
           "\"b\"]`";
  }
  if (clause == "because" && place.before(2) == "because" && place.type_before() == P::ID) {
    return "write the text in quotes";
  }
  if (clause == "from" && found == "of" && place.before() == "all") {
    return "a list by itself asks for each of its groups: `from [\"a\", \"b\"]`";
  }
  if (clause == "from" && found == "any" && place.before() == "]") {
    return "write it before the groups: `from any of [\"a\", \"b\"]`";
  }
  if (clause == "from" && place.before() == "distinct") {
    return "each group needs a person of its own anyway; `distinct = false` lets one answer for several";
  }
  if (found == "between") return "write `x >= 1 && x <= 5`";
  if (found == "unless") return "write `when !(CONDITION)`";
  if (is_one_of(found, {"then", "where", "if"})) return "the condition of a rule begins with `when`";
  bool rule = is_one_of(place.opening(), {"deny", "allow", "require_approval", "redact", "warn"});
  if (rule && found == "," && is_one_of(place.next(), {"deny", "allow", "require_approval", "redact", "warn"})) {
    return "end each rule with `;`";
  }
  if (rule && place.at == place.first + 1 && is_string(place.tokens.type(place.at))) {
    return "a rule's name is a word without quotes; a text for people stands after `because`";
  }
  if (rule && is_one_of(found, {"reason", "message", "msg"})) return "the reason of a rule stands after `because`";
  if (place.opening() == "require_approval" && found == "by") return "the groups that approve stand after `from`";
  if (rule && is_one_of(found, {"for", "within"}) && place.tokens.type(place.at + 1) == P::DURATION) {
    return "the time limit stands after `expires`";
  }
  if (rule && found == "-" && place.at == place.first + 2) {
    return "a name has no `-`: write `" + std::string(place.before()) + "_" + std::string(place.next()) + "`";
  }
  if (rule && found == "in" && place.at == place.first + 1) return "`in` is an operator; choose another name";
  if (std::string help = redaction_help(place); !help.empty()) return help;
  if (place.opening() == "redact" && place.at <= place.first + 2)
    return "name what is redacted: `redact NAME output.FIELD when CONDITION;`";
  if (place.opening() == "expect" && place.at == place.first + 2) return "write `by` before the rule's name";
  if (place.opening() == "call" && found == "(")
    return "the input of a call stands in braces: `call NAME { FIELD: VALUE }`";
  if (place.opening() == "wait") return "write a duration without quotes and blanks, such as `30m`, `24h` or `7d`";
  return "";
}

// @returns the text of a target such as github/*, from its first token on
std::string target_text(const Place& place) {
  size_t begin = place.at;
  while (begin > place.first && place.joined(begin)) --begin;
  size_t end = place.at + 1;
  while (end < place.tokens.tokens.size() && place.joined(end) && place.text(end) != "{" && place.text(end) != ",")
    ++end;
  return std::string(place.tokens.text(place.tokens.at(begin).begin, place.tokens.at(end - 1).end));
}

std::string head_help(const Place& place) {
  std::string_view found = place.found();
  if (place.opening() == "policy") {
    if (place.joined(place.at) && is_one_of(found, {"*", "/", "-"})) {
      return "write this name in quotes: `\"" + target_text(place) + "\"`";
    }
    if (found == "." && place.at == place.first + 2) {
      return "a policy's name is one word; names with dots are for packages: `package acme;`";
    }
    const bool has_name = place.at > place.first + 2;
    if (has_name && place.before() == "on")
      return "write when it decides, before or after the call: `on before`, `on after`";
    if (place.at <= place.first + 3) return "write `policy NAME on before CAPABILITY { ... }`";
  }
  if (place.opening() == "capability" && found == ";") {
    return "a capability has a body: `capability NAME { input { FIELD: TYPE } }`";
  }
  if (place.opening() == "let") {
    if (found == "(") return "a `let` names one value, and takes no parameters";
    if (place.text(place.first + 3) == "data") {
      if (place.before() == "column")
        return "write the name of the column in quotes: `column \"" + std::string(found) + "\"`";
      if (found == ";") return "say of which type the values are, such as `of string`";
    }
    if (place.at == place.first + 2) return "write `let " + std::string(place.before()) + " = VALUE;`";
  }
  if (place.opening() == "package" && place.tokens.at(place.at).line_start) {
    return std::string("end the statement with `;`. If this is Rego, ") + kRuleForm;
  }
  bool in_record = is_one_of(place.opening(), {"input", "output", "capability", "context"});
  if (in_record && found == "[") return "write a list as `list(string)`";
  if (in_record && found == "?") return "write a field that may be absent as `optional(string)`";
  if (in_record && found == "in") return "`in` is an operator and cannot name a field";
  if (found == "in" && place.before() == ".")
    return "`in` is an operator; read a field of that name as `input[\"in\"]`";
  return "";
}

// The last to be asked: a name such as `github/*` is no comment.
std::string comment_help(const Place& place) {
  const bool begins = place.found() == "/" && place.next().starts_with('*');
  const bool goes_on = place.found() == "*" && place.before() == "/" && place.joined(place.at);
  return begins || goes_on ? "a comment begins with `//`" : "";
}

}  // namespace

std::string slip_help(const TokenList& tokens, size_t first, size_t at) {
  Place place{tokens, first, at};
  for (auto* find : {memory_help, operator_help, literal_help, clause_help, head_help, comment_help}) {
    std::string help = find(place);
    if (!help.empty()) return help;
  }
  return "";
}

std::string statement_help(const TokenList& tokens, size_t at, bool in_file) {
  Place place{tokens, at, at};
  std::string_view word = place.found();
  if (word == "/" && (place.next() == "*" || place.next().starts_with('*'))) return "a comment begins with `//`";
  if (!in_file) {
    if (word == "if") return "write `deny NAME when CONDITION;`";
    if (is_one_of(word, {"approve", "require"})) return "write `require_approval NAME when CONDITION;`";
    if (is_one_of(word, {"block", "refuse", "reject", "forbid"})) return "write `deny NAME when CONDITION;`";
    if (is_one_of(word, {"permit", "accept"})) return "write `allow NAME when CONDITION;`";
    if (is_one_of(word, {"mask", "hide"})) return "write `redact NAME output.FIELD when CONDITION;`";
    if (word == "default")
      return "where no rule speaks, the call is denied; a last rule `allow rest;` answers otherwise";
    if (word == "else") {
      return "rules do not depend on each other: give each its own `when`, or let the package use `option order = "
             "first_match;`";
    }
    return "";
  }
  if (is_one_of(word, {"const", "def", "var", "set", "define", "function", "func"})) {
    return "a name for a value reads `let NAME = VALUE;`";
  }
  if (word == "labels") return "a set declares its labels with `label NAME, NAME;`";
  if (is_one_of(word, {"permit", "forbid"})) return std::string("this looks like Cedar; ") + kRuleForm;
  if (word == "default") return std::string("this looks like Rego; ") + kRuleForm;
  if (word == "{" || word == "[") return std::string("this looks like JSON; ") + kRuleForm;
  if (place.next() == ":" || word == "-") return std::string("this looks like YAML; ") + kRuleForm;
  return "";
}

}  // namespace ordain::parsing
