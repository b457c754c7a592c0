// These tests cover lists, sets, optionals, numbers and encodings.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/stdlib/call.h"

namespace ordain::testing {
namespace {

TEST(Math, GreatestAndLeast) {
  EXPECT_CASES({
      {"math.greatest", {I(5)}, "5"},
      {"math.greatest", {I(1), D(1)}, "1"},
      {"math.greatest", {D(1), I(1)}, "1.0"},
      {"math.greatest", {U(5), I(-7)}, "5u"},
      {"math.greatest", {I(INT64_MIN), U(UINT64_MAX)}, "18446744073709551615u"},
      {"math.least", {I(INT64_MIN), D(-1e300)}, "-1e+300"},
      {"math.greatest", {L({D(5.4), I(10), U(3), D(-5)})}, "10"},
      {"math.least", {L({I(1), U(1), D(0.5), D(0.5)})}, "0.5"},
      {"math.least", {L({})}, "!invalid_argument"},
      {"math.least", {L({I(1), S("0")})}, "!no_such_overload"},
      {"math.greatest", {S("a")}, "!no_such_overload"},
  });
}

TEST(Math, RoundingAndSigns) {
  EXPECT_CASES({
      {"math.round", {D(-1.5)}, "-2.0"},
      {"math.round", {D(2.5)}, "3.0"},
      {"math.ceil", {D(-1.2)}, "-1.0"},
      {"math.floor", {D(-1.2)}, "-2.0"},
      {"math.trunc", {D(-1.9)}, "-1.0"},
      {"math.round", {I(1)}, "!no_such_overload"},
      {"math.abs", {I(INT64_MIN)}, "!overflow"},
      {"math.abs", {I(-3)}, "3"},
      {"math.abs", {D(-0.0)}, "0.0"},
      {"math.sign", {I(INT64_MIN)}, "-1"},
      {"math.sign", {U(7)}, "1u"},
      {"math.sign", {D(-0.0)}, "0.0"},
      {"math.sqrt", {I(81)}, "9.0"},
      {"math.isInf", {D(-INFINITY)}, "true"},
      {"math.isNaN", {D(NAN)}, "true"},
      {"math.isFinite", {D(NAN)}, "false"},
      {"math.isFinite", {D(1)}, "true"},
  });
  EXPECT_TRUE(std::isnan(made("math.sqrt", {D(-1)}).d));
  EXPECT_TRUE(std::isnan(made("math.sign", {D(NAN)}).d));
}

TEST(Math, Bits) {
  EXPECT_CASES({
      {"math.bitAnd", {I(-3), I(-5)}, "-7"},
      {"math.bitOr", {I(4), I(-2)}, "-2"},
      {"math.bitXor", {U(3), U(5)}, "6u"},
      {"math.bitNot", {U(0)}, "18446744073709551615u"},
      {"math.bitNot", {I(-1)}, "0"},
      {"math.bitShiftLeft", {I(-1), I(2)}, "-4"},
      {"math.bitShiftLeft", {I(1), I(63)}, "-9223372036854775808"},
      {"math.bitShiftLeft", {U(1), I(64)}, "0u"},
      {"math.bitShiftRight", {I(-1024), I(3)}, "2305843009213693824"},
      {"math.bitShiftRight", {I(-1024), I(0)}, "-1024"},
      {"math.bitShiftRight", {I(-1024), I(64)}, "0"},
      {"math.bitShiftRight", {U(1), I(-1)}, "!invalid_argument"},
      {"math.bitAnd", {I(1), U(1)}, "!no_such_overload"},
  });
}

TEST(Lists, Parts) {
  Value list = L({I(1), I(2), I(3), I(4)});
  EXPECT_CASES({
      {"slice", {list, I(1), I(3)}, "[2, 3]"},
      {"slice", {list, I(4), I(4)}, "[]"},
      {"slice", {list, I(0), I(5)}, "!index_out_of_bounds"},
      {"slice", {list, I(-1), I(2)}, "!index_out_of_bounds"},
      {"slice", {list, I(3), I(2)}, "!invalid_argument"},
      {"first", {list}, "optional(1)"},
      {"last", {list}, "optional(4)"},
      {"first", {L({})}, "none"},
      {"last", {L({})}, "none"},
      {"reverse", {list}, "[4, 3, 2, 1]"},
      {"reverse", {L({})}, "[]"},
      {"lists.range", {I(3)}, "[0, 1, 2]"},
      {"lists.range", {I(0)}, "[]"},
      {"lists.range", {I(-3)}, "!invalid_argument"},
      {"lists.range", {I(INT64_MAX)}, "!memory_budget"},
      {"lists.range", {I(500'000)}, "!memory_budget"},
  });
}

TEST(Lists, Flatten) {
  EXPECT_CASES({
      {"flatten", {L({I(1), L({I(2), L({I(3)})}), L({})})}, "[1, 2, [3]]"},
      {"flatten", {L({I(1), L({I(2), L({I(3)})})}), I(2)}, "[1, 2, 3]"},
      {"flatten", {L({L({I(1)})}), I(0)}, "[[1]]"},
      {"flatten", {L({L({I(1)})}), I(-1)}, "!invalid_argument"},
      {"flatten", {L({})}, "[]"},
  });
  Value nest = L({I(1)});
  for (int i = 0; i < 40; ++i) nest = L({nest, nest});
  EXPECT_EQ(call("flatten", {nest, I(100)}), "!cost_budget");
}

TEST(Lists, SortAndDistinct) {
  EXPECT_CASES({
      {"sort", {L({I(3), I(1), I(2)})}, "[1, 2, 3]"},
      {"sort", {L({S("b"), S("a"), S("")})}, "[\"\", \"a\", \"b\"]"},
      {"sort", {L({})}, "[]"},
      {"sort", {L({span("2s"), span("-1s")})}, "[-1s, 2s]"},
      {"sort", {L({I(1), S("b")})}, "!invalid_argument"},
      {"sort", {L({I(1), D(0.5)})}, "!invalid_argument"},
      {"sort", {L({L({I(1)})})}, "!invalid_argument"},
      {"sort", {L({D(2), D(NAN), D(1), D(NAN)})}, "[nan, nan, 1.0, 2.0]"},
      {"@sortByAssociatedKeys", {L({S("a"), S("b"), S("c")}), L({I(2), I(1), I(1)})}, "[\"b\", \"c\", \"a\"]"},
      {"@sortByAssociatedKeys", {L({S("a")}), L({})}, "!invalid_argument"},
      {"distinct", {L({I(1), U(1), D(1), S("1"), I(2), I(1)})}, "[1, \"1\", 2]"},
      {"distinct", {L({L({I(1)}), L({U(1)}), L({})})}, "[[1], []]"},
      {"distinct", {L({})}, "[]"},
  });
}

TEST(Sets, Relations) {
  EXPECT_CASES({
      {"sets.contains", {L({}), L({})}, "true"},
      {"sets.contains", {L({}), L({I(1)})}, "false"},
      {"sets.contains", {L({I(1), D(2), U(3)}), L({D(1), U(2), I(3)})}, "true"},
      {"sets.equivalent", {L({I(1)}), L({I(1), I(1)})}, "true"},
      {"sets.equivalent", {L({I(1)}), L({I(1), I(2)})}, "false"},
      {"sets.intersects", {L({I(1)}), L({})}, "false"},
      {"sets.intersects", {L({L({I(1)}), I(5)}), L({L({I(1), I(2)}), D(5)})}, "true"},
  });
  std::vector<Value> many(3000, I(0));
  EXPECT_EQ(call("sets.contains", {L(many), L(many)}), "!cost_budget");
}

TEST(Optionals, Making) {
  EXPECT_CASES({
      {"optional.of", {N()}, "optional(null)"},
      {"optional.none", {}, "none"},
      {"optional.ofNonZeroValue", {S("")}, "none"},
      {"optional.ofNonZeroValue", {N()}, "none"},
      {"optional.ofNonZeroValue", {D(-0.0)}, "none"},
      {"optional.ofNonZeroValue", {D(NAN)}, "optional(nan)"},
      {"optional.ofNonZeroValue", {M({})}, "none"},
      {"optional.ofNonZeroValue", {span("1ns")}, "optional(0.000000001s)"},
      {"optional.ofNonZeroValue", {I(1)}, "optional(1)"},
  });
}

TEST(Optionals, Using) {
  EXPECT_CASES({
      {"hasValue", {O(N())}, "true"},
      {"hasValue", {none()}, "false"},
      {"value", {O(I(1))}, "1"},
      {"value", {none()}, "!empty_optional"},
      {"or", {none(), O(I(2))}, "optional(2)"},
      {"or", {O(I(1)), O(I(2))}, "optional(1)"},
      {"orValue", {none(), I(42)}, "42"},
      {"orValue", {O(I(1)), I(42)}, "1"},
      {"optional.unwrap", {L({O(I(1)), none(), O(N())})}, "[1, null]"},
      {"unwrapOpt", {L({none()})}, "[]"},
      {"optional.unwrap", {L({I(1)})}, "!no_such_overload"},
      {"value", {I(1)}, "!no_such_overload"},
  });
}

TEST(Encoders, Base64) {
  EXPECT_CASES({
      {"base64.encode", {Y("")}, "\"\""},
      {"base64.encode", {Y("h")}, "\"aA==\""},
      {"base64.encode", {Y("he")}, "\"aGU=\""},
      {"base64.encode", {Y("hello")}, "\"aGVsbG8=\""},
      {"base64.encode", {Y("\xFF\xEF\xFE")}, "\"/+/+\""},
      {"base64.decode", {S("aGVsbG8=")}, "b68656c6c6f"},
      {"base64.decode", {S("aGVsbG8")}, "b68656c6c6f"},
      {"base64.decode", {S("/+/+")}, "bffeffe"},
      {"base64.decode", {S("")}, "b"},
      {"base64.decode", {S("a")}, "!conversion"},
      {"base64.decode", {S("aA=")}, "!conversion"},
      {"base64.decode", {S("aA===")}, "!conversion"},
      {"base64.decode", {S("aGVs=")}, "!conversion"},
      {"base64.decode", {S("aA==aA==")}, "!conversion"},
      {"base64.decode", {S("a-_b")}, "!conversion"},
      {"base64.decode", {S("=")}, "!conversion"},
  });
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(show(made("base64.decode", {made("base64.encode", {Y(all)})})), show(Y(all)));
}

}  // namespace
}  // namespace ordain::testing
