// narrowing.cc determines which nodes may fault.
#include "compiler/check/expression/narrowing.h"

namespace ordain::checking {
namespace {

using typed::Node;
using typed::NodeKind;
using Slots = std::vector<SlotId>;

void slots_of(const Node& node, bool outcome, Facts<SlotId>& out) {
  if (node.kind == NodeKind::has_slot) (outcome ? out.present : out.absent).push_back(node.slot);
}
void assume(Slots& present, const Node& condition, bool outcome) {
  for (SlotId slot : facts_when<SlotId>(condition, outcome, slots_of).present) add_fact(present, slot);
}

bool is(const Node& node, TypeKind kind) { return node.type->kind == kind; }
bool is_map(const Type& type) { return type.kind == TypeKind::map || type.kind == TypeKind::record; }

// Whether a call may create values of this type, which are charged to the memory budget.
bool may_allocate(const Type& type) {
  return !is_scalar(type.kind) && type.kind != TypeKind::null_type && type.kind != TypeKind::type;
}

// Like typed::is_free_membership, derived from the nodes' types: such a membership test is free, so
// it cannot exhaust the budget.
bool is_free_membership(const Node& node) {
  if (node.overload == nullptr || node.overload->id != "in_list") return false;
  const Node& element = *node.args[0];
  const Node& list = *node.args[1];
  if (element.kind == NodeKind::slot && is(element, TypeKind::string)) {
    return list.kind == NodeKind::constant && list.value.is(Kind::list);
  }
  return element.kind == NodeKind::constant && element.value.is(Kind::string) && list.kind == NodeKind::slot &&
         is(list, TypeKind::list) && list.type->params[0]->kind == TypeKind::string;
}

bool is_string_slot(const Node& node) { return node.kind == NodeKind::slot && is(node, TypeKind::string); }
bool is_string_constant(const Node& node) { return node.kind == NodeKind::constant && node.value.is(Kind::string); }

// Whether comparing any value with this one needs no walk that is charged for.
bool is_compared_at_once(const Node& node) {
  if (node.kind == NodeKind::constant) {
    const Value& value = node.value;
    if (value.is(Kind::string) || value.is(Kind::bytes)) return value.aux < 10;
    return !value.is(Kind::list) && !value.is(Kind::map) && !value.is(Kind::optional);
  }
  return !may_allocate(*node.type);
}

// @returns whether the comparison may fault, which only the budget can cause
bool equality_may_fault(const Node& left, const Node& right) {
  if (is_compared_at_once(left) || is_compared_at_once(right)) return false;
  return !(is_string_slot(left) && is_string_constant(right)) && !(is_string_constant(left) && is_string_slot(right));
}

bool call_may_fault(const Node& node) {
  if (is_free_membership(node)) return false;
  const Overload* overload = node.overload;
  if (overload == nullptr || (overload->flags & kNeverFaults) == 0) return true;
  if (overload->cost != nullptr || overload->preparation.cost != nullptr) return true;
  return may_allocate(*overload->result);
}

// @returns whether the node's own operation may fault if its operands have values
bool operation_may_fault(const Node& node) {
  switch (node.kind) {
    case NodeKind::constant:
    case NodeKind::has_slot:
      return false;
    case NodeKind::equal:
    case NodeKind::not_equal:
      return equality_may_fault(*node.args[0], *node.args[1]);
    case NodeKind::slot:
    case NodeKind::local:
      return node.may_fault;  // known from the declaration, or from the variable's value
    case NodeKind::has_field: {
      const Type& operand = *node.args[0]->type;
      return !is_map(operand) && !(operand.kind == TypeKind::optional && is_map(*operand.params[0]));
    }
    case NodeKind::call:
      return call_may_fault(node);
    case NodeKind::and_:
    case NodeKind::or_:
      return std::any_of(node.args.begin(), node.args.end(), [](const Node* n) { return !is(*n, TypeKind::boolean); });
    case NodeKind::not_:
    case NodeKind::conditional:
      return !is(*node.args[0], TypeKind::boolean);
    case NodeKind::let:
      return false;
    case NodeKind::optional_slot:  // the optional takes memory
    case NodeKind::select:
    case NodeKind::select_optional:
    case NodeKind::list:
    case NodeKind::map:
    case NodeKind::loop:
    case NodeKind::fail:
      return true;
  }
  return true;
}

bool faults_given(const Node& node, const Slots& present);

bool child_faults(const Node& child, const Slots& present) {
  if (!child.may_fault || present.empty()) return child.may_fault;
  return faults_given(child, present);
}

bool logic_faults(const Node& node, Slots present) {
  bool going_on = node.kind == NodeKind::and_;
  for (const Node* operand : node.args) {
    if (child_faults(*operand, present)) return true;
    assume(present, *operand, going_on);
  }
  return false;
}

bool conditional_faults(const Node& node, const Slots& present) {
  if (child_faults(*node.args[0], present)) return true;
  for (size_t branch = 1; branch <= 2; ++branch) {
    Slots known = present;
    assume(known, *node.args[0], branch == 1);
    if (child_faults(*node.args[branch], known)) return true;
  }
  return false;
}

bool faults_given(const Node& node, const Slots& present) {
  if (node.kind == NodeKind::slot) {
    return node.may_fault && std::find(present.begin(), present.end(), node.slot) == present.end();
  }
  if (operation_may_fault(node)) return true;
  switch (node.kind) {
    case NodeKind::and_:
    case NodeKind::or_:
      return logic_faults(node, present);
    case NodeKind::conditional:
      return conditional_faults(node, present);
    case NodeKind::let:  // a fault of the variable's value is raised where it is used
      return child_faults(*node.args[1], present);
    default:
      return std::any_of(node.args.begin(), node.args.end(), [&](const Node* n) { return child_faults(*n, present); });
  }
}

}  // namespace

bool may_fault(const Node& node) { return faults_given(node, {}); }

}  // namespace ordain::checking
