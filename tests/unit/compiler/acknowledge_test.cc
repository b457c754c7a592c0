// These tests cover the comments with which authors accept warnings.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "ordain/compile.h"
#include "ordain/stdlib.h"

namespace ordain {
namespace {

constexpr const char* kDeclarations = R"(capability pay { input { amount: double } }
capability read { input { path: string } }
)";

// @returns "warning CODE" for each diagnostic
std::vector<std::string> found(const std::string& text) {
  const Compilation compiled =
      compile({std::make_shared<Source>(Source{"p.policy", kDeclarations + text})}, standard_library());
  std::vector<std::string> out;
  for (const Diagnostic& item : compiled.diagnostics.items) {
    out.push_back((item.severity == Severity::error ? "error " : "warning ") + item.code);
  }
  return out;
}

using Found = std::vector<std::string>;

TEST(Acknowledge, ACommentAcceptsTheWarningsOfTheRuleAfterIt) {
  const std::string rule = "  deny big when input.amount > 9.0;\n";
  EXPECT_EQ(found("policy p on before * {\n" + rule + "}"), Found{"warning rule-not-applied"});
  EXPECT_EQ(
      found("policy p on before * {\n  // ordain: allow(rule-not-applied) only payments have amounts\n" + rule + "}"),
      Found{});
  EXPECT_EQ(found("policy p on before * {\n  //ordain:allow( rule-not-applied )  only payments\n  // and more\n" +
                  rule + "}"),
            Found{});
}

TEST(Acknowledge, OtherRulesAndCodesKeepTheirWarnings) {
  const std::string two = "  deny big when input.amount > 9.0;\n  deny bigger when input.amount > 99.0;\n";
  EXPECT_EQ(found("policy p on before * {\n  // ordain: allow(rule-not-applied) meant\n" + two + "}"),
            Found{"warning rule-not-applied"});
  EXPECT_EQ(found("policy p on before * {\n  // ordain: allow(shadowed) meant\n  deny big when input.amount > 9.0;\n}"),
            (Found{"warning rule-not-applied", "warning unused-acknowledgement"}));
}

TEST(Acknowledge, AHeadIsAStatement) {
  EXPECT_EQ(found("// ordain: allow(undeclared-capability) the host declares it\npolicy p on before send { allow; }"),
            Found{});
  EXPECT_EQ(found("// ordain: allow(never-matches) the head has none\npolicy p on before pay { deny when 1 > 2; }"),
            (Found{"warning never-matches", "warning unused-acknowledgement"}));
}

TEST(Acknowledge, AReasonIsRequired) {
  EXPECT_EQ(found("policy p on before * {\n  // ordain: allow(rule-not-applied)\n  deny when input.amount > 9.0;\n}"),
            (Found{"warning rule-not-applied", "warning bad-acknowledgement"}));
  EXPECT_EQ(found("policy p on before pay {\n  // ordain: ignore shadowed\n  allow;\n}"),
            Found{"warning bad-acknowledgement"});
}

TEST(Acknowledge, ErrorsStay) {
  EXPECT_EQ(found("policy p on before pay {\n  // ordain: allow(unknown-field) meant\n  deny when input.a > 9.0;\n}"),
            Found{"error unknown-field"});
}

TEST(Acknowledge, TextInStringsIsNotAComment) {
  EXPECT_EQ(found("policy p on before pay {\n  allow because \"// ordain: allow(x) y\";\n}"), Found{});
}

}  // namespace
}  // namespace ordain
