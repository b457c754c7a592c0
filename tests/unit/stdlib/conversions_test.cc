// These tests cover conversions: accepted and refused values, and how values are written.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/stdlib/call.h"

namespace ordain::testing {
namespace {

TEST(Conversions, ToInt) {
  EXPECT_CASES({
      {"int", {U(INT64_MAX)}, "9223372036854775807"},
      {"int", {U(uint64_t{1} << 63)}, "!conversion"},
      {"int", {D(-123.456)}, "-123"},
      {"int", {D(-0.9)}, "0"},
      {"int", {D(9223372036854774784.0)}, "9223372036854774784"},
      {"int", {D(9223372036854775808.0)}, "!conversion"},
      {"int", {D(-9223372036854775808.0)}, "!conversion"},
      {"int", {D(NAN)}, "!conversion"},
      {"int", {D(INFINITY)}, "!conversion"},
      {"int", {S("987")}, "987"},
      {"int", {S("-9223372036854775808")}, "-9223372036854775808"},
      {"int", {S("+5")}, "5"},
      {"int", {S("9223372036854775808")}, "!conversion"},
      {"int", {S("")}, "!conversion"},
      {"int", {S("+-5")}, "!conversion"},
      {"int", {S(" 5")}, "!conversion"},
      {"int", {S("5.0")}, "!conversion"},
      {"int", {S("0x10")}, "!conversion"},
      {"int", {time("2009-02-13T23:31:30.9Z")}, "1234567890"},
      {"int", {time("1969-12-31T23:59:59.5Z")}, "-1"},
      {"int", {T()}, "!no_such_overload"},
      {"int", {N()}, "!no_such_overload"},
  });
}

TEST(Conversions, ToUint) {
  EXPECT_CASES({
      {"uint", {I(-1)}, "!conversion"},
      {"uint", {I(INT64_MAX)}, "9223372036854775807u"},
      {"uint", {D(3.14159265)}, "3u"},
      {"uint", {D(-0.5)}, "!conversion"},
      {"uint", {D(18446744073709551616.0)}, "!conversion"},
      {"uint", {D(18446744073709549568.0)}, "18446744073709549568u"},
      {"uint", {D(NAN)}, "!conversion"},
      {"uint", {S("18446744073709551615")}, "18446744073709551615u"},
      {"uint", {S("18446744073709551616")}, "!conversion"},
      {"uint", {S("-1")}, "!conversion"},
      {"uint", {S("")}, "!conversion"},
  });
}

TEST(Conversions, ToDouble) {
  EXPECT_CASES({
      {"double", {I(INT64_MAX)}, "9223372036854775808.0"},
      {"double", {U(UINT64_MAX)}, "18446744073709551616.0"},
      {"double", {S("1.38e-23")}, "1.38e-23"},
      {"double", {S("-5.43e-21")}, "-5.43e-21"},
      {"double", {S("+.5")}, "0.5"},
      {"double", {S("1.")}, "1.0"},
      {"double", {S("Infinity")}, "inf"},
      {"double", {S("-inf")}, "-inf"},
      {"double", {S("1e400")}, "!conversion"},
      {"double", {S("1e99999999999999999999")}, "!conversion"},
      {"double", {S("1e-400")}, "0.0"},
      {"double", {S("-0.0001e-99999999999999999999")}, "-0.0"},
      {"double", {S("0x1p-2")}, "0.25"},
      {"double", {S("")}, "!conversion"},
      {"double", {S(".")}, "!conversion"},
      {"double", {S("1e")}, "!conversion"},
      {"double", {S("1.5 ")}, "!conversion"},
      {"double", {S("--1")}, "!conversion"},
      {"double", {S("nan(1)")}, "!conversion"},
      {"double", {S("1,5")}, "!conversion"},
  });
  EXPECT_TRUE(std::isnan(made("double", {S("NaN")}).d));
}

TEST(Conversions, ToBool) {
  EXPECT_CASES({
      {"bool", {S("TRUE")}, "true"},
      {"bool", {S("1")}, "true"},
      {"bool", {S("f")}, "false"},
      {"bool", {S("False")}, "false"},
      {"bool", {S("FaLsE")}, "!conversion"},
      {"bool", {S("")}, "!conversion"},
      {"bool", {T(false)}, "false"},
      {"bool", {I(1)}, "!no_such_overload"},
  });
}

TEST(Conversions, ToStringOfNumbers) {
  EXPECT_CASES({
      {"string", {I(INT64_MIN)}, "\"-9223372036854775808\""},
      {"string", {U(UINT64_MAX)}, "\"18446744073709551615\""},
      {"string", {D(-4.5e-3)}, "\"-0.0045\""},
      {"string", {D(123.456)}, "\"123.456\""},
      {"string", {D(1e23)}, "\"1e+23\""},
      {"string", {D(1.5e-7)}, "\"1.5e-07\""},
      {"string", {D(0.0001)}, "\"0.0001\""},
      {"string", {D(0.00001)}, "\"1e-05\""},
      {"string", {D(100000)}, "\"100000\""},
      {"string", {D(1e100)}, "\"1e+100\""},
      {"string", {D(0.0)}, "\"0\""},
      {"string", {D(-0.0)}, "\"-0\""},
      {"string", {D(NAN)}, "\"NaN\""},
      {"string", {D(-INFINITY)}, "\"-Inf\""},
      {"string", {D(5e-324)}, "\"5e-324\""},
      {"string", {T()}, "\"true\""},
  });
}

TEST(Conversions, ToStringAndBytes) {
  EXPECT_CASES({
      {"string", {Y("abc")}, "\"abc\""},
      {"string", {Y(std::string_view("\0\xFF", 2))}, "!conversion"},
      {"string", {Y("\xED\xA0\x80")}, "!conversion"},
      {"string", {Y("\xC0\x80")}, "!conversion"},
      {"string", {Y("\xF4\x90\x80\x80")}, "!conversion"},
      {"string", {Y("\xF0\x9F\x90")}, "!conversion"},
      {"bytes", {S("\xC3\xBF")}, "bc3bf"},
      {"string", {time("2009-02-13T23:31:30.5Z")}, "\"2009-02-13T23:31:30.5Z\""},
      {"string", {time("2009-02-13T23:31:30Z")}, "\"2009-02-13T23:31:30Z\""},
      {"string", {time("9999-12-31T23:59:59.999999999Z")}, "\"9999-12-31T23:59:59.999999999Z\""},
      {"string", {time("0001-01-01T00:00:00.100000Z")}, "\"0001-01-01T00:00:00.1Z\""},
      {"string", {span("1000000s")}, "\"1000000s\""},
      {"string", {L({})}, "!no_such_overload"},
  });
}

TEST(Conversions, ToTime) {
  EXPECT_CASES({
      {"timestamp", {S("2023-02-03T23:31:20+00:00")}, "2023-02-03T23:31:20Z"},
      {"timestamp", {S("10000-01-01T00:00:00Z")}, "!conversion"},
      {"timestamp", {S("0000-12-31T23:59:59Z")}, "!conversion"},
      {"timestamp", {S("2023-02-29T00:00:00Z")}, "!conversion"},
      {"timestamp", {S("now")}, "!conversion"},
      {"timestamp", {I(0)}, "1970-01-01T00:00:00Z"},
      {"timestamp", {I(253402300799)}, "9999-12-31T23:59:59Z"},
      {"timestamp", {I(253402300800)}, "!conversion"},
      {"timestamp", {I(-62135596801)}, "!conversion"},
      {"duration", {S("1h30m")}, "5400s"},
      {"duration", {S("-1.5s")}, "-1.5s"},
      {"duration", {S("1")}, "!conversion"},
      {"duration", {S("320000000000s")}, "!conversion"},
  });
  EXPECT_EQ(message("duration", {S("a while")}), "\"a while\" is not a valid duration");
}

TEST(Conversions, LongTextsAreCutInMessages) {
  std::string text(39, 'a');
  text += "\xF0\x9F\x90\xB1\xF0\x9F\x90\xB1";
  EXPECT_EQ(message("int", {S(text)}), "\"" + std::string(39, 'a') + "...\" is not a valid int");
}

TEST(Types, TypeOf) {
  EXPECT_CASES({
      {"type", {I(1)}, "int"},
      {"type", {U(1)}, "uint"},
      {"type", {N()}, "null_type"},
      {"type", {M({})}, "map"},
      {"type", {Value::type("int")}, "type"},
      {"type", {time("1970-01-01T00:00:00Z")}, "google.protobuf.Timestamp"},
      {"type", {none()}, "optional_type"},
      {"type", {made("ip", {S("::1")})}, "net.IP"},
      {"dyn", {L({I(1)})}, "[1]"},
  });
}

}  // namespace
}  // namespace ordain::testing
