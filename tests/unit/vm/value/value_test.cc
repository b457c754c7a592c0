// These tests cover equality, order and hashing of values across kinds, as the expression language
// defines them.
#include "ordain/value.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "ordain/arena.h"
#include "ordain/json.h"

namespace ordain {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr int64_t kTwo53 = int64_t{1} << 53;

Value i(int64_t v) { return Value::integer(v); }
Value u(uint64_t v) { return Value::unsigned_integer(v); }
Value d(double v) { return Value::floating(v); }
Value s(std::string_view v) { return Value::string(v); }

class Values : public testing::Test {
 protected:
  Value list(std::vector<Value> items) { return Value::list(arena.copy(items)); }
  Value map(std::vector<MapEntry> entries) {
    const MapRep* rep = make_map(arena, arena.copy(entries));
    EXPECT_NE(rep, nullptr);
    return Value::map_of(rep);
  }
  Value some(Value v) { return Value::optional(arena.make<Value>(v)); }

  Arena arena;
};

TEST_F(Values, NumbersCompareAcrossKinds) {
  EXPECT_TRUE(equal(i(1), u(1)));
  EXPECT_TRUE(equal(i(1), d(1.0)));
  EXPECT_TRUE(equal(u(1), d(1.0)));
  EXPECT_TRUE(equal(d(-0.0), i(0)));
  EXPECT_FALSE(equal(i(-1), u(UINT64_MAX)));  // the same bits
  EXPECT_FALSE(equal(i(1), d(1.5)));
  EXPECT_FALSE(equal(i(1), Value::boolean(true)));
  EXPECT_FALSE(equal(i(kTwo53), i(kTwo53 + 1)));
  EXPECT_FALSE(equal(i(kTwo53), u(static_cast<uint64_t>(kTwo53) + 1)));
  // Compared with a double, an integer counts as the nearest double.
  EXPECT_TRUE(equal(i(kTwo53 + 1), d(9007199254740992.0)));
  EXPECT_FALSE(equal(i(kTwo53 + 3), d(9007199254740992.0)));
  EXPECT_TRUE(equal(i(INT64_MAX), d(9223372036854775808.0)));
  EXPECT_TRUE(equal(u(UINT64_MAX), d(18446744073709551616.0)));
  EXPECT_FALSE(equal(i(INT64_MAX), d(9223372036854777856.0)));
  EXPECT_TRUE(equal(i(INT64_MIN), d(-9223372036854775808.0)));
}

TEST_F(Values, NumbersHaveOneOrder) {
  EXPECT_EQ(compare(i(INT64_MAX), d(9223372036854775808.0)), Ordering::equal);
  EXPECT_EQ(compare(i(INT64_MAX), d(9223372036854777856.0)), Ordering::less);
  EXPECT_EQ(compare(d(9223372036854777856.0), i(INT64_MAX)), Ordering::greater);
  EXPECT_EQ(compare(i(INT64_MIN), d(-9223372036854775808.0)), Ordering::equal);
  EXPECT_EQ(compare(i(INT64_MIN), d(-1e19)), Ordering::greater);
  EXPECT_EQ(compare(u(UINT64_MAX), d(18446744073709551616.0)), Ordering::equal);
  EXPECT_EQ(compare(u(UINT64_MAX), d(18446744073709555712.0)), Ordering::less);
  EXPECT_EQ(compare(u(0), d(-0.5)), Ordering::greater);
  EXPECT_EQ(compare(u(0), d(-0.0)), Ordering::equal);
  EXPECT_EQ(compare(i(-1), u(0)), Ordering::less);
  EXPECT_EQ(compare(u(0), i(-1)), Ordering::greater);
  EXPECT_EQ(compare(i(-1), d(-1.5)), Ordering::greater);
  EXPECT_EQ(compare(i(-2), d(-1.5)), Ordering::less);
  EXPECT_EQ(compare(i(1), d(1.5)), Ordering::less);
  EXPECT_EQ(compare(i(kTwo53 + 1), u(static_cast<uint64_t>(kTwo53))), Ordering::greater);
  EXPECT_EQ(compare(i(0), d(kInf)), Ordering::less);
  EXPECT_EQ(compare(u(UINT64_MAX), d(-kInf)), Ordering::greater);
}

TEST_F(Values, NanEqualsNothingAndHasNoOrder) {
  EXPECT_FALSE(equal(d(kNan), d(kNan)));
  EXPECT_FALSE(equal(list({d(kNan)}), list({d(kNan)})));
  Value one = list({d(kNan)});
  EXPECT_FALSE(equal(one, one));
  for (Value other : {d(kNan), d(1), i(1), u(1)}) {
    EXPECT_EQ(compare(d(kNan), other), Ordering::unordered);
    EXPECT_EQ(compare(other, d(kNan)), Ordering::unordered);
  }
}

TEST_F(Values, OrderOfOtherKinds) {
  EXPECT_EQ(compare(Value::boolean(false), Value::boolean(true)), Ordering::less);
  EXPECT_EQ(compare(s("a"), s("ab")), Ordering::less);
  EXPECT_EQ(compare(s("\xC3\xA9"), s("z")), Ordering::greater);  // bytes compare unsigned
  EXPECT_EQ(compare(Value::bytes({"\0", 1}), Value::bytes({"\0\0", 2})), Ordering::less);
  EXPECT_EQ(compare(Value::timestamp(5, 1), Value::timestamp(5, 2)), Ordering::less);
  EXPECT_EQ(compare(Value::timestamp(-1, 999999999), Value::timestamp(0, 0)), Ordering::less);
  EXPECT_EQ(compare(Value::duration(0, -5), Value::duration(0, 5)), Ordering::less);
  EXPECT_EQ(compare(Value::duration(-1, -5), Value::duration(-1, -4)), Ordering::less);
  EXPECT_EQ(compare(s("a"), Value::bytes("a")), Ordering::none);
  EXPECT_EQ(compare(Value::null(), Value::null()), Ordering::none);
  EXPECT_EQ(compare(list({}), list({})), Ordering::none);
  EXPECT_EQ(compare(i(1), s("1")), Ordering::none);
}

TEST_F(Values, KindsWithoutNumbersDoNotMix) {
  EXPECT_FALSE(equal(s("a"), Value::bytes("a")));
  EXPECT_FALSE(equal(s("int"), Value::type("int")));
  EXPECT_FALSE(equal(Value::null(), i(0)));
  EXPECT_FALSE(equal(Value::timestamp(1, 0), Value::duration(1, 0)));
  EXPECT_TRUE(equal(Value::type("int"), Value::type("int")));
  EXPECT_FALSE(equal(Value::type("int"), Value::type("uint")));
  EXPECT_TRUE(equal(s(""), s({nullptr, 0})));
}

TEST_F(Values, ListsAndMapsCompareDeeply) {
  EXPECT_TRUE(equal(list({i(1), list({u(2)})}), list({d(1), list({i(2)})})));
  EXPECT_FALSE(equal(list({i(1), i(2)}), list({i(2), i(1)})));
  EXPECT_FALSE(equal(list({i(1)}), list({i(1), i(1)})));
  EXPECT_TRUE(equal(map({{s("a"), i(1)}, {s("b"), i(2)}}), map({{s("b"), u(2)}, {s("a"), d(1)}})));
  EXPECT_FALSE(equal(map({{s("a"), i(1)}}), map({{s("b"), i(1)}})));
  EXPECT_FALSE(equal(map({{s("a"), i(1)}}), map({{s("a"), i(2)}})));
  EXPECT_TRUE(equal(map({{i(1), s("x")}}), map({{u(1), s("x")}})));
}

TEST_F(Values, OptionalsCompareByTheirValue) {
  EXPECT_TRUE(equal(Value::optional(nullptr), Value::optional(nullptr)));
  EXPECT_TRUE(equal(some(i(1)), some(d(1))));
  EXPECT_FALSE(equal(some(i(1)), Value::optional(nullptr)));
  EXPECT_FALSE(equal(some(i(1)), i(1)));
}

TEST_F(Values, AddressesCompareByBytesAndPrefix) {
  auto address = [](Kind kind, const char* bytes, uint32_t aux) {
    Value out = Value::bytes({bytes, 4});
    out.kind = kind;
    out.aux = aux;
    return out;
  };
  Value host = address(Kind::ip, "\x0a\0\0\1", 4), same = address(Kind::ip, "\x0a\0\0\1zz", 4);
  Value other = address(Kind::ip, "\x0a\0\0\2", 4);
  EXPECT_TRUE(equal(host, same));
  EXPECT_EQ(hash(host), hash(same));
  EXPECT_FALSE(equal(host, other));
  Value net8 = address(Kind::cidr, "\x0a\0\0\0", 4 | 8 << 8), net16 = address(Kind::cidr, "\x0a\0\0\0", 4 | 16 << 8);
  EXPECT_FALSE(equal(net8, net16));
  EXPECT_FALSE(equal(host, address(Kind::cidr, "\x0a\0\0\1", 4)));
}

// Any two equal values must have the same hash.
TEST_F(Values, EqualImpliesSameHash) {
  std::vector<Value> all = {Value(),
                            Value::null(),
                            Value::boolean(false),
                            Value::boolean(true),
                            s(""),
                            s("a"),
                            s("abcd"),
                            s("abcdefgh"),
                            s("abcdefghi"),
                            Value::bytes("a"),
                            Value::type("int"),
                            Value::timestamp(1, 2),
                            Value::duration(1, 2),
                            Value::optional(nullptr),
                            some(i(1)),
                            some(d(1)),
                            d(kNan),
                            d(0.5),
                            d(-0.5),
                            d(kInf),
                            d(1e300),
                            d(-0.0)};
  for (int64_t n : {int64_t{0}, int64_t{1}, int64_t{-1}, kTwo53, kTwo53 + 1, INT64_MAX, INT64_MIN}) {
    all.push_back(i(n));
    all.push_back(u(static_cast<uint64_t>(n)));
    all.push_back(d(static_cast<double>(n)));
  }
  all.push_back(d(18446744073709551616.0));
  size_t simple = all.size();
  for (size_t n = 0; n < simple; ++n) {
    if (!all[n].present()) continue;
    all.push_back(list({all[n], i(1)}));
    all.push_back(map({{s("k"), all[n]}, {s("l"), i(7)}}));
    all.push_back(map({{s("l"), u(7)}, {s("k"), all[n]}}));
  }
  int pairs = 0;
  for (const Value& a : all) {
    for (const Value& b : all) {
      EXPECT_EQ(equal(a, b), equal(b, a));
      if (!equal(a, b)) continue;
      EXPECT_EQ(hash(a), hash(b)) << to_json(a) << " and " << to_json(b);
      ++pairs;
    }
  }
  EXPECT_GT(pairs, static_cast<int>(all.size()));
}

TEST_F(Values, HashesOfDifferentTextsDiffer) {
  std::vector<uint64_t> seen;
  std::string text;
  for (int n = 0; n < 40; ++n, text += 'a') seen.push_back(hash_string(text));
  for (const char* one : {"b", "ab", "ba", "abc", "acb", "abcdefgh", "abcdefgi", "bbcdefgh"})
    seen.push_back(hash_string(one));
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end());
}

TEST_F(Values, MapsFindKeysSmallAndLarge) {
  for (int count : {0, 1, 8, 9, 1000}) {
    std::vector<std::string> names;
    for (int n = 0; n < count; ++n) names.push_back("key" + std::to_string(n));
    std::vector<MapEntry> entries;
    for (int n = 0; n < count; ++n) entries.push_back({s(names[static_cast<size_t>(n)]), i(n)});
    Value m = map(entries);
    for (int n = 0; n < count; ++n) {
      const Value* found = map_find(*m.map, "key" + std::to_string(n));
      ASSERT_NE(found, nullptr);
      EXPECT_EQ(found->i, n);
    }
    EXPECT_EQ(map_find(*m.map, "key"), nullptr);
    EXPECT_EQ(map_find(*m.map, i(0)), nullptr);
    EXPECT_EQ(map_find(*m.map, list({})), nullptr);
    EXPECT_EQ(m.map->count, static_cast<uint32_t>(count));
  }
}

TEST_F(Values, NumericKeysMatchAcrossKinds) {
  for (int count : {3, 100}) {
    std::vector<MapEntry> entries;
    for (int n = 0; n < count; ++n) entries.push_back({n % 2 == 0 ? i(n) : u(static_cast<uint64_t>(n)), i(n)});
    Value m = map(entries);
    for (int n = 0; n < count; ++n) {
      for (Value key : {i(n), u(static_cast<uint64_t>(n)), d(n)}) {
        const Value* found = map_find(*m.map, key);
        ASSERT_NE(found, nullptr);
        EXPECT_EQ(found->i, n);
      }
    }
    EXPECT_EQ(map_find(*m.map, d(0.5)), nullptr);
    EXPECT_EQ(map_find(*m.map, d(kNan)), nullptr);
    EXPECT_EQ(map_find(*m.map, Value::boolean(true)), nullptr);
  }
}

TEST_F(Values, DuplicateKeysAreNamed) {
  for (size_t count : {2u, 50u}) {
    std::vector<MapEntry> entries;
    for (size_t n = 0; n + 1 < count; ++n) entries.push_back({i(static_cast<int64_t>(n)), i(0)});
    entries.push_back({u(0), i(1)});
    uint32_t duplicate;
    EXPECT_EQ(make_map(arena, entries, &duplicate), nullptr);
    EXPECT_EQ(duplicate, count - 1);
  }
}

TEST_F(Values, MapInAnExhaustedArenaIsNull) {
  std::vector<MapEntry> entries;
  for (int n = 0; n < 20; ++n) entries.push_back({i(n), i(n)});
  Arena small(64, 64);
  uint32_t duplicate = 7;
  EXPECT_EQ(make_map(small, entries, &duplicate), nullptr);
  EXPECT_EQ(duplicate, UINT32_MAX);
}

TEST_F(Values, CopiesShareNothing) {
  Value copy;
  Arena to;
  {
    Arena from;
    std::string json = R"({"a":[1,"two",{"b":null}],"k0":0,"k1":1,"k2":2,"k3":3,"k4":4,"k5":5,"k6":6,"k7":7,"k8":8})";
    copy = copy_value(to, *parse_json(from, json));
  }
  EXPECT_EQ(to_json(copy),
            R"({"a":[1,"two",{"b":null}],"k0":0,"k1":1,"k2":2,"k3":3,"k4":4,"k5":5,"k6":6,"k7":7,"k8":8})");
  ASSERT_NE(map_find(*copy.map, "k8"), nullptr);
  EXPECT_EQ(map_find(*copy.map, "k8")->i, 8);
}

TEST_F(Values, DepthIsBounded) {
  Value a = i(1), b = i(1);
  for (int n = 0; n < 100000; ++n) {
    a = list({a});
    b = list({b});
  }
  EXPECT_FALSE(equal(a, b));  // deeper than values go: not equal, and no overflow of the stack
  EXPECT_EQ(hash(a), hash(b));
  EXPECT_EQ(copy_value(arena, a).kind, Kind::list);
  EXPECT_FALSE(to_json(a).empty());
}

TEST_F(Values, TypeNames) {
  EXPECT_EQ(type_name(Kind::timestamp), "google.protobuf.Timestamp");
  EXPECT_EQ(type_name(Kind::null), "null_type");
  EXPECT_EQ(type_name(Kind::optional), "optional_type");
  EXPECT_EQ(type_name(Kind::cidr), "net.CIDR");
}

}  // namespace
}  // namespace ordain
