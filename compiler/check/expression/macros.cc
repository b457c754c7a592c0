// macros.cc expands macros, which are calls by syntax only. They become loops and lets before a
// function of the same name is looked up.
#include <algorithm>
#include <iterator>

#include "compiler/check/expression/checker.h"

namespace ordain::checking {
namespace {

struct LoopMacro {
  std::string_view name;
  LoopKind loop;
  size_t variables;
  bool filtered;  ///< a predicate precedes the transform
};
// The loops, by name and number of arguments after the receiver.
struct LoopRow {
  size_t arguments;
  LoopMacro macro;
};
const LoopRow kLoopMacros[] = {
    {2, {"all", LoopKind::all, 1, false}},
    {2, {"exists", LoopKind::exists, 1, false}},
    {2, {"exists_one", LoopKind::exists_one, 1, false}},
    {2, {"existsOne", LoopKind::exists_one, 1, false}},
    {2, {"map", LoopKind::map, 1, false}},
    {3, {"map", LoopKind::map, 1, true}},
    {2, {"filter", LoopKind::filter, 1, false}},
    {3, {"all", LoopKind::all, 2, false}},
    {3, {"exists", LoopKind::exists, 2, false}},
    {3, {"exists_one", LoopKind::exists_one, 2, false}},
    {3, {"existsOne", LoopKind::exists_one, 2, false}},
    {3, {"transformList", LoopKind::map, 2, false}},
    {4, {"transformList", LoopKind::map, 2, true}},
    {3, {"transformMap", LoopKind::map_values, 2, false}},
    {4, {"transformMap", LoopKind::map_values, 2, true}},
    {3, {"transformMapEntry", LoopKind::map_entries, 2, false}},
    {4, {"transformMapEntry", LoopKind::map_entries, 2, true}},
};

bool is_predicate(LoopKind loop) {
  return loop == LoopKind::all || loop == LoopKind::exists || loop == LoopKind::exists_one || loop == LoopKind::filter;
}

bool is_index(const Expr& e) { return e.kind == ExprKind::literal && e.value.is(Kind::integer) && e.value.i >= 0; }

bool is_call_of(const Expr& e, std::string_view qualifier) {
  return e.kind == ExprKind::call && e.member && !e.args.empty() && e.args[0]->kind == ExprKind::ident &&
         !e.args[0]->leading_dot && e.args[0]->name == qualifier;
}

}  // namespace

Node* ExprChecker::check_macro(const Expr& e, bool* expanded) {
  if (!e.member) {
    *expanded = e.name == "has" && e.args.size() == 1 && !e.leading_dot;
    return *expanded ? check_has(e) : nullptr;
  }
  if (is_call_of(e, "cel")) {
    Node* out = cel_macro(e, expanded);
    if (*expanded) return out;
  }
  if (is_call_of(e, "math") && (e.name == "greatest" || e.name == "least") && e.args.size() > 3) {
    *expanded = true;
    return extremum_macro(e);
  }
  size_t arguments = e.args.size() - 1;
  for (const LoopRow& row : kLoopMacros) {
    if (row.arguments != arguments || row.macro.name != e.name) continue;
    *expanded = true;
    return loop_macro(e, row.macro.loop, row.macro.variables, row.macro.filtered);
  }
  if (arguments == 2 && e.name == "sortBy") {
    *expanded = true;
    return sort_macro(e);
  }
  if (arguments == 2 && (e.name == "optMap" || e.name == "optFlatMap")) {
    *expanded = true;
    return optional_macro(e, e.name == "optFlatMap");
  }
  return nullptr;
}

Node* ExprChecker::cel_macro(const Expr& e, bool* expanded) {
  size_t arguments = e.args.size() - 1;
  *expanded = true;
  if (e.name == "bind" && arguments == 3) return bind_macro(e);
  if (e.name == "block" && arguments == 2) return block_macro(e);
  if ((e.name == "index" && arguments == 1) || ((e.name == "iterVar" || e.name == "accuVar") && arguments == 2)) {
    return block_variable(e);
  }
  *expanded = false;
  return nullptr;
}

// @returns the name that a macro's variable argument declares; empty after reporting a mistake
std::string_view ExprChecker::variable_name(const Expr& e) {
  if (e.kind == ExprKind::ident && !e.leading_dot) return e.name;
  std::string_view generated = generated_name(e);
  if (generated.empty() || generated.starts_with("@index")) {
    error("invalid-macro", e.span, "a macro's variable must be a plain name");
    return {};
  }
  return generated;
}

// Names that optimisers generate: cel.index(0), cel.iterVar(0, 1). @returns an empty name if `e` is
// not one of them.
std::string_view ExprChecker::generated_name(const Expr& e) {
  if (!is_call_of(e, "cel") ||
      !std::all_of(e.args.begin() + 1, e.args.end(), [](const Expr* a) { return is_index(*a); })) {
    return {};
  }
  std::string name = "@" + std::string(e.name);
  for (size_t i = 1; i < e.args.size(); ++i) name += ":" + std::to_string(e.args[i]->value.i);
  return arena_.copy(name);
}

Node* ExprChecker::block_variable(const Expr& e) {
  std::string_view name = generated_name(e);
  const Local* local = name.empty() ? nullptr : find_local(name);
  if (local != nullptr) return local_node(e, *local);
  error("invalid-macro", e.span, "cel." + std::string(e.name) + "() names nothing here");
  return error_node(e);
}

ExprChecker::Local ExprChecker::declare(std::string_view name, const Type* type) {
  Local local{name, local_count_++, type};
  locals_.push_back(local);
  return local;
}

// Finds the types that a loop over `range` passes through: index or key, element or value.
bool ExprChecker::loop_types(const Node& range, const Type** key, const Type** value) {
  *key = *value = &types::kDyn;
  if (!scope_.checked) return true;
  const Type* type = infer_.shallow(range.type);
  switch (type->kind) {
    case TypeKind::list:
      *key = &types::kInt;
      *value = infer_.param(range.type, 0);
      return true;
    case TypeKind::map:
    case TypeKind::record:
      *key = infer_.param(range.type, 0);
      *value = infer_.param(range.type, 1);
      return true;
    case TypeKind::dyn:
    case TypeKind::error:
    case TypeKind::param:
      infer_.assignable(&types::kDyn, range.type);
      return true;
    default:
      return false;
  }
}

Node* ExprChecker::loop_macro(const Expr& e, LoopKind loop, size_t variables, bool filtered) {
  Node* range = check(*e.args[0]);
  const Type* key = nullptr;
  const Type* value = nullptr;
  if (!loop_types(*range, &key, &value)) {
    error("type-mismatch", e.args[0]->span,
          "`" + std::string(e.name) + "` goes through a list or a map, this is " + describe(range->type));
  }
  std::string_view first = variable_name(*e.args[1]);
  std::string_view second = variables == 2 ? variable_name(*e.args[2]) : std::string_view();
  if (first.empty() || (variables == 2 && second.empty())) return error_node(e);
  if (variables == 2 && first == second) {
    error("invalid-macro", e.args[2]->span,
          "the two variables of `" + std::string(e.name) + "` must have different names");
    return error_node(e);
  }
  bool of_list = infer_.shallow(range->type)->kind == TypeKind::list;
  const Type* single = of_list ? value : key;
  Section section(*this);
  Local one = declare(first, variables == 2 ? key : single);
  Local two = variables == 2 ? declare(second, value) : Local{};
  loop_locals_.push_back(one.id);
  if (variables == 2) loop_locals_.push_back(two.id);
  if (of_list) assume_elements(*range, "#" + std::to_string(variables == 2 ? two.id : one.id));
  Node* filter = nullptr;
  if (filtered) {
    filter = check(*e.args[1 + variables]);
    require_bool(*e.args[1 + variables], *filter, "the filter of `" + std::string(e.name) + "`");
    assume(*filter, true);
  }
  Node* step = check(*e.args.back());
  if (is_predicate(loop)) require_bool(*e.args.back(), *step, "the predicate of `" + std::string(e.name) + "`");
  const Type* type = loop_type(e, loop, *step, key, single);
  std::vector<Node*> args{range, step};
  if (filter != nullptr) args.push_back(filter);
  Node* out = make(NodeKind::loop, e, type, std::move(args));
  out->loop = loop;
  out->local = one.id;
  if (variables == 2) out->local2 = two.id;
  return out;
}

const Type* ExprChecker::loop_type(const Expr& e, LoopKind loop, const Node& step, const Type* key,
                                   const Type* element) {
  switch (loop) {
    case LoopKind::all:
    case LoopKind::exists:
    case LoopKind::exists_one:
      return &types::kBool;
    case LoopKind::map:
      return static_type(infer_.list_of(step.type));
    case LoopKind::filter:
      return static_type(infer_.list_of(element));
    case LoopKind::map_values:
      return static_type(infer_.map_of(key, step.type));
    case LoopKind::map_entries:
      break;
  }
  if (!scope_.checked) return &types::kDyn;
  const Type* entries = infer_.map_of(infer_.fresh(), infer_.fresh());
  if (!infer_.assignable(step.type, entries)) {
    error("type-mismatch", step.span,
          "`" + std::string(e.name) + "` makes maps of entries, this is " + describe(step.type));
    return &types::kError;
  }
  return entries;
}

Node* ExprChecker::let(const Expr& e, const Local& variable, Node* value, Node* body) {
  Node* out = make(NodeKind::let, e, body->type, {value, body});
  out->local = variable.id;
  return out;
}

Node* ExprChecker::bind_macro(const Expr& e) {
  std::string_view name = variable_name(*e.args[1]);
  Node* value = check(*e.args[2]);
  if (name.empty()) return error_node(e);
  Section section(*this);
  Local variable = declare(name, value->type);
  assume_elements(*value, "#" + std::to_string(variable.id) + kAnyStep);
  Node* body = check(*e.args[3]);
  return let(e, variable, value, body);
}

// cel.block([a, b], result): each element becomes a let, which the later elements and the result
// may use as cel.index(n).
Node* ExprChecker::block_macro(const Expr& e) {
  const Expr& list = *e.args[1];
  if (list.kind != ExprKind::list || !list.optionals.empty()) {
    error("invalid-macro", list.span, "cel.block() takes a list of expressions");
    return error_node(e);
  }
  if (depth_ + list.args.size() >= kMaxDepth) {
    error("limit-nesting", list.span, "cel.block() has too many expressions");
    return error_node(e);
  }
  Section section(*this);
  std::vector<std::pair<Local, Node*>> steps;
  for (size_t i = 0; i < list.args.size(); ++i) {
    Node* value = check(*list.args[i]);
    steps.emplace_back(declare(arena_.copy("@index:" + std::to_string(i)), value->type), value);
  }
  depth_ += static_cast<uint32_t>(steps.size());
  Node* out = check(*e.args[2]);
  depth_ -= static_cast<uint32_t>(steps.size());
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) out = let(e, step->first, step->second, out);
  return out;
}

// target.optMap(v, f): an optional of f of the target's value; none stays none.
Node* ExprChecker::optional_macro(const Expr& e, bool flat) {
  Node* target = check(*e.args[0]);
  std::string_view name = variable_name(*e.args[1]);
  const Type* inner = &types::kDyn;
  if (scope_.checked) {
    inner = infer_.fresh();
    if (!infer_.assignable(target->type, infer_.optional_of(inner))) {
      error("type-mismatch", e.args[0]->span,
            "`" + std::string(e.name) + "` needs an optional, this is " + describe(target->type));
      return error_node(e);
    }
  }
  if (name.empty()) return error_node(e);
  Section section(*this);
  Local optional = declare({}, target->type);
  Node* tested = call_named(e, "hasValue", true, {local_node(e, optional)});
  Node* value = call_named(e, "value", true, {local_node(e, optional)});
  Local variable = declare(name, scope_.checked ? value->type : &types::kDyn);
  Node* body = check(*e.args[2]);
  if (flat && scope_.checked && !infer_.assignable(body->type, infer_.optional_of(infer_.fresh()))) {
    error("type-mismatch", body->span, "`optFlatMap` needs an optional, this is " + describe(body->type));
    return error_node(e);
  }
  Node* some = let(e, variable, value, body);
  if (!flat) some = call_named(e, "optional.of", false, {some});
  Node* none = call_named(e, "optional.none", false, {});
  return let(e, optional, target, conditional(e, tested, some, none));
}

// list.sortBy(x, key): sorts the list in the order of its elements' keys.
Node* ExprChecker::sort_macro(const Expr& e) {
  Node* list = check(*e.args[0]);
  const Type* element = &types::kDyn;
  if (scope_.checked) {
    element = infer_.fresh();
    if (!infer_.assignable(list->type, infer_.list_of(element))) {
      error("type-mismatch", e.args[0]->span, "`sortBy` needs a list, this is " + describe(list->type));
      return error_node(e);
    }
  }
  std::string_view name = variable_name(*e.args[1]);
  if (name.empty()) return error_node(e);
  Section section(*this);
  Local whole = declare({}, list->type);
  Local variable = declare(name, element);
  Node* key = check(*e.args[2]);
  Node* keys = make(NodeKind::loop, e, static_type(infer_.list_of(key->type)), {local_node(e, whole), key});
  keys->loop = LoopKind::map;
  keys->local = variable.id;
  return let(e, whole, list, call_named(e, "@sortByAssociatedKeys", true, {local_node(e, whole), keys}));
}

// target.or(other), target.orValue(other): the other side runs only if the target has no value.
Node* ExprChecker::alternative(const Expr& e, Node* call) {
  const bool is_optionals = call->kind == NodeKind::call && call->args.size() == 2 &&
                            (call->overload == nullptr || call->overload->id == "optional_or_optional" ||
                             call->overload->id == "optional_orValue_value");
  if (!is_optionals || is_error(*call) || call->args[1]->kind == NodeKind::constant) return call;
  Section section(*this);
  Local optional = declare({}, call->args[0]->type);
  Node* tested = call_named(e, "hasValue", true, {local_node(e, optional)});
  Node* some = local_node(e, optional);
  if (e.name == "orValue") some = call_named(e, "value", true, {some});
  Node* choice = make(NodeKind::conditional, e, call->type, {tested, some, call->args[1]});
  return let(e, optional, call->args[0], choice);
}

// math.greatest(a, b, c): the function takes one list instead.
Node* ExprChecker::extremum_macro(const Expr& e) {
  std::vector<Node*> elements;
  const Type* element = nullptr;
  for (size_t i = 1; i < e.args.size(); ++i) {
    elements.push_back(check(*e.args[i]));
    if (scope_.checked) element = merge(element, elements.back()->type);
  }
  if (element == nullptr) element = &types::kDyn;
  Node* list = make(NodeKind::list, e, static_type(infer_.list_of(element)), std::move(elements));
  return call_named(e, e.name == "greatest" ? "math.greatest" : "math.least", false, {list});
}

}  // namespace ordain::checking
