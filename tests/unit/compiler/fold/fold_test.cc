// These tests cover constant folding: what is evaluated at compile time, and what must not be.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "compiler/check/expression/check_expression.h"
#include "compiler/emit/emit.h"
#include "compiler/fold/fold.h"
#include "compiler/parse/parse.h"
#include "ordain/decide.h"
#include "ordain/json.h"
#include "ordain/stdlib.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

using typed::Node;
using typed::NodeKind;

struct Folded {
  explicit Folded(const std::string& text, bool checked = true) {
    diagnostics.sources.push_back(std::make_shared<Source>(Source{"e.cel", text}));
    const syntax::Expr* parsed = parse_expression(arena, diagnostics, 0);
    if (parsed == nullptr) return;
    ExpressionEnv env;
    env.checked = checked;
    env.variables = {{"b", &types::kBool}, {"i", &types::kInt}, {"x", &types::kDyn}};
    CheckedExpression out = check_expression(arena, diagnostics, *parsed, env, standard_library());
    if (diagnostics.has_errors()) return;
    fold(arena, out.expression);
    expression = out.expression;
  }
  const Node& root() const { return *expression.root; }
  /// @returns the constant as JSON, or "" if the expression is not a constant
  std::string constant() const {
    if (expression.root == nullptr) return render(diagnostics);
    return root().kind == NodeKind::constant ? to_json(root().value) : "";
  }

  Arena arena;
  Diagnostics diagnostics;
  typed::Expression expression;
};

TEST(Fold, EvaluatesWhatIsConstant) {
  const std::pair<const char*, const char*> cases[] = {
      {"1 + 2 * 3", "7"},
      {"'a' + 'b'", "\"ab\""},
      {"size('hello') > 4", "true"},
      {"dyn(1) + dyn(2)", "3"},
      {"[1, 2 + 3]", "[1,5]"},
      {"{'a': [1, 2]}.a[1]", "2"},
      {"has({'a': 1}.b)", "false"},
      {"1 == 1 && 'a' != 'b'", "true"},
      {"!(1 > 2)", "true"},
      {"true ? 'y' : 'n'", "\"y\""},
      {"cel.bind(n, 2, n * n)", "4"},
      {"cel.block([1, cel.index(0) + 1], cel.index(1))", "2"},
      {"'b' in ['a', 'b']", "true"},
      {"[1, 2] + [3]", "[1,2,3]"},
  };
  for (auto [expression, value] : cases) EXPECT_EQ(Folded(expression).constant(), value) << expression;
}

TEST(Fold, LogicIsDecidedByOneOperandWhateverTheOthersDo) {
  EXPECT_EQ(Folded("x && false").constant(), "false");
  EXPECT_EQ(Folded("1 / 0 > 1 && false").constant(), "false");
  EXPECT_EQ(Folded("1 / 0 > 1 || true").constant(), "true");
  EXPECT_EQ(Folded("'horses' && false", false).constant(), "false");
  EXPECT_EQ(Folded("true && b").root().kind, NodeKind::slot);
  EXPECT_EQ(Folded("false || b || false").root().kind, NodeKind::slot);
  EXPECT_EQ(Folded("true && b && i > 1").root().args.size(), 2u);
  // It is still unknown whether x is a bool.
  Folded untyped("true && x");
  EXPECT_EQ(untyped.root().kind, NodeKind::and_);
  EXPECT_EQ(untyped.root().args.size(), 2u);
  EXPECT_EQ(Folded("'horses' && true", false).root().kind, NodeKind::and_);
}

TEST(Fold, LeavesWhatFaults) {
  const char* faulting[] = {"1 / 0",           "9223372036854775807 + 1", "[1][2]",        "{'a': 1}.b",
                            "{1: 1, 1u: 2}",   "timestamp('nonsense')",   "'a'.charAt(9)", "dyn('a') + 1",
                            "{1.5: 1}[dyn(1)]"};
  for (const char* expression : faulting) {
    Folded folded(expression);
    ASSERT_NE(folded.expression.root, nullptr) << expression << "\n" << render(folded.diagnostics);
    EXPECT_NE(folded.root().kind, NodeKind::constant) << expression;
    EXPECT_TRUE(folded.root().may_fault) << expression;
  }
  // The branch that is not taken disappears, together with its faults.
  EXPECT_EQ(Folded("true ? 1 : 1 / 0").constant(), "1");
  EXPECT_EQ(Folded("cel.bind(n, 1 / 0, true)").root().kind, NodeKind::let);
}

TEST(Fold, KnowsAnewWhatMayFault) {
  Folded list("i in [1, 2]");
  EXPECT_EQ(list.root().args[1]->kind, NodeKind::constant);
  EXPECT_FALSE(list.root().args[1]->may_fault);
  EXPECT_TRUE(list.root().may_fault) << "i may be unbound";
  EXPECT_FALSE(Folded("cel.bind(n, 1 + 1, n == 2)").root().may_fault);
  EXPECT_TRUE(Folded("cel.bind(n, 1 / 0, n == 2)").root().may_fault);
}

TEST(Fold, KeepsTypesAndPlaces) {
  Folded folded("x == dyn(1 + 2)");
  const Node& constant = *folded.root().args[1];
  EXPECT_EQ(constant.kind, NodeKind::constant);
  EXPECT_EQ(constant.type->kind, TypeKind::dyn);
  EXPECT_EQ(constant.span.begin, 5u);
  EXPECT_EQ(constant.span.end, 15u);
}

TEST(Fold, WorkIsBounded) {
  std::string big = "'" + std::string(1000, 'a') + "'";
  std::string doubled = "cel.bind(s, " + big + ", s + s + s + s + s + s + s + s)";
  Folded folded(doubled);
  EXPECT_NE(folded.root().kind, NodeKind::constant) << "8,000 bytes are not made at compile time";
  std::string list = "[0";
  for (int n = 1; n < 2000; ++n) list += ", " + std::to_string(n);
  EXPECT_EQ(Folded(list + "]").root().kind, NodeKind::constant) << "what the author wrote out is a constant";
}

// @returns the result of running an expression: its value, or "fault at line:column"
std::string run_expression(const std::string& text, bool folded, bool checked) {
  Arena arena;
  Diagnostics diagnostics;
  diagnostics.sources.push_back(std::make_shared<Source>(Source{"e.cel", text}));
  const syntax::Expr* parsed = parse_expression(arena, diagnostics, 0);
  if (parsed == nullptr) return render(diagnostics);
  ExpressionEnv env;
  env.checked = checked;
  CheckedExpression out = check_expression(arena, diagnostics, *parsed, env, standard_library());
  if (diagnostics.has_errors()) return render(diagnostics);
  if (folded) fold(arena, out.expression);
  auto program = link_program(emit(out.expression, out.schema, diagnostics), standard_library());
  if (!program) return program.error().message;
  Call call(*program);
  const Context context(*program);
  call.begin((*program)->resolve(""), Stage::before);
  Scratch scratch;
  Value value;
  Fault fault;
  if (evaluate(**program, 0, call, context, scratch, {}, &value, &fault)) return to_json(value);
  const Location at = fault.location == kNone ? Location{} : (*program)->locations()[fault.location];
  return std::string(fault_name(fault.code)) + " at " + std::to_string(at.line) + ":" + std::to_string(at.column);
}

TEST(Fold, MovesNoFault) {
  const char* const kFaulting[] = {
      "cel.bind(n, 2, dyn('a')) && true",
      "cel.bind(n, 2,\n  dyn(n)) || false",
      "true && cel.bind(n, 2,\n  1 / (n - 2) > 1)",
      "cel.bind(n, 2, dyn(n)) ? 1 : 2",
      "cel.bind(n, 2, [n].map(v, dyn(v))[0]) ? 1 : 2",
      "(true ? dyn(1) : false) || false",
      "(true ?\n dyn([1].filter(v, v > 0)[0]) : false) ? 1 : 2",
      "[1].all(x, cel.bind(n, 1, dyn(n)))",
      "[1].filter(x, true ? dyn(x) : dyn(false))",
      "[1].transformMapEntry(i, v, cel.bind(n, 1, dyn(n + v)))",
      "cel.bind(n, 1, dyn(n)).map(x, x)",
      "cel.bind(n, 1,\n dyn([n].map(v, v)[0])).exists(x, x)",
      "[?cel.bind(n, 1, dyn(n))]",
      "[?(true ?\n dyn([3].map(v, v)[0]) : optional.none())]",
      "{cel.bind(n, 1.5, dyn(n)): 1}",
      "{'a': 1, ?'b': cel.bind(n, 1, dyn([n].map(v, v)[0]))}",
      "!cel.bind(n, 1, dyn([n].map(v, v)[0]))",
      "!!dyn(1)",
      "cel.block([1, dyn(cel.index(0))], cel.index(1)) && true",
      "dyn(cel.bind(n, 0, 1 / n)) + 1",
      "cel.bind(n, {'a': 1}, dyn(n).b)",
      "cel.bind(n, dyn(1), n.b)",
      "false || cel.bind(n, 1, dyn(n) + 'a' == 'b')",
      "true && dyn([1].map(v, v)[0])",
      "{1: 2,\n cel.bind(n, 1, [n].map(v, v)[0]): 3}",
      "{1: 2, (true ?\n [1].map(v, v)[0] : 5): 3}",
      "{true: 2, !!([1].all(v, v > 0)): 3}",
  };
  for (const char* text : kFaulting) {
    for (const bool checked : {true, false}) {
      const std::string before = run_expression(text, false, checked);
      EXPECT_NE(before.find(" at "), std::string::npos) << text << ": " << before;
      EXPECT_EQ(before, run_expression(text, true, checked)) << text;
    }
  }
}

}  // namespace
}  // namespace ordain
