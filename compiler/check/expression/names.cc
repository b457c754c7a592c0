// names.cc resolves names: variables of macros, roots, lets and types, in the container or beyond.
#include <algorithm>
#include <iterator>

#include "compiler/check/expression/checker.h"

namespace ordain::checking {
namespace {

struct TypeName {
  std::string_view name;
  const Type* type;
};
const Type* const kOneDyn[] = {&types::kDyn};
const Type kOptionalDyn{TypeKind::optional, {}, kOneDyn, nullptr};
// Sorted by name.
const TypeName kTypeNames[] = {
    {"bool", &types::kBool},
    {"bytes", &types::kBytes},
    {"double", &types::kDouble},
    {"duration", nullptr},  // only the name of a function
    {"dyn", nullptr},
    {"google.protobuf.Duration", &types::kDuration},
    {"google.protobuf.Timestamp", &types::kTimestamp},
    {"int", &types::kInt},
    {"list", &types::kListDyn},
    {"map", &types::kMapDyn},
    {"net.CIDR", &types::kCidr},
    {"net.IP", &types::kIp},
    {"null_type", &types::kNull},
    {"optional_type", &kOptionalDyn},
    {"string", &types::kString},
    {"type", &types::kType},
    {"uint", &types::kUint},
};

const TypeName* find_type_name(std::string_view name) {
  auto at = std::lower_bound(std::begin(kTypeNames), std::end(kTypeNames), name,
                             [](const TypeName& type, std::string_view wanted) { return type.name < wanted; });
  return at != std::end(kTypeNames) && at->name == name && at->type != nullptr ? &*at : nullptr;
}

bool is_selection(const Expr& e) { return e.kind == ExprKind::select && !e.optional; }

// @returns whether some name of the map starts with `prefix` and a dot
template <typename Map>
bool any_below(const Map& names, std::string_view prefix) {
  auto at = names.lower_bound(prefix);
  return at != names.end() && std::string_view(at->first).starts_with(prefix);
}

// @returns the number `count` such that the locals that a tree declares are in [0, count)
uint32_t locals_in(const Node& node) {
  uint32_t count = 0;
  if (node.local != kNone) count = node.local + 1;
  if (node.local2 != kNone) count = std::max(count, node.local2 + 1);
  for (const Node* child : node.args) count = std::max(count, locals_in(*child));
  return count;
}

}  // namespace

const ExprChecker::Local* ExprChecker::find_local(std::string_view name) const {
  auto at = std::find_if(locals_.rbegin(), locals_.rend(), [&](const Local& local) { return local.name == name; });
  return at == locals_.rend() ? nullptr : &*at;
}

bool ExprChecker::is_local(const Expr& e) const { return !e.leading_dot && find_local(e.name) != nullptr; }

Node* ExprChecker::local_node(const Expr& e, const Local& local) {
  Node* out = make(NodeKind::local, e, local.type);
  out->local = local.id;
  return out;
}

std::vector<std::string> ExprChecker::candidates(std::string_view name) const {
  std::vector<std::string> out;
  for (std::string_view container = scope_.container; !container.empty();) {
    out.push_back(std::string(container) + "." + std::string(name));
    size_t dot = container.rfind('.');
    container = dot == std::string_view::npos ? std::string_view() : container.substr(0, dot);
  }
  out.emplace_back(name);
  return out;
}

Node* ExprChecker::check_name(const Expr& e) {
  // From the outermost selection to the expression that it starts from.
  std::vector<const Expr*> chain{&e};
  while (is_selection(*chain.back())) chain.push_back(chain.back()->args[0]);
  std::reverse(chain.begin(), chain.end());
  if (chain.front()->kind == ExprKind::ident) return resolve_chain(chain);
  Node* node = check_raw(*chain.front());
  for (size_t i = 1; i < chain.size(); ++i) node = select(*chain[i], node, chain[i]->name, Access::read);
  return node;
}

// The longest prefix that is a name wins; the remaining selections are fields.
Node* ExprChecker::resolve_chain(const std::vector<const Expr*>& chain) {
  const Expr& first = *chain.front();
  Node* node = nullptr;
  size_t used = 1;
  if (is_local(first)) {
    node = local_node(first, *find_local(first.name));
  } else {
    std::string name(first.name);
    std::vector<size_t> ends{name.size()};
    auto qualified = [&](const std::string& candidate) {
      return any_below(scope_.roots, candidate + ".") || any_below(scope_.lets, candidate + ".") ||
             (scope_.states != nullptr && any_below(scope_.states->names, candidate + ".")) ||
             std::any_of(std::begin(kTypeNames), std::end(kTypeNames),
                         [&](const TypeName& type) { return type.name.starts_with(candidate + "."); });
    };
    std::vector<std::string> heads = first.leading_dot ? std::vector{name} : candidates(name);
    if (chain.size() > 1 && std::any_of(heads.begin(), heads.end(), qualified)) {
      for (size_t i = 1; i < chain.size(); ++i) {
        name += '.';
        name += chain[i]->name;
        ends.push_back(name.size());
      }
    }
    for (used = ends.size(); used > 0 && node == nullptr; --used) {
      node = find_name(*chain[used - 1], std::string_view(name).substr(0, ends[used - 1]), first.leading_dot);
    }
    ++used;
    if (node == nullptr) {
      used = 1;
      node = undeclared(first);
    }
  }
  for (size_t i = used; i < chain.size(); ++i) node = select(*chain[i], node, chain[i]->name, Access::read);
  return join_labels(*chain.back(), node);
}

Node* ExprChecker::find_name(const Expr& e, std::string_view name, bool absolute) {
  if (absolute || scope_.container.empty()) return find_name_exactly(e, name);
  for (const std::string& candidate : candidates(name)) {
    if (Node* node = find_name_exactly(e, candidate)) return node;
  }
  return nullptr;
}

Node* ExprChecker::find_name_exactly(const Expr& e, std::string_view name) {
  if (auto root = scope_.roots.find(name); root != scope_.roots.end()) {
    return root_node(e, root->first, root->second);
  }
  if (auto let = scope_.lets.find(name); let != scope_.lets.end()) return let_node(e, *let->second);
  if (scope_.states != nullptr) {
    if (auto state = scope_.states->names.find(name); state != scope_.states->names.end()) {
      return state_node(e, state->second);
    }
  }
  if (const TypeName* type = find_type_name(name)) {
    const Type* of = type->type->kind == TypeKind::type ? type->type : types::type_of(arena_, type->type);
    return constant(e, Value::type(type->name), of);
  }
  return nullptr;
}

Node* ExprChecker::root_node(const Expr& e, std::string_view name, const RootName& root) {
  if (root.unavailable.contains(std::string_view())) {
    error("unavailable-in-stage", e.span, root.unavailable_why, "write the rule in a policy on `after`");
    return error_node(e);
  }
  SlotNode* node = arena_.make<SlotNode>();
  node->kind = NodeKind::slot;
  node->slot_type = static_type(root.type);
  node->type = node->slot_type;
  node->span = e.span;
  node->at = e.at;
  node->root = &root;
  node->path = name;
  node->whole_root = true;
  node->optional = root.type->kind == TypeKind::dyn && !lone_;
  node->builtin = root.builtins.contains(std::string_view());
  return node;
}

Node* ExprChecker::let_node(const Expr& e, const Node& let) {
  uint32_t base = local_count_;
  local_count_ += locals_in(let);
  uint32_t depth = depth_;
  Node* out = clone(let, base);
  depth_ = depth;
  if (out != nullptr) return out;
  if (!too_deep_) error("limit-nesting", e.span, "with its lets in place the expression is nested too deeply");
  too_deep_ = true;
  return error_node(e);
}

// A let's tree may be used in several places, each with variables of its own.
Node* ExprChecker::clone(const Node& node, uint32_t local_base) {
  if (depth_ >= kMaxDepth) return nullptr;
  ++depth_;
  bool is_slot = node.kind == NodeKind::slot || node.kind == NodeKind::has_slot || node.kind == NodeKind::optional_slot;
  Node* out = nullptr;
  if (is_slot && node.slot != kNone) {
    const Slot& slot = scope_.schema->slots[node.slot];
    if (slot.path.starts_with(kStatePrefix)) {
      --depth_;
      SlotNode* copy = state_slot({}, arena_.copy(slot.path), slot.type);
      static_cast<Node&>(*copy) = node;
      copy->optional = slot.optional;
      copy->builtin = slot.builtin;
      return copy;
    }
    std::string_view root_name = slot.path;
    auto root = scope_.roots.find(root_name);
    while (root == scope_.roots.end() && root_name.find('.') != std::string_view::npos) {
      root_name = root_name.substr(0, root_name.rfind('.'));
      root = scope_.roots.find(root_name);
    }
    SlotNode* copy = arena_.make<SlotNode>();
    static_cast<Node&>(*copy) = node;
    copy->root = &root->second;
    copy->path = arena_.copy(slot.path);
    copy->whole_root = root_name == slot.path;
    // The slot of a whole input or output serves all capabilities, whatever they declare.
    copy->slot_type = copy->whole_root ? static_type(copy->root->type) : slot.type;
    copy->optional = copy->whole_root ? copy->root->type->kind == TypeKind::dyn && !lone_ : slot.optional;
    copy->builtin = slot.builtin;
    out = copy;
  } else {
    out = arena_.make<Node>(node);
    if (is_slot) out->kind = NodeKind::fail;  // part of a let that does not apply here
  }
  if (out->local != kNone) out->local += local_base;
  if (out->local2 != kNone) out->local2 += local_base;
  std::vector<Node*> args;
  for (const Node* child : node.args) {
    args.push_back(clone(*child, local_base));
    if (args.back() == nullptr) return nullptr;
  }
  std::span<Node*> copied = arena_.copy(args);
  out->args = {copied.data(), copied.size()};
  --depth_;
  return out;
}

Node* ExprChecker::undeclared(const Expr& e) {
  if (!scope_.checked) return fail_node(e, FaultCode::undeclared_reference, e.name);
  std::vector<std::string> names;
  for (const auto& [name, root] : scope_.roots) names.push_back(name);
  for (const auto& [name, let] : scope_.lets) names.push_back(name);
  if (scope_.states != nullptr) {
    for (const auto& [name, state] : scope_.states->names) names.push_back(name);
  }
  for (const Local& local : locals_) {
    if (!local.name.empty() && local.name[0] != '@') names.emplace_back(local.name);
  }
  std::string help = name_help(e.name);
  if (!help.empty()) {
    error("undeclared-reference", e.at, "there is no `" + std::string(e.name) + "` here", std::move(help));
    return error_node(e);
  }
  std::string near = nearest(e.name, names);
  if (near.empty()) {
    names.clear();
    for (const auto& [name, function] : scope_.functions->all()) names.push_back(name);
    near = nearest(e.name, names);
  }
  if (near == e.name) {
    help = "`" + near + "` is a function: write `" + near + "(...)`";
  } else if (!near.empty()) {
    help = "did you mean `" + near + "`?";
  }
  error("undeclared-reference", e.at, "there is no `" + std::string(e.name) + "` here", std::move(help));
  return error_node(e);
}

}  // namespace ordain::checking
