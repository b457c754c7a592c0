// These tests cover which conditions are reported as never true or never false. The tests of
// differential/truth_test.cc show that no report is wrong.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "ordain/compile.h"
#include "ordain/stdlib.h"

namespace ordain {
namespace {

constexpr const char* kHead =
    "capability act { input { s: string, t: string, n: int, d: double, f: bool, x: dyn, o: optional(int), tags: "
    "list(string) } }\npolicy p on before act { deny when ";

// @returns the codes of the warnings about a condition
std::vector<std::string> found(const std::string& condition) {
  const Compilation compiled =
      compile({std::make_shared<Source>(Source{"p.policy", kHead + condition + "; }"})}, standard_library());
  EXPECT_NE(compiled.program, nullptr) << render(compiled.diagnostics);
  std::vector<std::string> out;
  for (const Diagnostic& item : compiled.diagnostics.items) out.push_back(item.code);
  std::sort(out.begin(), out.end());
  return out;
}

using Found = std::vector<std::string>;

TEST(Conditions, ThatAreNeverTrue) {
  for (const char* condition : {
           "input.s == \"a\" && input.s == \"b\"",
           "input.s == \"a\" && input.s != \"a\"",
           "input.s in [\"a\", \"b\"] && input.s == \"c\"",
           "input.s in [\"a\", \"b\"] && !(input.s in [\"a\", \"b\", \"c\"])",
           "input.s in []",
           "(input.s == \"a\" || input.s == \"b\") && input.s == \"c\"",
           "input.s.startsWith(\"a\") && input.s.startsWith(\"b\")",
           "input.s.startsWith(\"ab\") && !input.s.startsWith(\"a\")",
           "input.s.endsWith(\".a\") && !input.s.contains(\".\")",
           "input.s.startsWith(\"a\") && input.s == \"b\"",
           "input.s.lowerAscii() == \"Admin\"",
           "input.s.upperAscii().startsWith(\"admin\")",
           "input.s.trim() == \" a\"",
           "input.n > 3 && input.n < 4",
           "input.n > 3 && input.n <= 5 && input.n != 4 && input.n != 5",
           "input.n > 9223372036854775807",
           "input.d > 1.5 && !(input.d > 0.5)",
           "input.f && !input.f",
           "input.f == true && input.f != true",
           "has(input.o) && !has(input.o)",
           "input.s == input.t && input.t != input.s",
           "\"a\" in input.tags && !(\"a\" in input.tags)",
           "input.tags.exists(t, t == \"a\" && t == \"b\")",
           "input.f ? input.n < 0 && input.n > 0 : input.s == \"a\" && input.s == \"b\"",
           "cel.bind(v, input.n, v < 0 && v > 0)",
           "now.getHours() == 24",
           "now.getDayOfWeek() > 6",
           "input.s.indexOf(\"x\") < -1",
           "input.x == 1 && input.x == \"a\"",
       }) {
    EXPECT_EQ(found(condition), Found{"never-matches"}) << condition;
  }
}

TEST(Conditions, ThatAreNeverFalse) {
  for (const char* condition : {
           "input.s != \"a\" || input.s != \"b\"",
           "input.s.size() >= 0",
           "input.n >= 0 || input.n < 5",
           "!(input.n > 3 && input.n < 4)",
           "input.f || !input.f",
           "input.tags.all(t, t.size() >= 0)",
           "has(input.o) || !has(input.o)",
       }) {
    EXPECT_EQ(found(condition), Found{"always-true"}) << condition;
  }
}

TEST(Conditions, PartsWithoutInfluence) {
  EXPECT_EQ(found("input.f || (input.n > 3 && input.n < 3)"), Found{"never-matches"});
  EXPECT_EQ(found("input.f && input.s.size() >= 0"), Found{"always-true"});
  EXPECT_EQ(found("input.f && (input.s == \"a\" || input.n > 3 && input.n < 3)"), Found{"never-matches"});
}

TEST(Conditions, ThatMayBeEither) {
  for (const char* condition : {
           "input.s == \"a\" || input.s == \"b\"",
           "input.s.startsWith(\"a\") && input.s.startsWith(\"ab\")",
           "input.s.startsWith(\"a\") && input.s.endsWith(\"b\")",
           "input.s.contains(\"a\") && input.s.contains(\"b\")",
           "input.s.lowerAscii() == \"admin\" && input.s != \"admin\"",
           "input.s.trim().contains(\" \")",
           "input.d > 3.0 && input.d < 4.0",
           "!(input.d / input.d < 1.0) && !(input.d / input.d >= 1.0)",  // NaN
           "input.tags.exists(t, t == \"a\") && input.tags.exists(t, t == \"b\")",
           "input.tags.all(t, t == \"a\") && input.tags.all(t, t == \"b\")",
           "input.x == 1 || input.x == \"a\"",
           "input.x >= 1 && input.x == 1.0",
           "now.getHours() == 23",
           "duration(input.s).getHours() == 30",
           "true",
       }) {
    EXPECT_EQ(found(condition), Found{}) << condition;
  }
}

}  // namespace
}  // namespace ordain
