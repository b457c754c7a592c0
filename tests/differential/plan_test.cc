// These tests check the index on generated rule sets: a decision that follows it equals the
// decision that evaluates every rule, including faults, absent facts and matched rules. They also
// check that its size is proportional to the rules.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "ordain/compile.h"
#include "ordain/stdlib.h"
#include "tests/support/evaluators.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

// Makes rules with every kind of test that the indexer knows, and some that it does not know.
class RandomRules {
 public:
  explicit RandomRules(uint64_t seed) : random_(seed) {}

  std::string policy(int rules, bool first_match, uint32_t budget) {
    std::string out = "package p;\n";
    if (budget != 0) out += fmt::format("option budget = {};\n", budget);
    if (first_match) out += "option order = first_match;\n";
    out +=
        "context { agent { team: string, level: int, since: timestamp, groups: list(string) } }\n"
        "capability act {\n"
        "  input { kind: string, size: int, price: double, count: uint, urgent: bool, note: optional(string),\n"
        "          limit: optional(int), command: string, address: string }\n"
        "}\n"
        "policy r on before act {\n";
    for (int i = 0; i < rules; ++i) {
      out += fmt::format("  {} when {};\n", effect(i), condition(3));
    }
    return out + "}\npolicy g on before * {\n" + fmt::format("  allow g0 when {};\n", on_undeclared()) + "}\n";
  }

  std::string event() {
    std::string input =
        fmt::format(R"("kind": "{}", "size": {}, "price": {}, "count": {}, "urgent": {}, "command": "{}", )", word(),
                    size(), real(), below(5), below(2) == 0 ? "true" : "false", command());
    input += fmt::format(R"("address": "{}")", address());
    if (below(2) == 0) input += fmt::format(R"(, "note": "{}")", word());
    if (below(2) == 0) input += fmt::format(R"(, "limit": {})", below(12));
    std::string agent = fmt::format(R"("roles": [{}])", words());
    if (below(4) != 0) agent += fmt::format(R"(, "team": "{}")", word());
    if (below(4) != 0) agent += fmt::format(R"(, "level": {})", below(12));
    if (below(4) != 0) agent += fmt::format(R"(, "since": "20{}-01-01T00:00:00Z")", 10 + below(20));
    if (below(4) != 0) agent += fmt::format(R"(, "groups": [{}])", words());
    const char* capability = below(5) == 0 ? "other" : "act";
    return fmt::format(R"({{"capability": "{}", "input": {{{}}}, "agent": {{{}}}, "resource": {{"type": "{}"}}}})",
                       capability, input, agent, word());
  }

 private:
  uint64_t below(uint64_t n) { return random_() % n; }
  std::string word() { return fmt::format("w{}", below(6)); }
  std::string words() {
    std::string out;
    for (uint64_t i = below(4); i > 0; --i) out += fmt::format("{}\"{}\"", out.empty() ? "" : ", ", word());
    return out;
  }
  std::string size() {
    static constexpr const char* kFar[] = {"9223372036854775807", "-9223372036854775808", "4611686018427387904", "-7"};
    return below(6) == 0 ? kFar[below(std::size(kFar))] : fmt::format("{}", below(12));
  }
  std::string network() { return fmt::format("10.{}.{}.0", below(2), below(3)); }
  std::string address() {
    static constexpr const char* kOther[] = {"", "::1", "10.0.1", "::ffff:a00:105", "fe80::1%eth0", "nobody"};
    return below(4) == 0 ? kOther[below(std::size(kOther))] : fmt::format("10.{}.{}.{}", below(2), below(3), below(9));
  }
  std::string list() { return fmt::format("[\"{}\", \"{}\"]", word(), word()); }
  std::string real() { return below(8) == 0 ? "-0.0" : fmt::format("{}.5", below(12)); }
  std::string command() {
    static constexpr const char* kParts[] = {"rm -rf", "CURL ", "curl", "| sh", "ls", "x", "\\u017f", "sudo", "k"};
    std::string out;
    for (uint64_t i = below(5); i > 0; --i) out += kParts[below(std::size(kParts))];
    return out;
  }

  std::string from() {
    static constexpr const char* kCounts[] = {"", "any of ", "2 of "};
    if (below(3) == 0) return "";
    return fmt::format(" from {}{}{}", kCounts[below(3)], below(4) == 0 ? "agent.groups" : list(),
                       below(3) == 0 ? " distinct = false" : "");
  }

  std::string effect(int i) {
    switch (below(5)) {
      case 0:
        return fmt::format("deny d{}", i);
      case 1:
        return fmt::format("require_approval q{}{}", i, from());
      case 2:
        return fmt::format("warn v{}", i);
      case 3:
        return fmt::format("redact input.command", i);
      default:
        return fmt::format("allow a{}", i);
    }
  }

  std::string condition(int depth) {
    switch (depth == 0 ? 9 : below(10)) {
      case 0:
        return fmt::format("({} || {})", condition(depth - 1), condition(depth - 1));
      case 1:
        return fmt::format("!({})", condition(depth - 1));
      case 2:
      case 3:
      case 4:
      case 5:
        return fmt::format("({} && {})", condition(depth - 1), condition(depth - 1));
      default:
        return test();
    }
  }

  std::string test() {
    static constexpr const char* kOrders[] = {"<", "<=", ">", ">=", "==", "!="};
    const char* order = kOrders[below(6)];
    const uint64_t low = below(12), high = low + below(5);
    switch (below(31)) {
      case 0:
        return fmt::format("input.kind {} \"{}\"", below(4) == 0 ? "!=" : "==", word());
      case 1:
        return fmt::format("input.kind in {}", list());
      case 2:
        return fmt::format("resource.type == \"{}\"", word());
      case 3:
        return fmt::format("agent.team == \"{}\"", word());
      case 4:
        return fmt::format("\"{}\" in agent.roles", word());
      case 5:
        return fmt::format("\"{}\" in agent.groups", word());
      case 6:
        return fmt::format("agent.roles.exists(r, r == \"{}\")", word());
      case 7:
        return fmt::format("agent.groups.exists(r, r in {})", list());
      case 8:
        return fmt::format("input.size {} {}", order, below(12));
      case 9:
        return fmt::format("{}.5 {} input.price", below(12), order);
      case 10:
        return fmt::format("input.count {} {}u", order, below(5));
      case 11:
        return fmt::format("input.size in [{}, {}, 3]", below(12), below(12));
      case 12:
        return "input.urgent";
      case 13:
        return fmt::format("(has(input.note) && input.note == \"{}\")", word());
      case 14:
        return fmt::format("(has(input.limit) && input.limit {} {})", order, below(12));
      case 15:
        return "has(agent.team)";
      case 16:
        return fmt::format("agent.level {} {}", order, below(12));
      case 17:
        return fmt::format("agent.since {} timestamp(\"20{}-01-01T00:00:00Z\")", order, 10 + below(20));
      case 18:
        return below(2) == 0 ? "input.command.contains(\"rm -rf\")" : "input.command.startsWith(\"curl\")";
      case 19:
        return below(2) == 0 ? "input.command.matches(\"(?i)curl.*\\\\| *sh|sudo\")" : "input.command.endsWith(\"sh\")";
      case 20:
        return fmt::format("input.price == {}", real());
      case 21:
        return fmt::format("(input.size >= {} && input.size <= {})", low, high);
      case 22:
        return fmt::format("(has(input.limit) && input.limit > {} && {} > input.limit)", low, high);
      case 23:
        return fmt::format("({} <= agent.level && agent.level < {})", low, high);
      case 24:
        return fmt::format("cidr(\"{}/{}\").containsIP(input.address)", network(), 8 + 4 * below(7));
      case 25:
        return fmt::format("cidr(\"{}/{}\").containsIP({})", network(), 22 + below(4),
                           below(2) == 0 ? "agent.team" : "resource.type");
      case 26:
        return below(2) == 0 ? "input.command.lowerAscii().contains(\"curl\")"
                             : "input.command.upperAscii().startsWith(\"CURL\")";
      case 27:
        return fmt::format("input.size * {} {} {}", 2 + below(3), order, below(30));
      case 28:
        return fmt::format("{} {} 7 - input.size * 2", below(30), order);
      case 29:
        return fmt::format("input.count * 2u - {}u {} {}u", below(4), order, below(6));
      default:
        return fmt::format("input.size * 3 / (input.size - {}) > 4", below(12));
    }
  }

  std::string on_undeclared() {
    return fmt::format("has(input.kind) && input.kind in {} && input.size > {}", list(), below(12));
  }

  std::mt19937_64 random_;
};

std::shared_ptr<const Source> source(std::string text) {
  return std::make_shared<Source>(Source{"generated.policy", std::move(text)});
}

class GeneratedPlans : public testing::TestWithParam<int> {};

TEST_P(GeneratedPlans, DecideAsIfEveryRuleWereEvaluated) {
  RandomRules random(static_cast<uint64_t>(GetParam()));
  const std::string text =
      random.policy(20 + GetParam() % 5 * 25, GetParam() % 4 == 3, GetParam() % 3 == 2 ? 1 + GetParam() / 4 : 0);
  auto compiled = compile_everywhere({source(text)});
  ASSERT_NE(compiled->interpreted, nullptr) << render(compiled->diagnostics);
  for (int i = 0; i < 60; ++i) {
    decide_everywhere(*compiled, random.event());
    if (HasFailure()) FAIL() << text;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, GeneratedPlans, testing::Range(0, 24));

size_t plan_size(const Program& program) {
  const ProgramData& data = data_of(program);
  return data.index_nodes.size() + data.index_edges.size() + data.index_leaves.size();
}

std::shared_ptr<const Program> program_of(const std::string& rules) {
  auto compiled = compile({source("capability act { input { action: string, size: int } }\n"
                                  "policy r on before act {\n" +
                                  rules + "}\n")},
                          standard_library());
  EXPECT_NE(compiled.program, nullptr) << render(compiled.diagnostics);
  return compiled.program;
}

// Every rule names many values of every test; all combinations would be a thousand times as many as
// the rules.
TEST(IndexSize, StaysLinearForClassHeavyRules) {
  const auto rules = [](int count) {
    std::string out;
    for (int i = 0; i < count; ++i) {
      const auto list = [i](const char* prefix, int from) {
        std::string texts;
        for (int k = 0; k < 10; ++k)
          texts += fmt::format("{}\"{}{}\"", k == 0 ? "" : ", ", prefix, (i * from + k) % 40);
        return "[" + texts + "]";
      };
      out += fmt::format("allow a{} when input.action in {} && resource.type in {} && agent.id in {};\n", i,
                         list("do", 3), list("type", 7), list("agent", 11));
    }
    return out;
  };
  const size_t small = plan_size(*program_of(rules(100)));
  const size_t large = plan_size(*program_of(rules(1000)));
  EXPECT_LT(large, 12 * small);
  EXPECT_LT(large, 1000 * 10 * 3 * 8u);
}

// Beyond the limit a test is not indexed; the rules are still found.
TEST(IndexSize, FallsBackToTryingRules) {
  std::string rules;
  for (int i = 0; i < 60; ++i) {
    std::string list;
    for (int k = 0; k < 50; ++k) list += fmt::format("{}{}", k == 0 ? "" : ", ", i + k);
    rules += fmt::format(
        "allow a{} when input.size in [{}] && input.action in [\"a\", \"b\", \"c{}\"] && agent.id in [\"x\", \"y\", "
        "\"z{}\"] && resource.type in [\"t\", \"u\", \"v{}\"];\n",
        i, list, i, i, i);
  }
  auto program = program_of(rules);
  EXPECT_LT(plan_size(*program), 60 * 60 * 8u);
  Context context(program);
  context.set("agent.id", Value::string("x"));
  Call call(program);
  call.begin(program->resolve("act"), Stage::before);
  const Capability* act = program->schema().find_capability("act");
  call.set(program->slot(act, "input.action"), Value::string("b"));
  call.set(program->slot(act, "input.size"), Value::integer(30));
  call.set(program->slot(nullptr, "resource.type"), Value::string("u"));
  Scratch scratch;
  const Decision decision = decide_all(call, context, scratch);
  EXPECT_EQ(decision.effect, Effect::allow);
  EXPECT_EQ(program->rules()[decision.rule].name, "r.a0");
  EXPECT_EQ(decision.matched.size(), 31u);
}

}  // namespace
}  // namespace ordain
