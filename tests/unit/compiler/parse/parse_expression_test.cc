// These tests cover parsing expressions: text to tree, in tables; then places, literals, limits,
// and the conformance data if it is present.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "parse_dump.h"

namespace ordain {
namespace {

using testing::dump;
using testing::parse_text;

struct Case {
  const char* text;
  const char* want;
};

void expect_trees(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    auto parsed = parse_text(c.text);
    EXPECT_EQ(parsed->report(), "") << c.text;
    EXPECT_EQ(dump(parsed->expression), c.want) << c.text;
  }
}

void expect_reports(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    auto parsed = parse_text(c.text);
    EXPECT_EQ(parsed->report(), std::string(c.want) + "\n") << c.text;
    EXPECT_EQ(parsed->expression, nullptr) << c.text;
  }
}

TEST(ParseExpression, Operands) {
  expect_trees({
      {"x", "x"},
      {".x", ".x"},
      {"  x // comment", "x"},
      {"// first\nx", "x"},
      {"f()", "(f)"},
      {"f(1, x)", "(f 1 x)"},
      {".f(1)", "(.f 1)"},
      {"a.b", "(.b a)"},
      {"a.b.c", "(.c (.b a))"},
      {".a.b", "(.b .a)"},
      {"a.f(1).g", "(.g (~f a 1))"},
      {"a[0]", "(_[_] a 0)"},
      {"a[0][1].b", "(.b (_[_] (_[_] a 0) 1))"},
      {"(a)", "a"},
      {"((a))", "a"},
      {"[]", "[]"},
      {"[1]", "[1]"},
      {"[1, 2,]", "[1 2]"},
      {"{}", "{}"},
      {"{1: 2}", "{1 2}"},
      {"{'a': 1, b: 2,}", "{\"a\" 1 b 2}"},
      {"T{}", "(message T)"},
      {"a.T{f: 1, g: x}", "(message (.T a) \"f\" 1 \"g\" x)"},
      {"true", "true"},
      {"null", "null"},
  });
}

TEST(ParseExpression, OptionalSyntax) {
  expect_trees({
      {"a.?b", "(.?b a)"},
      {"a.?b.c", "(.c (.?b a))"},
      {"a[?0]", "(_[?_] a 0)"},
      {"[?a, b]", "[?a b]"},
      {"{?'k': v, 'l': w}", "{?\"k\" v \"l\" w}"},
      {"T{?f: v}", "(message T ?\"f\" v)"},
  });
}

TEST(ParseExpression, NamesThatAreWordsElsewhere) {
  expect_trees({
      {"input.from", "(.from input)"},
      {"resource.type", "(.type resource)"},
      {"a.when.with.expires", "(.expires (.with (.when a)))"},
      {"policy.allow(deny)", "(~allow policy deny)"},
      {"a.for", "(.for a)"},
      {"a.while()", "(~while a)"},
      {"a.import.package.let", "(.let (.package (.import a)))"},
      {"a.`b-c/d`", "(.b-c/d a)"},
      {"T{`x-y`: 1}", "(message T \"x-y\" 1)"},
      {"open + owner + returns", "(_+_ (_+_ open owner) returns)"},
      {"type(1) == int", "(_==_ (type 1) int)"},
  });
}

TEST(ParseExpression, Precedence) {
  expect_trees({
      {"1 + 2 * 3", "(_+_ 1 (_*_ 2 3))"},
      {"1 * 2 + 3", "(_+_ (_*_ 1 2) 3)"},
      {"1 - 2 - 3", "(_-_ (_-_ 1 2) 3)"},
      {"8 / 4 % 3 * 2", "(_*_ (_%_ (_/_ 8 4) 3) 2)"},
      {"1 - (2 - 3)", "(_-_ 1 (_-_ 2 3))"},
      {"a < b == c", "(_==_ (_<_ a b) c)"},
      {"a + 1 in b", "(@in (_+_ a 1) b)"},
      {"a == b && c != d", "(_&&_ (_==_ a b) (_!=_ c d))"},
      {"a || b && c", "(_||_ a (_&&_ b c))"},
      {"a && b || c", "(_||_ (_&&_ a b) c)"},
      {"a || b || c", "(_||_ (_||_ a b) c)"},
      {"a && b && c && d", "(_&&_ (_&&_ a b) (_&&_ c d))"},
      {"!a && b", "(_&&_ (!_ a) b)"},
      {"!a.b", "(!_ (.b a))"},
      {"-a.b", "(-_ (.b a))"},
      {"!!a", "(!_ (!_ a))"},
      {"- -a", "(-_ (-_ a))"},
      {"a ? b : c", "(_?_:_ a b c)"},
      {"a ? b : c ? d : e", "(_?_:_ a b (_?_:_ c d e))"},
      {"a || b ? c : d", "(_?_:_ (_||_ a b) c d)"},
      {"a ? (b ? c : d) : e", "(_?_:_ a (_?_:_ b c d) e)"},
      {"a >= 1 && b <= 2 && c > 3", "(_&&_ (_&&_ (_>=_ a 1) (_<=_ b 2)) (_>_ c 3))"},
  });
}

TEST(ParseExpression, Numbers) {
  expect_trees({
      {"0", "0"},
      {"9223372036854775807", "9223372036854775807"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"- 5", "-5"},
      {"--5", "(-_ -5)"},
      {"-5.abs()", "(~abs -5)"},
      {"a-5", "(_-_ a 5)"},
      {"a - -5", "(_-_ a -5)"},
      {"0xFF", "255"},
      {"-0x8000000000000000", "-9223372036854775808"},
      {"18446744073709551615u", "18446744073709551615u"},
      {"0x1fU", "31u"},
      {"-1u", "(-_ 1u)"},
      {"1.5", "1.5"},
      {"-1.5e3", "-1500.0"},
      {".25", "0.25"},
      {"1e-400", "0.0"},
      {"2E2", "200.0"},
  });
  auto zero = parse_text("-0.0");
  ASSERT_NE(zero->expression, nullptr);
  EXPECT_TRUE(std::signbit(zero->expression->value.d));
}

TEST(ParseExpression, NumbersOutOfRange) {
  const std::string ints = " number-range: this number does not fit `int`: -9223372036854775808 to 9223372036854775807";
  const std::string uints = " number-range: this number does not fit `uint`: 0u to 18446744073709551615u";
  const std::string doubles = " number-range: this number does not fit `double`: at most about 1.8e308";
  expect_reports({
      {"9223372036854775808", ("1:1" + ints).c_str()},
      {"x + 0x8000000000000000", ("1:5" + ints).c_str()},
      {"-9223372036854775809", ("1:1" + ints).c_str()},
      {"-(9223372036854775808)", ("1:3" + ints).c_str()},
      {"18446744073709551616u", ("1:1" + uints).c_str()},
      {"1e309", ("1:1" + doubles).c_str()},
  });
}

std::string text_of(const std::string& literal, Kind kind) {
  auto parsed = parse_text(literal);
  EXPECT_EQ(parsed->report(), "") << literal;
  if (parsed->expression == nullptr) return "<none>";
  EXPECT_EQ(parsed->expression->value.kind, kind) << literal;
  return std::string(parsed->expression->value.as_text());
}
std::string string_of(const std::string& literal) { return text_of(literal, Kind::string); }
std::string bytes_of(const std::string& literal) { return text_of(literal, Kind::bytes); }

TEST(ParseExpression, Strings) {
  EXPECT_EQ(string_of(R"('')"), "");
  EXPECT_EQ(string_of(R"("")"), "");
  EXPECT_EQ(string_of(R"('""')"), "\"\"");
  EXPECT_EQ(string_of(R"('''x''x''')"), "x''x");
  EXPECT_EQ(string_of(R"("""x"x""")"), "x\"x");
  EXPECT_EQ(string_of("''''''"), "");
  EXPECT_EQ(string_of("'''a\nb'''"), "a\nb");
  EXPECT_EQ(string_of(R"("\"")"), "\"");
  EXPECT_EQ(string_of(R"("\a\b\f\n\r\t\v\\\?\"\'\`")"), "\a\b\f\n\r\t\v\\?\"'`");
  EXPECT_EQ(string_of(R"('\x41\X42')"), "AB");
  EXPECT_EQ(string_of(R"('\303\277')"), "\u00C3\u00BF");
  EXPECT_EQ(string_of(R"('\377')"), "\u00FF");
  EXPECT_EQ(string_of(R"('\xff')"), "\u00FF");
  EXPECT_EQ(string_of(R"('\u00e9\U0001F600')"), "\u00E9\U0001F600");
  EXPECT_EQ(string_of(R"('\000')"), std::string(1, '\0'));
  EXPECT_EQ(string_of("'\u00E9\U0001F600'"), "\u00E9\U0001F600");
  EXPECT_EQ(string_of(R"(r'\n\q"')"), "\\n\\q\"");
  EXPECT_EQ(string_of(R"(R"a\")"), "a\\");
  EXPECT_EQ(string_of("r'''a\n\\'''"), "a\n\\");
}

TEST(ParseExpression, Bytes) {
  EXPECT_EQ(bytes_of(R"(b"abc")"), "abc");
  EXPECT_EQ(bytes_of("b'\u00FF'"), "\xC3\xBF");
  EXPECT_EQ(bytes_of(R"(b'\377\xFF\000')"), std::string("\xFF\xFF\0", 3));
  EXPECT_EQ(bytes_of(R"(B'\303\277')"), "\xC3\xBF");
  EXPECT_EQ(bytes_of(R"(br'\377')"), "\\377");
  EXPECT_EQ(bytes_of("b'''a\n'''"), "a\n");
}

TEST(ParseExpression, BadEscapes) {
  const std::string backslash = " | write `\\\\` for a backslash, or a raw string: r\"...\"";
  expect_reports({
      {R"('\q')", ("1:2 invalid-escape: unknown escape `\\q`" + backslash).c_str()},
      {R"('ab\8')", ("1:4 invalid-escape: unknown escape `\\8`" + backslash).c_str()},
      {"'\\\u00E9'", ("1:2 invalid-escape: unknown escape `\\\u00E9`" + backslash).c_str()},
      {R"('\x4')", "1:2 invalid-escape: `\\x` needs two hexadecimal digits"},
      {R"('\xzz')", "1:2 invalid-escape: `\\x` needs two hexadecimal digits"},
      {R"('\01')", "1:2 invalid-escape: an octal escape needs three digits, \\000 to \\377"},
      {R"('\u12')", "1:2 invalid-escape: `\\u` needs four hexadecimal digits"},
      {R"('\U0001F60')", "1:2 invalid-escape: `\\U` needs eight hexadecimal digits"},
      {R"('\ud800')", "1:2 invalid-escape: this escape is not a Unicode character"},
      {R"('\uD83D\uDE00')",
       "1:2 invalid-escape: this escape is not a Unicode character\n1:8 invalid-escape: this escape is not a "
       "Unicode character"},
      {R"('\udc00\ud800')",
       "1:2 invalid-escape: this escape is not a Unicode character\n1:8 invalid-escape: this escape is not a "
       "Unicode character"},
      {R"('\U00110000')", "1:2 invalid-escape: this escape is not a Unicode character"},
      {R"(b'\u0041')", "1:3 invalid-escape: `\\u` and `\\U` are for strings; bytes are written as `\\x00` to `\\xFF`"},
  });
  auto parsed = parse_text(R"(x == 'a\xq' + "b\u00zz")");
  ASSERT_EQ(parsed->diagnostics.items.size(), 2U) << "all bad escapes are reported";
  EXPECT_EQ(parsed->text(parsed->diagnostics.items[0].span), "\\x");
  EXPECT_EQ(parsed->text(parsed->diagnostics.items[1].span), "\\u00");
}

TEST(ParseExpression, Mistakes) {
  expect_reports({
      {"", "1:1 syntax: expected an expression, found the end of the text"},
      {"1 +", "1:4 syntax: expected an expression after `+`, found the end of the text"},
      {"a b", "1:3 syntax: expected an operator or the end after `a`, found `b`"},
      {"f(1 2)", "1:5 syntax: expected an operator, `,` or `)` after `1`, found `2`"},
      {"f(1,)", "1:5 syntax: expected an expression after `,`, found `)`"},
      {"f(", "1:3 syntax: expected an expression or `)` after `(`, found the end of the text"},
      {"(a", "1:3 syntax: expected an operator or `)` after `a`, found the end of the text"},
      {"[1", "1:3 syntax: expected an operator, `,` or `]` after `1`, found the end of the text"},
      {"{1}", "1:3 syntax: expected an operator or `:` after `1`, found `}`"},
      {"a ? b",
       "1:6 syntax: expected an operator or `:` after `b`, found the end of the text"
       " | a conditional reads `condition ? value : otherwise`"},
      {"a.", "1:3 syntax: expected a name after `.`, found the end of the text"},
      {"a = b", "1:3 syntax: expected an operator, found `=` | did you mean `==`?"},
      {"a and b", "1:3 syntax: expected an operator, found `and` | did you mean `&&`?"},
      {"for", "1:1 reserved-word: `for` is a reserved word, so an expression cannot use it as a name"},
      {"when", "1:1 syntax: expected an expression, found `when`"},
      {"a == 30m",
       "1:6 misplaced-duration: a duration such as `30m` may stand only after `expires` | write duration(\"30m\")"},
      {"{when: 1}",
       "1:2 syntax: expected an expression, found `when` | a map's key is an expression; write \"when\" for the text"},
      {"a.?f(1)", "1:4 syntax: `.?` selects a field and cannot call a function"},
      {"a.`f`(1)", "1:3 syntax: a function's name cannot have backticks"},
      {"f(x){a: 1}", "1:5 syntax: only the name of a type may stand before `{` | is an operator missing?"},
      {"'abc", "1:1 unclosed-string: this string is not closed | close it with ' on the same line"},
      {"\"a\\", "1:1 unclosed-string: this string is not closed | close it with \" on the same line"},
      {"'''abc\nd", "1:1 unclosed-string: this string is not closed | close it with '''"},
      {"a & b", "1:3 unexpected-character: unexpected character `&` | did you mean `&&`?"},
      {"a \u2260 b", "1:3 unexpected-character: unexpected character `\u2260` | did you mean `!=`?"},
      {"@@@", "1:1 unexpected-character: unexpected character `@@@`"},
  });
  std::string nul = "a ";
  nul += '\0';
  EXPECT_EQ(parse_text(nul)->report(), "1:3 unexpected-character: unexpected control character U+0000\n");
}

TEST(ParseExpression, OpenBracketIsShown) {
  auto parsed = parse_text("f((a + b)");
  ASSERT_EQ(parsed->diagnostics.items.size(), 1U);
  const Diagnostic& item = parsed->diagnostics.items[0];
  ASSERT_EQ(item.notes.size(), 1U);
  EXPECT_EQ(item.notes[0].message, "`(` is opened here");
  EXPECT_EQ(item.notes[0].span.begin, 1U);
}

TEST(ParseExpression, NotUtf8) {
  EXPECT_EQ(parse_text("a\xFF")->report(),
            "1:2 invalid-utf8: this file is not valid UTF-8: byte 0xFF is out of place\n");
  for (const char* bad : {"'\xC0\x80'", "'\xED\xA0\x80'", "'\xF4\x90\x80\x80'", "'\xE2\x82'", "'\x80'"}) {
    auto parsed = parse_text(bad);
    ASSERT_EQ(parsed->diagnostics.items.size(), 1U) << bad;
    EXPECT_EQ(parsed->diagnostics.items[0].code, "invalid-utf8");
    EXPECT_EQ(parsed->diagnostics.items[0].span.begin, 1U);
  }
  EXPECT_EQ(dump(parse_text("\xEF\xBB\xBF x")->expression), "x") << "a byte order mark";
}

TEST(ParseExpression, Spans) {
  auto whole = [](const char* text, auto pick) {
    auto parsed = parse_text(text);
    const syntax::Expr* expr = pick(parsed->expression);
    return std::string(parsed->text(expr->span)) + " @ " + std::string(parsed->text(expr->at));
  };
  auto self = [](const syntax::Expr* e) { return e; };
  auto first = [](const syntax::Expr* e) -> const syntax::Expr* { return e->args[0]; };
  EXPECT_EQ(whole(" a.b ", self), "a.b @ b");
  EXPECT_EQ(whole("a.b.f(x, y) ", self), "a.b.f(x, y) @ f");
  EXPECT_EQ(whole("f (x)", self), "f (x) @ f");
  EXPECT_EQ(whole(".x", self), ".x @ x");
  EXPECT_EQ(whole("a + b * c", self), "a + b * c @ +");
  EXPECT_EQ(whole("(a + b) * c", self), "(a + b) * c @ *");
  EXPECT_EQ(whole("(a + b) * c", first), "(a + b) @ +");
  EXPECT_EQ(whole("a[ 1 ].b", first), "a[ 1 ] @ [ 1 ]");
  EXPECT_EQ(whole("x ? y : z", self), "x ? y : z @ ?");
  EXPECT_EQ(whole("! x", self), "! x @ !");
  EXPECT_EQ(whole("- 5", self), "- 5 @ - 5");
  EXPECT_EQ(whole("[1, 2]", self), "[1, 2] @ [");
  EXPECT_EQ(whole("{1: 2}", self), "{1: 2} @ {");
  EXPECT_EQ(whole("'\u00E9' + 'x'", first), "'\u00E9' @ '\u00E9'") << "offsets are bytes";
  EXPECT_EQ(whole("a && b || c", first), "a && b @ &&");
}

// --- limits

std::string repeat(std::string_view text, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += text;
  return out;
}

void expect_code(const std::string& text, const char* code, const ParseLimits& limits = {}) {
  auto parsed = parse_text(text, limits);
  ASSERT_FALSE(parsed->diagnostics.items.empty()) << text.substr(0, 40);
  EXPECT_EQ(parsed->diagnostics.items[0].code, code) << text.substr(0, 40);
  EXPECT_EQ(parsed->expression, nullptr);
}

TEST(ParseExpression, DeepNestingIsRefused) {
  constexpr size_t kDeep = 10'000;
  auto nest = [&](const char* open, const char* close) { return repeat(open, kDeep) + "1" + repeat(close, kDeep); };
  for (const auto& [open, close] : std::vector<std::pair<const char*, const char*>>{{"(", ")"},
                                                                                    {"[", "]"},
                                                                                    {"{1:", "}"},
                                                                                    {"f(", ")"},
                                                                                    {"a.f(", ")"},
                                                                                    {"a[", "]"},
                                                                                    {"T{f:", "}"},
                                                                                    {"!", ""},
                                                                                    {"-", ""},
                                                                                    {"a?b:", ""},
                                                                                    {"a?(", "):b"},
                                                                                    {"(", ""},
                                                                                    {"[", ""},
                                                                                    {"1+", ""},
                                                                                    {"1*-", ""},
                                                                                    {"(!", ")"}}) {
    expect_code(nest(open, close), "limit-nesting");
  }
  expect_code("a" + repeat(".b", kDeep), "limit-nesting");
  expect_code("a" + repeat(".f(1)", kDeep), "limit-nesting");
  expect_code("a" + repeat("[1]", kDeep), "limit-nesting");
}

TEST(ParseExpression, NestingBelowTheLimitIsFine) {
  EXPECT_EQ(parse_text(repeat("(", 200) + "1" + repeat(")", 200))->report(), "");
  EXPECT_EQ(parse_text(repeat("[", 200) + repeat("]", 200))->report(), "");
  EXPECT_EQ(parse_text(repeat("(", 201) + "1" + repeat(")", 201))->report(),
            "1:201 limit-nesting: brackets are nested deeper than 200 levels\n");
  EXPECT_EQ(parse_text(repeat("!", 399) + "a")->report(), "");
  EXPECT_EQ(parse_text(repeat("!", 400) + "a")->report(),
            "1:1 limit-nesting: operators are nested deeper than 400 levels | split the expression with `let`\n");
  // Long runs of && and || stay flat, and so do lists.
  EXPECT_EQ(parse_text("a" + repeat(" && a", 5'000))->report(), "");
  EXPECT_EQ(parse_text("a && b" + repeat(" || a && b", 5'000))->report(), "");
  EXPECT_EQ(parse_text("[1" + repeat(", 1", 5'000) + "]")->report(), "");
}

TEST(ParseExpression, OtherLimits) {
  ParseLimits limits;
  limits.expression_nodes = 10;
  EXPECT_EQ(parse_text("[1, 2, 3, 4, 5, 6, 7, 8, 9]", limits)->report(), "");
  expect_code("[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]", "limit-expression", limits);
  limits = {};
  limits.literal_bytes = 4;
  EXPECT_EQ(parse_text("'abcd'", limits)->report(), "");
  expect_code("'abcde'", "limit-literal", limits);
  expect_code("b'''abcde'''", "limit-literal", limits);
  limits = {};
  limits.source_bytes = 4;
  EXPECT_EQ(parse_text("abcd", limits)->report(), "");
  expect_code("abcde", "limit-source", limits);
}

TEST(ParseExpression, LongInputEndsQuickly) {
  constexpr size_t kMega = 1'000'000;
  // Each takes milliseconds if the time is linear, and minutes otherwise.
  expect_code(std::string(kMega, '"'), "unclosed-string");
  expect_code(std::string(kMega, '\''), "unclosed-string");
  expect_code("'''" + repeat("a''", kMega / 3), "unclosed-string");
  expect_code(repeat("\"\"\"a\n", kMega / 5 + 1), "unclosed-string");
  expect_code("\"" + std::string(kMega, '\\'), "unclosed-string");
  expect_code(repeat("`a ", kMega / 3), "unexpected-character");
  expect_code(repeat("1h", kMega / 2), "misplaced-duration");
  expect_code(std::string(kMega, '@'), "unexpected-character");
  expect_code(std::string(kMega, '.'), "syntax");
  expect_code("a" + repeat(" || a", kMega / 5), "limit-expression");
  EXPECT_EQ(parse_text(std::string(kMega, 'a'))->report(), "");
  EXPECT_EQ(parse_text("//" + std::string(kMega, 'x') + "\na")->report(), "");
}

TEST(ParseExpression, ConformanceDataParses) {
  std::filesystem::path folder = std::filesystem::path(ORDAIN_SOURCE_DIR) / "../shared/data/cel";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no conformance data beside the project";
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream in(entry.path());
    for (std::string line; std::getline(in, line);) {
      std::string text = nlohmann::json::parse(line).at("expr").get<std::string>();
      EXPECT_EQ(parse_text(text)->report(), "") << entry.path().filename() << ": " << text;
      ++count;
    }
  }
  EXPECT_GT(count, 1000);
}

}  // namespace
}  // namespace ordain
