// Scans of long texts for many patterns stay within the default budget, and every evaluator agrees
// on what they cost.
#include <gtest/gtest.h>

#include "bench/secret_patterns.h"
#include "tests/support/evaluators.h"

namespace ordain {
namespace {

constexpr size_t kMebibyte = 1 << 20;

std::unique_ptr<Compiled> scanning(const std::string& rules) {
  const std::string text =
      "package leaks;\ncapability fetch { input {} output { text: string } }\n"
      "policy leaks on after fetch {\n" +
      rules + "}\n";
  auto out = compile_everywhere({std::make_shared<Source>(Source{"leaks.policy", text})});
  EXPECT_NE(out->native, nullptr) << render(out->diagnostics);
  return out;
}

std::string ordinary_text(size_t size) {
  std::string out;
  while (out.size() < size) out += "A line of a report: 17 files, 3 keys and a token of 0123456789abcdef were read. ";
  out.resize(size);
  return out;
}

std::string decided(Compiled& compiled, const std::string& text) {
  return decide_everywhere(
      compiled, R"({"capability": "fetch", "stage": "after", "input": {}, "output": {"text": ")" + text + R"("}})");
}

std::string tests_of(const std::string& text) {
  std::string out;
  for (const std::string_view pattern : bench::kSecretPatterns) {
    if (!out.empty()) out += "\n    || ";
    out += text + ".matches(r'" + std::string(pattern) + "')";
  }
  return out;
}

const char* const kKey = "AKIA0123456789ABCDEF";

TEST(Scans, AMebibyteThroughThirtyPatternsInOneConditionIsWithinTheBudget) {
  ASSERT_EQ(std::size(bench::kSecretPatterns), 30U);
  auto compiled = scanning("  deny leak when texts(output).exists(t, " + tests_of("t") + ");\n");
  const std::string text = ordinary_text(kMebibyte - 20);
  const std::string clean = decided(*compiled, text + std::string(20, ' '));
  EXPECT_EQ(clean.find("deny"), std::string::npos) << clean;
  const std::string found = decided(*compiled, text + kKey);
  EXPECT_NE(found.find("deny by leaks.leak"), std::string::npos) << found;
}

TEST(Scans, AMebibyteThroughThirtyRulesIsWithinTheBudget) {
  std::string rules;
  for (size_t i = 0; i < std::size(bench::kSecretPatterns); ++i) {
    rules += "  deny leak_" + std::to_string(i) + " when output.text.matches(r'" +
             std::string(bench::kSecretPatterns[i]) + "');\n";
  }
  auto compiled = scanning(rules);
  const std::string text = ordinary_text(kMebibyte - 20);
  const std::string clean = decided(*compiled, text + std::string(20, ' '));
  EXPECT_EQ(clean.find("deny"), std::string::npos) << clean;
  const std::string found = decided(*compiled, text + kKey);
  EXPECT_NE(found.find("deny by leaks.leak_0"), std::string::npos) << found;
}

TEST(Scans, PastTheBudgetTheyDeny) {
  auto compiled = scanning("  deny leak when lists.range(60).exists(i, output.text.matches(r'AKIA[0-9A-Z]{16}'));\n");
  const std::string within = decided(*compiled, ordinary_text(kMebibyte / 2));
  EXPECT_EQ(within.find("deny"), std::string::npos) << within;
  const std::string past = decided(*compiled, ordinary_text(kMebibyte));
  EXPECT_NE(past.find("budget_exceeded"), std::string::npos) << past;
}

// A pattern that comes with the call may be made to take long, so it is charged for the worst case.
TEST(Scans, PatternsOfTheCallAreChargedForSimulation) {
  auto compiled = scanning("  deny leak when output.text.matches(output.text);\n");
  const std::string got = decided(*compiled, std::string(1000, 'a'));
  EXPECT_NE(got.find("deny by leaks.leak"), std::string::npos) << got;
  const std::string past = decided(*compiled, std::string(3000, 'a'));
  EXPECT_NE(past.find("budget_exceeded"), std::string::npos) << past;
}

}  // namespace
}  // namespace ordain
