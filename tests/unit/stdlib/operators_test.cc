// These tests cover arithmetic at the limits of its types, ordering across them, membership and
// indexing.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/stdlib/call.h"

namespace ordain::testing {
namespace {

constexpr int64_t kMin = INT64_MIN;
constexpr int64_t kMax = INT64_MAX;

TEST(Operators, IntArithmetic) {
  EXPECT_CASES({
      {"_+_", {I(40), I(2)}, "42"},
      {"_+_", {I(kMax), I(1)}, "!overflow"},
      {"_+_", {I(kMin), I(-1)}, "!overflow"},
      {"_-_", {I(kMin), I(1)}, "!overflow"},
      {"_-_", {I(0), I(kMin)}, "!overflow"},
      {"_*_", {I(5'000'000'000), I(5'000'000'000)}, "!overflow"},
      {"_*_", {I(kMin), I(-1)}, "!overflow"},
      {"_/_", {I(-7), I(2)}, "-3"},
      {"_/_", {I(kMin), I(-1)}, "!overflow"},
      {"_/_", {I(1), I(0)}, "!division_by_zero"},
      {"_%_", {I(-3), I(5)}, "-3"},
      {"_%_", {I(43), I(-5)}, "3"},
      {"_%_", {I(kMin), I(-1)}, "!overflow"},
      {"_%_", {I(1), I(0)}, "!modulus_by_zero"},
      {"-_", {I(kMin)}, "!overflow"},
      {"-_", {I(-42)}, "42"},
  });
}

TEST(Operators, UintArithmetic) {
  EXPECT_CASES({
      {"_+_", {U(UINT64_MAX), U(1)}, "!overflow"},
      {"_-_", {U(1), U(2)}, "!overflow"},
      {"_-_", {U(42), U(12)}, "30u"},
      {"_*_", {U(5'000'000'000), U(5'000'000'000)}, "!overflow"},
      {"_/_", {U(1), U(0)}, "!division_by_zero"},
      {"_%_", {U(34), U(0)}, "!modulus_by_zero"},
      {"_%_", {U(42), U(5)}, "2u"},
      {"-_", {U(42)}, "!no_such_overload"},
      {"_+_", {I(1), U(1)}, "!no_such_overload"},
  });
}

TEST(Operators, DoubleArithmeticNeverFaults) {
  EXPECT_CASES({
      {"_/_", {D(1), D(0)}, "inf"},
      {"_/_", {D(-1), D(0)}, "-inf"},
      {"_*_", {D(2), D(8.988466e+307)}, "inf"},
      {"-_", {D(0.0)}, "-0.0"},
      {"_%_", {D(47.5), D(5.5)}, "!no_such_overload"},
  });
  EXPECT_TRUE(std::isnan(made("_/_", {D(0), D(0)}).d));
}

TEST(Operators, Concatenation) {
  EXPECT_CASES({
      {"_+_", {S("a\xC3\xBF"), S("\xF0\x9F\x90\xB1")}, "\"a\xC3\xBF\xF0\x9F\x90\xB1\""},
      {"_+_", {S(""), S("abc")}, "\"abc\""},
      {"_+_", {S(""), S("")}, "\"\""},
      {"_+_", {Y(""), Y("\xFFoo")}, "bff6f6f"},
      {"_+_", {L({I(2)}), L({S("x")})}, "[2, \"x\"]"},
      {"_+_", {L({}), L({})}, "[]"},
      {"_+_", {S("a"), Y("a")}, "!no_such_overload"},
  });
  std::string big(600'000, 'x');
  EXPECT_EQ(call("_+_", {S(big), S(big)}), "!memory_budget");
  EXPECT_EQ(call("_+_", {S(big), S("y")}, {.cost = 1000}), "!cost_budget");
}

TEST(Operators, TimeArithmetic) {
  EXPECT_CASES({
      {"_+_", {time("2024-02-28T23:59:59Z"), span("1s")}, "2024-02-29T00:00:00Z"},
      {"_+_", {span("1s"), time("2023-02-28T23:59:59Z")}, "2023-03-01T00:00:00Z"},
      {"_+_", {time("0001-01-01T00:00:01.000000001Z"), span("-999999999ns")}, "0001-01-01T00:00:00.000000002Z"},
      {"_+_", {time("9999-12-31T23:59:59.999999999Z"), span("1ns")}, "!overflow"},
      {"_-_", {time("0001-01-01T00:00:00Z"), span("1ns")}, "!overflow"},
      {"_-_", {time("1970-01-01T00:00:00Z"), span("1ns")}, "1969-12-31T23:59:59.999999999Z"},
      {"_-_", {time("2009-02-13T23:31:00Z"), time("2009-02-13T23:29:00.5Z")}, "119.5s"},
      {"_-_", {time("9999-12-31T23:59:59Z"), time("0001-01-01T00:00:00Z")}, "!overflow"},
      {"_+_", {span("2540400h"), span("2540400h")}, "!overflow"},
      {"_-_", {span("1s"), span("1.5s")}, "-0.5s"},
      {"_+_", {time("1970-01-01T00:00:00Z"), time("1970-01-01T00:00:00Z")}, "!no_such_overload"},
  });
}

TEST(Operators, OrderAcrossNumbers) {
  EXPECT_CASES({
      {"_<_", {I(-1), U(0)}, "true"},
      {"_<_", {U(UINT64_MAX), I(kMax)}, "false"},
      {"_<_", {I(kMax), D(9223372036854775808.0)}, "false"},
      {"_>=_", {I(kMax), D(9223372036854775808.0)}, "true"},
      {"_<_", {I(kMax), D(9223372036854777856.0)}, "true"},
      {"_<_", {U(UINT64_MAX), D(-1)}, "false"},
      {"_<=_", {U(UINT64_MAX), D(18446744073709551616.0)}, "true"},
      {"_<_", {D(NAN), I(1)}, "false"},
      {"_>=_", {D(NAN), I(1)}, "false"},
      {"_<=_", {D(NAN), D(NAN)}, "false"},
      {"_>_", {D(0.0), D(-0.0)}, "false"},
      {"_>=_", {D(-0.0), D(0.0)}, "true"},
      {"_<_", {I(9007199254740993), D(9007199254740992.0)}, "false"},
  });
}

TEST(Operators, OrderOfOtherKinds) {
  EXPECT_CASES({
      {"_<_", {T(false), T(true)}, "true"},
      {"_<_", {S("a"), S("b")}, "true"},
      {"_<_", {S("\xEF\xBF\xBF"), S("\xF0\x90\x80\x80")}, "true"},
      {"_<_", {S("ab"), S("a")}, "false"},
      {"_>_", {Y("\xFF"), Y("\x01")}, "true"},
      {"_<=_", {time("2009-02-13T23:00:00Z"), time("2009-02-13T23:00:00Z")}, "true"},
      {"_>_", {span("-1ns"), span("0s")}, "false"},
      {"_<_", {S("1"), I(1)}, "!no_such_overload"},
      {"_<_", {L({}), L({})}, "!no_such_overload"},
      {"_<_", {N(), N()}, "!no_such_overload"},
  });
}

TEST(Operators, Membership) {
  EXPECT_CASES({
      {"@in", {U(3), L({I(5), I(3)})}, "true"},
      {"@in", {D(3), L({S("3"), U(3)})}, "true"},
      {"@in", {D(NAN), L({D(NAN)})}, "false"},
      {"@in", {L({I(1)}), L({L({I(2)}), L({D(1)})})}, "true"},
      {"@in", {I(1), L({})}, "false"},
      {"@in", {D(1), M({{I(1), S("x")}})}, "true"},
      {"@in", {L({}), M({{I(1), S("x")}})}, "false"},
      {"@in", {I(1), S("1")}, "!no_such_overload"},
  });
  std::vector<Value> many(2000, I(0));
  EXPECT_EQ(call("@in", {I(1), L(many)}, {.cost = 1000}), "!cost_budget");
}

TEST(Operators, DeepMembershipIsBounded) {
  // Each level holds the one below it twice: 2^60 nodes in 120 values.
  Value nest = L({I(1)});
  for (int i = 0; i < 60; ++i) nest = L({nest, nest});
  EXPECT_EQ(call("@in", {nest, L({nest})}), "!cost_budget");
}

TEST(Operators, Indexing) {
  EXPECT_CASES({
      {"_[_]", {L({I(7), I(8)}), I(1)}, "8"},
      {"_[_]", {L({I(7)}), I(1)}, "!index_out_of_bounds"},
      {"_[_]", {L({I(7)}), I(-1)}, "!index_out_of_bounds"},
      {"_[_]", {L({}), I(kMin)}, "!index_out_of_bounds"},
      {"_[_]", {M({{S("a"), I(1)}}), S("a")}, "1"},
      {"_[_]", {M({{S("a"), I(1)}}), S("b")}, "!no_such_key"},
      {"_[_]", {M({{U(1), S("x")}}), D(1.0)}, "\"x\""},
      {"_[_]", {O(L({I(7)})), I(0)}, "optional(7)"},
      {"_[_]", {O(M({})), S("a")}, "none"},
      {"_[_]", {none(), S("a")}, "none"},
      {"_[_]", {S("abc"), I(0)}, "!no_such_overload"},
      {"_[?_]", {L({S("foo")}), I(0)}, "optional(\"foo\")"},
      {"_[?_]", {L({}), I(0)}, "none"},
      {"_[?_]", {M({{T(), I(0)}}), T(false)}, "none"},
      {"_[?_]", {none(), I(0)}, "none"},
      {"_[?_]", {O(L({I(7)})), I(0)}, "optional(7)"},
      {"_[?_]", {O(S("abc")), I(0)}, "!no_such_overload"},
  });
  EXPECT_EQ(message("_[_]", {L({I(7)}), I(4)}), "4");
  EXPECT_EQ(message("_[_]", {M({}), S("key")}), "key");
}

TEST(Operators, Size) {
  EXPECT_CASES({
      {"size", {S("")}, "0"},
      {"size", {S("\xCF\x80\xCE\xAD\xF0\x9F\x90\xB1")}, "3"},
      {"size", {Y("\xF0\x9F\x90\xB1")}, "4"},
      {"size", {L({I(1), I(2)})}, "2"},
      {"size", {M({{S("a"), I(1)}})}, "1"},
      {"size", {I(1)}, "!no_such_overload"},
  });
}

}  // namespace
}  // namespace ordain::testing
