// fields.cc checks access to fields: of slots (whose paths grow), and of records and maps as
// values; has(), `.?`, and the guards that a read needs.
#include <algorithm>

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
  return near.empty() ? "" : "did you mean `" + near + "`?";
}

// Removes the number of a local: "#3.note" is access through a local, and its number means nothing
// to the author.
std::string_view path_for_people(std::string_view path) {
  return path.starts_with('#') ? path.substr(path.find('.') + 1) : path;
}

// A path that is present proves that every prefix of it is present.
void add_with_prefixes(std::string_view path, std::vector<std::string_view>& out) {
  while (true) {
    add_fact(out, path);
    size_t dot = path.rfind('.');
    if (dot == std::string_view::npos) return;
    path = path.substr(0, dot);
  }
}

}  // namespace

Node* ExprChecker::select(const Expr& e, Node* operand, std::string_view field, Access access) {
  if (is_error(*operand)) return error_node(e);
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
    error("unavailable-in-stage", e.span, root.unavailable_why);
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
  bool gives_optional = operand.kind == NodeKind::optional_slot || access == Access::optional;
  node->kind = access == Access::test ? NodeKind::has_slot : gives_optional ? NodeKind::optional_slot : NodeKind::slot;
  node->type = access == Access::test ? &types::kBool : gives_optional ? infer_.optional_of(type) : type;
  node->slot_type = type;
  node->span = e.span;
  node->at = e.at;
  node->root = operand.root;
  node->path = arena_.copy(std::string(operand.path) + "." + std::string(field));
  node->optional = operand.optional || optional;
  node->builtin = operand.whole_root && operand.root->builtins.contains(field);
  if (node->kind != NodeKind::slot) return node;
  bool dynamic = operand.root->type->kind == TypeKind::dyn;
  node->unguarded = operand.unguarded;
  node->unguarded_at = operand.unguarded_at;
  if (node->unguarded.empty() && optional && !dynamic && !is_present(node->path)) {
    node->unguarded = node->path;
    node->unguarded_at = e.span;
  }
  return node;
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
  if (type->kind == TypeKind::map) {
    result = infer_.param(marked, 1);
  } else if (type->kind == TypeKind::record) {
    const RecordField* known = type->record->find(field);
    if (known == nullptr && !type->record->open) return missing_field(e, access_key(*operand), *type->record, field);
    if (known != nullptr) {
      bool proven = infer_.proven_kind(marked) != Kind::absent;
      result = proven ? known->type : infer_.unproven(known->type);
    }
    if ((known == nullptr || known->optional) && access == Access::read && !inside_optional) {
      std::string_view key = access_key(*operand);
      std::string path = std::string(key) + "." + std::string(field);
      if (key.empty() || !is_present(path)) report_unguarded(e.span, key.empty() ? field : path_for_people(path));
    }
  } else if (type->kind == TypeKind::param) {
    infer_.assignable(&types::kDyn, type);
  } else if (!is_dyn_or_error(type)) {
    error("no-fields", e.at,
          "a value of type " + describe(type) + " has no fields, so no `" + std::string(field) + "`");
    return error_node(e);
  }
  const Type* node_type = access == Access::test                          ? &types::kBool
                          : inside_optional || access == Access::optional ? static_type(infer_.optional_of(result))
                                                                          : static_type(result);
  Node* node = make(value_kind(access), e, node_type, {operand});
  node->field = field;
  return node;
}

Node* ExprChecker::missing_field(const Expr& e, std::string_view path, const RecordType& record,
                                 std::string_view field) {
  if (missing_ != nullptr) {
    std::string_view shown = path.empty() ? record.name : path_for_people(path);
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

bool ExprChecker::is_present(std::string_view key) const {
  return std::find(present_.begin(), present_.end(), key) != present_.end();
}

std::string_view ExprChecker::access_key(const Node& node) {
  switch (node.kind) {
    case NodeKind::slot:
      return static_cast<const SlotNode&>(node).path;
    case NodeKind::local:
      return arena_.copy("#" + std::to_string(node.local));
    case NodeKind::select: {
      std::string_view key = access_key(*node.args[0]);
      return key.empty() ? key : arena_.copy(std::string(key) + "." + std::string(node.field));
    }
    default:
      return {};
  }
}

void ExprChecker::keys_of(const Node& node, std::vector<std::string_view>& out) {
  switch (node.kind) {
    case NodeKind::has_slot:
      add_with_prefixes(static_cast<const SlotNode&>(node).path, out);
      return;
    case NodeKind::has_field: {
      std::string_view key = access_key(*node.args[0]);
      if (!key.empty()) add_with_prefixes(arena_.copy(std::string(key) + "." + std::string(node.field)), out);
      return;
    }
    case NodeKind::call: {
      // input.?note.hasValue()
      std::string_view name = node.overload != nullptr   ? std::string_view(node.overload->name)
                              : node.function != nullptr ? std::string_view(node.function->name)
                                                         : std::string_view();
      if (name != "hasValue" || node.args.size() != 1) return;
      const Node& operand = *node.args[0];
      if (operand.kind == NodeKind::optional_slot) {
        add_with_prefixes(static_cast<const SlotNode&>(operand).path, out);
      } else if (operand.kind == NodeKind::select_optional) {
        std::string_view key = access_key(*operand.args[0]);
        if (!key.empty()) add_with_prefixes(arena_.copy(std::string(key) + "." + std::string(operand.field)), out);
      }
      return;
    }
    default:
      return;
  }
}

}  // namespace ordain::checking
