// check_expression checks one CEL expression with variables of its own, for hosts and the
// conformance cases.
#pragma once

#include <string>
#include <vector>

#include "compiler/check/expression/typed.h"
#include "compiler/parse/syntax.h"
#include "ordain/arena.h"
#include "ordain/diagnostic.h"
#include "ordain/function.h"

namespace ordain {

/// A variable or a function that a single expression may use.
struct VariableDecl {
  std::string name;  ///< may be qualified: "a.b.c"
  const Type* type = nullptr;
};
struct ExpressionEnv {
  std::string container;                ///< names are also looked up as container.name, then its parents
  std::vector<VariableDecl> variables;  ///< each becomes a slot with the same path in the call bank
  std::vector<Overload>
      declared_functions;  ///< known to the checker, without implementation: calls fail with no_such_overload
  bool checked = true;     ///< false: all types are dyn; unknown names fault in evaluation
};

struct CheckedExpression {
  typed::Expression expression;
  Schema schema;                      ///< one slot per variable
  const Type* type = &types::kError;  ///< the static type
};

/// Checks one CEL expression.
CheckedExpression check_expression(Arena& arena, Diagnostics& diagnostics, const syntax::Expr& expression,
                                   const ExpressionEnv& env, const FunctionTable& functions);

}  // namespace ordain
