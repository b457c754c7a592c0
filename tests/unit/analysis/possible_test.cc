// These tests ask which capabilities could be allowed before anything is known of a call.
#include "ordain/possible.h"

#include <gtest/gtest.h>

#include "tests/unit/runtime/support.h"

namespace ordain::testing {
namespace {

constexpr const char* kPossible = R"(
context { agent { level: int } }
capability a { input { n: int, s: optional(string) } }
capability b { input { n: int } }
capability c { input { n: int } }
capability d { input { n: int } }
capability e { input { n: int } }
capability f { input { n: int } }
capability g { input { n: int } }
capability h { input { n: int } }
policy on_a on before a { deny none when input.n > 0 && has(input.s); allow some when input.n == 5; }
policy on_b on before b { deny all; allow rest; }
policy on_c on before c { deny low when agent.level < 3; allow rest; }
policy on_d on before d { allow chief when agent.level > 8 && input.n > 1; }
policy on_e on before e { require_approval chief when agent.level > 8 || input.n > 1; }
policy on_f on before f { deny big when input.n > 1; }
policy on_g on before g { allow roles when agent.roles.exists(r, r == "ops"); }
policy on_h on before h, other.* { allow late when now > timestamp("2100-01-01T00:00:00Z"); }
)";

bool possible(const std::string& capability, const std::string& agent, const DecideOptions& options = {}) {
  static const std::shared_ptr<const Program> program = compile_text(kPossible);
  Context context(program);
  const Document facts = json(agent);
  context.set_root("agent", facts.root());
  return may_be_allowed(*program, capability, context, options);
}

TEST(Possible, OnlyWhatIsDeniedWhateverIsSentIsImpossible) {
  EXPECT_TRUE(possible("a", R"({"level": 1})"));
  EXPECT_FALSE(possible("b", R"({"level": 9})"));   // denied without a condition
  EXPECT_FALSE(possible("f", R"({"level": 9})"));   // nothing allows it
  EXPECT_FALSE(possible("zz", R"({"level": 9})"));  // no rule speaks of it
  EXPECT_TRUE(possible("h", R"({"level": 9})"));    // the time will come
  EXPECT_TRUE(possible("other.x", R"({"level": 9})"));
}

TEST(Possible, FactsOfTheContextCount) {
  EXPECT_FALSE(possible("c", R"({"level": 2})"));
  EXPECT_TRUE(possible("c", R"({"level": 3})"));
  EXPECT_FALSE(possible("c", "{}"));  // a missing fact denies
  EXPECT_FALSE(possible("d", R"({"level": 8})"));
  EXPECT_TRUE(possible("d", R"({"level": 9})"));
  EXPECT_TRUE(possible("e", R"({"level": 1})"));
  EXPECT_FALSE(possible("g", R"({"level": 1})"));
  EXPECT_TRUE(possible("g", R"({"level": 1, "roles": ["ops"]})"));
}

TEST(Possible, TheHostsDefaultCounts) {
  DecideOptions options;
  options.default_before = Effect::allow;
  EXPECT_TRUE(possible("f", R"({"level": 1})", options));
  EXPECT_TRUE(possible("zz", R"({"level": 1})", options));
  EXPECT_FALSE(possible("b", R"({"level": 1})", options));
}

TEST(Possible, TheFirstMatchIsTheAnswerWhereThePackageSaysSo) {
  const auto program = compile_text(R"(
package p;
option order = first_match;
capability a { input { n: int } }
capability b { input { n: int } }
policy on_a on before a { allow few when input.n < 5; deny rest; }
policy on_b on before b { deny all; allow rest; }
)");
  const Context context(program);
  EXPECT_TRUE(may_be_allowed(*program, "a", context));
  EXPECT_FALSE(may_be_allowed(*program, "b", context));
}

}  // namespace
}  // namespace ordain::testing
