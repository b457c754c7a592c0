// These tests format every construct of the language, with each of its optional parts present and
// absent. Each is written here in the layout that it must get: squeezed, spread over lines, or as it
// is, it must come out the same. So there is one blank between words, no token is joined to another
// that stood apart from it, and formatting again changes nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/parse/parse.h"
#include "ordain/format.h"
#include "tests/unit/compiler/parse/parse_dump.h"

namespace ordain {
namespace {

using Texts = std::vector<std::string>;

// All ways to choose one text from each list, joined by blanks; an empty text is an absent part.
Texts combine(const std::vector<Texts>& parts) {
  Texts out{""};
  for (const Texts& choices : parts) {
    Texts longer;
    for (const std::string& before : out) {
      for (const std::string& choice : choices) {
        const bool apart = !before.empty() && !choice.empty() && choice != ";";
        longer.push_back(before + (apart ? " " : "") + choice);
      }
    }
    out = std::move(longer);
  }
  return out;
}

// The constructs that stay on one line: the others are tested with their line breaks below.
Texts within_width(const Texts& texts) {
  Texts out;
  for (const std::string& text : texts) {
    size_t widest = 0;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) widest = std::max(widest, line.size());
    if (widest <= 100) out.push_back(text);
  }
  return out;
}

std::vector<std::string> lexemes_in(const std::string& text) {
  Arena arena;
  Diagnostics diagnostics;
  diagnostics.sources.push_back(std::make_shared<Source>(Source{"p.policy", text}));
  std::vector<Lexeme> lexemes;
  parse_with_lexemes(arena, diagnostics, 0, &lexemes);
  EXPECT_FALSE(diagnostics.has_errors()) << text;
  std::vector<std::string> out;
  for (const Lexeme& lexeme : lexemes) out.push_back(text.substr(lexeme.begin, lexeme.end - lexeme.begin));
  return out;
}

// Whether nothing need stand between two tokens: one of them is a mark that is never a part of a longer one.
bool may_touch(const std::string& before, const std::string& after) {
  static constexpr std::string_view kAlone = "{}()[];,*:";
  return kAlone.find(before.back()) != std::string_view::npos || kAlone.find(after.front()) != std::string_view::npos;
}

std::string squeezed(const std::string& text) {
  std::string out, before;
  for (const std::string& token : lexemes_in(text)) {
    if (!before.empty() && !may_touch(before, token)) out += ' ';
    out += token;
    before = token;
  }
  return out;
}

std::string spread(const std::string& text) {
  std::string out;
  for (const std::string& token : lexemes_in(text)) {
    if (!out.empty()) out += token == "deny" ? ' ' : '\n';  // a rule's name that is an effect must not begin a line
    out += token;
  }
  return out;
}

Texts lines_of(const std::string& text) {
  Texts out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) out.push_back(line);
  return out;
}

// Formats the constructs as one file, each written by `write`, and demands their own layout. An empty line between
// them keeps each apart from its neighbours' columns.
template <typename Write>
void expect_kept(const Texts& constructs, Write write) {
  std::string before, want;
  for (const std::string& construct : constructs) {
    before += (before.empty() ? "" : "\n\n") + write(construct);
    want += (want.empty() ? "" : "\n") + construct + "\n";
  }
  const Result<std::string> out = format_policy(before);
  ASSERT_TRUE(out.ok()) << out.error().message;
  EXPECT_EQ(testing::dump(testing::parse_file(before)->file), testing::dump(testing::parse_file(*out)->file));
  if (*out == want) return;
  const Texts got = lines_of(*out), wanted = lines_of(want);
  int shown = 0;
  for (size_t i = 0; i < std::max(got.size(), wanted.size()) && shown < 5; ++i) {
    const std::string left = i < got.size() ? got[i] : "(none)", right = i < wanted.size() ? wanted[i] : "(none)";
    if (left == right) continue;
    ADD_FAILURE() << "line " << i + 1 << "\n  is:     " << left << "\n  wanted: " << right;
    ++shown;
  }
}

void expect_layout(const Texts& constructs) {
  ASSERT_FALSE(constructs.empty());
  expect_kept(constructs, [](const std::string& text) { return text; });
  expect_kept(constructs, squeezed);
  expect_kept(constructs, spread);
}

const Texts kTargets = {"a",       "*",  "a.*",      "*.a",      "a.*.b, *", "*, \"x-y\"",
                        "\"x-y\"", "by", "when.sum", "\"*\", *", "on",       "sum, each"};
const Texts kKeys = {"by session", "by global", "by tenant, input.by", "by by"};

TEST(FormatConstructs, FilesAndLets) {
  expect_layout({"package acme.common.x;", "import \"other.policy\";", "import acme.common;", "import acme;",
                 "option order = first_match;", "option budget = 5000000;", "option history = 90d;", "label a;",
                 "label a, sum;"});
  Texts lets;
  for (const char* value : {"1",
                            "-1",
                            "(1)",
                            "[1, 2]",
                            "{}",
                            "{ \"a\": 1, b: -2 }",
                            "!x",
                            "!(x in y)",
                            "a.b",
                            "a[0].b",
                            "a.?b",
                            "a[?0]",
                            "x ? -y : (z)",
                            "x in [1]",
                            "x * -y",
                            "(x) * (y)",
                            "x - -y",
                            "x && !y || (z)",
                            "f(x, y)",
                            "x.f().g(y, -z)",
                            "data \"a.csv\" column \"b\" of string",
                            "data \"a.jsonl\" of list(int)",
                            "data",
                            "data + of",
                            "r\"raw\" + b\"bytes\"",
                            "5u + 0x1F",
                            "1.5 < .5",
                            "[?x, y]",
                            "{ ?\"a\": x }",
                            "30.f()"}) {
    lets.push_back(std::string("let v = ") + value + ";");
  }
  expect_layout(lets);
}

TEST(FormatConstructs, CapabilitiesAndContexts) {
  expect_layout(within_width(combine({{"capability a", "capability a.b", "capability \"x/y*\"", "capability input"},
                                      {"{"},
                                      {"type \"tool\";", "risk high;"},
                                      {"", "effect irreversible;", "effect irreversible, external;"},
                                      {"", "scopes \"a.*\", \"*\";", "owner \"o\"; tags \"t\";"},
                                      {"", "labels x;", "labels x, y;"},
                                      {"", "input {}", "input open {}", "input { from: string }"},
                                      {"}"}})));
  Texts fields = {"capability a {}", "capability \"*\" {}", "context {}", "context { agent {} session {} }"};
  for (const std::string& type :
       Texts{"int", "secret string", "secret list(string)", "optional(string)", "list({ x: int })", "open { x: int }",
             "map(string, list(dyn))", "int(1, 100)", "int(min -1)", "int(-5, -1)", "double(0.0, 1.0)", "\"a\" | \"b\"",
             "-1 | 2", "string(max 8) | int(min 1)", "list(string(max 3), max 2)", "true | false", "acme.type"}) {
    fields.push_back("capability a { input { `a-b`: " + type + ", when: " + type + " } }");
    fields.push_back("context { agent { team: " + type + " } }");
    fields.push_back("capability a {\n  risk low;\n  input  { x: " + type + " }\n  output open { y: " + type + " }\n}");
  }
  expect_layout(within_width(fields));
}

TEST(FormatConstructs, Histories) {
  expect_layout(within_width(combine({{"history h = begun", "history sum = by"},
                                      kTargets,
                                      {"", "sum input.n", "sum -input.n", "sum (input.n)", "sum (1) signed",
                                       "sum input.l[0] signed", "sum sum signed"},
                                      {"", "when input.ok", "when !input.ok", "when (a in by)", "when -x.?by < (1)"},
                                      {"by session", "by tenant, input.by"},
                                      {"", "within 1h"},
                                      {"", "up to 5"},
                                      {";"}})));
  // In any order.
  expect_layout({"history h = done * within 1h by session when (x) sum [1][0] signed;",
                 "history h = done * up to 5 sum x by session;", "history h = failed *;"});
}

TEST(FormatConstructs, RatesAndBudgets) {
  expect_layout(combine({{"rate r = 20 in 1m"}, {"", "burst 5"}, {"on"}, kTargets, kKeys, {";"}}));
  const Texts heads = combine({{"budget b = 5", "budget b = 5.0", "budget b = 30m"},
                               {"by tenant each day", "each week in \"Europe/Berlin\" by tenant, input.by",
                                "at once by session", "by global at once", "each hour"}});
  const Texts takes = combine(
      {{"take 1 on", "take -input.n on", "take (input.n) on", "take on on", "take x * (y) on"}, kTargets, {";"}});
  Texts budgets;
  for (const std::string& head : heads) {
    for (const std::string& take : takes) budgets.push_back(head + " { " + take + " }");
    for (const char* settle : {"settle output.cost;", "settle -x;", "settle (x);", "settle settle;"}) {
      budgets.push_back(head + " {\n  " + takes.front() + "\n  " + settle + "\n}");
    }
  }
  expect_layout(within_width(budgets));
}

TEST(FormatConstructs, WhatIsRememberedBreaksBetweenClauses) {
  const std::string key = "input.a_field_of_the_call_that_has_a_rather_long_name";
  expect_layout({"history h = begun a sum " + key + " by session,\n    " + key + " within 1h;"});
}

TEST(FormatConstructs, WhatFollowsABudgetIsNotPartOfIt) {
  expect_layout(
      {"budget b = 5 by tenant { take 1 on *; }\nbudget c = 5 by tenant {\n  take 1 on a;\n  settle x;\n}\n"
       "label x;\npolicy p on before * {\n  allow;\n}\nlet a = 1;"});
}

TEST(FormatConstructs, Rules) {
  const Texts froms = {"",
                       "from \"g\"",
                       "from [\"g\", \"h\"]",
                       "from any of [\"g\"]",
                       "from 2 of groups",
                       "from (groups) distinct = false",
                       "from any of [\"g\"] distinct = true",
                       "from any"};
  const Texts whens = {"", "when x", "when !x", "when (x)", "when -x < input.?from", "when input.when.from == a.with"};
  Texts rules = combine({{"deny", "require_approval large", "allow deny"},
                         whens,
                         {"", "because \"x\"", "because (x)"},
                         froms,
                         {"", "expires 30m", "expires (x)"},
                         {";"}});
  const Texts redactions = combine({{"redact", "redact e", "redact input"},
                                    {"input", "input.a", "input[*].a", "input.a[*][*].when", "input.`a-b`"},
                                    whens,
                                    {"", "with \"x\"", "with (x)", "with -1", "with {}"},
                                    {";"}});
  const Texts labels = combine({{"label x", "label r x", "clear x", "clear label x", "warn", "warn clear"},
                                whens,
                                {"", "from \"g\"", "from [\"g\"]", "from any of [\"g\"]"},
                                {"", "because \"x\""},
                                {";"}});
  for (const Texts& each : {redactions, labels}) rules.insert(rules.end(), each.begin(), each.end());
  Texts policies;
  for (const std::string& rule : rules) policies.push_back("policy p on after * {\n  " + rule + "\n}");
  for (const std::string& targets : kTargets) {
    for (const char* properties : {"", "  version \"1\";\n", "  description \"d\";\n  version \"1\";\n"}) {
      policies.push_back("policy on on before " + targets + " {\n" + properties + "  allow;\n}");
    }
    policies.push_back("policy p on after " + targets + " {}");
  }
  expect_layout(within_width(policies));
}

// Only clauses that begin in one column have more than one blank before them.
TEST(FormatConstructs, ColumnsOfRules) {
  expect_layout({
      "policy p on before a {\n  deny large when x;\n  allow;\n}",
      "policy p on before a {\n  deny a       when x;\n  deny larger  when y;\n  allow;\n}",
      "policy p on before a {\n  deny a_name_that_is_too_long_to_be_in_a_column when x;\n  deny b when y;\n}",
      "policy p on before a {\n  deny a_name_that_is_too_long_to_be_in_a_column when x;\n  deny b   when y;\n"
      "  deny cc  when y;\n}",
  });
}

TEST(FormatConstructs, Tests) {
  Texts steps = combine({{"call a", "call a.b.when", "call \"x-*\"", "call like"},
                         {"", "{}", "{ n: 1, from: -1 }"},
                         {"", "like x", "like (x)", "like { a: 1 }", "like like"},
                         {"", "returns returns", "returns { a: 1 }", "returns [1]", "returns -x"},
                         {"", "with now = (x)", "with agent.id = \"a\", now = -x"},
                         {";"}});
  const Texts others = {"expect deny;",
                        "expect allow by a.b;",
                        "expect deny by \"a#1\";",
                        "wait 5m;",
                        "fails;",
                        "reject;",
                        "approve;",
                        "approve from \"g\";",
                        "approve as ann;",
                        "approve from \"g\" as \"ann\";",
                        "let v = x && !y;",
                        "let v = (x) * -y;",
                        "let v = x ? y : { a: 1 };",
                        "let v = x.f(y)[0];",
                        "rows a {}",
                        "rows a, expect {\n    -1, (x) expect deny by \"a#1\" expect warn;\n    [1] expect allow;\n  }",
                        "rows a {\n    x in expect, { id: 1 };\n    expect expect default;\n  }"};
  steps.insert(steps.end(), others.begin(), others.end());
  Texts tests;
  for (const std::string& step : steps) tests.push_back("test \"t\" {\n  " + step + "\n}");
  tests.push_back("test \"*\" {}");
  expect_layout(within_width(tests));
}

}  // namespace
}  // namespace ordain
