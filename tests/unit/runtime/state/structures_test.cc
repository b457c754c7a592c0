// These tests cover the parts of a ledger one by one: amounts, keys, periods, the clock, definitions
// and sessions.
#include <cmath>
#include <limits>

#include "tests/unit/runtime/state/state_support.h"

namespace ordain::state {
namespace {

constexpr int64_t kDaySeconds = 86'400;

TEST(StateAmount, SumsOfDoublesAreTheSameInAnyOrder) {
  const double values[] = {0.1, 0.2, 0.3, 1e15, -1e15, 0.7, 123456.789};
  Amount forward = 0, backward = 0;
  for (double value : values) forward = add_amounts(forward, *amount_of(Value::floating(value), true));
  for (size_t i = std::size(values); i-- > 0;)
    backward = add_amounts(backward, *amount_of(Value::floating(values[i]), true));
  EXPECT_TRUE(forward == backward);
  EXPECT_EQ(amount_value(forward, Kind::floating).d, 123458.089);
}

TEST(StateAmount, HostileAmountsAreNone) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (double bad : {std::nan(""), kInfinity, -kInfinity, 1e25, -1e25, -0.5})
    EXPECT_FALSE(amount_of(Value::floating(bad), false)) << bad;
  EXPECT_TRUE(amount_of(Value::floating(-0.5), true));
  EXPECT_FALSE(amount_of(Value::floating(-1e25), true));
  EXPECT_FALSE(amount_of(Value::integer(-1), false));
  EXPECT_FALSE(amount_of(Value::string("1"), true));
  EXPECT_FALSE(amount_of(Value{}, true));
}

TEST(StateAmount, ValuesComeBackClampedToTheirKind) {
  const Amount large = kLargestAmount;
  EXPECT_EQ(amount_value(large, Kind::integer).i, INT64_MAX);
  EXPECT_EQ(amount_value(-large, Kind::integer).i, INT64_MIN);
  EXPECT_EQ(amount_value(-1, Kind::unsigned_integer).u, 0u);
  EXPECT_EQ(amount_value(large, Kind::unsigned_integer).u, UINT64_MAX);
  const Value duration = amount_value(*amount_of(Value::duration(-1, -500'000'000), true), Kind::duration);
  EXPECT_EQ(duration.i, -1);
  EXPECT_EQ(duration.nanos(), -500'000'000);
}

TEST(StateAmount, BytesComeBack) {
  for (Amount amount : {Amount{0}, Amount{-1}, kLargestAmount, -kLargestAmount, Amount{INT64_MIN}}) {
    std::string bytes;
    append_amount(bytes, amount);
    std::string_view in = bytes;
    Amount read = 1;
    ASSERT_TRUE(take_amount(in, &read));
    EXPECT_TRUE(read == amount);
    EXPECT_TRUE(in.empty());
  }
  std::string_view huge("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 16);
  Amount read = 0;
  EXPECT_FALSE(take_amount(huge, &read)) << "no sum is that large";
}

TEST(StateKey, PartsCannotRunIntoEachOther) {
  const auto join = [](std::initializer_list<Value> parts) {
    std::string key;
    for (const Value& part : parts) EXPECT_TRUE(append_key_part(key, part));
    return key;
  };
  const std::string keys[] = {join({Value::string("a"), Value::string("bc")}),
                              join({Value::string("ab"), Value::string("c")}),
                              join({Value::string("abc")}),
                              join({Value::integer(1)}),
                              join({Value::unsigned_integer(1)}),
                              join({Value::boolean(true)}),
                              join({Value::string("1")}),
                              ""};
  for (size_t i = 0; i < std::size(keys); ++i) {
    ASSERT_TRUE(split_key(keys[i])) << i;
    for (size_t k = 0; k < i; ++k) EXPECT_NE(keys[i], keys[k]) << i << " and " << k;
  }
  EXPECT_EQ(split_key(keys[0])->size(), 2u);
  EXPECT_EQ(describe_key(keys[0]), "a, bc");
  EXPECT_EQ(describe_key(keys[4]), "1u");
  EXPECT_EQ(describe_key(keys[5]), "true");
  EXPECT_EQ(describe_key(""), "global");
}

TEST(StateKey, UnknownPartsAreRefusedAndLongOnesStaySmall) {
  std::string key;
  EXPECT_FALSE(append_key_part(key, Value::string("")));
  EXPECT_FALSE(append_key_part(key, Value{}));
  EXPECT_FALSE(append_key_part(key, Value::floating(1)));
  EXPECT_TRUE(key.empty());
  const std::string long_text(1'000'000, 'x');
  EXPECT_TRUE(append_key_part(key, Value::string(long_text)));
  EXPECT_LT(key.size(), 64u);
  EXPECT_EQ(describe_key(key).substr(0, 7), "sha256:");
}

TEST(StateKey, OtherBytesAreNotKeys) {
  for (std::string_view bad :
       {std::string_view("x"), std::string_view("s\1\0\0\0", 5), std::string_view("s\0\0\0\0", 5),
        std::string_view("b\2", 2), std::string_view("i1234", 5)})
    EXPECT_FALSE(split_key(bad)) << bad;
  std::string many;
  for (size_t i = 0; i <= kMaxKeyParts; ++i) (void)append_key_part(many, Value::boolean(true));
  EXPECT_FALSE(split_key(many));
}

TEST(StatePeriod, AreNumberedByLocalTime) {
  const auto at = [](BudgetPeriod period, int64_t seconds, const char* zone = "") {
    const ZoneOffset offset = [](std::string_view name, int64_t) -> std::optional<int32_t> {
      if (name == "East") return 3600;
      return std::nullopt;
    };
    return period_at(period, zone, seconds * kSecondNs, offset);
  };
  EXPECT_EQ(at(BudgetPeriod::day, 0), 0);
  EXPECT_EQ(at(BudgetPeriod::day, kDaySeconds - 1), 0);
  EXPECT_EQ(at(BudgetPeriod::day, kDaySeconds), 1);
  EXPECT_EQ(at(BudgetPeriod::day, -1), -1);
  EXPECT_EQ(at(BudgetPeriod::day, kDaySeconds - 3600, "East"), 1) << "midnight comes earlier there";
  EXPECT_EQ(at(BudgetPeriod::day, kDaySeconds - 3601, "East"), 0);
  EXPECT_EQ(at(BudgetPeriod::hour, 7199), 1);
  EXPECT_EQ(at(BudgetPeriod::week, 3 * kDaySeconds), 0) << "1970-01-04 was a Sunday";
  EXPECT_EQ(at(BudgetPeriod::week, 4 * kDaySeconds), 1);
  EXPECT_EQ(at(BudgetPeriod::month, 31 * kDaySeconds - 1), 1970 * 12);
  EXPECT_EQ(at(BudgetPeriod::month, 31 * kDaySeconds), 1970 * 12 + 1);
  EXPECT_EQ(at(BudgetPeriod::at_once, 5 * kDaySeconds), 0);
  EXPECT_FALSE(at(BudgetPeriod::day, 0, "Nowhere"));
}

TEST(StateClock, TheSystemsClocksGoForward) {
  const ClockReading first = read_clock(), second = read_clock();
  EXPECT_EQ(first.boot, second.boot);
  EXPECT_LE(first.boot_ns, second.boot_ns);
  EXPECT_GT(first.boot_ns, 0);
}

TEST(StateClock, TimesStayWithinTheirRange) {
  EXPECT_EQ(add_times(INT64_MAX, 1), INT64_MAX);
  EXPECT_EQ(add_times(INT64_MIN, -1), INT64_MIN);
  EXPECT_EQ(subtract_times(INT64_MIN, 1), INT64_MIN);
  EXPECT_EQ(subtract_times(INT64_MAX, -1), INT64_MAX);
  EXPECT_EQ(subtract_times(5, 7), -2);
}

TEST(StateDefinition, ComesBackFromItsBytes) {
  StateDecl odd = sum_within("acme.sums", 3600);
  odd.negative = true;
  odd.keys = {KeySource::session, KeySource::path};
  for (const StateDecl& declared : {count_within("a", 10, 3), odd, budget_of("b", BudgetPeriod::month),
                                    rate_of("r", 20, 60, 5), declare("ever", StateKind::history)}) {
    const Definition definition = define_state(declared);
    std::string bytes;
    append_definition(bytes, definition);
    std::string_view in = bytes;
    Definition read;
    ASSERT_TRUE(take_definition(in, &read)) << declared.name;
    EXPECT_TRUE(in.empty());
    EXPECT_EQ(read, definition);
    for (size_t size = 0; size < bytes.size(); ++size) {
      std::string_view part(bytes.data(), size);
      EXPECT_FALSE(take_definition(part, &read)) << size;
    }
  }
}

TEST(StateDefinition, RatesAreRoundedSoThatNoMoreCallsPass) {
  const Definition rate = define_state(rate_of("r", 3, 1, 3));
  EXPECT_EQ(rate.interval_ns, 333'333'334);
  EXPECT_EQ(rate.tolerance_ns, 666'666'668);
}

TEST(StateSessions, ChildrenInheritAndJoinBack) {
  Sessions sessions;
  const uint64_t early[] = {1, 2}, late[] = {3};
  sessions.raise("top", 1, early, 100, 5);
  sessions.start("middle", "top", 100, 6);
  sessions.start("low", "middle", 100, 7);
  EXPECT_EQ(sessions.labels("low"), 1);
  EXPECT_TRUE(sessions.carries("low", 1, early));
  sessions.raise("low", 2, late, 100, 8);
  for (const char* session : {"low", "middle", "top"}) {
    EXPECT_EQ(sessions.labels(session), 3) << session;
    EXPECT_TRUE(sessions.carries(session, 2, late)) << session;
    EXPECT_FALSE(sessions.carries(session, 1, late)) << session;
    EXPECT_FALSE(sessions.carries(session, 1, {})) << session;
  }
  sessions.start("beside", "", 100, 9);
  EXPECT_EQ(sessions.labels("beside"), 0);
}

TEST(StateSessions, LabelsOfAChildReachAParentThatWasNotKnown) {
  Sessions sessions;
  sessions.start("child", "parent", 100, 1);
  sessions.raise("child", 4, {}, 100, 2);
  EXPECT_EQ(sessions.labels("parent"), 4);
}

TEST(StateSessions, ClearingIsOfOneSessionAndItsWords) {
  Sessions sessions;
  const uint64_t words[] = {1};
  sessions.raise("top", 3, words, 100, 1);
  sessions.start("child", "top", 100, 2);
  sessions.clear("child", 1, 3);
  EXPECT_EQ(sessions.labels("child"), 2);
  EXPECT_FALSE(sessions.carries("child", 1, words));
  EXPECT_TRUE(sessions.carries("child", 2, words));
  EXPECT_EQ(sessions.labels("top"), 3);
}

TEST(StateSessions, AFullMemoryCarriesEverything) {
  Sessions sessions;
  const uint64_t words[] = {1, 2, 3}, other[] = {9};
  sessions.raise("s", 1, words, 2, 1);
  EXPECT_TRUE(sessions.carries("s", 1, other));
  EXPECT_TRUE(sessions.carries("s", 1, {}));
  EXPECT_FALSE(sessions.carries("s", 2, other));
  sessions.clear("s", 1, 2);
  EXPECT_FALSE(sessions.carries("s", 1, other));
}

TEST(StateSessions, IdsThatComeAgainMakeNoEndlessFamily) {
  Sessions sessions;
  sessions.start("child", "parent", 100, 1);
  sessions.end("parent");
  sessions.start("parent", "child", 100, 2);
  sessions.raise("child", 1, {}, 100, 3);
  EXPECT_EQ(sessions.labels("parent"), 1);
  EXPECT_EQ(sessions.labels("child"), 1);
}

}  // namespace
}  // namespace ordain::state
