// test_scope.cc defines the names that the values of a test may use, and bounds how much values grow
// when names are written out.
#include "compiler/check/policy/test_scope.h"

#include <algorithm>
#include <utility>

#include "compiler/fold/fold.h"

namespace ordain::policy {
namespace {

uint64_t add_sizes(uint64_t a, uint64_t b) { return std::min(kMaxTestNodes + 1, a + b); }

// The nodes of a value, with names written out.
uint64_t written_size(const TestScope& test, const syntax::Expr& value) {
  Reads reads;
  collect_reads(test.state, value, test.package, reads);
  uint64_t size = add_sizes(reads.nodes, 0);
  for (const LetId let : reads.lets) size = add_sizes(size, test.work.let_sizes[let]);
  if (test.fixtures.empty()) return size;
  std::vector<const syntax::Expr*> todo{&value};
  while (!todo.empty()) {
    const syntax::Expr* next = todo.back();
    todo.pop_back();
    if (next->kind == syntax::ExprKind::ident) {
      const auto fixture = test.fixtures.find(next->name);
      if (fixture != test.fixtures.end()) size = add_sizes(size, fixture->second.size);
    }
    for (const syntax::Expr* arg : next->args) {
      if (arg != nullptr) todo.push_back(arg);
    }
  }
  return size;
}

bool is_literal(const syntax::Expr& value) {
  return value.kind == syntax::ExprKind::literal || value.kind == syntax::ExprKind::map ||
         value.kind == syntax::ExprKind::list;
}

// @returns whether the name is free. A package's lets keep their names, because rules and tests
// should not differ in what a name means.
bool is_free(TestScope& test, const syntax::Name& name) {
  const Package& package = test.state.packages[test.package];
  const auto let = package.visible_lets.find(std::string(name.text));
  const auto fixture = test.fixtures.find(name.text);
  if (let == package.visible_lets.end() && fixture == test.fixtures.end()) return true;
  const Span first =
      fixture != test.fixtures.end() ? fixture->second.span : test.state.lets[let->second].decl->name.span;
  test.state.diagnostics.error("duplicate-let", name.span, quoted(name.text) + " is defined twice")
      .notes.push_back({Severity::note, "", "first defined here", first, "", {}});
  return false;
}

// Silences the uses of a name whose value is wrong.
const typed::Node* unknown_node(TestScope& test, Span span) {
  typed::Node* node = test.state.arena.make<typed::Node>();
  node->type = &types::kError;
  node->span = span;
  node->at = span;
  return node;
}

}  // namespace

TestWork measure_lets(const State& state) {
  TestWork out;
  out.let_sizes.resize(state.lets.size());
  std::vector<LetId> ordered(state.lets.size());
  for (LetId id = 0; id < state.lets.size(); ++id) ordered[state.lets[id].order] = id;
  for (const LetId id : ordered) {
    const Reads& reads = state.lets[id].reads;
    out.let_sizes[id] = add_sizes(reads.nodes, 0);
    for (const LetId used : reads.lets) out.let_sizes[id] = add_sizes(out.let_sizes[id], out.let_sizes[used]);
  }
  return out;
}

void open_scope(TestScope& test) {
  State& state = test.state;
  test.scope.schema = &test.schema;
  test.scope.functions = &state.functions;
  test.scope.container = state.packages[test.package].name;
  for (const auto& [name, id] : state.packages[test.package].visible_lets) {
    if (state.lets[id].reads_roots) continue;
    enter_lets(state, test.scope, test.package, Stage::before, state.undeclared(), true, {id}, nullptr);
  }
}

void define_fixture(TestScope& test, const syntax::Name& name, const syntax::Expr* value) {
  if (!is_free(test, name)) return;
  Fixture fixture{.span = name.span};
  const typed::Node* node = nullptr;
  if (value != nullptr && spend(test, value)) {
    typed::Expression checked = check_once(test.state, test.scope, *value, nullptr, nullptr, nullptr);
    if (checked.root != nullptr && checked.root->type->kind != TypeKind::error) fold(test.state.arena, checked);
    node = checked.root;
    const syntax::Expr& literal = literal_of(test, *value);
    fixture.literal = is_literal(literal) ? &literal : nullptr;
    fixture.size = written_size(test, *value);
  }
  test.scope.lets.insert_or_assign(std::string(name.text), node != nullptr ? node : unknown_node(test, name.span));
  test.fixtures.emplace(name.text, fixture);
}

void forget_fixtures(TestScope& test) {
  for (const auto& [name, fixture] : test.fixtures) test.scope.lets.erase(std::string(name));
  test.fixtures.clear();
}

bool spend(TestScope& test, const syntax::Expr* value) {
  return value == nullptr || spend(test, written_size(test, *value));
}

bool spend(TestScope& test, uint64_t nodes) {
  if (nodes <= test.work.left) {
    test.work.left -= nodes;
    return true;
  }
  if (!std::exchange(test.work.exhausted, true)) {
    test.state.diagnostics.error("limit-tests", test.out.span,
                                 "the values of all tests grow past " + std::to_string(kMaxTestNodes) +
                                     " nodes when names are written out, for each row of a table");
  }
  return false;
}

const syntax::Expr& literal_of(const TestScope& test, const syntax::Expr& value) {
  const auto& lets = test.state.packages[test.package].own_lets;
  const syntax::Expr* at = &value;
  while (at->kind == syntax::ExprKind::ident && !at->leading_dot) {
    if (const auto fixture = test.fixtures.find(at->name); fixture != test.fixtures.end()) {
      return fixture->second.literal != nullptr ? *fixture->second.literal : value;
    }
    const auto known = lets.find(at->name);
    if (known == lets.end()) return value;
    const Let& let = test.state.lets[known->second];
    if (let.broken || let.reads_roots) return value;
    at = let.decl->value;
  }
  // A mistake in another value of the package is best shown where the value is used.
  return at == &value || at->kind == syntax::ExprKind::map ? *at : value;
}

const Type* type_of(TestScope& test, const syntax::Expr& value) {
  typed::Expression checked = check_once(test.state, test.scope, value, nullptr, nullptr, nullptr);
  return checked.root != nullptr ? checked.root->type : &types::kError;
}

}  // namespace ordain::policy
