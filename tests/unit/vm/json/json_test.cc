// These tests cover reading and writing JSON: how texts are read, what is refused and where, and
// canonical text.
#include "ordain/json.h"

#include <gtest/gtest.h>

#include <charconv>
#include <cstdlib>
#include <limits>
#include <new>
#include <string>
#include <utility>

#include "tests/support/allocations.h"

namespace ordain {
namespace {

std::string kinds(std::string_view text) {
  Arena arena;
  Result<Value> value = parse_json(arena, text);
  if (!value) return value.error().code + ": " + value.error().message;
  return std::string(type_name(value->kind)) + " " + to_json(*value);
}

std::string refusal(std::string_view text) {
  Arena arena;
  Result<Value> value = parse_json(arena, text);
  EXPECT_FALSE(value) << text;
  if (value) return "accepted";
  EXPECT_EQ(value.error().code, "bad_json");
  return value.error().message;
}

TEST(JsonIn, NumbersKeepTheirKind) {
  EXPECT_EQ(kinds("5"), "int 5");
  EXPECT_EQ(kinds("-0"), "int 0");
  EXPECT_EQ(kinds("5.0"), "double 5.0");
  EXPECT_EQ(kinds("-0.0"), "double -0.0");
  EXPECT_EQ(kinds("1e2"), "double 100.0");
  EXPECT_EQ(kinds("9223372036854775807"), "int 9223372036854775807");
  EXPECT_EQ(kinds("-9223372036854775808"), "int -9223372036854775808");
  EXPECT_EQ(kinds("9223372036854775808"), "uint 9223372036854775808");
  EXPECT_EQ(kinds("18446744073709551615"), "uint 18446744073709551615");
  EXPECT_EQ(kinds("0.1"), "double 0.1");
  EXPECT_EQ(kinds("1e-400"), "double 0.0");
}

TEST(JsonIn, OtherKinds) {
  EXPECT_EQ(kinds("null"), "null_type null");
  EXPECT_EQ(kinds(" true "), "bool true");
  EXPECT_EQ(kinds("\"a\\u00e9\\ud83d\\ude00\\n\""), "string \"a\xC3\xA9\xF0\x9F\x98\x80\\n\"");
  EXPECT_EQ(kinds("[]"), "list []");
  EXPECT_EQ(kinds("{}"), "map {}");
  EXPECT_EQ(kinds("[1,[2,{\"a\":[]}]]"), "list [1,[2,{\"a\":[]}]]");
  EXPECT_EQ(kinds("\"\\u0000\""), "string \"\\u0000\"");
}

// An integer beyond 64 bits is a double if a double equals it; nothing is rounded.
TEST(JsonIn, IntegersPast64BitsAreDoublesIfExact) {
  char most[400];
  const std::string_view digits(
      most, static_cast<size_t>(std::to_chars(most, most + 400, 0x1p1023, std::chars_format::fixed, 0).ptr - most));
  const std::pair<std::string, double> exact[] = {{"18446744073709551616", 0x1p64},
                                                  {"-9223372036854777856", -0x1p63 - 2048},
                                                  {"1000000000000000000000", 1e21},
                                                  {std::string(digits), 0x1p1023},
                                                  {"-" + std::string(digits), -0x1p1023}};
  for (const auto& [text, number] : exact) {
    const std::string written = to_json(Value::floating(number));
    EXPECT_EQ(kinds(text), "double " + written);
    EXPECT_EQ(kinds("[1," + text + " ,2]"), "list [1," + written + ",2]");
    EXPECT_EQ(kinds("{\"a\\\"1\":" + text + "}"), "map {\"a\\\"1\":" + written + "}");
    EXPECT_EQ(kinds("\"" + text + "\""), "string \"" + text + "\"");
  }
  for (const char* inexact : {"18446744073709551617", "-9223372036854775809", "28857836529306024611912"}) {
    EXPECT_NE(refusal(inexact).find("an integer past 64 bits"), std::string::npos) << inexact;
    Arena arena;
    std::string flaw;
    const Result<Value> value = parse_json(arena, inexact, &flaw);
    ASSERT_TRUE(value.ok()) << inexact;
    EXPECT_EQ(flaw, "the number " + std::string(inexact) + " is past 64 bits, and no double equals it");
  }
  for (const std::string& huge : {std::string(400, '9'), "-" + std::string(100'000, '9')}) {
    Arena arena;
    std::string flaw;
    ASSERT_TRUE(parse_json(arena, "[1e5, " + huge + ", {\"a\": 3}]", &flaw).ok());
    EXPECT_EQ(flaw, "the number " + huge.substr(0, 40) + "... is past 64 bits, and no double equals it");
  }
  for (const char* broken : {"[18446744073709551616", "18446744073709551616 1", "018446744073709551616", "[1e999]"}) {
    Arena arena;
    std::string flaw;
    EXPECT_FALSE(parse_json(arena, broken, &flaw).ok()) << broken;
  }
}

TEST(JsonIn, RefusesWithTheOffset) {
  EXPECT_EQ(refusal("18446744073709551617"), "at offset 0: an integer past 64 bits");
  EXPECT_EQ(refusal("[1,-9223372036854775809]"), "at offset 3: an integer past 64 bits");
  EXPECT_EQ(refusal("[1e400]"), "at offset 1: a number past double");
  EXPECT_EQ(refusal(""), "at offset 0: the text ends where a value should be");
  EXPECT_EQ(refusal({}), "at offset 0: the text ends where a value should be");  // no memory behind it
  EXPECT_EQ(refusal("  "), "at offset 2: the text ends where a value should be");
  EXPECT_EQ(refusal("{\"a\":1} x"), "at offset 8: text after the value");
  EXPECT_EQ(refusal("1 2"), "at offset 2: text after the value");
  EXPECT_EQ(refusal("[1 2]"), "at offset 3: expected `,` or `]`");
  EXPECT_EQ(refusal("[1,]"), "at offset 3: expected a value");
  EXPECT_EQ(refusal("{\"a\" 1}"), "at offset 5: expected `:`");
  EXPECT_EQ(refusal("{\"a\":1,}"), "at offset 7: expected a quoted key");
  EXPECT_EQ(refusal("{a:1}"), "at offset 1: expected a quoted key");
  EXPECT_EQ(refusal("[01]"), "at offset 2: a number with a leading zero");
  EXPECT_EQ(refusal("[tru]"), "at offset 1: expected a value");
  EXPECT_EQ(refusal("NaN"), "at offset 0: expected a value");
  EXPECT_EQ(refusal("\"a"), "at offset 2: the text ends within a string");
  EXPECT_EQ(refusal("\"a\nb\""), "at offset 2: a control character in a string");
  EXPECT_EQ(refusal("\"\\x\""), "at offset 1: an unknown escape");
  EXPECT_EQ(refusal("\"\\ud800\""), "at offset 1: half a surrogate pair");
  EXPECT_EQ(refusal("\"\\u12g4\""), "at offset 1: `\\u` without four hexadecimal digits");
  EXPECT_EQ(refusal("[\"a\xff\"]"), "at offset 3: invalid UTF-8");
  EXPECT_EQ(refusal("\"\xC0\x80\""), "at offset 1: invalid UTF-8");
  EXPECT_EQ(refusal("\"\xED\xA0\x80\""), "at offset 1: invalid UTF-8");
}

TEST(JsonIn, RefusesDuplicateKeysByName) {
  EXPECT_EQ(refusal("{\"a\":1,\"b\":{\"x y\":1,\"x y\":2}}"), "duplicate key \"x y\"");
  EXPECT_EQ(refusal("{\"a\":1,\"\\u0061\":2}"), "duplicate key \"a\"");
  std::string many = "{";
  for (int n = 0; n < 100; ++n) many += "\"k" + std::to_string(n) + "\":0,";
  EXPECT_EQ(refusal(many + "\"k50\":1}"), "duplicate key \"k50\"");
}

TEST(JsonIn, NestsToSixtyFour) {
  auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(kinds(nested(64)), "list " + nested(64));
  EXPECT_NE(refusal(nested(65)).find("nested deeper than 64"), std::string::npos);
  EXPECT_NE(refusal(nested(100000)).find("nested deeper than 64"), std::string::npos);
  EXPECT_NE(refusal(std::string(100000, '[')).find("nested deeper than 64"), std::string::npos);
}

TEST(JsonIn, StopsAtTheArenasLimit) {
  Arena arena(256, 256);
  Result<Value> value = parse_json(arena, "[\"" + std::string(300, 'x') + "\"]");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().code, "bad_json");
  EXPECT_NE(value.error().message.find("too large"), std::string::npos);
  for (const char* text : {"[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18]",
                           "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9}"}) {
    Arena small(128, 128);
    EXPECT_FALSE(parse_json(small, text)) << text;
  }
}

TEST(JsonIn, ErrorsLeaveTheParserUsable) {
  for (int n = 0; n < 3; ++n) {
    EXPECT_EQ(kinds("[1]"), "list [1]");
    refusal("[1");
    EXPECT_EQ(kinds("[\"" + std::string(2'000'000, 'x') + "\"]").size(), 2'000'009u);
  }
}

// A text that is large enough to need more room than a warm parser has.
std::string spaced(size_t spaces) { return "[" + std::string(spaces, ' ') + "1]"; }

// What is short of memory is neither a mistake of the text, nor does it leave the parser with room that it has not got.
TEST(JsonIn, WithoutMemoryThereIsNoAnswer) {
  if (ORDAIN_COUNTS_ALLOCATIONS == 0) GTEST_SKIP() << "sanitizers have their own operator new";
  const std::string large = spaced(900'000), smaller = spaced(500'000), forgotten = spaced(2'000'000);
  for (int n = 0; n < 100; ++n) {
    SCOPED_TRACE(n);
    EXPECT_EQ(kinds(forgotten), "list [1]");  // after it, the parser begins anew
    if (n % 2 == 0) {
      EXPECT_EQ(kinds("[1]"), "list [1]");
    }
    Arena arena;
    bool read = false, out_of_memory = false;
    test::allocations_until_failure = n / 2;
    try {
      read = parse_json(arena, large).ok();
    } catch (const std::bad_alloc&) {
      out_of_memory = true;
    }
    const bool reached = test::allocations_until_failure.exchange(-1) < 0;
    EXPECT_EQ(out_of_memory, reached);
    EXPECT_EQ(read, !reached);
    EXPECT_EQ(kinds(smaller), "list [1]");
    if (!reached && n % 2 != 0) return;
  }
  FAIL() << "there is no end of allocations";
}

// Reads a first text in this process, with the n-th allocation failing, and ends the process.
void read_first(int n) {
  test::allocations_until_failure = n;
  try {
    Arena arena;
    const bool read = parse_json(arena, "[1]").ok();
    test::allocations_until_failure = -1;
    std::_Exit(read ? 0 : 1);
  } catch (const std::bad_alloc&) {
    std::_Exit(0);
  }
}

TEST(JsonInDeathTest, TheFirstTextOfAProcessMayBeShortOfMemory) {
  if (ORDAIN_COUNTS_ALLOCATIONS == 0) GTEST_SKIP() << "sanitizers have their own operator new";
  const std::string style = GTEST_FLAG_GET(death_test_style);
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // a new process, in which nothing has been read
  for (int n = 0; n < 12; ++n) EXPECT_EXIT(read_first(n), ::testing::ExitedWithCode(0), "") << n;
  GTEST_FLAG_SET(death_test_style, style);
}

TEST(JsonOut, IsCanonical) {
  EXPECT_EQ(kinds("{ \"b\" : 1, \"a\" : [ 1.50 , 1E2 ], \"B\": null }"), "map {\"B\":null,\"a\":[1.5,100.0],\"b\":1}");
  EXPECT_EQ(to_json(Value::floating(1e300)), "1e+300");
  EXPECT_EQ(to_json(Value::floating(0.1)), "0.1");
  EXPECT_EQ(to_json(Value::floating(5)), "5.0");
  EXPECT_EQ(to_json(Value::floating(std::numeric_limits<double>::quiet_NaN())), "\"NaN\"");
  EXPECT_EQ(to_json(Value::floating(-std::numeric_limits<double>::infinity())), "\"-Infinity\"");
  EXPECT_EQ(to_json(Value::timestamp(1234567890, 0)), "\"2009-02-13T23:31:30Z\"");
  EXPECT_EQ(to_json(Value::timestamp(1234567890, 5000000)), "\"2009-02-13T23:31:30.005Z\"");
  EXPECT_EQ(to_json(Value::duration(-1, -500000000)), "\"-1.5s\"");
  EXPECT_EQ(to_json(Value::bytes("hello")), "\"aGVsbG8=\"");
  EXPECT_EQ(to_json(Value::bytes("")), "\"\"");
  EXPECT_EQ(to_json(Value::type("int")), "\"int\"");
  EXPECT_EQ(to_json(Value()), "null");
  EXPECT_EQ(to_json(Value::optional(nullptr)), "null");
  Value seven = Value::integer(7);
  EXPECT_EQ(to_json(Value::optional(&seven)), "7");
}

TEST(JsonOut, KeysOfOtherKindsAreTheirText) {
  Arena arena;
  MapEntry entries[] = {{Value::integer(10), Value::null()},
                        {Value::boolean(true), Value::null()},
                        {Value::unsigned_integer(9), Value::null()}};
  EXPECT_EQ(to_json(Value::map_of(make_map(arena, entries))), "{\"10\":null,\"9\":null,\"true\":null}");
}

TEST(JsonOut, Addresses) {
  Value ip = Value::bytes({"\x0a\0\0\1", 4});
  ip.kind = Kind::ip;
  EXPECT_EQ(to_json(ip), "\"10.0.0.1\"");
  Value net = Value::bytes({"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\0", 16});
  net.kind = Kind::cidr;
  net.aux = 16 | 32 << 8;
  EXPECT_EQ(to_json(net), "\"2001:db8::/32\"");
}

TEST(JsonOut, LongBytesAreOneBase64Text) {
  std::string data(10000, 'a');
  std::string text = to_json(Value::bytes(data));
  EXPECT_EQ(text.size(), 2u + 13336u);
  EXPECT_EQ(text.find('='), text.size() - 3);  // padding only at the end
}

TEST(JsonOut, StringsAreEscaped) {
  std::string out;
  append_json_string(out, std::string_view("\"\\/\b\f\n\r\t\x01\x7f\0é", 13));
  EXPECT_EQ(out, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\x7f\\u0000é\"");
}

TEST(JsonOut, RoundTrips) {
  for (const char* text :
       {"{\"a\":[1,2.5,\"x\",null,true],\"b\":{\"c\":-0.0}}", "18446744073709551615", "1e-07", "\"\\u001f\""}) {
    Arena arena;
    Result<Value> value = parse_json(arena, text);
    ASSERT_TRUE(value);
    EXPECT_EQ(to_json(*value), text);
  }
}

TEST(Documents, OwnTheirMemory) {
  Document document = [] {
    std::string text = "{\"a\":[1,\"two\"]}";
    return *Document::parse(text);
  }();
  EXPECT_EQ(document.json(), "{\"a\":[1,\"two\"]}");
  Document copy = Document::copy_of(document.root());
  document = Document();
  EXPECT_EQ(document.json(), "null");
  EXPECT_EQ(copy.json(), "{\"a\":[1,\"two\"]}");
  EXPECT_FALSE(Document::parse("{"));
}

}  // namespace
}  // namespace ordain
