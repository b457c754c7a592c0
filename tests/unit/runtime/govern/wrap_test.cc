// These tests cover wrap: C++ functions as capabilities, and the types that they may use.
#include <map>
#include <optional>
#include <stdexcept>

#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

using testing::Bench;

constexpr const char* kPlain = R"(
capability refund_customer { type "tool"; input { customer_id: string, amount_usd: double, note: optional(string) } }
capability add { type "tool"; input { a: int, b: int } }
capability ping { type "tool"; }
capability many { type "tool"; input { names: list(string), scores: map(string, double) } }
policy p on before refund_customer {
  deny   big   when input.amount_usd > 100.0 because "too much";
  redact input.note when has(input.note) with "hidden";
  allow;
}
policy q on before add, ping, many { allow; }
policy r on after add { redact output when output == 13 with "unlucky"; redact output when output == 14 with 40; }
)";

std::string do_refund(const std::string& customer, double amount) { return customer + ":" + std::to_string(amount); }

struct WrapTest : ::testing::Test {
  Bench bench;
  Runtime runtime = bench.open(testing::compile_text(kPlain));
};

TEST_F(WrapTest, BindsArgumentsByNameAndReturnsTheValue) {
  auto refund = runtime.wrap("refund_customer", {"customer_id", "amount_usd"}, do_refund);
  auto result = refund("c-17", 50.0);
  ASSERT_TRUE(result.has_value()) << result.describe();
  EXPECT_EQ(*result, "c-17:50.000000");
  auto denied = refund("c-17", 250.0);
  ASSERT_NE(denied.denied(), nullptr);
  EXPECT_EQ(denied.denied()->reason, "too much");
  EXPECT_EQ(bench.records(runtime).at(0).input.json(), R"({"amount_usd":50.0,"customer_id":"c-17"})");
}

TEST_F(WrapTest, OptionalArgumentsAreLeftOutAndRedactedOnesArriveRedacted) {
  std::optional<std::string> seen;
  auto refund = runtime.wrap("refund_customer", {"customer_id", "amount_usd", "note"},
                             [&](std::string, double, std::optional<std::string> note) { seen = note; });
  ASSERT_TRUE(refund("c", 1.0, std::nullopt).has_value());
  EXPECT_EQ(seen, std::nullopt);
  auto result = refund("c", 1.0, "secret");
  ASSERT_TRUE(result.has_value()) << result.describe();
  EXPECT_EQ(seen, "hidden");
  EXPECT_EQ(bench.records(runtime).at(0).input.json(), R"({"amount_usd":1.0,"customer_id":"c"})");
}

TEST_F(WrapTest, VoidNoArgumentsAndResults) {
  int pings = 0;
  auto ping = runtime.wrap("ping", [&] { ++pings; });
  EXPECT_TRUE(ping().has_value());
  EXPECT_EQ(pings, 1);
  auto add = runtime.wrap("add", {"a", "b"}, [](int a, int b) -> Result<int> {
    if (b == 0) return Error{"zero", "b is zero"};
    return a + b;
  });
  EXPECT_EQ(*add(1, 2), 3);
  auto failed = add(1, 0);
  ASSERT_NE(failed.failed(), nullptr);
  EXPECT_EQ(failed.failed()->code, "zero");
  auto throwing = runtime.wrap("add", {"a", "b"}, [](int, int) -> int { throw std::domain_error("no"); });
  EXPECT_EQ(throwing(1, 2).failed()->message, "no");
}

TEST_F(WrapTest, ListsAndMaps) {
  auto many = runtime.wrap("many", {"names", "scores"},
                           [](std::vector<std::string> names, std::map<std::string, double> scores) {
                             for (auto& name : names) scores[name] += 1;
                             return scores;
                           });
  auto result = many({"x", "y"}, {{"x", 2.5}});
  ASSERT_TRUE(result.has_value()) << result.describe();
  EXPECT_EQ(*result, (std::map<std::string, double>{{"x", 3.5}, {"y", 1.0}}));
}

TEST_F(WrapTest, RedactedResultsAreReadAgainOrWithheld) {
  auto add = runtime.wrap("add", {"a", "b"}, [](int a, int b) { return a + b; });
  EXPECT_EQ(*add(10, 4), 40);
  auto withheld = add(10, 3);
  ASSERT_NE(withheld.withheld(), nullptr) << withheld.describe();
  EXPECT_EQ(withheld.withheld()->code, "redacted_type");
  EXPECT_EQ(bench.records(runtime).back().status, OutcomeStatus::withheld);
}

TEST_F(WrapTest, ArgumentsThatDoNotFitAreRefused) {
  auto wrong = runtime.wrap("add", {"a", "c"}, [](int a, int c) { return a + c; });
  auto result = wrong(1, 2);
  ASSERT_NE(result.denied(), nullptr);
  EXPECT_EQ(result.denied()->code, "invalid_input");
  auto twice = runtime.wrap("add", {"a", "a"}, [](int a, int b) { return a + b; });
  EXPECT_EQ(twice(1, 2).denied()->code, "invalid_input");
}

constexpr const char* kTyped = R"(
capability note { type "tool"; input { to: string, size: int, rate: double, at: timestamp, tags: list(string), more: optional(string) }
                  output { saved: int } }
capability loose { type "tool"; input open { to: string } }
policy p on before note, loose, free.* { allow; }
)";

// Each function differs from the declaration in one way, which must show when it is wrapped and never after it ran.
TEST(WrapCheck, MistakesShowWhenTheWrapperIsMade) {
  Bench bench;
  Runtime runtime = bench.open(testing::compile_text(kTyped));
  using Text = std::string;
  using Time = std::chrono::sys_time<std::chrono::nanoseconds>;
  using Texts = std::vector<std::string>;
  using Saved = std::map<std::string, int>;
  int runs = 0;
  const auto check = [&](const auto& wrapped, const std::string& mistake, const auto&... args) {
    SCOPED_TRACE(mistake);
    const Result<void>& binding = wrapped.check_binding();
    EXPECT_EQ(binding.ok(), mistake.empty()) << binding.error().message;
    if (binding.ok()) return;
    EXPECT_EQ(binding.error().code, "bad_binding");
    EXPECT_EQ(binding.error().message.substr(0, mistake.size()), mistake);
    const auto result = wrapped(args...);
    ASSERT_NE(result.denied(), nullptr) << result.describe();
    EXPECT_EQ(result.denied()->code, "invalid_input");
    EXPECT_EQ(result.denied()->reason, binding.error().message);
    EXPECT_EQ(runs, 0);
  };
  const auto note = [&](Text, int, double, Time, Texts) { return ++runs, Saved{{"saved", 1}}; };
  check(runtime.wrap("note", {"to", "size", "rate", "at", "tags"}, note), "", Text(), 1, 1.0, Time(), Texts());
  check(runtime.wrap("not", {"to", "size", "rate", "at", "tags"}, note), "not: the program has no capability not",
        Text(), 1, 1.0, Time(), Texts());
  check(runtime.wrap("note", {"too", "size", "rate", "at", "tags"}, note), "note: input.too", Text(), 1, 1.0, Time(),
        Texts());
  check(runtime.wrap("note", {"to", "size", "rate", "at", "at"}, note), "note: input.at: bound twice", Text(), 1, 1.0,
        Time(), Texts());
  check(runtime.wrap("note", {"to", "rate", "size", "at", "tags"}, note),
        "note: input.size: declared int, but the parameter is floating point", Text(), 1, 1.0, Time(), Texts());
  check(runtime.wrap("note", {"to", "size", "rate", "at"}, [&](Text, int, double, Time) { return ++runs, Saved(); }),
        "note: input.tags: required, but not a parameter", Text(), 1, 1.0, Time());
  check(runtime.wrap("note", {"to", "size", "rate", "at", "tags"},
                     [&](std::optional<Text>, int, double, Time, Texts) { return ++runs, Saved(); }),
        "note: input.to: required, but the parameter is optional a string and may be empty", Text(), 1, 1.0, Time(),
        Texts());
  check(runtime.wrap("note", {"to", "size", "rate", "at", "tags"},
                     [&](Text, int, double, Time, std::vector<int>) { return ++runs, Saved(); }),
        "note: input.tags: declared list(string), but the parameter is a vector of an integer", Text(), 1, 1.0, Time(),
        std::vector<int>());
  // The result.
  const auto returns = [&](auto function, const std::string& mistake) {
    check(runtime.wrap("note", {"to", "size", "rate", "at", "tags"}, function), mistake, Text(), 1, 1.0, Time(),
          Texts());
  };
  returns([&](Text, int, double, Time, Texts) { return ++runs; },
          "note: output: declared as a record, but the function returns an integer");
  returns([&](Text, int, double, Time, Texts) { ++runs; },
          "note: output: declared as a record, but the function returns nothing");
  returns([&](Text, int, double, Time, Texts) { return ++runs, std::map<std::string, std::string>(); },
          "note: output: declared as a record, but the function returns a map of a string");
  returns([&](Text, int, double, Time, Texts) { return ++runs, std::optional<Saved>(); },
          "note: output: declared as a record, but the function returns optional a map of an integer");
  returns([&](Text, int, double, Time, Texts) { return Result<Document>(Document()); }, "");
  // Texts stand for times, integers for doubles; undeclared fields and capabilities take anything.
  check(runtime.wrap("note", {"to", "size", "rate", "at", "tags"}, [](Text, int, int, Text, Texts) { return Saved(); }),
        "", Text(), 1, 1, Text(), Texts());
  check(runtime.wrap("loose", {"to", "extra"}, [](Text, Texts) { return 1; }), "", Text(), Texts());
  check(runtime.wrap("free.of_rules", {"anything"}, [](Texts) { return 1; }), "", Texts());
}

TEST_F(WrapTest, RedactionThatAParameterCannotHoldNeverEntersTheFunction) {
  auto program = testing::compile_text(R"(
capability add { type "tool"; input { a: int, b: int } }
policy p on before add { redact input.a with "***"; allow; })");
  auto other = bench.open(program);
  bool entered = false;
  auto add = other.wrap("add", {"a", "b"}, [&](int, int) { entered = true; });
  auto result = add(1, 2);
  ASSERT_NE(result.failed(), nullptr) << result.describe();
  EXPECT_EQ(result.failed()->code, "bad_argument");
  EXPECT_FALSE(result.failed()->executed);
  EXPECT_FALSE(entered);
}

TEST_F(WrapTest, OutlivesTheHandle) {
  auto ping = [&] {
    Runtime another = bench.open(testing::compile_text(kPlain));
    return another.wrap("ping", [] { return 7; });
  }();
  EXPECT_EQ(*ping(), 7);
}

TEST_F(WrapTest, ActsAsAnotherIdentity) {
  auto ping = runtime.wrap("ping", [] {});
  auto who = runtime.identity({.agent = "other"});
  EXPECT_TRUE(ping.as(*who).has_value());
  EXPECT_EQ(bench.records(runtime).at(0).agent, "other");
}

TEST(ValueCodec, NumbersCrossOnlyExactly) {
  Arena arena;
  int8_t small = 0;
  EXPECT_TRUE(ValueCodec<int8_t>::decode(Value::integer(-128), &small));
  EXPECT_FALSE(ValueCodec<int8_t>::decode(Value::integer(128), &small));
  EXPECT_TRUE(ValueCodec<int8_t>::decode(Value::floating(5.0), &small));
  EXPECT_EQ(small, 5);
  EXPECT_FALSE(ValueCodec<int8_t>::decode(Value::floating(5.5), &small));
  int64_t big = 0;
  EXPECT_FALSE(ValueCodec<int64_t>::decode(Value::floating(9.3e18), &big));
  uint32_t unsigned_value = 0;
  EXPECT_FALSE(ValueCodec<uint32_t>::decode(Value::integer(-1), &unsigned_value));
  double real = 0;
  EXPECT_FALSE(ValueCodec<double>::decode(Value::integer((int64_t{1} << 53) + 1), &real));
  EXPECT_TRUE(ValueCodec<uint64_t>::encode(arena, UINT64_MAX).is(Kind::unsigned_integer));
  std::chrono::nanoseconds span{};
  EXPECT_TRUE(ValueCodec<std::chrono::nanoseconds>::decode(
      ValueCodec<std::chrono::nanoseconds>::encode(arena, std::chrono::nanoseconds(-1'500'000'000)), &span));
  EXPECT_EQ(span.count(), -1'500'000'000);
}

}  // namespace
}  // namespace ordain
