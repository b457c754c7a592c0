// calls.cc checks calls: operators, functions with and without a receiver, and namespaced
// functions.
#include <algorithm>

#include "compiler/check/expression/checker.h"

namespace ordain::checking {
namespace {

const std::vector<std::string> kMemberMacros{
    "all",           "exists",       "exists_one",        "existsOne", "map",        "filter",
    "transformList", "transformMap", "transformMapEntry", "optMap",    "optFlatMap", "sortBy"};

bool is_operator(std::string_view name) {
  return !name.empty() && (name[0] == '_' || name[0] == '@' || name[0] == '-' || name[0] == '!') &&
         (name.back() == '_' || name[0] == '@' || name.back() == ']');
}

// @returns "a.b" for the selections a.b; empty if the expression is not a plain name
std::string qualified_name(const Expr& e) {
  std::vector<std::string_view> parts;
  const Expr* at = &e;
  for (; at->kind == ExprKind::select && !at->optional; at = at->args[0]) parts.push_back(at->name);
  if (at->kind != ExprKind::ident) return "";
  std::string out(at->name);
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    out += '.';
    out += *part;
  }
  return out;
}

bool is_negative(const Node& node) {
  if (node.kind == NodeKind::constant) return node.value.is(Kind::integer) && node.value.i < 0;
  return node.kind == NodeKind::call && node.overload != nullptr && node.overload->name == "-_" &&
         node.args[0]->kind == NodeKind::constant && node.args[0]->value.is(Kind::integer);
}

const Expr& start_of(const Expr& e) {
  const Expr* at = &e;
  while (at->kind == ExprKind::select) at = at->args[0];
  return *at;
}

}  // namespace

FunctionRef ExprChecker::find_function(std::string_view name, bool absolute) const {
  auto find_exactly = [this](std::string_view candidate) {
    FunctionRef out;
    out.function = scope_.functions->find(candidate);
    if (out.function != nullptr) out.name = out.function->name;
    for (const Overload* declared : scope_.declared_functions) {
      if (declared->name != candidate) continue;
      out.declared.push_back(declared);
      out.name = declared->name;
    }
    return out;
  };
  if (absolute || scope_.container.empty() || is_operator(name)) return find_exactly(name);
  for (const std::string& candidate : candidates(name)) {
    FunctionRef out = find_exactly(candidate);
    if (out.found()) return out;
  }
  return {};
}

Node* ExprChecker::check_call(const Expr& e) {
  bool expanded = false;
  Node* macro = check_macro(e, &expanded);
  if (expanded) return macro;
  if (!e.member) {
    if (e.name == "_&&_" || e.name == "_||_") return check_logic(e);
    if (e.name == "!_") return check_not(e);
    if (e.name == "_?_:_") return check_conditional(e);
    if (e.name == "_==_" || e.name == "_!=_") return check_equal(e);
    if (e.name == "@in") return check_in(e);
  }
  if (scope_.states != nullptr) {
    if (Node* node = check_state_call(e)) return node;
  }
  FunctionRef function;
  size_t first_argument = 0;
  bool member = e.member;
  if (e.member) {
    // In a.b.c(x), either a.b.c is a function, or c is a function with the receiver a.b.
    std::string prefix = qualified_name(*e.args[0]);
    if (!prefix.empty() && !is_local(start_of(*e.args[0]))) {
      function = find_function(prefix + "." + std::string(e.name), start_of(*e.args[0]).leading_dot);
    }
    if (function.found()) {
      member = false;
      first_argument = 1;
    }
  }
  if (!function.found()) function = find_function(e.name, e.leading_dot);
  std::vector<Node*> args;
  // Calling an unknown function is the fault of an unchecked call, whatever its arguments.
  if (!function.found() && !scope_.checked) return unknown_function(e, e.name, member);
  if (!function.found() && e.member && is_unknown_namespace(*e.args[0])) {
    return unknown_function(e, qualified_name(*e.args[0]) + "." + std::string(e.name), false);
  }
  // The arguments of a misspelt macro need not be expressions by themselves.
  bool known_slip = !function_help(e.name).empty() || !nearest(e.name, kMemberMacros).empty();
  if (!function.found() && member && known_slip) return unknown_function(e, e.name, member);
  for (size_t i = first_argument; i < e.args.size(); ++i) args.push_back(check(*e.args[i]));
  if (!function.found()) return unknown_function(e, e.name, member);
  Node* out = call(e, function, member, std::move(args));
  return member && (function.name == "or" || function.name == "orValue") ? alternative(e, out) : out;
}

// @returns whether the receiver is not a known name, although some functions have it as a prefix:
// `math.abss(1)`
bool ExprChecker::is_unknown_namespace(const Expr& receiver) {
  std::string prefix = qualified_name(receiver);
  if (prefix.empty() || is_local(start_of(receiver))) return false;
  std::string_view first = start_of(receiver).name;
  for (const std::string& candidate : candidates(first)) {
    if (scope_.roots.contains(candidate) || scope_.lets.contains(candidate)) return false;
  }
  const auto& functions = scope_.functions->all();
  auto at = functions.lower_bound(prefix + ".");
  return at != functions.end() && at->first.starts_with(prefix + ".");
}

// `!a in list` negates a, not the membership.
Node* ExprChecker::check_in(const Expr& e) {
  size_t before = diagnostics_.items.size();
  std::vector<Node*> args{check(*e.args[0]), check(*e.args[1])};
  if (Node* node = label_membership(e, args)) return node;
  Node* out = call(e, find_function(e.name, true), false, std::move(args));
  const Expr& left = *e.args[0];
  if (left.kind != ExprKind::call || left.member || left.name != "!_") return out;
  Span operand = left.args[0]->span;
  bool negated = std::any_of(diagnostics_.items.begin() + static_cast<std::ptrdiff_t>(before), diagnostics_.items.end(),
                             [&](const Diagnostic& item) {
                               return item.code == "type-mismatch" && item.span.begin == operand.begin &&
                                      item.span.end == operand.end;
                             });
  if (!negated) return out;
  diagnostics_.items.erase(diagnostics_.items.begin() + static_cast<std::ptrdiff_t>(before), diagnostics_.items.end());
  error("no-matching-overload", left.span, "`!` negates only the left side of `in`", "write `!(a in b)`");
  return error_node(e);
}

// `input.note == null` asks whether an optional field is absent, which it cannot tell.
Node* ExprChecker::check_side(const Expr& e, size_t side) {
  const Expr& expr = *e.args[side];
  const Expr& other = *e.args[1 - side];
  bool null = other.kind == ExprKind::literal && other.value.is(Kind::null);
  Node* node = check_raw(expr);
  if (!null || !scope_.checked || node->kind != NodeKind::slot) return use(node);
  SlotNode& slot = static_cast<SlotNode&>(*node);
  if (slot.unguarded.empty() || slot.unguarded != slot.path) return use(node);
  std::string test = "has(" + std::string(slot.path) + ")";
  error("unguarded-optional", slot.unguarded_at, "`" + std::string(slot.path) + "` may be absent, which is not null",
        "write `" + (e.name == "_==_" ? "!" + test : test) + "`");
  return error_node(e);
}

Node* ExprChecker::check_equal(const Expr& e) {
  std::vector<Node*> sides{check_side(e, 0), check_side(e, 1)};
  coerce_operands(e.name, sides);
  if (scope_.checked) {
    const Type* common = infer_.fresh();
    const Type* given[] = {sides[0]->type, sides[1]->type};
    const Type* wanted[] = {common, common};
    if (!infer_.assignable(given, wanted)) {
      error("no-matching-overload", e.at,
            "`" + std::string(display_name(e.name)) + "` does not compare " + describe(sides[0]->type) + " with " +
                describe(sides[1]->type),
            literal_help(sides).empty() ? operand_help(e, e.name, sides) : literal_help(sides));
      return error_node(e);
    }
    // Errors within are reported; the result is a bool in any case.
  }
  return make(e.name == "_==_" ? NodeKind::equal : NodeKind::not_equal, e, &types::kBool, std::move(sides));
}

Node* ExprChecker::call(const Expr& e, const FunctionRef& function, bool member, std::vector<Node*> args) {
  if (!scope_.checked) return unchecked_call(e, function, std::move(args));
  coerce_operands(function.name, args);
  bool has_error = std::any_of(args.begin(), args.end(), [this](const Node* arg) { return is_error(*arg); });
  Match found = match(function, member, args);
  if (found.rows.empty() && string_for_roots(args)) found = match(function, member, args);
  if (has_error) return error_node(e);
  if (found.rows.empty()) {
    report_no_match(e, function, member, args);
    return error_node(e);
  }
  if (found.rows.size() == 1) check_prepared(*found.rows[0], args);
  if (function.name == "_[_]" && args[0]->type->kind == TypeKind::list && is_negative(*args[1])) {
    std::string list = text_of(e.args[0]->span, "list");
    error("invalid-literal", args[1]->span, "the first element of a list is 0, and none comes before it",
          "the last element is `" + list + "[" + list + ".size() - 1]`");
    return error_node(e);
  }
  bool proven = found.rows.size() == 1 && is_proven(*found.rows[0], args);
  if (!proven && function.function == nullptr) {
    // The function is declared but has no implementation.
    Node* out = fail_node(e, FaultCode::no_such_overload, function.name);
    out->type = found.result;
    return out;
  }
  Node* out = make(NodeKind::call, e, found.result, std::move(args));
  if (proven) {
    out->overload = found.rows[0];
  } else {
    out->function = function.function;
  }
  return out;
}

Node* ExprChecker::unchecked_call(const Expr& e, const FunctionRef& function, std::vector<Node*> args) {
  if (function.function == nullptr) return fail_node(e, FaultCode::no_such_overload, function.name);
  Node* out = make(NodeKind::call, e, &types::kDyn, std::move(args));
  out->function = function.function;
  return out;
}

Node* ExprChecker::call_named(const Expr& e, std::string_view name, bool member, std::vector<Node*> args) {
  FunctionRef function = find_function(name, true);
  if (!function.found()) return unknown_function(e, name, member);
  return call(e, function, member, std::move(args));
}

Node* ExprChecker::unknown_function(const Expr& e, std::string_view name, bool member) {
  if (!scope_.checked) return fail_node(e, FaultCode::undeclared_reference, name);
  std::vector<std::string> names;
  for (const auto& [known, function] : scope_.functions->all()) {
    bool fits = std::any_of(function.overloads.begin(), function.overloads.end(),
                            [&](const Overload* overload) { return overload->member == member; });
    if (fits && !is_operator(known)) names.push_back(known);
  }
  for (const Overload* declared : scope_.declared_functions) names.push_back(declared->name);
  if (member) {
    names.insert(names.end(), kMemberMacros.begin(), kMemberMacros.end());
  } else {
    names.emplace_back("has");
  }
  std::string help = function_help(name);
  if (member && name == "carries") help = "the value comes first: `carries(x, \"LABEL\")`";
  if (member && name == "said") help = "the value comes first: `said(x)`";
  std::string near = help.empty() ? nearest(name, names) : "";
  if (!near.empty()) help = "did you mean `" + near + "`?";
  error("unknown-function", e.at, "there is no function `" + std::string(display_name(name)) + "`", std::move(help));
  return error_node(e);
}

void ExprChecker::check_prepared(const Overload& overload, const std::vector<Node*>& args) {
  const Preparation& preparation = overload.preparation;
  if (preparation.arg < 0 || preparation.prepare == nullptr) return;
  const Node& argument = *args[static_cast<size_t>(preparation.arg)];
  Kind wanted = kind_of(*overload.params[static_cast<size_t>(preparation.arg)]);
  if (argument.kind != NodeKind::constant || argument.value.kind != wanted) return;
  std::string why;
  if (preparation.prepare(argument.value, &why) != nullptr) return;
  bool regex = overload.name == "matches" || overload.name.starts_with("re.") || overload.name.starts_with("regex.");
  std::string help = regex ? regex_help(why) : "";
  error(regex ? "invalid-regex" : "invalid-literal", argument.span,
        why.empty() ? "`" + overload.name + "` does not take this" : why, std::move(help));
}

}  // namespace ordain::checking
