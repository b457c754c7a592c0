// scope.cc builds scopes: the meaning of names in a package's expressions, for a stage and a
// capability.
#include <algorithm>
#include <utility>

#include "compiler/check/policy/checker.h"

namespace ordain::policy {

uint64_t scope_key(const State& state, PackageId package, Stage stage, CapabilityId capability) {
  return (uint64_t{package} * 2 + static_cast<uint64_t>(stage)) * (uint64_t{state.undeclared()} + 1) + capability;
}

Scope& scope_of(State& state, PackageId package, Stage stage, CapabilityId capability) {
  std::unique_ptr<Scope>& scope = state.scopes[scope_key(state, package, stage, capability)];
  if (scope != nullptr) return *scope;
  scope = std::make_unique<Scope>();
  scope->schema = &state.set.schema;
  scope->functions = &state.functions;
  scope->container = state.packages[package].name;
  scope->states = &state.packages[package].state_scope;
  scope->roots = state.stage_roots[static_cast<int>(stage)];
  const CapabilityShape& shape = state.shapes[capability];
  RootName input;
  if (shape.input != nullptr) input.type = shape.input;
  RootName output;
  if (stage == Stage::before) {
    output.unavailable.emplace("");
    output.unavailable_why = "`output` exists only in after rules";
  } else if (shape.output != nullptr) {
    output.type = shape.output;
  }
  scope->roots.emplace("input", std::move(input));
  scope->roots.emplace("output", std::move(output));
  return *scope;
}

void forget_repeated(State& state, size_t from, const Diagnostic* about) {
  std::vector<Diagnostic>& items = state.diagnostics.items;
  auto repeated = [&](const Diagnostic& item) {
    std::string key = item.code + "|" + std::to_string(item.span.file) + ":" + std::to_string(item.span.begin) + "-" +
                      std::to_string(item.span.end) + "|" + item.message;
    return !state.reported.insert(std::move(key)).second;
  };
  auto first = items.begin() + static_cast<std::ptrdiff_t>(from);
  items.erase(std::remove_if(first, items.end(), repeated), items.end());
  if (about == nullptr) return;
  for (size_t i = from; i < items.size(); ++i) items[i].notes.push_back(*about);
}

typed::Expression check_once(State& state, const Scope& scope, const syntax::Expr& expression, const Type* expected,
                             std::vector<MissingField>* missing, const Diagnostic* about) {
  size_t before = state.diagnostics.items.size();
  typed::Expression out = check_in_scope(state.arena, state.diagnostics, scope, expression, expected, missing);
  if (state.diagnostics.items.size() != before) forget_repeated(state, before, about);
  return out;
}

}  // namespace ordain::policy
