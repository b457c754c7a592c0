// These tests cover the native function that answers for all rules of a capability. Where it
// exists, it must give the same answer as trying the rules, or leave the call to them.
#include <gtest/gtest.h>

#include "ordain/decide.h"
#include "tests/support/evaluators.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

const char* const kActs = R"(
context { agent { level: int } }
capability act { input { n: int, m: int, s: string, limit: optional(int), l: list(int) } output { t: string } }
)";

std::unique_ptr<Compiled> rules(std::initializer_list<std::string> packages) {
  std::vector<std::shared_ptr<const Source>> sources;
  for (const std::string& package : packages) {
    const std::string name = "p" + std::to_string(sources.size());
    const std::string declared = sources.empty() ? kActs : "";
    sources.push_back(
        std::make_shared<Source>(Source{name + ".policy", "package " + name + ";\n" + declared + package}));
  }
  auto out = compile_everywhere(std::move(sources));
  EXPECT_NE(out->native, nullptr) << render(out->diagnostics);
  return out;
}

[[maybe_unused]] bool has_answer(const Compiled& compiled, Stage stage = Stage::before) {
  return native_code_of(*compiled.native).answer(compiled.native->resolve("act").id, stage) != nullptr;
}

// @returns the answers of every evaluator to calls with n and m from -1 to 2, with and without the
// optional fields
std::string answers(Compiled& compiled) {
  std::string out;
  for (int n = -1; n <= 2; ++n) {
    for (int m = -1; m <= 2; ++m) {
      for (const char* more : {"", R"(, "limit": 1)"}) {
        for (const char* agent : {R"({"roles": ["a"]})", R"({"id": "eve", "level": 1})"}) {
          const std::string input = R"({"n": )" + std::to_string(n) + R"(, "m": )" + std::to_string(m) +
                                    R"(, "s": "text", "l": [1, 2])" + more + "}";
          out += decide_everywhere(compiled,
                                   R"({"capability": "act", "input": )" + input + R"(, "agent": )" + agent + "}") +
                 "\n";
        }
      }
    }
  }
  return out;
}

#ifdef ORDAIN_HAS_JIT
TEST(NativeAnswer, IsThereForConditionsThatAreComputedInPlace) {
  for (const char* condition :
       {"input.n > 1", "input.n * 3 + input.m > 2", "input.s == \"text\"", "input.s in [\"a\", \"text\"]",
        "\"a\" in agent.roles", "has(input.limit) && input.limit > input.n", "input.s.startsWith(\"te\")",
        "input.s.contains(agent.id)", "input.n in [1, 2, 5]", "double(input.n) > 0.5",
        "agent.level == input.n || input.m == 2", "10 / input.n > 5 || input.m == 1"}) {
    auto compiled = rules(
        {std::string("policy p on before act { deny d when ") + condition + "; allow a when !(" + condition + "); }"});
    EXPECT_TRUE(has_answer(*compiled)) << condition;
    EXPECT_NE(answers(*compiled), "");
  }
}

TEST(NativeAnswer, IsNotThereForOthers) {
  for (const char* condition : {"input.l.exists(x, x == input.n)", "size(input.s + input.s) > 3",
                                "input.s.matches(\"t.*\")", "input.?limit.orValue(3) == 3"}) {
    auto compiled = rules({std::string("policy p on before act { deny d when ") + condition + "; allow; }"});
    EXPECT_FALSE(has_answer(*compiled)) << condition;
    EXPECT_NE(answers(*compiled), "");
  }
  auto none = rules({"policy p on after act { deny d when input.n > 1; }"});
  EXPECT_FALSE(has_answer(*none));
  EXPECT_TRUE(has_answer(*none, Stage::after));
}
#endif

TEST(NativeAnswer, PackagesCombine) {
  auto compiled = rules({"policy p on before act { allow a when input.n > 0; }",
                         "policy q on before act { deny d when input.m > 1; allow b when input.m > 0; }",
                         "option order = first_match;\n"
                         "policy r on before act { allow c when input.n == 0; deny e when input.m == -1; }"});
  const std::string all = answers(*compiled);
  for (const char* rule : {"p.a", "q.b", "q.d", "r.c", "r.e"}) EXPECT_NE(all.find(rule), std::string::npos) << rule;
}

TEST(NativeAnswer, ApprovalsAndTheirFaultsComeBeforeDenialsThatStandLater) {
  auto compiled =
      rules({"policy p on before act {\n"
             "  require_approval ask when 4 / input.n == 2;\n"
             "  deny d when input.m == 1;\n"
             "  allow a when 4 / input.n == 4;\n"
             "}"});
  const std::string all = answers(*compiled);
  for (const char* part : {"p.ask", "p.d", "p.a", "division_by_zero"}) {
    EXPECT_NE(all.find(part), std::string::npos) << part << "\n" << all;
  }
}

TEST(NativeAnswer, ReasonsObligationsAndFirstMatches) {
  auto compiled =
      rules({"option order = first_match;\n"
             "policy p on before act {\n"
             "  deny d when input.n == 1 because \"it is one\";\n"
             "  deny computed when input.n == 2 because input.s + \"!\";\n"
             "  deny empty when input.n == -1 && input.m == 0 because \"\";\n"
             "  require_approval ask when input.m == 1;\n"
             "  warn w when 4 / input.m == 2 because \"careful\";\n"
             "  redact input.s when input.m == -1;\n"
             "  allow always;\n"
             "  deny never;\n"
             "}"});
  const std::string all = answers(*compiled);
  for (const char* part : {"p.d", "p.computed", "p.empty", "p.ask", "p.always", "redact", "warn"}) {
    EXPECT_NE(all.find(part), std::string::npos) << part << "\n" << all;
  }
  EXPECT_EQ(all.find("p.never"), std::string::npos);
}

TEST(NativeAnswer, ASmallerBudgetIsKept) {
  auto compiled = rules({"policy p on before act { deny d when input.s.contains(\"ex\"); allow; }"});
  Call call(compiled->native);
  call.begin(compiled->native->resolve("act"), Stage::before);
  const Context context(compiled->native);
  Scratch scratch;
  call.set(compiled->native->slot(compiled->native->schema().find_capability("act"), "input.s"), Value::string("text"));
  EXPECT_EQ(decide(call, context, scratch).code, DecisionCode::rule);
  const DecideOptions little{.budget = {.cost = 1}};
  EXPECT_EQ(decide(call, context, scratch, little).code, DecisionCode::budget_exceeded);
}

TEST(NativeAnswer, APackagesBudgetIsItsOwn) {
  const std::string event =
      R"({"capability": "act", "input": {"n": 1, "m": 1, "s": "text", "l": []}, "agent": {"level": 1}})";
  const std::string refuse = "policy p on before act { deny d when input.s.contains(\"ex\"); allow; }";
  const std::string little = decide_everywhere(*rules({"option budget = 1;\n" + refuse}), event);
  EXPECT_NE(little.find("budget_exceeded"), std::string::npos) << little;

  auto enough = rules({"option budget = 1000000;\n" + refuse});
  Call call(enough->native);
  call.begin(enough->native->resolve("act"), Stage::before);
  const Context context(enough->native);
  Scratch scratch;
  call.set(enough->native->slot(enough->native->schema().find_capability("act"), "input.s"), Value::string("text"));
  EXPECT_EQ(decide(call, context, scratch, {.budget = {.cost = 1}}).code, DecisionCode::rule);

  const std::string both =
      decide_everywhere(*rules({"option budget = 1;\npolicy p on before act { allow a when input.s.contains(\"ex\"); }",
                                "policy q on before act { allow b when input.s.contains(\"ex\"); }"}),
                        event);
  EXPECT_NE(both.find("q.b"), std::string::npos) << both;
  EXPECT_EQ(both.find("p.a"), std::string::npos) << both;
}

}  // namespace
}  // namespace ordain
