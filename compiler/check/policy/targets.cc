// targets.cc determines which capabilities a policy applies to.
#include <algorithm>
#include <utility>

#include "compiler/check/policy/checker.h"

namespace ordain::policy {
namespace {

bool is_glob(const syntax::Target& target) { return target.text.find('*') != std::string_view::npos; }

std::vector<std::string> declared_names(const State& state) {
  std::vector<std::string> out;
  for (const Capability& capability : state.set.schema.capabilities) {
    if (capability.declared) out.push_back(capability.name);
  }
  return out;
}

// Makes the capability of an exact target known, whether or not it is declared.
void declare_exact(State& state, const syntax::Target& target, const std::vector<std::string>& declared) {
  std::string name(target.text);
  if (state.capability_ids.contains(name)) return;
  state.diagnostics.warning("undeclared-capability", target.span,
                            "no capability " + quoted(name) + " is declared, so its input is not checked",
                            did_you_mean(name, declared));
  Capability capability;
  capability.name = name;
  state.capability_ids.emplace(std::move(name), static_cast<CapabilityId>(state.set.schema.capabilities.size()));
  state.set.schema.capabilities.push_back(std::move(capability));
  state.shapes.emplace_back();
}

void declare_glob(State& state, const syntax::Target& target) {
  std::string pattern(target.text);
  if (state.glob_ids.contains(pattern)) return;
  if (state.glob_ids.size() == kMaxGlobs) {
    state.diagnostics.error("limit-targets", target.span,
                            "a set of policies may have " + std::to_string(kMaxGlobs) + " different targets with `*`");
    return;
  }
  state.glob_ids.emplace(pattern, static_cast<uint32_t>(state.set.schema.globs.size()));
  state.set.schema.globs.push_back(std::move(pattern));
}

void declare_all(State& state, std::span<const syntax::Target> targets, const std::vector<std::string>& declared) {
  std::set<std::string_view> seen;
  for (const syntax::Target& target : targets) {
    if (!seen.insert(target.text).second) {
      state.diagnostics.warning("duplicate-target", target.span, quoted(target.text) + " stands twice");
    } else if (is_glob(target)) {
      declare_glob(state, target);
    } else {
      declare_exact(state, target, declared);
    }
  }
}

void match_glob(State& state, uint32_t glob) {
  const Schema& schema = state.set.schema;
  std::vector<CapabilityId> matches;
  for (CapabilityId id = 0; id < schema.capabilities.size(); ++id) {
    if (glob_matches(schema.globs[glob], schema.capabilities[id].name)) matches.push_back(id);
  }
  state.glob_matches.push_back(std::move(matches));
}

// @returns the span of the first target with this text, for its warning
Span first_use(const State& state, std::string_view text) {
  for (const syntax::File& file : state.files) {
    for (const syntax::PolicyDecl& policy : file.policies) {
      for (const syntax::Target& target : policy.targets) {
        if (target.text == text) return target.span;
      }
    }
    for (const syntax::StateDecl& decl : file.states) {
      for (const syntax::Target& target : decl.targets) {
        if (target.text == text) return target.span;
      }
    }
  }
  return {};
}

// @returns the nearest declared prefix of a glob: for "payment.*" where "payments.send" is
// declared, "payments.*"
std::string near_glob(const std::string& glob, const std::vector<std::string>& declared) {
  if (!glob.ends_with(".*")) return "";
  std::vector<std::string> prefixes;
  for (const std::string& name : declared) {
    for (size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
      prefixes.push_back(name.substr(0, dot) + ".*");
    }
  }
  return did_you_mean(glob, prefixes);
}

void warn_unmatched(State& state, const std::vector<std::string>& declared) {
  for (uint32_t glob = 0; glob < state.set.schema.globs.size(); ++glob) {
    const std::string& pattern = state.set.schema.globs[glob];
    const auto& matches = state.glob_matches[glob];
    bool any = std::any_of(matches.begin(), matches.end(),
                           [&](CapabilityId id) { return state.set.schema.capabilities[id].declared; });
    if (any || pattern == "*") continue;
    state.diagnostics.warning("target-matches-nothing", first_use(state, pattern),
                              "no declared capability matches " + quoted(pattern), near_glob(pattern, declared));
  }
}

std::unique_ptr<Targets> resolve(State& state, const std::vector<std::string_view>& texts) {
  auto out = std::make_unique<Targets>();
  std::map<CapabilityId, bool> exact;
  for (std::string_view text : texts) {
    out->canonical += std::string(text) + "\n";
    if (auto glob = state.glob_ids.find(std::string(text)); glob != state.glob_ids.end()) {
      out->any_glob = true;
      out->globs.set(glob->second);
      for (CapabilityId id : state.glob_matches[glob->second]) exact.emplace(id, false);
    } else if (auto name = state.capability_ids.find(std::string(text)); name != state.capability_ids.end()) {
      exact[name->second] = true;
    }
  }
  bool any_declared = false;
  for (auto [id, is_exact] : exact) {
    out->matches.push_back({id, is_exact});
    any_declared = any_declared || is_exact || state.set.schema.capabilities[id].declared;
  }
  out->unmatched_only = !any_declared;
  return out;
}

}  // namespace

void declare_targets(State& state) {
  std::vector<std::string> declared = declared_names(state);
  for (const syntax::File& file : state.files) {
    for (const syntax::PolicyDecl& policy : file.policies) declare_all(state, policy.targets, declared);
    for (const syntax::StateDecl& decl : file.states) declare_all(state, decl.targets, declared);
  }
  for (uint32_t glob = 0; glob < state.set.schema.globs.size(); ++glob) match_glob(state, glob);
  warn_unmatched(state, declared);
}

const Targets& targets_of(State& state, std::span<const syntax::Target> targets) {
  std::vector<std::string_view> texts;
  for (const syntax::Target& target : targets) texts.push_back(target.text);
  std::sort(texts.begin(), texts.end());
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  std::string key;
  for (std::string_view text : texts) {
    key += text;
    key += '\n';
  }
  std::unique_ptr<Targets>& known = state.targets[key];
  if (known == nullptr) known = resolve(state, texts);
  return *known;
}

}  // namespace ordain::policy
