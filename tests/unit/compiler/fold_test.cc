// Constant folding: what is evaluated at compile time, and what must not be.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "compiler/check.h"
#include "compiler/fold.h"
#include "compiler/parse.h"
#include "ordain/json.h"
#include "ordain/stdlib.h"

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
  /// The constant as JSON, or "" if it is none.
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
  // That x is a bool is still to be seen.
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
  // The branch that is not taken goes, its faults with it.
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

}  // namespace
}  // namespace ordain
