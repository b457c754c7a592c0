// fields.cc checks access to fields: of slots (whose paths grow), and of records and maps as
// values; has(), `.?`, and the guards that a read needs.
#include "compiler/check/expression/checker.h"

namespace ordain::checking {
namespace {

bool is_pending_slot(const Node& node) { return node.kind == NodeKind::slot || node.kind == NodeKind::optional_slot; }

NodeKind value_kind(Access access) {
  switch (access) {
    case Access::test:
      return NodeKind::has_field;
    case Access::optional:
      return NodeKind::select_optional;
    case Access::read:
      break;
  }
  return NodeKind::select;
}

std::string did_you_mean(std::string_view field, const RecordType& record) {
  std::vector<std::string> names;
  for (const RecordField& known : record.fields) names.emplace_back(known.name);
  std::string near = nearest(field, names);
  if (!near.empty()) return "did you mean `" + near + "`?";
  if (names.empty() || names.size() > 6) return "";
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "it has `" : ", `") + name + "`";
  return out;
}

}  // namespace

Node* ExprChecker::select(const Expr& e, Node* operand, std::string_view field, Access access) {
  if (is_error(*operand)) return error_node(e);
  if (operand->kind == NodeKind::slot) {
    SlotNode& slot = static_cast<SlotNode&>(*operand);
    if (slot.state != nullptr && slot.whole_root) return state_member(e, slot, field, access);
  }
  // A quoted name may contain a dot, which a path cannot represent.
  if (scope_.checked && is_pending_slot(*operand) && field.find('.') == std::string_view::npos) {
    SlotNode& slot = static_cast<SlotNode&>(*operand);
    bool dynamic = slot.root->type->kind == TypeKind::dyn && !lone_;
    if (dynamic || slot.slot_type->kind == TypeKind::record) return select_slot(e, slot, field, access);
  }
  return select_value(e, use(operand), field, access);
}

Node* ExprChecker::select_slot(const Expr& e, SlotNode& operand, std::string_view field, Access access) {
  const RootName& root = *operand.root;
  if (operand.whole_root && root.unavailable.contains(field)) {
    error("unavailable-in-stage", e.span, root.unavailable_why, "write the rule in a policy on `after`");
    return error_node(e);
  }
  if (operand.slot_type->kind != TypeKind::record) return extend_slot(e, operand, field, access, &types::kDyn, true);
  const RecordType& record = *operand.slot_type->record;
  if (const RecordField* known = record.find(field)) {
    return extend_slot(e, operand, field, access, known->type, known->optional);
  }
  if (record.open) return extend_slot(e, operand, field, access, &types::kDyn, true);
  return missing_field(e, operand.path, record, field);
}

Node* ExprChecker::extend_slot(const Expr& e, SlotNode& operand, std::string_view field, Access access,
                               const Type* type, bool optional) {
  SlotNode* node = arena_.make<SlotNode>();
  const Type* declared = type;
  type = unlimited(arena_, type);
  bool gives_optional = operand.kind == NodeKind::optional_slot || access == Access::optional;
  node->kind = access == Access::test ? NodeKind::has_slot : gives_optional ? NodeKind::optional_slot : NodeKind::slot;
  node->type = access == Access::test ? &types::kBool : gives_optional ? infer_.optional_of(type) : type;
  if (node->kind == NodeKind::slot) node->declared = declared;
  node->slot_type = type;
  node->span = e.span;
  node->at = e.at;
  node->root = operand.root;
  node->path = arena_.copy(std::string(operand.path) + "." + std::string(field));
  node->optional = operand.optional || optional;
  node->builtin = operand.whole_root && operand.root->builtins.contains(field);
  if (node->kind != NodeKind::slot) return operand.kind == NodeKind::slot ? test_inside(e, operand, node) : node;
  bool dynamic = operand.root->type->kind == TypeKind::dyn;
  node->unguarded = operand.unguarded;
  node->unguarded_at = operand.unguarded_at;
  if (node->unguarded.empty() && optional && !dynamic && !is_present(node->path)) {
    node->unguarded = node->path;
    node->unguarded_at = e.span;
  }
  return node;
}

// has(a.b.c) and a.b.?c test c alone: a.b is read, so it is an error or a fault if it is absent.
Node* ExprChecker::test_inside(const Expr& e, SlotNode& operand, SlotNode* test) {
  use(&operand);
  bool dynamic = operand.root->type->kind == TypeKind::dyn && !lone_;
  bool may_lack = dynamic || (operand.root->host && !operand.builtin);
  if (operand.whole_root || !may_lack || is_present(operand.path)) return test;
  SlotNode* parent = arena_.make<SlotNode>(operand);
  parent->kind = NodeKind::has_slot;
  parent->type = &types::kBool;
  std::string_view last = operand.path.substr(operand.path.rfind('.') + 1);
  Node* absent = operand.root->host ? fail_node(e, FaultCode::missing_context, operand.path)
                                    : fail_node(e, FaultCode::no_such_field, last);
  absent->type = test->type;
  absent->span = operand.span;
  absent->at = operand.at;
  return make(NodeKind::conditional, e, test->type, {parent, test, absent});
}

Node* ExprChecker::select_value(const Expr& e, Node* operand, std::string_view field, Access access) {
  const Type* type = scope_.checked ? infer_.shallow(operand->type) : &types::kDyn;
  const Type* marked = operand->type;
  bool inside_optional = type->kind == TypeKind::optional;
  if (inside_optional) {
    marked = infer_.param(marked, 0);
    type = infer_.shallow(marked);
  }
  const Type* result = &types::kDyn;
  const Type* declared = nullptr;
  if (type->kind == TypeKind::map) {
    result = infer_.param(marked, 1);
  } else if (type->kind == TypeKind::record) {
    const RecordField* known = type->record->find(field);
    if (known == nullptr && !type->record->open) {
      std::string key = access_key(*operand);
      bool named = key.find_first_of("#[") == std::string::npos;  // by fields alone
      return missing_field(e, named ? key : std::string(), *type->record, field);
    }
    if (known != nullptr) {
      bool proven = infer_.proven_kind(marked) != Kind::absent;
      const Type* plain = unlimited(arena_, known->type);
      result = proven ? plain : infer_.unproven(plain);
      if (proven && access == Access::read && !inside_optional) declared = known->type;
    }
    if ((known == nullptr || known->optional) && access == Access::read && !inside_optional) {
      std::string key = access_key(*operand);
      if (key.empty() || !is_present(key + field_step(field))) report_unguarded(e.span, text_of(e.span, field));
    }
  } else if (type->kind == TypeKind::param) {
    infer_.assignable(&types::kDyn, type);
  } else if (!is_dyn_or_error(type)) {
    error("no-fields", e.at, "a value of type " + describe(type) + " has no fields, so no `" + std::string(field) + "`",
          member_help(field));
    return error_node(e);
  }
  const Type* node_type = access == Access::test                          ? &types::kBool
                          : inside_optional || access == Access::optional ? static_type(infer_.optional_of(result))
                                                                          : static_type(result);
  Node* node = make(value_kind(access), e, node_type, {operand});
  node->field = field;
  node->declared = declared;
  return node;
}

Node* ExprChecker::missing_field(const Expr& e, std::string_view path, const RecordType& record,
                                 std::string_view field) {
  if (missing_ != nullptr) {
    std::string_view shown = path.empty() ? record.name : path;
    missing_->push_back({e.at, std::string(shown) + "." + std::string(field), std::string(record.name)});
  } else {
    error("unknown-field", e.at, "`" + std::string(record.name) + "` has no field `" + std::string(field) + "`",
          did_you_mean(field, record));
  }
  return error_node(e);
}

void ExprChecker::report_unguarded(Span span, std::string_view path) {
  size_t dot = path.rfind('.');
  std::string with_mark = dot == std::string_view::npos
                              ? "?" + std::string(path)
                              : std::string(path.substr(0, dot)) + ".?" + std::string(path.substr(dot + 1));
  if (dot == std::string_view::npos) {
    error("unguarded-optional", span, "`" + std::string(path) + "` may be absent",
          "test it before with has(), or read it as an optional, `." + with_mark + "`");
  } else {
    error("unguarded-optional", span, "`" + std::string(path) + "` may be absent",
          "test it before, `has(" + std::string(path) + ") && ...`, or read it as an optional, `" + with_mark + "`");
  }
}

Node* ExprChecker::check_has(const Expr& e) {
  const Expr& argument = *e.args[0];
  if (argument.kind != ExprKind::select || argument.optional) {
    error("invalid-macro", argument.span, "has() takes a field selection", "write `has(input.note)`");
    return error_node(e);
  }
  Node* node = select(argument, check_raw(*argument.args[0]), argument.name, Access::test);
  node->span = e.span;
  return node;
}

}  // namespace ordain::checking
