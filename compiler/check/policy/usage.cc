// usage.cc finds the lets and imports that nothing uses. `ordain lint` reports them.
#include <algorithm>
#include <initializer_list>
#include <string>

#include "compiler/check/policy/checker.h"

namespace ordain::policy {
namespace {

// Adds what the expressions of a test refer to.
void read_test(const State& state, const syntax::TestDecl& test, PackageId package, Reads& reads) {
  const auto read = [&](const syntax::Expr* value) {
    if (value != nullptr) collect_reads(state, *value, package, reads);
  };
  for (const syntax::TestStep& step : test.steps) {
    for (const syntax::FieldInit& field : step.call.input) read(field.value);
    for (const syntax::Binding& binding : step.call.with) read(binding.value);
    read(step.call.like);
    read(step.call.returns);
    read(step.let.value);
    for (const syntax::RowDecl& row : step.rows.rows) {
      for (const syntax::Expr* value : row.values) read(value);
    }
  }
}

// Rules of the other kinds have marked their lets already.
void mark_lets_of_tests_and_states(State& state) {
  for (uint32_t file = 0; file < state.files.size(); ++file) {
    Reads reads;
    const PackageId package = state.file_packages[file];
    const auto read = [&](std::initializer_list<const syntax::Expr*> values) {
      for (const syntax::Expr* value : values) {
        if (value != nullptr) collect_reads(state, *value, package, reads);
      }
    };
    for (const syntax::TestDecl& test : state.files[file].tests) read_test(state, test, package, reads);
    for (const syntax::StateDecl& decl : state.files[file].states) read({decl.amount, decl.when, decl.settle});
    for (const syntax::PolicyDecl& policy : state.files[file].policies) {
      for (const syntax::LabelRuleDecl& label : policy.label_rules)
        read({label.rule.when, label.rule.because, label.rule.from});
    }
    for (LetId let : let_closure(state, reads)) state.lets[let].referenced = true;
    if (!reads.lets.empty()) state.file_lets[file].insert(reads.lets.begin(), reads.lets.end());
  }
}

// A package without policies and tests is a library: others may use it, in another set.
bool is_library(const State& state, const Package& package) {
  return std::all_of(package.files.begin(), package.files.end(), [&](uint32_t file) {
    return state.files[file].policies.empty() && state.files[file].tests.empty();
  });
}

// Everything but a let has an effect whether or not somebody names it.
bool brings_only_lets(const State& state, const ResolvedImport& import) {
  return std::all_of(import.brings.begin(), import.brings.end(), [&](uint32_t file) {
    const syntax::File& brought = state.files[file];
    return brought.policies.empty() && brought.tests.empty() && brought.capabilities.empty() &&
           brought.contexts.empty() && brought.imports.empty() && brought.options.empty() && brought.states.empty() &&
           brought.labels.empty() && !brought.lets.empty();
  });
}

// Whether a file names a let of one of these files. Files of one package see each other's lets, so an
// import within a package serves all of it.
bool uses_lets_of(const State& state, const ResolvedImport& import) {
  const PackageId package = state.file_packages[import.file];
  const auto serves = [&](uint32_t file) {
    return file == import.file || (state.file_packages[file] == package &&
                                   std::any_of(import.brings.begin(), import.brings.end(), [&](uint32_t brought) {
                                     return state.file_packages[brought] == package;
                                   }));
  };
  for (const auto& [file, lets] : state.file_lets) {
    if (!serves(file)) continue;
    for (LetId let : lets) {
      const uint32_t from = state.lets[let].decl->name.span.file;
      if (std::find(import.brings.begin(), import.brings.end(), from) != import.brings.end()) return true;
    }
  }
  return false;
}

}  // namespace

void find_unused(State& state) {
  mark_lets_of_tests_and_states(state);
  for (const Let& let : state.lets) {
    if (!let.reads.lets.empty())
      state.file_lets[let.decl->name.span.file].insert(let.reads.lets.begin(), let.reads.lets.end());
    if (let.referenced || is_library(state, state.packages[let.package])) continue;
    state.set.unused_lets.push_back({std::string(let.bare), let.decl->name.span});
  }
  for (const ResolvedImport& import : state.imports) {
    if (import.brings.empty() || !brings_only_lets(state, import) || uses_lets_of(state, import)) continue;
    state.set.unused_imports.push_back({std::string(import.decl->path.text), import.decl->path.span});
  }
}

}  // namespace ordain::policy
