// These tests compare oracle, interpreter and native code on the generated families of rule sets,
// at sizes where an index has an effect, on requests that concern the rules and on ragged ones:
// with absent fields, missing context, extremes and unknown values.
#include <gtest/gtest.h>

#include <map>

#include "bench/families.h"
#include "tests/support/evaluators.h"

namespace ordain {
namespace {

using bench::Family;
using bench::Traffic;

std::shared_ptr<const Source> source(const std::string& name, std::string text) {
  return std::make_shared<Source>(Source{name, std::move(text)});
}

// Decides `count` requests of each traffic on every evaluator. @returns how often each effect was
// the answer.
std::map<std::string, size_t> decide_requests(Compiled& compiled, const Family& family, size_t rules, uint64_t seed,
                                              size_t count) {
  std::map<std::string, size_t> effects;
  for (const Traffic traffic : {Traffic::plain, Traffic::ragged}) {
    for (const bench::Request& request : bench::draw_requests(family, rules, seed, count, seed + 77, traffic)) {
      const std::string verdict = decide_everywhere(compiled, bench::event_json(request));
      ++effects[verdict.substr(0, verdict.find(' '))];
      if (testing::Test::HasFailure()) return effects;  // one request is enough
    }
  }
  return effects;
}

struct Size {
  size_t rules;
  size_t seeds;
  size_t requests;  // of each traffic
};

class FamilyOf : public testing::TestWithParam<std::tuple<const Family*, Size>> {};

TEST_P(FamilyOf, EvaluatorsAgree) {
  const auto& [family, size] = GetParam();
  std::map<std::string, size_t> effects;
  for (uint64_t seed = 1; seed <= size.seeds; ++seed) {
    auto compiled = compile_everywhere({source("rules.policy", family->rules(size.rules, seed))});
    ASSERT_NE(compiled->interpreted, nullptr) << render(compiled->diagnostics);
    EXPECT_EQ(compiled->interpreted->rules().size(), size.rules);
    for (const auto& [effect, count] : decide_requests(*compiled, *family, size.rules, seed, size.requests)) {
      effects[effect] += count;
    }
    if (HasFailure()) FAIL() << family->name << ", " << size.rules << " rules, seed " << seed;
  }
  EXPECT_EQ(effects.count("malformed:"), 0u);
  EXPECT_GE(effects.size(), 2u) << "every request had the same answer";
}

std::vector<const Family*> all_families() {
  std::vector<const Family*> out;
  for (const Family& family : bench::families()) out.push_back(&family);
  return out;
}

INSTANTIATE_TEST_SUITE_P(Families, FamilyOf,
                         testing::Combine(testing::ValuesIn(all_families()),
                                          testing::Values(Size{10, 8, 100}, Size{100, 3, 150}, Size{1000, 1, 60})),
                         [](const auto& info) {
                           return std::string(std::get<0>(info.param)->name) + "_" +
                                  std::to_string(std::get<1>(info.param).rules);
                         });

// Packages combine: the second one's rules use the capabilities that the first declares.
TEST(FamiliesTogether, TwoPackagesAgree) {
  const Family& mixed = *bench::find_family("mixed");
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    for (const bool first_match : {false, true}) {
      auto compiled = compile_everywhere({source("first.policy", first_match ? bench::mixed_first_match_rules(60, seed)
                                                                             : bench::mixed_rules(60, seed)),
                                          source("second.policy", bench::mixed_second_package(60, seed))});
      ASSERT_NE(compiled->interpreted, nullptr) << render(compiled->diagnostics);
      EXPECT_EQ(compiled->interpreted->rules().size(), 120u);
      decide_requests(*compiled, mixed, 60, seed, 150);
      if (HasFailure()) FAIL() << "seed " << seed;
    }
  }
}

// Checks the random rules and requests themselves: together they reach every way in which a
// decision can end.
TEST(FamiliesTogether, MixedRequestsMeetEveryOutcome) {
  const Family& mixed = *bench::find_family("mixed");
  std::string all;
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    auto compiled = compile_everywhere({source("rules.policy", mixed.rules(20, seed))});
    ASSERT_NE(compiled->interpreted, nullptr) << render(compiled->diagnostics);
    for (const Traffic traffic : {Traffic::plain, Traffic::ragged}) {
      for (const bench::Request& request : bench::draw_requests(mixed, 20, seed, 150, 1, traffic)) {
        all += decide_everywhere(*compiled, bench::event_json(request)) + "\n";
      }
    }
  }
  for (const char* outcome : {"allow by ", "allow (default)", "deny by ", "deny (default)", "require_approval by ",
                              "deny (missing_context)", "deny (evaluation_error)", "deny (invalid_input)", "; redact ",
                              "; warn ", "division_by_zero", "because for w"}) {
    EXPECT_NE(all.find(outcome), std::string::npos) << outcome;
  }
}

TEST(FamilyText, IsTheSameForTheSameSeedAndGrowsFromTheSmaller) {
  for (const Family& family : bench::families()) {
    EXPECT_EQ(family.rules(50, 3), family.rules(50, 3)) << family.name;
    EXPECT_NE(family.rules(50, 3), family.rules(50, 4)) << family.name;
    const std::string small = family.rules(20, 3), large = family.rules(40, 3);
    // Everything except the end of the policy, and a last rule for the remaining calls.
    const std::string_view begin = std::string_view(small).substr(0, small.size() / 2);
    EXPECT_TRUE(large.starts_with(begin)) << family.name;
  }
}

TEST(FamilyText, FitsAFileAtTheLargestSize) {
  for (const Family& family : bench::families()) {
    if (std::string_view(family.name).starts_with("mixed")) continue;  // too slow at that size
    EXPECT_LT(family.rules(100'000, 1).size(), size_t{16} << 20) << family.name;
  }
}

}  // namespace
}  // namespace ordain
