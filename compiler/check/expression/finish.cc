// finish.cc is the checker's last pass over an expression: it replaces type variables, numbers the
// slots, and determines which nodes may fault.
#include "compiler/check/expression/checker.h"

namespace ordain::checking {

typed::Expression ExprChecker::finish(const Expr& e, Node* root, const Type* expected) {
  if (expected != nullptr && expected->kind == TypeKind::string) id_of_root(root);
  if (expected != nullptr && scope_.checked && !infer_.assignable(root->type, expected)) {
    std::string help;
    if (expected->kind == TypeKind::string) help = conversion_help(e, infer_.shallow(root->type));
    if (expected->kind == TypeKind::duration) {
      bool text = root->kind == NodeKind::constant && root->value.is(Kind::string);
      help = text ? "write it without quotes: `30m`" : "write a duration such as `30m`, `2h` or `45s`";
    }
    error("type-mismatch", e.span, "expected " + to_string(*expected) + ", this is " + describe(root->type),
          std::move(help));
    note_let(e, *root);
    root->type = &types::kError;
  }
  deduced_ = infer_.deduced(root->type);
  local_faults_.assign(local_count_, false);
  settle(*root);
  return {root, local_count_};
}

// Recursion is bounded, because check() refuses expressions that are nested too deeply.
void ExprChecker::settle(Node& node) {
  for (size_t i = 0; i < node.args.size(); ++i) {
    settle(*node.args[i]);
    if (node.kind == NodeKind::let && i == 0) local_faults_[node.local] = node.args[0]->may_fault;
  }
  node.type = infer_.proven(node.type);
  switch (node.kind) {
    case NodeKind::slot:
    case NodeKind::has_slot:
    case NodeKind::optional_slot:
      settle_slot(static_cast<SlotNode&>(node));
      break;
    case NodeKind::local:
      node.may_fault = local_faults_[node.local];
      break;
    default:
      break;
  }
  node.may_fault = may_fault(node);
}

void ExprChecker::settle_slot(SlotNode& node) {
  settle_state(node);
  if (node.slot == kNone && intern_ && scope_.schema != nullptr) {
    // The input or output as a whole has one slot for all capabilities, so that what reads nothing
    // else of them is the same for all.
    const bool of_call = node.whole_root && !lone_ && (node.path == "input" || node.path == "output");
    const Type* type = of_call ? &types::kDyn : node.slot_type;
    node.slot = intern_slot(*scope_.schema, node.path, type, node.optional, *node.root, node.builtin);
    register_state(node);
  }
  if (node.kind != NodeKind::slot) return;
  TypeKind kind = node.slot_type->kind;
  bool has_default = node.builtin && (kind == TypeKind::string || kind == TypeKind::list);
  // Input that does not fit is refused before any rule runs, but a call in the after stage may lack
  // its output.
  bool may_lack = node.optional || std::string_view(node.path).starts_with("output");
  node.may_fault = lone_ || may_lack || kind == TypeKind::record || (node.root->host && !has_default);
}

}  // namespace ordain::checking

namespace ordain {

constinit const Type kRiskType{TypeKind::floating, "risk", {}, nullptr};

SlotId intern_slot(Schema& schema, std::string_view path, const Type* type, bool optional, const RootName& root,
                   bool builtin) {
  // Search from the last slot, because the expressions of one capability are checked one after the
  // other.
  for (auto id = static_cast<SlotId>(schema.slots.size()); id-- > 0;) {
    Slot& slot = schema.slots[id];
    if (slot.path != path || slot.type->name != type->name || !same_type(*slot.type, *type)) continue;
    slot.optional = slot.optional || optional;
    return id;
  }
  Slot slot;
  slot.path = path;
  slot.type = type;
  slot.bank = root.bank;
  slot.index = schema.slot_count[static_cast<size_t>(root.bank)]++;
  slot.optional = optional;
  slot.host = root.host;
  slot.builtin = builtin;
  schema.slots.push_back(std::move(slot));
  return static_cast<SlotId>(schema.slots.size() - 1);
}

typed::Expression check_in_scope(Arena& arena, Diagnostics& diagnostics, const Scope& scope,
                                 const syntax::Expr& expression, const Type* expected,
                                 std::vector<MissingField>* missing) {
  return checking::ExprChecker(arena, diagnostics, scope, missing, false).run(expression, expected);
}

}  // namespace ordain
