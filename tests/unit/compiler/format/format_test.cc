// These tests cover the formatter: what layout texts get, and that it changes nothing but layout.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "compiler/parse/token_scan.h"
#include "ordain/compile.h"
#include "ordain/disasm.h"
#include "ordain/format.h"
#include "ordain/stdlib.h"
#include "tests/unit/compiler/parse/parse_dump.h"

namespace ordain {
namespace {

namespace fs = std::filesystem;

std::string formatted(const std::string& text) {
  Result<std::string> out = format_policy(text);
  EXPECT_TRUE(out.ok()) << text << "\n" << out.error().message;
  return out.ok() ? *out : "";
}

struct Case {
  const char* before;
  const char* after;
};

void expect_layouts(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    EXPECT_EQ(formatted(c.before), c.after) << c.before;
    EXPECT_EQ(formatted(c.after), c.after);
  }
}

TEST(Format, Statements) {
  expect_layouts({
      {"", ""},
      {"\n\n", ""},
      {"// nothing", "// nothing\n"},
      {"package   acme . banking ;import \"lib/x.policy\"; import acme.common;\noption order=first_match;",
       "package acme.banking;\nimport \"lib/x.policy\";\nimport acme.common;\noption order = first_match;\n"},
      {"\n\nlet a = 1;;\n;\nlet b=2;", "let a = 1;;;\nlet b = 2;\n"},
      {";// c\n;", ";  // c\n;\n"},
      {"\xEF\xBB\xBFlet a = 1;\r\n\r\n\r\n// c \t\r\nlet b\r\n= 2;\r\n", "let a = 1;\n\n// c\nlet b = 2;\n"},
  });
}

TEST(Format, TypesWithLimits) {
  expect_layouts({
      {"capability a{input{s:\"x\"|\"y\",n:int( min -1 )}}",
       "capability a { input { s: \"x\" | \"y\", n: int(min -1) } }\n"},
      {"capability a{input{m:int(-5,  5),l:list( string(max  3),max 20 )|int}}",
       "capability a { input { m: int(-5, 5), l: list(string(max 3), max 20) | int } }\n"},
      {"context{agent{desk:\"fraud\"|  \"sales\"}}", "context { agent { desk: \"fraud\" | \"sales\" } }\n"},
  });
}

TEST(Format, Rules) {
  expect_layouts({
      {"policy p on before x { }", "policy p on before x {}\n"},
      {R"(policy p on before pay{deny a when x;require_approval longer when input.amount>500.0 from "finance" expires 30m because "a payment above five hundred";allow;})",
       R"(policy p on before pay {
  deny a                   when x;
  require_approval longer  when input.amount > 500.0
                           from "finance" expires 30m because "a payment above five hundred";
  allow;
}
)"},
      {R"(policy p on before pay {
  deny unknown_payee when !(input.recipient in payees) because "recipient " + input.recipient + " is not a payee";
})",
       R"(policy p on before pay {
  deny unknown_payee when !(input.recipient in payees)
                     because "recipient " + input.recipient + " is not a payee";
}
)"},
      {R"(policy p on before a { deny x when has(input.first_name_of_the_customer) && input.first_name_of_the_customer == "" || size(input.items) > 100; })",
       R"(policy p on before a {
  deny x when has(input.first_name_of_the_customer) && input.first_name_of_the_customer == ""
              || size(input.items) > 100;
}
)"},
      {"policy p on before a {\ndeny a when x;\n\ndeny longer when y;\n// c\ndeny b when z;}",
       "policy p on before a {\n  deny a when x;\n\n  deny longer  when y;\n  // c\n  deny b       when z;\n}\n"},
      {R"(policy p on after * { version "1"; description "d"; redact output . items[ * ].name   when true with "***"; })",
       R"(policy p on after * {
  version "1";
  description "d";
  redact output.items[*].name when true with "***";
}
)"},
      {R"(policy p on before a.* , "x y" { require_approval a from any of ["a","b"] distinct=false expires 30m; allow deny; })",
       R"(policy p on before a.*, "x y" {
  require_approval a from any of ["a", "b"] distinct = false expires 30m;
  allow deny;
}
)"},
  });
}

// A text that is too long beside its rule moves to a line of its own.
TEST(Format, TablesOfTests) {
  expect_layouts({
      {R"(test "x"{rows amount,who{1.0,{id:"a"}expect allow by p.rest;-2.0,  clerk expect deny expect warn by p . w;

3.0,x in expect;}call pay{amount:amount}with agent=who;expect allow;})",
       R"(test "x" {
  rows amount, who {
    1.0, { id: "a" } expect allow by p.rest;
    -2.0, clerk expect deny expect warn by p.w;

    3.0, x in expect;
  }
  call pay { amount: amount } with agent = who;
  expect allow;
}
)"},
      {R"(test "x" {
  let a = 1;
  rows text {  // the texts
    // too long
    "a text that is so long that what is expected of it does not stand on the line" expect deny by p.long_name; // c
    // the end
  }
  rows none { }
})",
       R"(test "x" {
  let a = 1;
  rows text {  // the texts
    // too long
    "a text that is so long that what is expected of it does not stand on the line"
        expect deny by p.long_name;  // c
    // the end
  }
  rows none {}
}
)"},
  });
}

TEST(Format, LongTextsMoveToTheLeft) {
  const std::string text = "\"" + std::string(80, 'x') + "\"";
  EXPECT_EQ(formatted("policy p on before a { deny a_name_of_some_length because " + text + "; }"),
            "policy p on before a {\n  deny a_name_of_some_length\n      because " + text + ";\n}\n");
  const std::string longer = "\"" + std::string(92, 'x') + "\"";
  EXPECT_EQ(formatted("let text = " + longer + ";"), "let text =\n  " + longer + ";\n");
}

TEST(Format, Expressions) {
  expect_layouts({
      {R"(let m = {"a":1,?b:2};let n=-1- -x;let o=!a.b[1][?2].?c;let p=r'raw'+b"x";let q={};let s=f( );)",
       "let m = { \"a\": 1, ?b: 2 };\nlet n = -1 - -x;\nlet o = !a.b[1][?2].?c;\nlet p = r'raw' + b\"x\";\n"
       "let q = {};\nlet s = f();\n"},
      {R"(let payees = ["UK12345678901234567890", "GB29NWBK60161331926819", "US122000000121212121212", "Spotify"];)",
       R"(let payees = [
  "UK12345678901234567890", "GB29NWBK60161331926819", "US122000000121212121212", "Spotify"
];
)"},
      {"let each = [1, 2,];", "let each = [\n  1,\n  2,\n];\n"},
      {"let a = [1,\n\n\n2, 3];", "let a = [\n  1,\n\n  2, 3\n];\n"},
      {R"(let choice = input.amount > 100000.0 ? "this is the first of the long texts" : "this is the second of the long texts";)",
       R"(let choice = input.amount > 100000.0
               ? "this is the first of the long texts"
               : "this is the second of the long texts";
)"},
      {R"(let found = input.items.filter(item, item.price > 100.0).map(item, item.name).exists(name, name == "diamond");)",
       R"(let found = input.items.filter(item, item.price > 100.0).map(item, item.name)
  .exists(name, name == "diamond");
)"},
      // A space between number and word would change the digest of a rule.
      {"let a=5in[5]||1.5in[ ];", "let a = 5in [5] || 1.5in [];\n"},
      {"policy p on before x { require_approval from 2of[\"a\"] expires 30mbecause \"x\"; }",
       "policy p on before x {\n  require_approval from 2of [\"a\"] expires 30mbecause \"x\";\n}\n"},
      {"let a = \"\"\"one  \n   two\"\"\";", "let a = \"\"\"one  \n   two\"\"\";\n"},
  });
}

TEST(Format, Declarations) {
  expect_layouts({
      {R"(capability a{type "tool";risk low;input{channel:string}}
capability longer{risk high;}

capability b { input { n: int } output open { text: string } }
capability c {
  // why
  risk low;
})",
       R"(capability a      { type "tool"; risk low; input { channel: string } }
capability longer { risk high; }

capability b {
  input  { n: int }
  output open { text: string }
}
capability c {
  // why
  risk low;
}
)"},
      {"capability a{input{from:secret map(string,list({x:int})),`a-b`:dyn};}capability \"x/y\"{}",
       "capability a     { input { from: secret map(string, list({ x: int })), `a-b`: dyn }; }\n"
       "capability \"x/y\" {}\n"},
      {"context{agent{team:string}}\ncontext {\n  agent { team: string }\n\n  session { id: string }\n}",
       "context { agent { team: string } }\ncontext {\n  agent { team: string }\n\n  session { id: string }\n}\n"},
      {R"(test "x"{call pay{amount:1.0,to:"a"} returns{id:7} with agent.roles=["banker"];expect allow;expect deny by p . x;})",
       R"(test "x" {
  call pay { amount: 1.0, to: "a" } returns { id: 7 } with agent.roles = ["banker"];
  expect allow;
  expect deny by p.x;
}
)"},
      {R"(test "x" {
  call get_user_info returns { first_name: "Ann", last_name: "Lee", street: "1 High St", city: "York, in the north" };
})",
       R"(test "x" {
  call get_user_info returns {
    first_name: "Ann", last_name: "Lee", street: "1 High St", city: "York, in the north"
  };
}
)"},
  });
}

TEST(Format, Comments) {
  expect_layouts({
      {R"(// first



// second


policy p on before a, // trailing
  b {

  // before the rule
  deny x // after the name
    when a // after a
      && [1, // one
          // own
          2]; // at the end

  // before the end

}
// last)",
       R"(// first

// second

policy p on before a,  // trailing
    b {
  // before the rule
  deny x      // after the name
      when a  // after a
           && [
             1,  // one
             // own
             2
           ];  // at the end

  // before the end
}
// last
)"},
      {"let a = 1; // one\nlet long_name = 2; // two\n\nlet b = 3; // three",
       "let a = 1;          // one\nlet long_name = 2;  // two\n\nlet b = 3;  // three\n"},
      {"policy p on before x { // c\n}", "policy p on before x {  // c\n}\n"},
      {"let a = [ // c\n];", "let a = [  // c\n];\n"},
  });
}

TEST(Format, WhatDoesNotParseIsRefused) {
  const Result<std::string> out = format_policy("policy p on before {\n  deny;\n}\n");
  ASSERT_FALSE(out.ok());
  EXPECT_EQ(out.error().code, "syntax");
  EXPECT_NE(out.error().message.find("policy:1:20: error["), std::string::npos) << out.error().message;
  EXPECT_FALSE(format_policy("let a = \xff;").ok());
  EXPECT_FALSE(format_policy("let a = \"open").ok());
}

// Mistakes that only the checker finds are not the formatter's business.
TEST(Format, WhatParsesNeedNotCheck) { EXPECT_EQ(formatted("let a=b;"), "let a = b;\n"); }

TEST(Format, AddsToTheDiagnosticsOfOtherSources) {
  Diagnostics diagnostics;
  diagnostics.sources.push_back(std::make_shared<Source>(Source{"bad.policy", "let;"}));
  diagnostics.sources.push_back(std::make_shared<Source>(Source{"good.policy", "let a=1;"}));
  EXPECT_FALSE(format_source(diagnostics, 0).has_value());
  EXPECT_TRUE(diagnostics.has_errors());
  EXPECT_EQ(format_source(diagnostics, 1), "let a = 1;\n");
}

std::string text_of(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// --- every policy of the tree that can be read

std::vector<std::string> all_policies() {
  std::vector<std::string> out;
  for (const char* folder : {"tests/policies", "tests/fuzz/seeds/format", "examples"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(ORDAIN_SOURCE_DIR) / folder)) {
      if (entry.path().extension() != ".policy") continue;
      const std::string path = entry.path().string();
      if (testing::parse_file(text_of(path))->report().empty()) out.push_back(path);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

// The tokens, each with the comments before it, but without layout.
std::vector<std::string> pieces_of(const std::string& text) {
  std::vector<std::string> out;
  size_t from = 0;
  for (ScanToken token = next_token(text, 0);; token = next_token(text, token.end)) {
    std::istringstream gap(text.substr(from, token.begin - from));
    for (std::string line; std::getline(gap, line);) {
      const size_t comment = line.find("//");
      if (comment != std::string::npos)
        out.push_back(line.substr(comment, line.find_last_not_of(" \t\r") + 1 - comment));
    }
    if (token.kind == ScanKind::end) return out;
    out.push_back(text.substr(token.begin, token.end - token.begin));
    from = token.end;
  }
}

// The program as text, with neither places nor the digest over them.
std::string program_text(const std::string& text) {
  const Compilation compilation = compile({std::make_shared<Source>(Source{"p.policy", text})}, standard_library());
  if (compilation.program == nullptr) return "no program";
  static const std::regex kPlaces("p\\.policy:[0-9]+:[0-9]+|^program [0-9a-f]+");
  std::string out = std::regex_replace(disassemble(*compilation.program), kPlaces, "");
  for (const RuleInfo& rule : compilation.program->rules()) out += rule.name + " " + to_hex(rule.digest) + "\n";
  return out;
}

TEST(Format, ChangesNothingButTheLayoutOfEveryPolicyOfTheTree) {
  const std::vector<std::string> paths = all_policies();
  ASSERT_GT(paths.size(), 30U);
  size_t programs = 0;
  for (const std::string& path : paths) {
    SCOPED_TRACE(path);
    const std::string before = text_of(path), after = formatted(before);
    EXPECT_EQ(testing::dump(testing::parse_file(before)->file), testing::dump(testing::parse_file(after)->file));
    EXPECT_EQ(pieces_of(before), pieces_of(after));
    EXPECT_EQ(formatted(after), after);
    const std::string program = program_text(before);
    EXPECT_EQ(program_text(after), program);
    if (program != "no program") ++programs;
  }
  EXPECT_GT(programs, 25U);
}

// Lines are too long only where a single piece is: a literal, or a run of signs.
TEST(Format, LinesStayWithinTheWidth) {
  for (const std::string& path : all_policies()) {
    std::istringstream lines(formatted(text_of(path)));
    for (std::string line; std::getline(lines, line);) {
      const std::string code = line.substr(0, line.find("//"));
      const bool signs = code.find("!!!!") != std::string::npos || code.find("----") != std::string::npos;
      const bool literal =
          std::count(code.begin(), code.end(), '"') == 2 && code.find_first_not_of(" rb") == code.find('"');
      EXPECT_TRUE(code.size() <= 100 || signs || literal) << path << ": " << line;
    }
  }
}

// The layout depends on tokens, comments and empty lines alone.
TEST(Format, LineBreaksOfTheAuthorDoNotMatter) {
  for (const std::string& path : all_policies()) {
    SCOPED_TRACE(path);
    const std::string text = text_of(path);
    const auto parsed = testing::parse_file(text);
    Arena arena;
    Diagnostics diagnostics;
    diagnostics.sources.push_back(std::make_shared<Source>(Source{"p.policy", text}));
    std::vector<Lexeme> lexemes;
    parse_with_lexemes(arena, diagnostics, 0, &lexemes);
    std::string on_one_line, on_many_lines;
    for (const Lexeme& lexeme : lexemes) {
      const std::string token = text.substr(lexeme.begin, lexeme.end - lexeme.begin);
      on_one_line += token + " ";
      // A rule's name that is an effect must not begin a line.
      const bool effect = token == "deny" || token == "allow" || token == "warn" || token == "redact";
      on_many_lines += (effect ? "" : "\n") + token + " ";
    }
    EXPECT_EQ(formatted(on_one_line), formatted(on_many_lines));
    EXPECT_EQ(testing::dump(testing::parse_file(on_one_line)->file), testing::dump(parsed->file));
  }
}

// Comments between any two tokens stay between them, and formatting again changes nothing.
TEST(Format, CommentsMayStandAnywhere) {
  for (const std::string& path : all_policies()) {
    SCOPED_TRACE(path);
    const std::string text = text_of(path);
    Arena arena;
    Diagnostics diagnostics;
    diagnostics.sources.push_back(std::make_shared<Source>(Source{"p.policy", text}));
    std::vector<Lexeme> lexemes;
    parse_with_lexemes(arena, diagnostics, 0, &lexemes);
    for (const size_t every : {2, 3, 7}) {
      std::string commented;
      size_t i = 0;
      for (const Lexeme& lexeme : lexemes) {
        const std::string token = text.substr(lexeme.begin, lexeme.end - lexeme.begin);
        const bool effect = token == "deny" || token == "allow" || token == "warn" || token == "redact";
        if (++i % every == 0 && !effect) commented += i % 2 == 0 ? "// trailing\n" : "\n\n\n// own\n\n// line\n";
        commented += token + " ";
      }
      const std::string after = formatted(commented);
      EXPECT_EQ(pieces_of(after), pieces_of(commented));
      EXPECT_EQ(formatted(after), after);
    }
  }
}

}  // namespace
}  // namespace ordain
