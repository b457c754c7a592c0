// coercions.cc handles values that stand for others: risk names for numbers, and a root such as
// `environment` for its id.
#include "compiler/check/expression/checker.h"

namespace ordain::checking {
namespace {

bool is_risk(const Type& type) { return type.kind == TypeKind::floating && type.name == kRiskType.name; }

}  // namespace

bool ExprChecker::risk_value(Node& literal) {
  std::string_view word = literal.value.as_text();
  if (const std::optional<Risk> risk = find_risk(word)) {
    literal.value = Value::floating(static_cast<double>(*risk));
    literal.type = &kRiskType;
    return true;
  }
  UnknownRisk unknown = describe_unknown_risk(word, '"');
  error("unknown-risk", literal.span, std::move(unknown.message), std::move(unknown.help));
  literal.type = &types::kError;
  return false;
}

// Turns string literals into numbers in `other`, which is compared with a risk.
void ExprChecker::coerce_risk(Node* other) {
  if (other->kind == NodeKind::constant && other->value.is(Kind::string)) {
    risk_value(*other);
  } else if (other->kind == NodeKind::conditional) {
    coerce_risk(other->args[1]);
    coerce_risk(other->args[2]);
    other->type = other->args[1]->type;
  } else if (other->kind == NodeKind::list && other->optionals.empty()) {
    bool changed = false;
    for (Node* element : other->args) {
      changed = changed || element->kind != NodeKind::constant || element->value.is(Kind::string);
      coerce_risk(element);
    }
    if (!changed) return;
    const Type* element = nullptr;
    for (const Node* arg : other->args) element = merge(element, arg->type);
    other->type = infer_.list_of(element);
  } else if (other->kind == NodeKind::constant && other->value.is(Kind::list)) {
    // The list comes from a let.
    std::vector<Node*> elements;
    for (const Value& value : other->value.as_list()) {
      Node* element = arena_.make<Node>(*other);
      element->value = value;
      element->type = value.is(Kind::string) ? &types::kString : &types::kDyn;
      elements.push_back(element);
    }
    other->kind = NodeKind::list;
    std::span<Node*> copied = arena_.copy(elements);
    other->args = {copied.data(), copied.size()};
    coerce_risk(other);
  }
}

/// Replaces a root that stands for its id by that id. @returns whether it did.
bool ExprChecker::id_of_root(Node*& node) {
  if (!is_id_root(*node)) return false;
  SlotNode& root = static_cast<SlotNode&>(*node);
  syntax::Expr e;
  e.span = root.span;
  e.at = root.at;
  node = use(select_slot(e, root, "id", Access::read));
  return true;
}

bool ExprChecker::is_id_root(const Node& node) const {
  if (node.kind != NodeKind::slot) return false;
  const SlotNode& slot = static_cast<const SlotNode&>(node);
  return slot.whole_root && slot.root->id_for_string && slot.slot_type->kind == TypeKind::record &&
         slot.slot_type->record->find("id") != nullptr;
}

void ExprChecker::coerce_operands(std::string_view function, std::vector<Node*>& args) {
  if (!scope_.checked || args.size() != 2) return;
  bool in = function == "@in";
  bool equality = function == "_==_" || function == "_!=_";
  bool order = function == "_<_" || function == "_<=_" || function == "_>_" || function == "_>=_";
  if (!in && !equality && !order) return;
  // A record equals only records and maps; compared with anything else, its id is meant.
  auto is_record_like = [&](const Type* type) {
    type = infer_.shallow(type);
    if (in && type->kind == TypeKind::list) type = infer_.shallow(type->params[0]);
    return type->kind == TypeKind::record || type->kind == TypeKind::map;
  };
  if (!order && is_id_root(*args[0]) && !is_record_like(args[1]->type)) id_of_root(args[0]);
  if (equality && is_id_root(*args[1]) && !is_record_like(args[0]->type)) id_of_root(args[1]);
  if (is_risk(*infer_.shallow(args[0]->type))) coerce_risk(args[1]);
  if (!in && is_risk(*infer_.shallow(args[1]->type))) coerce_risk(args[0]);
}

/// If no overload accepts the roots themselves, tries their ids.
bool ExprChecker::string_for_roots(std::vector<Node*>& args) {
  bool changed = false;
  for (Node*& arg : args) changed = id_of_root(arg) || changed;
  return changed;
}

}  // namespace ordain::checking

namespace ordain {

UnknownRisk describe_unknown_risk(std::string_view word, char quote) {
  const auto quoted = [quote](std::string_view text) { return quote + std::string(text) + quote; };
  const std::string near = nearest(word, {kRiskNames.begin(), kRiskNames.end()});
  return {quoted(word) + " is not a risk: none, low, medium, high or critical",
          near.empty() ? "" : "did you mean " + quoted(near) + "?"};
}

}  // namespace ordain
