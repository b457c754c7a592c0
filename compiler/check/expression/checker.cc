// checker.cc is the core of the expression checker: literals, lists, maps and logic.
#include "compiler/check/expression/checker.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace ordain::checking {

ExprChecker::ExprChecker(Arena& arena, Diagnostics& diagnostics, const Scope& scope, std::vector<MissingField>* missing,
                         bool lone)
    : arena_(arena), diagnostics_(diagnostics), scope_(scope), missing_(missing), lone_(lone), infer_(arena) {}

typed::Expression ExprChecker::run(const Expr& expression, const Type* expected) {
  size_t missing_before = missing_ == nullptr ? 0 : missing_->size();
  Node* root = check(expression);
  intern_ = missing_ == nullptr || missing_->size() == missing_before;
  return finish(expression, root, expected);
}

Node* ExprChecker::make(NodeKind kind, const Expr& e, const Type* type, std::vector<Node*> args) {
  Node* node = arena_.make<Node>();
  node->kind = kind;
  node->type = type;
  node->span = e.span;
  node->at = e.at;
  if (!args.empty()) {
    std::span<Node*> copy = arena_.copy(args);
    node->args = {copy.data(), copy.size()};
  }
  return node;
}

Node* ExprChecker::error_node(const Expr& e) {
  Node* node = make(NodeKind::fail, e, &types::kError);
  node->fault_code = FaultCode::no_such_overload;
  return node;
}

Node* ExprChecker::constant(const Expr& e, Value value, const Type* type) {
  Node* node = make(NodeKind::constant, e, static_type(type));
  node->value = value;
  return node;
}

Node* ExprChecker::fail_node(const Expr& e, FaultCode code, std::string_view detail) {
  Node* node = make(NodeKind::fail, e, &types::kDyn);
  node->fault_code = code;
  node->value = Value::string(arena_.copy(detail));
  return node;
}

Node* ExprChecker::check(const Expr& e) { return use(check_raw(e)); }

Node* ExprChecker::use(Node* node) {
  if (node->kind != NodeKind::slot) return node;
  SlotNode& slot = static_cast<SlotNode&>(*node);
  if (slot.state != nullptr && slot.whole_root) {
    error("state-as-value", slot.span, "`" + std::string(slot.state->name) + "` is not a value by itself",
          "read a member of it, such as `." +
              std::string(slot.state->kind == StateKind::rate     ? "ok"
                          : slot.state->kind == StateKind::budget ? "left"
                                                                  : "seen") +
              "`");
    slot.kind = NodeKind::fail;
    slot.type = &types::kError;
    slot.fault_code = FaultCode::no_such_overload;
    return node;
  }
  if (!slot.unguarded.empty()) {
    report_unguarded(slot.unguarded_at, slot.unguarded);
    slot.unguarded = {};
  }
  return node;
}

Node* ExprChecker::check_raw(const Expr& e) {
  if (depth_ >= kMaxDepth) {
    if (!too_deep_) error("limit-nesting", e.span, "the expression is nested too deeply");
    too_deep_ = true;
    return error_node(e);
  }
  ++depth_;
  Node* out = nullptr;
  switch (e.kind) {
    case ExprKind::literal:
      out = check_literal(e);
      break;
    case ExprKind::ident:
      out = check_name(e);
      break;
    case ExprKind::select:
      out = e.optional ? select(e, check_raw(*e.args[0]), e.name, Access::optional) : check_name(e);
      break;
    case ExprKind::call:
      out = check_call(e);
      break;
    case ExprKind::list:
      out = check_list(e);
      break;
    case ExprKind::map:
      out = check_map(e);
      break;
    case ExprKind::message:
      error("unsupported-message", e.span, "messages cannot be constructed here", "write a map: {\"field\": value}");
      out = error_node(e);
      break;
  }
  --depth_;
  return out;
}

// The type of the values of a data file, which are all of one kind.
const Type* ExprChecker::type_of_data(const Value& list) {
  if (list.aux == 0) return &types::kListDyn;
  switch (list.items[0].kind) {
    case Kind::string:
      return &types::kListString;
    case Kind::integer:
      return types::list_of(arena_, &types::kInt);
    case Kind::unsigned_integer:
      return types::list_of(arena_, &types::kUint);
    case Kind::floating:
      return types::list_of(arena_, &types::kDouble);
    default:
      return types::list_of(arena_, &types::kBool);
  }
}

Node* ExprChecker::check_literal(const Expr& e) {
  switch (e.value.kind) {
    case Kind::null:
      return constant(e, e.value, &types::kNull);
    case Kind::boolean:
      return constant(e, e.value, &types::kBool);
    case Kind::integer:
      return constant(e, e.value, &types::kInt);
    case Kind::unsigned_integer:
      return constant(e, e.value, &types::kUint);
    case Kind::floating:
      return constant(e, e.value, &types::kDouble);
    case Kind::string:
      return constant(e, e.value, &types::kString);
    case Kind::bytes:
      return constant(e, e.value, &types::kBytes);
    case Kind::timestamp:
      return constant(e, e.value, &types::kTimestamp);
    case Kind::duration:
      return constant(e, e.value, &types::kDuration);
    case Kind::list:  // of a data file
      return constant(e, e.value, type_of_data(e.value));
    default:
      return constant(e, e.value, &types::kDyn);
  }
}

const Type* ExprChecker::merge(const Type* so_far, const Type* next) {
  if (so_far == nullptr) return next;
  if (!infer_.assignable(so_far, next)) return &types::kDyn;
  return infer_.join(so_far, next);
}

// @returns the type that a `?` element or entry adds
const Type* ExprChecker::optional_element(const Expr& e, Node* node) {
  const Type* value = infer_.fresh();
  if (!infer_.assignable(node->type, infer_.optional_of(value))) {
    error("type-mismatch", e.span, "after `?` comes an optional, this is " + describe(node->type));
    return &types::kDyn;
  }
  return infer_.shallow(node->type)->kind == TypeKind::optional ? infer_.param(node->type, 0) : &types::kDyn;
}

Node* ExprChecker::check_list(const Expr& e) {
  std::vector<Node*> elements;
  const Type* element = nullptr;
  for (size_t i = 0; i < e.args.size(); ++i) {
    Node* node = check(*e.args[i]);
    elements.push_back(node);
    bool optional = !e.optionals.empty() && e.optionals[i];
    if (scope_.checked) element = merge(element, optional ? optional_element(*e.args[i], node) : node->type);
  }
  if (element == nullptr) element = scope_.checked ? infer_.fresh() : &types::kDyn;
  Node* out = make(NodeKind::list, e, static_type(infer_.list_of(element)), std::move(elements));
  out->optionals = e.optionals;
  return out;
}

Node* ExprChecker::check_map(const Expr& e) {
  std::vector<Node*> parts;
  const Type* key = nullptr;
  const Type* value = nullptr;
  for (size_t i = 0; i + 1 < e.args.size(); i += 2) {
    Node* key_node = check(*e.args[i]);
    Node* value_node = check(*e.args[i + 1]);
    parts.push_back(key_node);
    parts.push_back(value_node);
    if (!scope_.checked) continue;
    bool optional = !e.optionals.empty() && e.optionals[i / 2];
    key = merge(key, key_node->type);
    value = merge(value, optional ? optional_element(*e.args[i + 1], value_node) : value_node->type);
  }
  if (key == nullptr) key = scope_.checked ? infer_.fresh() : &types::kDyn;
  if (value == nullptr) value = scope_.checked ? infer_.fresh() : &types::kDyn;
  Node* out = make(NodeKind::map, e, static_type(infer_.map_of(key, value)), std::move(parts));
  out->optionals = e.optionals;
  return out;
}

bool ExprChecker::require_bool(const Expr& e, const Node& node, std::string_view what) {
  if (!scope_.checked || infer_.assignable(node.type, &types::kBool)) return true;
  error("type-mismatch", e.span, std::string(what) + " must be bool, this is " + describe(node.type));
  note_let(e, node);
  return false;
}

void ExprChecker::note_let(const Expr& e, const Node& node) {
  bool elsewhere = node.span.file != e.span.file || node.span.begin < e.span.begin || node.span.end > e.span.end;
  if (e.kind != ExprKind::ident || !elsewhere) return;
  diagnostics_.items.back().notes.push_back(
      {Severity::note, "", "`" + std::string(e.name) + "` is this", node.span, "", {}});
}

namespace {

constexpr size_t kMostAgain = 16;

bool has_unguarded(const Diagnostics& diagnostics, size_t from) {
  return std::any_of(diagnostics.items.begin() + static_cast<std::ptrdiff_t>(from), diagnostics.items.end(),
                     [](const Diagnostic& item) { return item.code == "unguarded-optional"; });
}

// An operand that reads what an operand after it guards, and what was reported about it.
struct Unguarded {
  size_t operand = 0;
  std::vector<Diagnostic> reports;
};

}  // namespace

Node* ExprChecker::check_logic(const Expr& e) {
  bool is_and = e.name == "_&&_";
  // A run of the same operator is one node however the tree groups it. It may be long, so do not
  // recurse here.
  std::vector<const Expr*> parts;
  std::vector<const Expr*> rest{&e};
  while (!rest.empty()) {
    const Expr* next = rest.back();
    rest.pop_back();
    if (next->kind == ExprKind::call && !next->member && next->name == e.name) {
      for (size_t i = next->args.size(); i-- > 0;) rest.push_back(next->args[i]);
    } else {
      parts.push_back(next);
    }
  }
  std::vector<Node*> operands;
  std::vector<Unguarded> unguarded;
  {
    Section section(*this);
    for (const Expr* part : parts) {
      size_t before = diagnostics_.items.size();
      operands.push_back(check(*part));
      if (!again_ && unguarded.size() < kMostAgain && has_unguarded(diagnostics_, before)) {
        auto first = diagnostics_.items.begin() + static_cast<std::ptrdiff_t>(before);
        unguarded.push_back({operands.size() - 1, {first, diagnostics_.items.end()}});
        diagnostics_.items.erase(first, diagnostics_.items.end());
      }
      require_bool(*part, *operands.back(), is_and ? "an operand of `&&`" : "an operand of `||`");
      assume(*operands.back(), is_and);
    }
  }
  for (Unguarded& found : unguarded) {
    bool guarded_after = std::any_of(operands.begin() + static_cast<std::ptrdiff_t>(found.operand) + 1, operands.end(),
                                     [this](const Node* operand) { return is_sure(*operand); });
    if (guarded_after) {
      operands[found.operand] = check_again(*parts[found.operand], operands, found.operand, is_and);
    } else {
      std::move(found.reports.begin(), found.reports.end(), std::back_inserter(diagnostics_.items));
    }
  }
  return make(is_and ? NodeKind::and_ : NodeKind::or_, e, &types::kBool, std::move(operands));
}

// `input.note == "x" && has(input.note)` never faults: where the note is absent, the test after it
// decides. So an operand may also rely on tests after it, if those cannot fault themselves.
Node* ExprChecker::check_again(const Expr& operand, const std::vector<Node*>& operands, size_t at, bool is_and) {
  Section section(*this);
  for (size_t i = 0; i < operands.size(); ++i) {
    if (i < at || (i > at && is_sure(*operands[i]))) assume(*operands[i], is_and);
  }
  size_t missing = missing_ == nullptr ? 0 : missing_->size();
  again_ = true;
  Node* out = check(operand);
  again_ = false;
  if (missing_ != nullptr) missing_->resize(missing);  // they were found the first time
  return out;
}

Node* ExprChecker::check_not(const Expr& e) {
  Node* operand = check(*e.args[0]);
  require_bool(*e.args[0], *operand, "the operand of `!`");
  return make(NodeKind::not_, e, &types::kBool, {operand});
}

Node* ExprChecker::check_conditional(const Expr& e) {
  Node* condition = check(*e.args[0]);
  require_bool(*e.args[0], *condition, "the condition of `?:`");
  Node* branches[2];
  for (size_t i = 0; i < 2; ++i) {
    Section section(*this);
    assume(*condition, i == 0);
    branches[i] = check(*e.args[i + 1]);
  }
  return conditional(e, condition, branches[0], branches[1]);
}

Node* ExprChecker::conditional(const Expr& e, Node* condition, Node* yes, Node* no) {
  const Type* type = &types::kDyn;
  if (scope_.checked) {
    type = infer_.fresh();
    const Type* branches[] = {yes->type, no->type};
    const Type* wanted[] = {type, type};
    if (is_error(*yes) || is_error(*no)) {
      type = &types::kError;
    } else if (!infer_.assignable(branches, wanted)) {
      error("type-mismatch", e.span,
            "the branches of `?:` have different types: " + describe(yes->type) + " and " + describe(no->type));
      type = &types::kError;
    }
  }
  return make(NodeKind::conditional, e, type, {condition, yes, no});
}

}  // namespace ordain::checking
