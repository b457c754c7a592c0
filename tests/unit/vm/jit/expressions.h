// expressions.h is shared by tests of native code: expressions over a few typed variables, and
// the full result of an engine.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "compiler/check/expression/check_expression.h"
#include "compiler/emit/emit.h"
#include "compiler/fold/fold.h"
#include "compiler/parse/parse.h"
#include "ordain/decide.h"
#include "ordain/json.h"
#include "ordain/stdlib.h"
#include "vm/program/linked_program.h"

namespace ordain::test {

inline const ExpressionEnv& environment() {
  static Arena arena;
  static const ExpressionEnv env = [] {
    ExpressionEnv out;
    const Type* ints = types::list_of(arena, &types::kInt);
    const Type* doubles = types::list_of(arena, &types::kDouble);
    const Type* map = types::map_of(arena, &types::kString, &types::kInt);
    out.variables = {{"a", &types::kBool},
                     {"b", &types::kBool},
                     {"i", &types::kInt},
                     {"j", &types::kInt},
                     {"u", &types::kUint},
                     {"v", &types::kUint},
                     {"d", &types::kDouble},
                     {"e", &types::kDouble},
                     {"s", &types::kString},
                     {"t", &types::kString},
                     {"l", ints},
                     {"ld", doubles},
                     {"ls", &types::kListString},
                     {"m", map},
                     {"x", &types::kDyn},
                     {"y", &types::kDyn},
                     {"moment", &types::kTimestamp}};
    return out;
  }();
  return env;
}

/// @returns nullptr, with the test failed, if the text does not compile
inline std::shared_ptr<const Program> expression(const std::string& text) {
  Arena arena;
  Diagnostics diagnostics;
  diagnostics.sources.push_back(std::make_shared<Source>(Source{"e.cel", text}));
  const syntax::Expr* parsed = parse_expression(arena, diagnostics, 0);
  if (parsed == nullptr) {
    ADD_FAILURE() << render(diagnostics);
    return nullptr;
  }
  CheckedExpression out = check_expression(arena, diagnostics, *parsed, environment(), standard_library());
  if (diagnostics.has_errors()) {
    ADD_FAILURE() << render(diagnostics);
    return nullptr;
  }
  fold(arena, out.expression);
  auto program = link_program(emit(out.expression, out.schema, diagnostics), standard_library());
  EXPECT_TRUE(program) << text << ": " << (program ? "" : program.error().message);
  return program ? *program : nullptr;
}

using Bindings = std::vector<std::pair<std::string, Value>>;

// @returns the full result of an engine
inline std::string outcome(const std::shared_ptr<const Program>& program, const Bindings& bindings, bool interpret,
                           const Budget& budget) {
  Call call(program);
  Context context(program);
  static Scratch scratch;  // making one costs more than an evaluation
  call.begin(program->resolve(""), Stage::before);
  const auto& slots = program->schema().slots;
  for (const auto& [name, value] : bindings) {
    for (SlotId slot = 0; slot < slots.size(); ++slot) {
      if (slots[slot].path == name) call.set(call.program().slot(slot), value);
    }
  }
  DecideOptions options;
  options.interpret_only = interpret;
  options.budget = budget;
  Value value;
  Fault fault;
  if (evaluate(*program, 0, call, context, scratch, options, &value, &fault)) {
    return std::string(type_name(value.kind)) + " " + to_json(value);
  }
  std::string out = std::string(fault_name(fault.code)) + ": " + fault_message(fault);
  if (fault.location == kNone) return out;
  const Location& at = program->locations()[fault.location];
  return out + " at " + std::to_string(at.line) + ":" + std::to_string(at.column);
}

}  // namespace ordain::test
