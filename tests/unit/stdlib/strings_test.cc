// These tests check that string functions count in code points and always return valid UTF-8.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/stdlib/call.h"

namespace ordain::testing {
namespace {

constexpr std::string_view kMixed = "ta\xC2\xA9o\xC2\xA9\xCE\xB1T";  // ta©o©αT
constexpr std::string_view kCat = "\xF0\x9F\x90\xB1";

TEST(Strings, Looking) {
  EXPECT_CASES({
      {"contains", {S(kMixed), S("\xC2\xA9\xCE\xB1")}, "true"},
      {"contains", {S(""), S("")}, "true"},
      {"contains", {S(""), S("x")}, "false"},
      {"startsWith", {S("foobar"), S("foo")}, "true"},
      {"startsWith", {S(""), S("foo")}, "false"},
      {"endsWith", {S("fort\xC3\xA9"), S("t\xC3\xA9")}, "true"},
      {"endsWith", {S(""), S("")}, "true"},
      {"charAt", {S(kMixed), I(2)}, "\"\xC2\xA9\""},
      {"charAt", {S("tacocat"), I(7)}, "\"\""},
      {"charAt", {S("tacocat"), I(8)}, "!index_out_of_bounds"},
      {"charAt", {S("tacocat"), I(-1)}, "!index_out_of_bounds"},
      {"charAt", {I(42), I(2)}, "!no_such_overload"},
  });
}

TEST(Strings, IndexOf) {
  EXPECT_CASES({
      {"indexOf", {S("tacocat"), S("")}, "0"},
      {"indexOf", {S("tacocat"), S("none")}, "-1"},
      {"indexOf", {S(kMixed), S("\xC2\xA9")}, "2"},
      {"indexOf", {S(kMixed), S("\xC2\xA9"), I(3)}, "4"},
      {"indexOf", {S(kMixed), S("\xC2\xA9\xCE\xB1"), I(5)}, "-1"},
      {"indexOf", {S("tacocat"), S(""), I(7)}, "7"},
      {"indexOf", {S("tacocat"), S("a"), I(7)}, "-1"},
      {"indexOf", {S("tacocat"), S("a"), I(30)}, "!index_out_of_bounds"},
      {"indexOf", {S("tacocat"), S("a"), I(-1)}, "!index_out_of_bounds"},
      {"lastIndexOf", {S("tacocat"), S("")}, "7"},
      {"lastIndexOf", {S(""), S("@@")}, "-1"},
      {"lastIndexOf", {S("hello wello"), S("ello"), I(6)}, "1"},
      {"lastIndexOf", {S(kMixed), S("\xC2\xA9"), I(4)}, "4"},
      {"lastIndexOf", {S(kMixed), S("\xC2\xA9"), I(3)}, "2"},
      {"lastIndexOf", {S("tacocat"), S(""), I(3)}, "3"},
      {"lastIndexOf", {S("tacocat"), S("a"), I(30)}, "!index_out_of_bounds"},
      {"lastIndexOf", {S("tacocat"), S("a"), I(-1)}, "!index_out_of_bounds"},
  });
}

TEST(Strings, Substring) {
  EXPECT_CASES({
      {"substring", {S("tacocat"), I(4)}, "\"cat\""},
      {"substring", {S("tacocat"), I(7)}, "\"\""},
      {"substring", {S(kMixed), I(2), I(6)}, "\"\xC2\xA9o\xC2\xA9\xCE\xB1\""},
      {"substring", {S(kMixed), I(7), I(7)}, "\"\""},
      {"substring", {S("tacocat"), I(40)}, "!index_out_of_bounds"},
      {"substring", {S("tacocat"), I(-1)}, "!index_out_of_bounds"},
      {"substring", {S("tacocat"), I(1), I(50)}, "!index_out_of_bounds"},
      {"substring", {S("tacocat"), I(3), I(2)}, "!invalid_argument"},
      {"substring", {S("tacocat"), I(INT64_MIN)}, "!index_out_of_bounds"},
  });
  EXPECT_EQ(message("substring", {S("tacocat"), I(49), I(50)}), "49");
}

TEST(Strings, Trim) {
  EXPECT_CASES({
      {"trim", {S(" \f\n\r\t\vtext  ")}, "\"text\""},
      {"trim", {S("\xC2\x85\xC2\xA0\xE1\x9A\x80text")}, "\"text\""},
      {"trim", {S("text\xE2\x80\x80\xE2\x80\x8A\xE2\x80\xA8\xE3\x80\x80")}, "\"text\""},
      {"trim", {S("\xE1\xA0\x8Etext\xE2\x80\x8B")}, "\"\xE1\xA0\x8Etext\xE2\x80\x8B\""},
      {"trim", {S("   ")}, "\"\""},
      {"trim", {S("")}, "\"\""},
  });
}

TEST(Strings, CaseReverseQuote) {
  EXPECT_CASES({
      {"lowerAscii", {S("TacoC\xC3\x86t")}, "\"tacoc\xC3\x86t\""},
      {"upperAscii", {S("tacoC\xCE\xB1t")}, "\"TACOC\xCE\xB1T\""},
      {"lowerAscii", {S("")}, "\"\""},
      {"reverse",
       {S("a\xC2\xA9\xF0\x9F\x90\xB1")},
       "\"\xF0\x9F\x90\xB1\xC2\xA9"
       "a\""},
      {"reverse", {S("")}, "\"\""},
      {"strings.quote", {S("a\"\\\n\a\b\f\r\t\v")}, "\"\"a\\\"\\\\\\n\\a\\b\\f\\r\\t\\v\"\""},
      {"strings.quote", {S(kCat)}, "\"\"\xF0\x9F\x90\xB1\"\""},
      {"strings.quote", {S("")}, "\"\"\"\""},
  });
}

TEST(Strings, Replace) {
  EXPECT_CASES({
      {"replace", {S("{0} days {0} hours"), S("{0}"), S("2")}, "\"2 days 2 hours\""},
      {"replace", {S("{0} days {0} hours"), S("{0}"), S("2"), I(1)}, "\"2 days {0} hours\""},
      {"replace", {S("hello hello"), S("he"), S("we"), I(0)}, "\"hello hello\""},
      {"replace", {S("hello hello"), S("he"), S("we"), I(-1)}, "\"wello wello\""},
      {"replace", {S("1 \xC2\xA9\xCE\xB1T"), S("\xCE\xB1T"), S("o")}, "\"1 \xC2\xA9o\""},
      {"replace", {S("aaa"), S("aa"), S("b")}, "\"ba\""},
      {"replace",
       {S("\xC2\xA9"
          "b"),
        S(""), S("_")},
       "\"_\xC2\xA9_b_\""},
      {"replace", {S("ab"), S(""), S("_"), I(1)}, "\"_ab\""},
      {"replace", {S(""), S(""), S("x")}, "\"x\""},
      {"replace", {S("aa"), S("a"), S("")}, "\"\""},
      {"replace", {S("42"), S("2"), I(1)}, "!no_such_overload"},
  });
  std::string grows(4000, 'a');
  EXPECT_EQ(call("replace", {S(grows), S("a"), S(grows)}), "!cost_budget");
  EXPECT_EQ(call("replace", {S(grows), S("a"), S(grows)}, {.cost = 100'000'000}), "!memory_budget");
}

TEST(Strings, SplitAndJoin) {
  EXPECT_CASES({
      {"split", {S("hello world events!"), S(" ")}, "[\"hello\", \"world\", \"events!\"]"},
      {"split", {S("hello world events!"), S(" "), I(0)}, "[]"},
      {"split", {S("hello world events!"), S(" "), I(1)}, "[\"hello world events!\"]"},
      {"split", {S("hello world events!"), S(" "), I(2)}, "[\"hello\", \"world events!\"]"},
      {"split", {S("o\xC2\xA9o"), S("\xC2\xA9"), I(-1)}, "[\"o\", \"o\"]"},
      {"split",
       {S("\xC2\xA9"
          "ab"),
        S("")},
       "[\"\xC2\xA9\", \"a\", \"b\"]"},
      {"split", {S("abc"), S(""), I(2)}, "[\"a\", \"bc\"]"},
      {"split", {S(""), S("")}, "[]"},
      {"split", {S(""), S(",")}, "[\"\"]"},
      {"split", {S(",a,"), S(",")}, "[\"\", \"a\", \"\"]"},
      {"join", {L({S("x"), S("y")})}, "\"xy\""},
      {"join", {L({S("x"), S(""), S("y")}), S("-")}, "\"x--y\""},
      {"join", {L({}), S("-")}, "\"\""},
      {"join", {L({S("x"), I(1)}), S("-")}, "!no_such_overload"},
  });
}

TEST(Strings, RegexMatches) {
  EXPECT_CASES({
      {"matches", {S("abcd"), S("bc")}, "true"},
      {"matches", {S(""), S("")}, "true"},
      {"matches", {S(""), S("foo|bar")}, "false"},
      {"matches",
       {S("ma\xC3\xB1"
          "ana"),
        S("a+\xC3\xB1+a+")},
       "true"},
      {"matches", {S(kCat), S("^.$")}, "true"},
      {"matches", {S("hello"), S("^ell")}, "false"},
      {"matches", {S("x"), S("(")}, "!invalid_regex"},
      {"matches", {S("x"), S("(?=x)")}, "!invalid_regex"},
      {"matches", {S("x"), S("((a{100}){100}){100}")}, "!invalid_regex"},
  });
  EXPECT_EQ(call("matches", {S(std::string(100'000, 'a')), S("(a|b|c)*[a-z]{300}x")}), "!cost_budget");
  EXPECT_EQ(call("matches", {S("x"), S(std::string(70'000, 'a'))}), "!invalid_regex");
}

TEST(Strings, RegexPreparedAgreesWithUnprepared) {
  for (std::string_view id : {"matches", "matches_string"}) {
    const Overload* row = standard_library().find_overload(id);
    ASSERT_NE(row, nullptr);
    ASSERT_EQ(row->preparation.arg, 1);
    std::string error;
    auto prepared = row->preparation.prepare(S("b+c"), &error);
    ASSERT_NE(prepared, nullptr) << error;
    Eval eval;
    eval.arena = &values();
    Value args[2] = {S("abbbc"), S("b+c")};
    Value result;
    ASSERT_TRUE(row->preparation.call(eval, prepared.get(), args, &result));
    EXPECT_TRUE(result.as_bool());
    Value longer[2] = {S(std::string(10'000, 'x')), S("b+c")};
    EXPECT_GT(row->preparation.cost(prepared.get(), longer), 100 * row->preparation.cost(prepared.get(), args));
    EXPECT_EQ(row->preparation.prepare(S("a**("), &error), nullptr);
    EXPECT_NE(error, "");
  }
}

uint64_t scan_cost(std::string_view pattern, size_t text) {
  const Overload* row = standard_library().find_overload("matches");
  std::string error;
  auto prepared = row->preparation.prepare(S(pattern), &error);
  EXPECT_NE(prepared, nullptr) << error;
  Value args[2] = {S(""), S(pattern)};
  args[0].aux = static_cast<uint32_t>(text);
  return row->preparation.cost(prepared.get(), args);
}

// A constant pattern is charged by the length of the text, at the speed of RE2's automaton, whatever
// the pattern; only large programs are charged more.
TEST(Strings, RegexCostIsLinearInTheText) {
  for (std::string_view pattern : {"a", "AKIA[0-9A-Z]{16}", "(?i)(api[_-]?key|secret)\\s*[:=]\\s*[0-9a-z_-]{16,64}"}) {
    EXPECT_EQ(scan_cost(pattern, 0), 1U) << pattern;
    EXPECT_EQ(scan_cost(pattern, 1 << 20), 1U + (1 << 20) / 40) << pattern;
    EXPECT_EQ(scan_cost(pattern, 4'000'000), 100'001U) << pattern;
  }
  EXPECT_EQ(scan_cost("a{1000}b{1000}c{1000}d{1000}", 4000), 1U + 100 * 4);
}

// As RE2's GlobalReplace and Go do it: an empty match right after a match does not count.
TEST(Strings, RegexEmptyMatches) {
  EXPECT_CASES({
      {"regex.replace", {S("abc"), S("b*"), S("-")}, "\"-a-c-\""},
      {"regex.extractAll", {S("abc"), S("b*")}, "[\"\", \"b\", \"\"]"},
      {"regex.replace", {S("abc"), S("b*"), S("-"), I(2)}, "\"-a-c\""},
      {"regex.replace", {S("abc"), S("b*"), S("-"), I(3)}, "\"-a-c-\""},
      {"regex.replace", {S("bb"), S("b*"), S("-")}, "\"-\""},
      {"regex.replace", {S("bab"), S("b*"), S("-")}, "\"-a-\""},
      {"regex.replace", {S("abc"), S(""), S("-")}, "\"-a-b-c-\""},
      {"regex.replace", {S("a\xC3\xB1"), S("a?"), S("-")}, "\"-\xC3\xB1-\""},
      {"regex.extractAll", {S("abb"), S("b*?")}, "[\"\", \"\", \"\", \"\"]"},
      {"regex.extractAll", {S("ab\nb"), S("(?m)$")}, "[\"\", \"\"]"},
  });
}

TEST(Strings, RegexExtractAndReplace) {
  EXPECT_CASES({
      {"regex.extract", {S("hello 42"), S("[0-9]+")}, "optional(\"42\")"},
      {"regex.extract", {S("key=value"), S("=(.*)")}, "optional(\"value\")"},
      {"regex.extract", {S("hello"), S("[0-9]+")}, "none"},
      {"regex.extract", {S("a"), S("(a)(b)?")}, "!invalid_argument"},
      {"regex.extractAll", {S("id:1, id:22"), S("id:([0-9]+)")}, "[\"1\", \"22\"]"},
      {"regex.extractAll", {S("abc"), S("x")}, "[]"},
      {"regex.replace", {S("banana"), S("a"), S("x")}, "\"bxnxnx\""},
      {"regex.replace", {S("banana"), S("a"), S("x"), I(2)}, "\"bxnxna\""},
      {"regex.replace", {S("banana"), S("a"), S("x"), I(0)}, "\"banana\""},
      {"regex.replace", {S("foo bar"), S("(fo)o (ba)r"), S("\\2 \\1")}, "\"ba fo\""},
      {"regex.replace", {S("a"), S("a"), S("\\1")}, "!invalid_argument"},
      {"regex.replace", {S("a"), S("a"), S("\\")}, "!invalid_argument"},
      {"regex.replace", {S("a.b"), S("\\."), S("\\\\")}, "\"a\\b\""},
      {"regex.replace", {S("\xC2\xA9"), S(""), S("-")}, "\"-\xC2\xA9-\""},
      {"regex.extract", {S("x"), S("[")}, "!invalid_regex"},
  });
}

TEST(Format, Verbs) {
  const auto format = [](std::string_view text, const std::vector<Value>& args) {
    return call("format", {S(text), L(args)});
  };
  EXPECT_EQ(format("no substitution", {}), "\"no substitution\"");
  EXPECT_EQ(format("%%%s%%", {S("text")}), "\"%text%\"");
  EXPECT_EQ(format("%b %b %b", {I(-5), U(5), T()}), "\"-101 101 1\"");
  EXPECT_EQ(format("%o", {U(65535)}), "\"177777\"");
  EXPECT_EQ(format("%x %X %x", {I(-22), U(6000), S("Hello")}), "\"-16 1770 48656c6c6f\"");
  EXPECT_EQ(format("%X", {Y("\xAB\x01")}), "\"AB01\"");
  EXPECT_EQ(format("%d %d %d", {I(INT64_MIN), U(64), D(3.14)}), "\"-9223372036854775808 64 3.14\"");
  EXPECT_EQ(format("%f %f", {D(2.71828), U(3)}), "\"2.718280 3.000000\"");
  EXPECT_EQ(format("%.0f %.3f %.3f", {D(2.5), D(123.4999), D(-123.4994)}), "\"2 123.500 -123.499\"");
  EXPECT_EQ(format("%e %.1e", {D(2.71828), D(-3.14)}), "\"2.718280e+00 -3.1e+00\"");
  EXPECT_EQ(format("%f", {D(1e23)}), "\"99999999999999991611392.000000\"");
  EXPECT_EQ(format("%d %f %e", {D(NAN), D(INFINITY), D(-INFINITY)}), "\"NaN Infinity -Infinity\"");
}

TEST(Format, StringClause) {
  const auto format = [](const Value& value) { return call("format", {S("%s"), L({value})}); };
  EXPECT_EQ(format(N()), "\"null\"");
  EXPECT_EQ(format(D(56.8)), "\"56.8\"");
  EXPECT_EQ(format(D(1e23)), "\"100000000000000000000000\"");
  EXPECT_EQ(format(D(1e-7)), "\"0.0000001\"");
  EXPECT_EQ(format(Y("a\xFF\xFE"
                     "b\xC3")),
            "\"a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD\"");
  EXPECT_EQ(format(Value::type("string")), "\"string\"");
  EXPECT_EQ(format(time("2023-02-03T23:31:20.25+00:00")), "\"2023-02-03T23:31:20.25Z\"");
  EXPECT_EQ(format(span("1h45m47s")), "\"6347s\"");
  EXPECT_EQ(format(span("-1.5s")), "\"-1.5s\"");
  EXPECT_EQ(format(L({D(NAN), L({S("x")}), T(false)})), "\"[NaN, [x], false]\"");
  EXPECT_EQ(format(M({{S("strKey"), S("x")}, {I(6), span("422s")}, {T(), I(42)}})),
            "\"{6: 422s, strKey: x, true: 42}\"");
  EXPECT_EQ(format(none()), "!invalid_argument");
}

TEST(Format, Faults) {
  const auto why = [](std::string_view text, const std::vector<Value>& args) {
    return message("format", {S(text), L(args)});
  };
  EXPECT_EQ(why("%b", {S("abc")}), "only integers and bools can be formatted as binary, was given string");
  EXPECT_EQ(why("%o", {S("abc")}), "octal clause can only be used on integers, was given string");
  EXPECT_EQ(why("%x", {D(0.5)}), "only integers, byte buffers, and strings can be formatted as hex, was given double");
  EXPECT_EQ(why("%f", {N()}), "fixed-point clause can only be used on numbers, was given null_type");
  EXPECT_EQ(why("%d", {S("1")}), "decimal clause can only be used on numbers, was given string");
  EXPECT_EQ(why("%E", {D(0.5)}), "format: unrecognized formatting clause");
  EXPECT_EQ(why("%s %s", {S("one")}), "format: more clauses than arguments");
  EXPECT_EQ(why("%", {S("one")}), "format: unexpected end after %");
  EXPECT_EQ(why("%.f", {D(1)}), "format: no digits after the point");
  EXPECT_EQ(why("%.1001f", {D(1)}), "format: precision is above 1000");
  EXPECT_EQ(why("%.99999999999f", {D(1)}), "format: precision is above 1000");
}

TEST(Format, IsBounded) {
  Value nest = L({S("0123456789")});
  for (int i = 0; i < 40; ++i) nest = L({nest, nest});
  EXPECT_EQ(call("format", {S("%s"), L({nest})}, {.cost = UINT64_MAX}), "!memory_budget");
  EXPECT_EQ(call("format", {S("%s"), L({nest})}, {.cost = 1000}), "!cost_budget");
}

}  // namespace
}  // namespace ordain::testing
