// lets.cc checks lets, which name expressions. A let that reads nothing of the call is checked
// once; a let that reads facts is checked for each scope that uses it, as if it were written there.
#include <algorithm>
#include <utility>

#include "compiler/check/policy/checker.h"
#include "compiler/fold/fold.h"

namespace ordain::policy {
namespace {

void add_let(State& state, PackageId package_id, const syntax::LetDecl& decl) {
  if (decl.value == nullptr) return;
  Package& package = state.packages[package_id];
  bool root =
      is_input_or_output(decl.name.text) ||
      std::any_of(state.roots.begin(), state.roots.end(), [&](const Root& r) { return r.name == decl.name.text; });
  if (root) {
    state.diagnostics.error("reserved-name", decl.name.span, quoted(decl.name.text) + " is a name of the call's facts",
                            "choose another name for this `let`");
    return;
  }
  auto known = package.own_lets.find(decl.name.text);
  if (known != package.own_lets.end()) {
    Diagnostic& error =
        state.diagnostics.error("duplicate-let", decl.name.span, quoted(decl.name.text) + " is defined twice");
    error.notes.push_back(
        {Severity::note, "", "first defined here", state.lets[known->second].decl->name.span, "", {}});
    return;
  }
  Let let;
  let.package = package_id;
  let.bare = decl.name.text;
  let.name = package.name.empty() ? std::string(decl.name.text) : package.name + "." + std::string(decl.name.text);
  let.decl = &decl;
  package.own_lets.emplace(std::string(decl.name.text), static_cast<LetId>(state.lets.size()));
  state.set.lets.push_back(let.name);
  state.lets.push_back(std::move(let));
}

void make_visible(Package& package, std::string name, LetId id) {
  package.first_words.insert(name.substr(0, name.find('.')));
  package.visible_lets.emplace(std::move(name), id);
}

// Adds every name that CEL's rule (container first, then its parents, then bare) resolves to this
// let.
void make_visible_all(Package& package, const Let& let, LetId id) {
  for (std::string container = package.name; !container.empty();) {
    if (let.name.starts_with(container + ".")) make_visible(package, let.name.substr(container.size() + 1), id);
    size_t dot = container.rfind('.');
    container = dot == std::string::npos ? "" : container.substr(0, dot);
  }
  make_visible(package, let.name, id);
}

void report_cycle(State& state, const std::vector<LetId>& trail, LetId back_to) {
  auto from = std::find(trail.begin(), trail.end(), back_to);
  std::string cycle;
  for (auto at = from; at != trail.end(); ++at) {
    state.lets[*at].broken = true;
    cycle += std::string(state.lets[*at].bare) + " -> ";
  }
  cycle += state.lets[back_to].bare;
  state.diagnostics.error("let-cycle", state.lets[back_to].decl->name.span, "these lets refer to each other: " + cycle);
}

// Orders each let after the lets in its value: depth first, with a stack of its own.
void order_lets(State& state) {
  enum : uint8_t { kNew, kOpen, kDone };
  std::vector<uint8_t> state_of(state.lets.size(), kNew);
  uint32_t order = 0;
  for (LetId start = 0; start < state.lets.size(); ++start) {
    if (state_of[start] != kNew) continue;
    std::vector<LetId> trail{start};
    std::vector<size_t> next{0};
    state_of[start] = kOpen;
    while (!trail.empty()) {
      LetId id = trail.back();
      const std::vector<LetId>& uses = state.lets[id].reads.lets;
      if (next.back() == uses.size()) {
        state_of[id] = kDone;
        state.lets[id].order = order++;
        trail.pop_back();
        next.pop_back();
        continue;
      }
      LetId used = uses[next.back()++];
      if (state_of[used] == kOpen) {
        report_cycle(state, trail, used);
      } else if (state_of[used] == kNew) {
        state_of[used] = kOpen;
        trail.push_back(used);
        next.push_back(0);
      }
    }
  }
}

// Counts the parts of a constant, up to `most`. A list whose elements are one shared list is small
// here but large when it is stored.
uint64_t parts_of(const Value& value, uint64_t most) {
  const bool is_list = value.is(Kind::list);
  const uint64_t count = is_list ? value.aux : value.is(Kind::map) ? value.map->count : 0;
  uint64_t parts = 1;
  for (uint64_t i = 0; i < count && parts < most; ++i) {
    parts += parts_of(is_list ? value.items[i] : value.map->entries[i].value, most - parts);
  }
  return parts;
}

// Counts nodes, plus one node for every few parts of constants: those are not copied, but stored
// once more for each list that holds them. At most kMaxExpandedNodes + 1.
uint32_t size_of_tree(const typed::Node& node) {
  constexpr uint64_t kPartsOfNode = 16;
  constexpr uint64_t kMost = kPartsOfNode * kMaxExpandedNodes;
  uint64_t size = 1;
  if (node.kind == typed::NodeKind::constant) size += parts_of(node.value, kMost) / kPartsOfNode;
  for (const typed::Node* child : node.args) {
    if (size > kMaxExpandedNodes) break;
    size += size_of_tree(*child);
  }
  return static_cast<uint32_t>(std::min<uint64_t>(size, kMaxExpandedNodes + 1));
}

// Sums up a let's own properties and those of the lets that it refers to, which precede it in
// `order`.
void sum_up(State& state, Let& let) {
  let.expanded_nodes = let.reads.nodes;
  let.reads_roots = let.reads.reads_state;
  for (const Access& access : let.reads.accesses) {
    let.reads_roots = true;
    let.reads_call = let.reads_call || is_input_or_output(access.root);
  }
  for (LetId id : let.reads.lets) {
    const Let& used = state.lets[id];
    let.reads_roots = let.reads_roots || used.reads_roots;
    let.reads_call = let.reads_call || used.reads_call;
    let.broken = let.broken || used.broken;
    let.expanded_nodes = std::min(kMaxExpandedNodes + 1, let.expanded_nodes + used.expanded_nodes);
  }
  if (let.expanded_nodes > kMaxExpandedNodes && !let.broken) {
    let.broken = true;
    state.diagnostics.error("limit-let", let.decl->name.span,
                            quoted(let.bare) + " grows past " + std::to_string(kMaxExpandedNodes) +
                                " nodes when the lets that it uses are written out");
  }
}

// Makes a node that silences the uses of a let with an error.
const typed::Node* error_node(State& state, const Let& let) {
  typed::Node* node = state.arena.make<typed::Node>();
  node->type = &types::kError;
  node->span = let.decl->value->span;
  node->at = let.decl->value->at;
  return node;
}

// Lets without roots have the same meaning in every scope, so they are kept with the package's
// scope for undeclared capabilities.
CapabilityId scope_capability(const State& state, const Let& let, CapabilityId capability) {
  return let.reads_call ? capability : state.undeclared();
}

const CheckedLet& check_let(State& state, LetId id, Stage stage, CapabilityId capability, bool exact) {
  const Let& let = state.lets[id];
  capability = scope_capability(state, let, capability);
  if (!let.reads_roots) stage = Stage::before;
  if (!let.reads_call) exact = true;
  auto& known = state.checked_lets[{scope_key(state, let.package, stage, capability), exact}];
  auto [found, added] = known.try_emplace(id);
  CheckedLet& checked = found->second;
  if (!added) return checked;
  if (let.broken) {
    checked.node = error_node(state, let);
    return checked;
  }
  Scope& scope = scope_of(state, let.package, stage, capability);
  enter_lets(state, scope, let.package, stage, capability, exact, let.reads.lets, &checked.missing);
  typed::Expression expression =
      check_once(state, scope, *let.decl->value, nullptr, exact ? nullptr : &checked.missing, nullptr);
  if (!let.reads_roots && expression.root != nullptr && expression.root->type->kind != TypeKind::error) {
    fold(state.arena, expression);
  }
  checked.node = expression.root != nullptr ? expression.root : error_node(state, let);
  // What is another let's value already keeps that let's number. No reader shares the tree yet.
  if (checked.node->of_let == kNone) const_cast<typed::Node*>(checked.node)->of_let = id;
  return checked;
}

}  // namespace

void declare_lets(State& state) {
  for (uint32_t file = 0; file < state.files.size(); ++file) {
    for (const syntax::LetDecl& decl : state.files[file].lets) add_let(state, state.file_packages[file], decl);
  }
  for (PackageId id = 0; id < state.packages.size(); ++id) {
    Package& package = state.packages[id];
    for (const auto& [bare, let] : package.own_lets) make_visible_all(package, state.lets[let], let);
    for (PackageId imported : package.imports) {
      if (imported == id) continue;
      for (const auto& [bare, let] : state.packages[imported].own_lets) make_visible_all(package, state.lets[let], let);
    }
  }
}

void check_lets(State& state) {
  for (Let& let : state.lets) collect_reads(state, *let.decl->value, let.package, let.reads);
  order_lets(state);
  std::vector<LetId> ordered(state.lets.size());
  for (LetId id = 0; id < state.lets.size(); ++id) ordered[state.lets[id].order] = id;
  for (LetId id : ordered) {
    Let& let = state.lets[id];
    sum_up(state, let);
    if (let.reads_roots) continue;
    // Users receive a copy of the folded tree.
    const typed::Node& node = *check_let(state, id, Stage::before, state.undeclared(), true).node;
    if (!let.broken) let.expanded_nodes = size_of_tree(node);
  }
}

void enter_lets(State& state, Scope& scope, PackageId package, Stage stage, CapabilityId capability, bool exact,
                const std::vector<LetId>& lets, std::vector<MissingField>* missing) {
  for (LetId id : lets) {
    state.lets[id].used = true;
    const CheckedLet& checked = check_let(state, id, stage, capability, exact);
    if (missing != nullptr) missing->insert(missing->end(), checked.missing.begin(), checked.missing.end());
    const Let& let = state.lets[id];
    if (!state.packages[package].visible_lets.contains(let.name)) continue;  // another let has the name
    scope.lets.insert_or_assign(let.name, checked.node);
    if (let.package == package) scope.lets.insert_or_assign(std::string(let.bare), checked.node);
  }
}

void check_unused_lets(State& state) {
  for (LetId id = 0; id < state.lets.size(); ++id) {
    if (state.lets[id].used || !state.lets[id].reads_roots) continue;
    Reads self;
    self.lets.push_back(id);
    for (LetId used : let_closure(state, self)) check_let(state, used, Stage::after, state.undeclared(), true);
  }
}

}  // namespace ordain::policy
