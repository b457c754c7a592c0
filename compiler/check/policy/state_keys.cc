// state_keys.cc checks the keys under which states are kept: identities that the host supplies, and fields of calls.
#include <algorithm>
#include <iterator>

#include "compiler/check/policy/checker.h"

namespace ordain::policy {
namespace {

constexpr KeySource kIdentities[] = {KeySource::session, KeySource::agent, KeySource::principal, KeySource::tenant,
                                     KeySource::environment};
constexpr size_t kMostPathKeys = 2;
constexpr std::string_view kGlobalKey = "global";

std::optional<KeySource> identity_named(std::string_view name) {
  for (KeySource source : kIdentities) {
    if (to_string(source) == name) return source;
  }
  return std::nullopt;
}

// Whether the path is of the agent's making.
bool is_chosen_by_agent(std::string_view path) {
  const std::string_view root = path.substr(0, path.find('.'));
  return is_input_or_output(root) || root == "metadata";
}

std::string key_help(std::string_view name) {
  std::vector<std::string> names;
  for (KeySource source : kIdentities) names.emplace_back(to_string(source));
  names.emplace_back(kGlobalKey);
  std::string help = did_you_mean(name, names);
  return help.empty()
             ? "keys are `session`, `agent`, `principal`, `tenant`, `environment`, `global`, and fields such as "
               "`input.customer`"
             : help;
}

// The path as an expression, so that a key means exactly what a rule would read.
syntax::Expr* expression_of(Arena& arena, const syntax::Name& path) {
  std::string_view rest = path.text;
  syntax::Expr* out = nullptr;
  while (true) {
    const size_t dot = rest.find('.');
    auto* next = arena.make<syntax::Expr>();
    next->kind = out == nullptr ? syntax::ExprKind::ident : syntax::ExprKind::select;
    next->span = next->at = path.span;
    next->name = rest.substr(0, dot);
    if (out != nullptr) {
      const std::vector<syntax::Expr*> operand{out};
      const std::span<syntax::Expr*> copied = arena.copy(operand);
      next->args = {copied.data(), copied.size()};
    }
    out = next;
    if (dot == std::string_view::npos) return out;
    rest.remove_prefix(dot + 1);
  }
}

bool is_key_type(const Type& type) {
  return type.kind == TypeKind::string || type.kind == TypeKind::integer || type.kind == TypeKind::unsigned_integer ||
         type.kind == TypeKind::boolean || type.kind == TypeKind::dyn;
}

bool is_secret_path(const State& state, CapabilityId capability, std::string_view path) {
  if (capability >= state.set.schema.capabilities.size()) return false;
  const std::vector<std::string>& secrets = state.set.schema.capabilities[capability].secrets;
  return std::find(secrets.begin(), secrets.end(), std::string(path)) != secrets.end();
}

std::optional<typed::StateKey> check_path_key(State& state, PackageId package, const syntax::Name& path, Stage stage,
                                              CapabilityId capability) {
  const size_t before = state.diagnostics.items.size();
  const Scope& scope = scope_of(state, package, stage, capability);
  const syntax::Expr& expression = *expression_of(state.arena, path);
  typed::Expression checked = check_once(state, scope, expression, nullptr, nullptr, nullptr);
  if (checked.root == nullptr || checked.root->type->kind == TypeKind::error) return std::nullopt;
  if (checked.root->kind != typed::NodeKind::slot || !is_key_type(*checked.root->type)) {
    state.diagnostics.error("state-key", path.span,
                            "a key is a field of type string, int, uint or bool; " + quoted(path.text) + " is " +
                                to_string(*checked.root->type));
    forget_repeated(state, before, nullptr);
    return std::nullopt;
  }
  if (is_secret_path(state, capability, path.text)) {
    state.diagnostics.error("state-key", path.span,
                            quoted(path.text) + " is a secret of " +
                                quoted(state.set.schema.capabilities[capability].name) +
                                ", and records show the keys of states");
    forget_repeated(state, before, nullptr);
    return std::nullopt;
  }
  return typed::StateKey{KeySource::path, checked.root->slot, {}};
}

}  // namespace

void declare_keys(State& state, StateId id) {
  const syntax::StateDecl& decl = *state.states[id].decl;
  StateDecl& out = state.set.histories.states[id].decl;
  if (decl.keys.empty()) {
    state.diagnostics.error("state-key", decl.name.span, quoted(decl.name.text) + " does not say by what it is kept",
                            "write `by principal`, another identity, or `by global` where all share it");
    return;
  }
  size_t paths = 0;
  std::set<std::string_view> seen;
  for (const syntax::Name& key : decl.keys) {
    if (!seen.insert(key.text).second) {
      state.diagnostics.error("state-key", key.span, quoted(key.text) + " stands twice");
      continue;
    }
    if (key.text == kGlobalKey) {
      if (decl.keys.size() == 1) return;
      state.diagnostics.error("state-key", key.span, "`global` means that all calls share it, so it stands alone");
      continue;
    }
    if (std::optional<KeySource> identity = identity_named(key.text)) {
      out.keys.push_back(*identity);
      out.key_kinds.push_back(Kind::string);
      continue;
    }
    if (key.text.find('.') == std::string_view::npos) {
      state.diagnostics.error("state-key", key.span, "no key is called " + quoted(key.text), key_help(key.text));
      continue;
    }
    if (++paths > kMostPathKeys) {
      state.diagnostics.error("state-key", key.span, "a key has at most two fields");
      continue;
    }
    out.keys.push_back(KeySource::path);
    out.key_kinds.push_back(Kind::absent);  // until a capability declares the field
  }
  const bool agent_only = std::all_of(decl.keys.begin(), decl.keys.end(),
                                      [](const syntax::Name& key) { return is_chosen_by_agent(key.text); });
  if (agent_only) {
    state.diagnostics.warning(
        "agent-chosen-key", decl.name.span,
        "the agent alone chooses the key of " + quoted(decl.name.text) + ", so it can begin anew under another",
        "add an identity: `by principal, " + std::string(decl.keys.front().text) + "`");
  }
}

std::optional<std::vector<typed::StateKey>> check_keys(State& state, StateId id, Stage stage, CapabilityId capability) {
  const DeclaredState& declared = state.states[id];
  StateDecl& decl = state.set.histories.states[id].decl;
  std::vector<typed::StateKey> out;
  for (const syntax::Name& key : declared.decl->keys) {
    if (key.text == kGlobalKey) continue;
    if (std::optional<KeySource> identity = identity_named(key.text)) {
      const RootName& root = state.stage_roots[0].find(key.text)->second;
      const std::string path = std::string(key.text) + ".id";
      out.push_back({*identity, intern_slot(state.set.schema, path, &types::kString, false, root, true), {}});
      continue;
    }
    if (out.size() == decl.keys.size()) return std::nullopt;  // one was refused
    std::optional<typed::StateKey> part = check_path_key(state, declared.package, key, stage, capability);
    if (!part) return std::nullopt;
    const Kind kind = kind_of(*state.set.schema.slots[part->slot].type);
    if (kind != Kind::absent) decl.key_kinds[out.size()] = kind;
    out.push_back(*part);
  }
  if (out.size() != decl.keys.size()) return std::nullopt;
  return out;
}

}  // namespace ordain::policy
