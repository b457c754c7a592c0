// check_expression.cc checks one CEL expression with variables of its own, for hosts and the
// conformance cases.
#include <stdexcept>

#include "compiler/check/expression/check_expression.h"
#include "compiler/check/expression/checker.h"

namespace ordain {
namespace {

const Type* copy_type(Arena& arena, const Type& type) {
  Type* out = arena.make<Type>(type);
  out->name = arena.copy(type.name);
  std::vector<const Type*> params;
  for (const Type* param : type.params) params.push_back(copy_type(arena, *param));
  out->params = arena.copy(params);
  return out;
}

// A declaration has either types or a signature to parse.
std::vector<Overload> declared_functions(Arena& arena, Diagnostics& diagnostics, const ExpressionEnv& env) {
  std::vector<Overload> out;
  for (const Overload& declared : env.declared_functions) {
    if (declared.result != nullptr) {
      out.push_back(declared);
      continue;
    }
    FunctionTable table;
    try {
      table.add(declared);
    } catch (const std::invalid_argument& mistake) {
      diagnostics.error("bad-signature", {}, mistake.what());
      continue;
    }
    Overload row = *table.find_overload(declared.id);
    for (const Type*& param : row.params) param = copy_type(arena, *param);
    row.result = copy_type(arena, *row.result);
    out.push_back(std::move(row));
  }
  return out;
}

}  // namespace

CheckedExpression check_expression(Arena& arena, Diagnostics& diagnostics, const syntax::Expr& expression,
                                   const ExpressionEnv& env, const FunctionTable& functions) {
  CheckedExpression out;
  Scope scope;
  scope.schema = &out.schema;
  scope.functions = &functions;
  scope.container = env.container;
  scope.checked = env.checked;
  for (const VariableDecl& variable : env.variables) {
    RootName root;
    root.type = env.checked ? variable.type : &types::kDyn;
    auto [known, added] = scope.roots.emplace(variable.name, std::move(root));
    if (added) intern_slot(out.schema, variable.name, known->second.type, false, known->second, false);
  }
  std::vector<Overload> declared = declared_functions(arena, diagnostics, env);
  for (const Overload& overload : declared) scope.declared_functions.push_back(&overload);
  checking::ExprChecker checker(arena, diagnostics, scope, nullptr, true);
  out.expression = checker.run(expression, nullptr);
  out.type = checker.deduced();
  return out;
}

}  // namespace ordain
