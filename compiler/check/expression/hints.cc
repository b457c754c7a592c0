// hints.cc phrases what to write instead of a mistake: what other languages call a function, and what
// an operator would need.
#include <algorithm>
#include <iterator>
#include <utility>

#include "compiler/check/expression/checker.h"

namespace ordain::checking {
namespace {

struct Alias {
  std::string_view word;
  std::string_view help;
};

constexpr Alias kNames[] = {
    {"True", "write `true`"},
    {"TRUE", "write `true`"},
    {"False", "write `false`"},
    {"FALSE", "write `false`"},
    {"None", "write `null`; an absent field is tested with `has(input.field)`"},
    {"nil", "write `null`; an absent field is tested with `has(input.field)`"},
    {"undefined", "an absent field is tested with `has(input.field)`"},
    {"NULL", "write `null`; an absent field is tested with `has(input.field)`"},
    {"args", "the arguments of a call are `input`"},
    {"arguments", "the arguments of a call are `input`"},
    {"params", "the arguments of a call are `input`"},
    {"parameters", "the arguments of a call are `input`"},
    {"request", "the arguments of a call are `input`"},
    {"result", "what a call returns is `output`, in a policy on `after`"},
    {"response", "what a call returns is `output`, in a policy on `after`"},
    {"user", "who acts is `agent`; for whom it acts is `principal`"},
    {"subject", "who acts is `agent`; for whom it acts is `principal`"},
    {"env", "did you mean `environment`?"},
    {"time", "the time of the call is `now`"},
    {"tool", "the called tool is `capability.name`"},
};

// What members and functions of other languages are called here.
constexpr Alias kFunctions[] = {
    {"lower", "write `text.lowerAscii()`"},
    {"toLowerCase", "write `text.lowerAscii()`"},
    {"toLower", "write `text.lowerAscii()`"},
    {"upper", "write `text.upperAscii()`"},
    {"toUpperCase", "write `text.upperAscii()`"},
    {"toUpper", "write `text.upperAscii()`"},
    {"len", "write `size(x)` or `x.size()`"},
    {"length", "write `x.size()`"},
    {"count", "write `x.size()`"},
    {"any", "write `list.exists(x, CONDITION)`"},
    {"some", "write `list.exists(x, CONDITION)`"},
    {"every", "write `list.all(x, CONDITION)`"},
    {"includes", "write `value in list`, or `text.contains(\"...\")`"},
    {"has_key", "write `key in map`, or `has(map.key)`"},
    {"hasKey", "write `key in map`, or `has(map.key)`"},
    {"get", "write `map[?key].orValue(otherwise)`"},
    {"glob", "write `text.startsWith(\"...\")`, `text.endsWith(\"...\")` or `text.matches(r\"...\")`"},
    {"match", "write `text.matches(r\"...\")`"},
    {"test", "write `text.matches(r\"...\")`"},
    {"str", "write `string(x)`"},
    {"toString", "write `string(x)`"},
    {"float", "write `double(x)`"},
    {"not", "write `!(CONDITION)`"},
    {"strip", "write `text.trim()`"},
    {"hour", "write `now.getHours()`"},
    {"hours", "write `now.getHours()`"},
    {"minute", "write `now.getMinutes()`"},
    {"day", "write `now.getDate()`"},
    {"weekday", "write `now.getDayOfWeek()`, where 0 is Sunday"},
    {"month", "write `now.getMonth()`, where 0 is January"},
    {"year", "write `now.getFullYear()`"},
};

template <size_t N>
std::string help_of(const Alias (&aliases)[N], std::string_view word) {
  auto found = std::find_if(std::begin(aliases), std::end(aliases), [&](const Alias& a) { return a.word == word; });
  return found == std::end(aliases) ? "" : std::string(found->help);
}

bool declares_field(const Type* type, std::string_view name) {
  return type != nullptr && type->kind == TypeKind::record && type->record->find(name) != nullptr;
}

bool is_comparison(std::string_view name) { return name == "_<_" || name == "_<=_" || name == "_>_" || name == "_>=_"; }

}  // namespace

// @returns the path of the field that the name may stand for: `input.amount` for `amount`. A field of
// two roots beside input and output stands for neither.
std::string ExprChecker::field_of_roots(std::string_view name) const {
  const std::pair<std::string_view, const Type*> of_call[] = {{"input", scope_.target_input},
                                                              {"output", scope_.target_output}};
  for (const auto& [root, target] : of_call) {
    auto found = scope_.roots.find(root);
    if (found == scope_.roots.end() || found->second.unavailable.contains(std::string_view())) continue;
    if (declares_field(found->second.type, name) || declares_field(target, name)) {
      return std::string(root) + "." + std::string(name);
    }
  }
  std::string out;
  for (const auto& [root, meaning] : scope_.roots) {
    if (root == "input" || root == "output" || !declares_field(meaning.type, name)) continue;
    if (meaning.unavailable.contains(std::string_view()) || meaning.unavailable.contains(name)) continue;
    if (!out.empty()) return "";
    out = root + "." + std::string(name);
  }
  return out;
}

std::string ExprChecker::name_help(std::string_view name) const {
  std::string help = help_of(kNames, name);
  if (!help.empty()) return help;
  std::string field = field_of_roots(name);
  return field.empty() ? "" : "did you mean `" + field + "`?";
}

std::string ExprChecker::function_help(std::string_view name) { return help_of(kFunctions, name); }

// Helps where a field is read of a value that has none: its name may be that of a function.
std::string ExprChecker::member_help(std::string_view name) const {
  std::string help = function_help(name);
  if (!help.empty() || scope_.functions == nullptr) return help;
  for (const auto& [known, function] : scope_.functions->all()) {
    if (known != name) continue;
    const bool alone = std::any_of(function.overloads.begin(), function.overloads.end(), [](const Overload* overload) {
      return overload->member && overload->params.size() == 1;
    });
    if (alone) return "a function is called: write `." + std::string(name) + "()`";
  }
  return "";
}

std::string ExprChecker::conversion_help(const Expr& e, const Type* type) {
  switch (type->kind) {
    case TypeKind::boolean:
    case TypeKind::integer:
    case TypeKind::unsigned_integer:
    case TypeKind::floating:
    case TypeKind::timestamp:
    case TypeKind::duration:
      return "write `string(" + text_of(e.span, "x") + ")`";
    default:
      return "";
  }
}

// Helps with operators and functions whose operands are of other types than they need.
std::string ExprChecker::operand_help(const Expr& e, std::string_view name, const std::vector<Node*>& args) {
  if (args.size() != 2 || e.args.size() != 2) return "";
  const Type* left = infer_.shallow(args[0]->type);
  const Type* right = infer_.shallow(args[1]->type);
  auto text = [&](size_t i, const char* otherwise) { return text_of(e.args[i]->span, otherwise); };
  if (name == "_+_" && left->kind == TypeKind::string) return conversion_help(*e.args[1], right);
  if (name == "_+_" && right->kind == TypeKind::string) return conversion_help(*e.args[0], left);
  if (name == "@in" && left->kind == TypeKind::string && right->kind == TypeKind::string) {
    return "write `" + text(1, "text") + ".contains(" + text(0, "part") + ")`";
  }
  if (name == "contains" && left->kind == TypeKind::list) {
    return "write `" + text(1, "value") + " in " + text(0, "list") + "`";
  }
  const bool of_text = name == "contains" || name == "startsWith" || name == "endsWith" || name == "matches";
  if (of_text && left->kind == TypeKind::optional) {
    return "write `" + text(0, "text") + ".orValue(\"\")." + std::string(name) + "(" + text(1, "part") + ")`";
  }
  if (of_text && left->kind == TypeKind::list) {
    return "write `" + text(0, "list") + ".exists(x, x." + std::string(name) + "(" + text(1, "part") +
           "))`, or `all` in place of `exists`";
  }
  if (name == "_%_" && left->kind == TypeKind::string) {
    return "a text has no placeholders: join parts with `+`, as in \"amount \" + string(input.amount)";
  }
  if (is_comparison(name) && left->kind == TypeKind::boolean) return "write `a < b && b < c` for `a < b < c`";
  bool ordered = is_comparison(name) || name == "_==_" || name == "_!=_";
  if (!ordered) return "";
  for (size_t i = 0; i < 2; ++i) {
    const Type* literal = i == 0 ? left : right;
    const Type* other = i == 0 ? right : left;
    if (args[i]->kind != NodeKind::constant) continue;
    if (other->kind == TypeKind::timestamp && literal->kind == TypeKind::string) {
      return "write `timestamp(" + text(i, "\"...\"") + ")`";
    }
    if (other->kind == TypeKind::duration && literal->kind == TypeKind::string) {
      return "write `duration(" + text(i, "\"...\"") + ")`";
    }
    if (other->kind == TypeKind::list && !is_comparison(name)) {
      return "write `" + text(i, "value") + " in " + text(1 - i, "list") + "`";
    }
    if (other->kind == TypeKind::string && literal->kind != TypeKind::string && literal->kind != TypeKind::null_type) {
      return "compare with a string, `\"" + text(i, "...") + "\"`, or convert: `" + to_string(*literal) + "(" +
             text(1 - i, "text") + ")`";
    }
    if (literal->kind == TypeKind::string && text(1 - i, "").ends_with("getDayOfWeek()")) {
      return "a day of the week is a number, and 0 is Sunday";
    }
    if (literal->kind == TypeKind::null_type) {
      return "this is never null; a field that may be absent is declared `optional(...)` and tested with `has(...)`";
    }
  }
  return "";
}

std::string ExprChecker::regex_help(std::string_view why) {
  if (why.find("(?") != std::string_view::npos) {
    return "there is no look-ahead or look-behind: combine conditions, as in `a.matches(r\"x\") && !a.matches(r\"y\")`";
  }
  if (why.find("repetition operator") != std::string_view::npos) {
    return "a regular expression writes any text as `.*`, and a full stop as `\\\\.`";
  }
  if (why.find("missing") != std::string_view::npos || why.find("unexpected") != std::string_view::npos) {
    return "a bracket that is meant as text is written `[(]` or `[)]`";
  }
  return "";
}

}  // namespace ordain::checking
