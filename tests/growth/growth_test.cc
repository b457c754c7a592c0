// These tests feed each reader texts that repeat one construct n and 4n times, and demand that four
// times the text takes at most about four times as long. Every reader's input may come from an
// attacker, and a quadratic reader can be kept busy for minutes by a megabyte.
//
// Work is measured as processor time of the thread, because loops that only compare leave no other
// trace: they allocate nothing. The margin is wide. Of three runs the shortest counts, n is large
// enough to take a while, and a ratio of up to 10 passes, where linear time gives 4 and quadratic
// time 16. Data that outgrows a cache, or a machine that is busy with other things, can exceed 10.
// Therefore a reader passes too if it is faster than any quadratic reader can be. Else the text is
// made four times as long again, twice if need be: the time of a quadratic reader keeps growing
// sixteenfold, and only such a reader fails.
#include <fmt/format.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>

#include "ordain/compile.h"
#include "ordain/event.h"
#include "ordain/format.h"
#include "ordain/json.h"
#include "ordain/lint.h"
#include "ordain/stdlib.h"
#ifdef ORDAIN_HAS_IMPORT
#include "ordain/import.h"
#endif

namespace ordain {
namespace {

constexpr double kWhile = 0.01;  // seconds that n takes at least, if the largest n allows
constexpr double kGrowth = 10;   // the largest ratio of the times for 4n and n
constexpr double kLong = 0.5;    // seconds after which no longer text is tried
constexpr size_t kFirst = 1000;  // n is doubled from here
constexpr size_t kLargest = 64'000;

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

using Make = std::function<std::string(size_t n)>;
using Read = std::function<void(const std::string& text)>;

double shortest(const std::string& text, const Read& read, int runs) {
  double out = 1e9;
  for (int i = 0; i < runs; ++i) {
    const double begin = processor_seconds();
    read(text);
    out = std::min(out, processor_seconds() - begin);
  }
  return out;
}

// A lower bound of what comparing each of n items with each other takes, but at most a second.
double quadratic_seconds(size_t n) {
  constexpr double kPair = 1e-10;  // seconds: vector instructions compare eight items in a nanosecond
  return std::min(1.0, kPair * static_cast<double>(n) * static_cast<double>(n));
}

void demand_linear(const Make& make, const Read& read, size_t largest = kLargest) {
  size_t n = kFirst;
  while (n < largest && shortest(make(n), read, 1) < kWhile) n *= 2;
  std::string seen;
  double once = shortest(make(n), read, 3);
  for (int runs : {3, 1, 1}) {
    const double four = shortest(make(4 * n), read, runs);
    if (four <= std::max({kGrowth * once, kWhile, quadratic_seconds(4 * n)})) return;
    seen += fmt::format("n = {}: {:.3f} s; 4n: {:.3f} s\n", n, once, four);
    if (four > kLong) break;
    n *= 4, once = four;
  }
  ADD_FAILURE() << seen;
}

/// Joins piece(0), piece(1), ... piece(n - 1).
std::string repeat(size_t n, std::string_view separator, const std::function<std::string(size_t)>& piece) {
  std::string out;
  for (size_t i = 0; i < n; ++i) {
    if (i > 0) out += separator;
    out += piece(i);
  }
  return out;
}
std::string repeat(size_t n, std::string_view text) {
  std::string out;
  for (size_t i = 0; i < n; ++i) out += text;
  return out;
}

struct Construct {
  const char* name;
  Make make;
  size_t largest = kLargest;
};

std::string name_of(const testing::TestParamInfo<Construct>& info) { return info.param.name; }

// --- the judge itself

volatile size_t pairs_seen = 0;

TEST(GrowthJudge, FindsAReaderThatComparesAllPairs) {
  const Make make = [](size_t n) { return std::string(n, 'x'); };
  const Read read = [](const std::string& text) {
    size_t equal = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      for (size_t j = 0; j < i; ++j) equal += text[i] == text[j] ? 1 : 0;
      pairs_seen = equal;
    }
  };
  testing::TestPartResultArray results;
  {
    testing::ScopedFakeTestPartResultReporter reporter(
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
    demand_linear(make, read);
  }
  ASSERT_EQ(results.size(), 1);
  EXPECT_TRUE(results.GetTestPartResult(0).nonfatally_failed());
}

// --- policy text

const std::string kPay =
    "package p;\ncapability pay { input { n: int, s: string, b: bool, t: list(string), d: dyn } output { s: string } "
    "}\n";

std::string policy(const std::string& rules) { return kPay + "policy p on before pay {\n" + rules + "\n}\n"; }
std::string when(const std::string& condition) { return policy("deny a when " + condition + ";"); }
Make rules(const char* rule) {
  return [rule](size_t n) {
    return policy(repeat(n, "\n", [rule](size_t i) { return fmt::format(fmt::runtime(rule), i); }));
  };
}
Make chain(const char* before, const char* separator, const char* piece, const char* after) {
  return [=](size_t n) {
    return when(before + repeat(n, separator, [piece](size_t i) { return fmt::format(fmt::runtime(piece), i); }) +
                after);
  };
}

class PolicyTextGrowth : public testing::TestWithParam<Construct> {};

TEST_P(PolicyTextGrowth, IsLinear) {
  const Read read = [](const std::string& text) {
    const Compilation compilation =
        compile({std::make_shared<Source>(Source{"growth.policy", text})}, standard_library());
    render(compilation.diagnostics);
    render_json(compilation.diagnostics);
  };
  demand_linear(GetParam().make, read, GetParam().largest);
}

TEST_P(PolicyTextGrowth, IsFormattedInLinearTime) {
  demand_linear(GetParam().make, [](const std::string& text) { (void)format_policy(text); }, GetParam().largest);
}

class LintGrowth : public testing::TestWithParam<Construct> {};

TEST_P(LintGrowth, IsLinear) {
  const Read read = [](const std::string& text) {
    render_sarif(
        lint_policies({std::make_shared<Source>(Source{"growth.policy", text})}, standard_library()).diagnostics, "0");
  };
  demand_linear(GetParam().make, read, GetParam().largest);
}

INSTANTIATE_TEST_SUITE_P(
    Constructs, LintGrowth,
    testing::Values(Construct{"RulesThatRepeat", rules("deny r{0} when input.n == 3;"), 4000},
                    Construct{"RulesThatAreOverridden",
                              rules("deny r{0} when input.n == {0}; allow a{0} when input.n == {0};"), 4000},
                    Construct{"RulesWithComments",
                              rules("// ordain: allow(repeated-rule) meant\ndeny r{0} when input.n == 3;"), 4000},
                    Construct{"TextTests", rules("deny r{0} when input.s.contains(\"x{0}y\");"), 4000},
                    Construct{"Conjuncts", chain("", " && ", "input.n != {0}", ""), 16'000},
                    Construct{"Alternatives", chain("", " || ", "input.n == {0}", ""), 16'000},
                    Construct{"Capabilities",
                              [](size_t n) {
                                return repeat(n, "\n",
                                              [](size_t i) {
                                                return fmt::format("capability c{0} {{ input {{ n: dyn }} }}", i);
                                              }) +
                                       "\npolicy p on before * { deny; }\n";
                              },
                              2000}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Constructs, PolicyTextGrowth,
    testing::Values(
        Construct{"RulesOfNumbers", rules("deny r{0} when input.n == {0};"), 8000},
        Construct{"RulesOfIntervals", rules("deny r{0} when input.n < {0};"), 8000},
        Construct{"RulesOfTexts", rules("deny r{0} when input.s.contains(\"x{0}y\");"), 8000},
        Construct{"RulesOfMembers", rules("deny r{0} when \"k{0}\" in input.t;"), 8000},
        Construct{"RulesOfPatterns", rules("deny r{0} when input.s.matches(\"a{0}b+\");"), 4000},
        Construct{"RulesNotIndexed", rules("deny r{0} when input.n * {0} > 3;"), 8000},
        Construct{"RulesWithReasons", rules("deny r{0} when input.n == {0} because \"reason {0}\";"), 8000},
        Construct{"RulesOfOneName", rules("deny r when input.n == {0};"), 8000},
        Construct{"Approvals", rules("require_approval r{0} when input.n == {0} from \"g{0}\" expires 30m;"), 8000},
        Construct{"Mistakes", rules("deny r{0} when input.zz == {0};"), 8000},
        Construct{"SyntaxErrors", rules("deny r{0} when when {0};")},
        Construct{"Policies",
                  [](size_t n) {
                    return kPay + repeat(n, "\n", [](size_t i) {
                             return fmt::format("policy p{} on before pay {{ deny r when input.n == {}; }}", i, i);
                           });
                  },
                  8000},
        Construct{"Capabilities",
                  [](size_t n) {
                    return policy("deny a;") + repeat(n, "\n", [](size_t i) {
                             return fmt::format("capability c{} {{ input {{ n: int }} }}", i);
                           });
                  },
                  8000},
        Construct{"CapabilitiesOfOneName",
                  [](size_t n) { return policy("deny a;") + repeat(n, "capability c { input { n: int } }\n"); }, 8000},
        Construct{"CapabilitiesOfOnePolicy",
                  [](size_t n) {
                    return "package p;\npolicy p on before * { deny a when input.n == 1; }\n" +
                           repeat(n, "\n",
                                  [](size_t i) { return fmt::format("capability c{} {{ input {{ n: int }} }}", i); });
                  },
                  4000},
        Construct{"FieldsOfOneName",
                  [](size_t n) { return "package p;\ncapability c { input { " + repeat(n, "f: int, ") + " } }\n"; },
                  8000},
        Construct{"Imports",
                  [](size_t n) {
                    return "package p;\n" + repeat(n, "\n", [](size_t i) { return fmt::format("import \"x{}\";", i); });
                  },
                  4000},
        Construct{"Targets",
                  [](size_t n) {
                    return "package p;\npolicy p on before " +
                           repeat(n, ", ", [](size_t i) { return fmt::format("c{}", i); }) + " { deny a; }\n";
                  },
                  8000},
        Construct{"Lets",
                  [](size_t n) {
                    return policy("deny a when input.n == l0;") +
                           repeat(n, "\n", [](size_t i) { return fmt::format("let l{0} = {0};", i); });
                  }},
        Construct{"LetsOfLets",
                  [](size_t n) {
                    return policy("deny a when input.n == l0;") + "let l0 = 1;\n" +
                           repeat(n, "\n", [](size_t i) { return fmt::format("let l{} = l{} + 1;", i + 1, i); });
                  },
                  8000},
        Construct{"Tests",
                  [](size_t n) {
                    return policy("deny a;") + repeat(n, "\n", [](size_t i) {
                             return fmt::format(
                                 "test \"t{}\" {{ call pay {{ n: {}, s: \"\", b: true, t: [], d: 1 }}; expect deny; }}",
                                 i, i);
                           });
                  },
                  8000},
        Construct{"ListOfNumbers", chain("input.n in [", ", ", "{}", "]"), 16'000},
        Construct{"ListOfTexts", chain("input.s in [", ", ", "\"k{}\"", "]"), 16'000},
        Construct{"ListOfFacts", chain("[", ", ", "input.n", "].exists(x, x == 3)"), 16'000},
        Construct{"ListOfLists", chain("[", ", ", "[{}, 1]", "].size() == input.n"), 8000},
        Construct{"Map", chain("input.s in {", ", ", "\"k{0}\": {0}", "}"), 16'000},
        Construct{"MapOfFacts", chain("input.s in {", ", ", "\"k{}\": input.n", "}"), 16'000},
        Construct{"MapOfOneKey", chain("input.s in {", ", ", "\"k\": {}", "}"), 16'000},
        Construct{"And", chain("", " && ", "input.n != {}", ""), 16'000},
        Construct{"Or", chain("", " || ", "input.n == {}", ""), 16'000},
        Construct{"OrOfFaults", chain("", " || ", "input.d.f == {}", ""), 4000},
        Construct{"OrOfAnd", chain("", " || ", "input.n == {0} && input.s == \"a{0}\"", ""), 8000},
        Construct{"Sum", chain("input.n == ", " + ", "input.n", "")},
        Construct{"Concatenation", chain("input.s == ", " + ", "\"a{}\"", "")},
        Construct{"Conditionals", chain("", "", "input.n == {0} ? {0} : ", "0")},
        Construct{"Selections", chain("input.d", "", ".a", " == 1")},
        Construct{"Negations", chain("", "", "!", "input.b")}, Construct{"OpenParentheses", chain("", "", "(", "")},
        Construct{"OpenBrackets", chain("", "", "[", "")}, Construct{"OpenBraces", chain("", "", "{{", "")},
        Construct{"LongText", [](size_t n) { return when("input.s == \"" + repeat(100 * n, "x") + "\""); }, 32'000},
        Construct{"Escapes", [](size_t n) { return when("input.s == \"" + repeat(50 * n, "\\n") + "\""); }, 32'000},
        Construct{"LongPattern",
                  [](size_t n) {
                    return when("input.s.matches(\"" +
                                repeat(n / 10, "|", [](size_t i) { return fmt::format("a{}", i); }) + "\")");
                  },
                  16'000},
        Construct{"LongName", [](size_t n) { return policy("deny " + repeat(100 * n, "x") + ";"); }, 32'000},
        Construct{"Comments", [](size_t n) { return policy(repeat(n, "// a comment\n")); }},
        Construct{"LongComment", [](size_t n) { return policy("//" + repeat(100 * n, "x")); }, 32'000},
        Construct{"Spaces", [](size_t n) { return policy(repeat(100 * n, " ")); }, 32'000},
        Construct{"Lines", [](size_t n) { return policy(repeat(100 * n, "\n")); }, 32'000},
        Construct{"Semicolons", [](size_t n) { return policy("") + repeat(10 * n, ";"); }},
        Construct{"OddCharacters", [](size_t n) { return repeat(n, "#\n"); }},
        Construct{"OddCharactersInOneLine", [](size_t n) { return repeat(n, "# "); }},
        Construct{"OpenQuotes", [](size_t n) { return policy(repeat(n, "deny a when \"\n")); }}),
    name_of);

// --- events

std::shared_ptr<const Program> program_of(const std::string& text) {
  const Compilation compilation =
      compile({std::make_shared<Source>(Source{"growth.policy", text})}, standard_library());
  if (compilation.program == nullptr) throw std::runtime_error(render(compilation.diagnostics));
  return compilation.program;
}

std::string event(const std::string& input, const std::string& more = "") {
  return R"({"capability":"pay","input":{)" + input + "}" + more + "}";
}
std::string members(size_t n, const char* member) {
  return repeat(n, ",", [member](size_t i) { return fmt::format(fmt::runtime(member), i); });
}
Make inputs(const char* member) {
  return [member](size_t n) { return event(members(n, member)); };
}

class EventGrowth : public testing::TestWithParam<Construct> {};

TEST_P(EventGrowth, IsLinear) {
  static const std::shared_ptr<const Program> program = program_of(
      "package p;\ncontext { agent { team: string } }\n"
      "capability pay { input open { n: optional(int), s: optional(string), m: optional(map(string, int)), "
      "l: optional(list(string)), d: optional(dyn) } }\n"
      "policy p on before pay { deny a when has(input.n) && input.n == 1; deny b when has(input.l) && \"a\" in "
      "input.l; deny c when agent.team == \"x\"; deny d when has(input.d) && input.d == 3; }\n");
  const Read read = [&](const std::string& text) {
    EventReader reader(program, {.now = TimeParts{}, .warn = [](const std::string&) {}});
    (void)reader.read(text);
    Call direct(program);
    direct.begin(program->resolve("pay"), Stage::before);
    direct.bind_json(text);
    std::string duplicate;
    Arena arena;
    (void)parse_json(arena, text, &duplicate);
  };
  demand_linear(GetParam().make, read, GetParam().largest);
}

INSTANTIATE_TEST_SUITE_P(
    Constructs, EventGrowth,
    testing::Values(
        Construct{"Keys", inputs("\"k{}\":1")}, Construct{"OneKey", inputs("\"k\":1")},
        Construct{"KeysOfWhichOneIsRepeated",
                  [](size_t n) { return event("\"k0\":0," + members(n, "\"k{}\":1") + ",\"k0\":2"); }},
        Construct{"KeysThatAreAllRepeated",
                  [](size_t n) { return event(members(n, "\"k{}\":1") + "," + members(n, "\"k{}\":2")); }},
        Construct{"RepeatedKeysBelow",
                  [](size_t n) { return event("\"d\":{" + members(n, "\"k{}\":1") + ",\"k0\":2}"); }},
        Construct{"UnknownKeys", [](size_t n) { return event("", "," + members(n, "\"k{}\":1")); }},
        Construct{"UnknownAttributes",
                  [](size_t n) { return event("", ",\"agent\":{" + members(n, "\"k{}\":1") + "}"); }},
        Construct{"Entries", [](size_t n) { return event("\"m\":{" + members(n, "\"k{}\":1") + "}"); }},
        Construct{"Elements", [](size_t n) { return event("\"l\":[" + members(n, "\"k{}\"") + "]"); }},
        Construct{"Misfits", [](size_t n) { return event("\"l\":[" + members(n, "{}") + "]"); }},
        Construct{"Objects", [](size_t n) { return event("\"d\":[" + members(n, "{{\"a\":1}}") + "]"); }},
        Construct{"Brackets", [](size_t n) { return event("\"d\":" + repeat(n, "[")); }},
        Construct{"LongText", [](size_t n) { return event("\"s\":\"" + repeat(50 * n, "x") + "\""); }, 32'000},
        Construct{"Escapes", [](size_t n) { return event("\"s\":\"" + repeat(20 * n, "\\u0041") + "\""); }, 32'000},
        Construct{"LongNumber", [](size_t n) { return event("\"n\":" + repeat(10 * n, "9")); }, 32'000},
        Construct{"Spaces", [](size_t n) { return event(repeat(100 * n, " ")); }, 32'000},
        Construct{"Garbage", [](size_t n) { return event(repeat(10 * n, "}{")); }}),
    name_of);

// --- serialised programs

class ProgramGrowth : public testing::TestWithParam<Construct> {};

TEST_P(ProgramGrowth, IsLinear) {
  const Make make = [](size_t n) { return program_of(GetParam().make(n))->serialise(); };
  const Read read = [](const std::string& bytes) { ASSERT_TRUE(Program::load(bytes, standard_library()).ok()); };
  demand_linear(make, read, GetParam().largest);
}

INSTANTIATE_TEST_SUITE_P(Constructs, ProgramGrowth,
                         testing::Values(Construct{"Rules", rules("deny r{0} when input.n == {0};"), 4000},
                                         Construct{"Texts", rules("deny r{0} when input.s.contains(\"x{0}y\");"), 4000},
                                         Construct{"Members", rules("deny r{0} when \"k{0}\" in input.t;"), 4000},
                                         Construct{"List", chain("input.n in [", ", ", "{}", "]"), 16'000},
                                         Construct{"Or", chain("", " || ", "input.d.f == {}", ""), 4000}),
                         name_of);

#ifdef ORDAIN_HAS_IMPORT
// --- policies of other engines

class ImportGrowth : public testing::TestWithParam<Construct> {};

TEST_P(ImportGrowth, IsLinear) {
  const Read read = [](const std::string& text) {
    const auto file = [&](const std::string&) -> Result<std::string> { return text; };
    render(importer::import_capfence("growth.yaml", {}, file).diagnostics);
    render(importer::import_aegis("growth.yaml", {}, file).diagnostics);
  };
  demand_linear(GetParam().make, read, GetParam().largest);
}

Make yaml(const char* head, const char* item) {
  return [=](size_t n) {
    return head + repeat(n, "\n", [item](size_t i) { return fmt::format(fmt::runtime(item), i); }) + "\n";
  };
}

class SchemaGrowth : public testing::TestWithParam<Construct> {};

TEST_P(SchemaGrowth, IsLinear) {
  const Read read = [](const std::string& text) {
    const auto file = [&](const std::string&) -> Result<std::string> { return text; };
    render(importer::import_schema("growth.json", {}, file).diagnostics);
  };
  demand_linear(GetParam().make, read, GetParam().largest);
}

// @param item with the number of the part in place of {}
Make json_parts(const char* head, const char* item, const char* tail) {
  return [=](size_t n) {
    return head + repeat(n, ",", [item](size_t i) { return fmt::format(fmt::runtime(item), i); }) + tail;
  };
}

INSTANTIATE_TEST_SUITE_P(
    Constructs, SchemaGrowth,
    testing::Values(
        Construct{"Tools", json_parts("[", R"({{"name": "t{}", "inputSchema": {{"type": "object"}}}})", "]"), 4000},
        Construct{"Fields",
                  json_parts(R"({"properties": {)", R"("f{0}": {{"type": "string", "maxLength": {0}}})", "}}"), 8000},
        Construct{"Required", json_parts(R"({"properties": {}, "required": [)", R"("f{}")", "]}"), 8000},
        Construct{"Values", json_parts(R"({"properties": {"f": {"enum": [)", R"("v{}")", "]}}}"), 16'000},
        Construct{"Options", json_parts(R"({"properties": {"f": {"anyOf": [)", R"({{"const": {}}})", "]}}}"), 8000},
        Construct{"UnknownKeywords", json_parts(R"({"properties": {}, )", R"("k{}": 1)", "}"), 16'000},
        Construct{"References",
                  json_parts(R"({"$defs": {"d": {"enum": ["a", "b"]}}, "properties": {)",
                             R"("f{}": {{"$ref": "#/$defs/d"}})", "}}"),
                  8000},
        Construct{"SelfReferences",
                  json_parts(R"({"$ref": "#/$defs/d0", "$defs": {)",
                             R"("d{0}": {{"properties": {{"a": {{"$ref": "#/$defs/d{0}"}}}}}})", "}}"),
                  8000},
        Construct{"LongDescription",
                  [](size_t n) { return R"({"properties": {}, "description": ")" + repeat(10 * n, "x ") + "\"}"; },
                  16'000},
        Construct{"LongName", [](size_t n) { return R"({"properties": {")" + repeat(10 * n, "x") + "\": {}}}"; },
                  16'000}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Constructs, ImportGrowth,
    testing::Values(
        Construct{"Denials", yaml("deny:\n", "  - capability: c{}"), 4000},
        Construct{"DenialsOfOneCapability", yaml("deny:\n", "  - {{capability: c, match_regex: \"a{}\"}}"), 4000},
        Construct{"Rules", yaml("rules:\n", "  - {{name: r{0}, match: {{type: t{0}}}, approval: block}}"), 4000},
        Construct{"UnknownKeys", yaml("deny: []\n", "k{}: 1"), 8000},
        Construct{"OneKey", yaml("deny: []\n", "k: 1"), 8000},
        Construct{"Brackets", [](size_t n) { return "deny: " + repeat(n, "["); }, 8000},
        Construct{"LongText", [](size_t n) { return "deny: \"" + repeat(10 * n, "x") + "\"\n"; }, 8000},
        Construct{"Comments", [](size_t n) { return "deny: []\n" + repeat(n, "# x\n"); }, 8000}),
    name_of);
#endif

}  // namespace
}  // namespace ordain
