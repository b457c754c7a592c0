// typed.cc implements the functions of the typed tree.
#include "compiler/check/expression/typed.h"

namespace ordain::typed {

uint32_t node_count(const Node& node) {
  uint32_t count = 1;
  for (const Node* child : node.args) count += node_count(*child);
  return count;
}

bool is_free_membership(const Node& node, const Schema& schema) {
  if (node.kind != NodeKind::call || node.overload == nullptr || node.overload->id != "in_list") return false;
  const auto slot_type = [&schema](const Node& n) {
    return n.kind == NodeKind::slot ? schema.slots[n.slot].type : nullptr;
  };
  const Node& element = *node.args[0];
  const Node& list = *node.args[1];
  if (const Type* type = slot_type(element); type != nullptr && type->kind == TypeKind::string) {
    return list.kind == NodeKind::constant && list.value.is(Kind::list);
  }
  const Type* type = slot_type(list);
  return element.kind == NodeKind::constant && element.value.is(Kind::string) && type != nullptr &&
         type->kind == TypeKind::list && type->params.size() == 1 && type->params[0]->kind == TypeKind::string;
}

bool is_free_equality(const Node& node, const Schema& schema) {
  const auto string_slot = [&schema](const Node& n) {
    return n.kind == NodeKind::slot && schema.slots[n.slot].type->kind == TypeKind::string;
  };
  const auto string_constant = [](const Node& n) { return n.kind == NodeKind::constant && n.value.is(Kind::string); };
  if (node.kind != NodeKind::equal && node.kind != NodeKind::not_equal) return false;
  const Node& left = *node.args[0];
  const Node& right = *node.args[1];
  return (string_slot(left) && string_constant(right)) || (string_constant(left) && string_slot(right));
}

bool is_constant(const Expression& clause, Kind kind) {
  return clause.root != nullptr && clause.root->kind == NodeKind::constant && clause.root->value.is(kind);
}

bool never_applies(const RuleBody& body) {
  return is_constant(body.when, Kind::boolean) && !body.when.root->value.as_bool();
}

}  // namespace ordain::typed
