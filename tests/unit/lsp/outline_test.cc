// What the server says of whole documents: symbols, folding, tokens, and tests that can be run.
#include "tests/unit/lsp/support.h"

namespace ordain::lsp {
namespace {

using namespace testing;

const std::string kDocument = R"(// One
// two
capability pay { input { to: string, amount: double } }
let limit = 500.0;
policy payments on before pay {
  deny negative when input.amount <= 0.0;
  allow;
}
test "negative" {
  call pay { to: "x", amount: -1.0 };
  expect deny by payments.negative;
}
test "wrong" {
  call pay { to: "x", amount: 1.0 };
  expect deny;
}
)";

json ask_about(Client& client, const std::string& method, const std::string& text) {
  client.open("a.policy", text);
  return client.ask(method, {{"textDocument", {{"uri", uri_for("a.policy")}}}});
}

TEST(LspOutline, SymbolsInTheOrderOfTheText) {
  Client client;
  client.initialize();
  const json found = ask_about(client, "textDocument/documentSymbol", kDocument);
  std::vector<std::string> names;
  for (const json& each : found) names.push_back(each["name"]);
  EXPECT_EQ(names, (std::vector<std::string>{"pay", "limit", "payments", "negative", "wrong"}));
  EXPECT_EQ(found[0]["children"][0]["children"].size(), 2U);
  EXPECT_EQ(found[2]["range"], (json{{"start", place(4, 0)}, {"end", place(7, 1)}}));
  EXPECT_EQ(found[2]["selectionRange"], range(4, 7, 15));
  EXPECT_EQ(found[2]["children"][0]["name"], "negative");
  EXPECT_EQ(found[2]["children"][1]["name"], "allow");
}

TEST(LspOutline, ASyntaxErrorLeavesTheRest) {
  Client client;
  client.initialize();
  std::string broken = kDocument;
  broken.replace(broken.find("<= 0.0"), 6, "<= ");
  EXPECT_EQ(ask_about(client, "textDocument/documentSymbol", broken).size(), 5U);
}

TEST(LspOutline, BracesAndCommentsFold) {
  Client client;
  client.initialize();
  const json found = ask_about(client, "textDocument/foldingRange", kDocument);
  const json expected = {{{"startLine", 4}, {"endLine", 6}},
                         {{"startLine", 8}, {"endLine", 10}},
                         {{"startLine", 12}, {"endLine", 14}},
                         {{"startLine", 0}, {"endLine", 1}, {"kind", "comment"}}};
  EXPECT_EQ(found, expected);
}

// The tokens as "line:character:length:type".
std::vector<std::string> tokens_of(const std::string& text) {
  Client client;
  const json legend = client.initialize()["capabilities"]["semanticTokensProvider"]["legend"]["tokenTypes"];
  const json data = ask_about(client, "textDocument/semanticTokens/full", text)["data"];
  std::vector<std::string> out;
  int line = 0, character = 0;
  for (size_t i = 0; i + 4 < data.size(); i += 5) {
    line += data[i].get<int>();
    character = (data[i] == 0 ? character : 0) + data[i + 1].get<int>();
    out.push_back(std::to_string(line) + ":" + std::to_string(character) + ":" +
                  std::to_string(data[i + 2].get<int>()) + ":" + legend[data[i + 3].get<size_t>()].get<std::string>());
  }
  return out;
}

TEST(LspTokens, SayWhatEachTokenIs) {
  EXPECT_EQ(tokens_of("// c\nlet a = \"x\";\npolicy p on before pay {\n  deny b when a == input.when;\n}\n"),
            (std::vector<std::string>{"0:0:4:comment", "1:0:3:keyword", "1:4:1:variable", "1:8:3:string",
                                      "2:0:6:keyword", "2:7:1:namespace", "2:9:2:keyword", "2:12:6:keyword",
                                      "2:19:3:class", "3:2:4:keyword", "3:7:1:function", "3:9:4:keyword",
                                      "3:14:1:variable", "3:19:5:variable", "3:25:4:property"}));
}

TEST(LspTokens, StringsOfSeveralLinesAndWideCharacters) {
  EXPECT_EQ(
      tokens_of("let a = \"\"\"\xF0\x9F\x98\x80\nb\"\"\" + 1;"),
      (std::vector<std::string>{"0:0:3:keyword", "0:4:1:variable", "0:8:5:string", "1:0:4:string", "1:7:1:number"}));
}

TEST(LspTests, RunFromTheirLens) {
  Client client;
  client.initialize();
  const json lenses = ask_about(client, "textDocument/codeLens", kDocument);
  ASSERT_EQ(lenses.size(), 4U) << "two at each test";
  EXPECT_EQ(lenses[0]["command"]["title"], "run test");
  EXPECT_EQ(lenses[0]["command"]["command"], "ordain.runTest");
  EXPECT_EQ(lenses[0]["range"], range(8, 5, 15));
  const auto run = [&](const json& lens) {
    return client.ask("workspace/executeCommand",
                      {{"command", lens["command"]["command"]}, {"arguments", lens["command"]["arguments"]}});
  };
  EXPECT_EQ(run(lenses[0])["passed"], true);
  const json wrong = run(lenses[2]);
  EXPECT_EQ(wrong["passed"], false);
  EXPECT_NE(wrong["failures"].get<std::string>().find("expected deny, but: allow by payments.allow#1"),
            std::string::npos)
      << wrong;
}

TEST(LspTests, TheLastCallIsExplained) {
  Client client;
  client.initialize();
  const auto explain = [&](const std::string& text, size_t test) {
    const json lens = ask_about(client, "textDocument/codeLens", text)[2 * test + 1];
    EXPECT_EQ(lens["command"]["title"], "explain last");
    return client
        .ask("workspace/executeCommand",
             {{"command", lens["command"]["command"]}, {"arguments", lens["command"]["arguments"]}})["explanation"]
        .get<std::string>();
  };
  EXPECT_EQ(explain(kDocument, 0),
            "pay: deny by payments.negative\n  deny payments.negative: matches\n  allow payments.allow#1: matches");
  EXPECT_EQ(explain(kDocument, 1),
            "pay: allow by payments.allow#1\n  deny payments.negative: does not match: `input.amount <= 0.0` is false\n"
            "  allow payments.allow#1: matches");
  const std::string story =
      "capability pay { input { amount: double } }\nbudget spend = 10.0 by global each day { take input.amount on pay; "
      "}\n"
      "policy p on before pay {\n  deny over when spend.left < 0.0;\n  allow rest;\n}\n"
      "test \"the second is too much\" {\n  call pay { amount: 6.0 };\n  expect allow;\n  call pay { amount: 6.0 };\n"
      "  expect deny by p.over;\n}\n";
  EXPECT_EQ(explain(story, 0), "pay: deny by p.over\n  deny p.over: matches\n  allow p.rest: matches");
}

TEST(LspHints, TypesOfLetsThatRulesUse) {
  Client client;
  client.initialize();
  const std::string text =
      "let limit = 500.0;\nlet names = [\"a\", \"b\"];\nlet unused = 1;\ncapability pay { input { to: string, amount: "
      "double } }\npolicy p on before pay { deny a when input.amount > limit && input.to in names; allow; }\n";
  client.open("a.policy", text);
  const auto hints = [&](int from, int to) {
    return client.ask("textDocument/inlayHint", {{"textDocument", {{"uri", uri_for("a.policy")}}},
                                                 {"range", {{"start", place(from, 0)}, {"end", place(to, 0)}}}});
  };
  EXPECT_EQ(hints(0, 5), (json::array({{{"position", place(0, 9)}, {"label", ": double"}, {"kind", 1}},
                                       {{"position", place(1, 9)}, {"label", ": list(string)"}, {"kind", 1}}})));
  EXPECT_EQ(hints(1, 1).size(), 1U);
}

TEST(LspTests, CommandsThatDoNotExistAreErrors) {
  Client client;
  client.initialize();
  client.open("a.policy", kDocument);
  for (const json& params :
       {json{{"command", "rm"}}, json{{"command", "ordain.runTest"}},
        json{{"command", "ordain.runTest"}, {"arguments", json::array({1, 2})}},
        json{{"command", "ordain.runTest"}, {"arguments", json::array({uri_for("a.policy"), "none"})}},
        json{{"command", "ordain.runTest"}, {"arguments", json::array({uri_for("none.policy"), "wrong"})}}}) {
    EXPECT_TRUE(client.respond("workspace/executeCommand", params).contains("error")) << params;
  }
}

}  // namespace
}  // namespace ordain::lsp
