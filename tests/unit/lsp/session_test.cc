// The protocol around the requests: beginning and end, errors, cancellation, documents, diagnostics,
// fixes and formatting.
#include "lsp/session.h"

#include <optional>
#include <thread>

#include "tests/unit/lsp/support.h"

namespace ordain::lsp {
namespace {

using namespace testing;
using Codes = std::vector<std::string>;

const std::string kPay = R"(capability pay { input { to: string, amount: double } }
policy payments on before pay {
  deny negative when input.amount <= 0.0;
  allow rest;
}
)";

TEST(Session, BeginsAndEndsAsTheProtocolSays) {
  Client client;
  EXPECT_EQ(client.respond("textDocument/hover")["error"]["code"], kNotInitialized);
  const json result = client.initialize();
  EXPECT_EQ(result["serverInfo"], (json{{"name", "ordain"}, {"version", "1.2.3"}}));
  EXPECT_EQ(result["capabilities"]["positionEncoding"], "utf-16");
  EXPECT_EQ(client.respond("initialize")["error"]["code"], kInvalidRequest);
  EXPECT_EQ(client.ask("shutdown"), nullptr);
  EXPECT_EQ(client.respond("textDocument/formatting")["error"]["code"], kInvalidRequest);
  EXPECT_FALSE(client.session().ended());
  client.notify("exit", nullptr);
  EXPECT_TRUE(client.session().ended());
  EXPECT_EQ(client.session().exit_code(), 0);
}

TEST(Session, AnExitWithoutAShutdownIsAFailure) {
  Client client;
  client.notify("exit", nullptr);
  EXPECT_TRUE(client.session().ended());
  EXPECT_EQ(client.session().exit_code(), 1);
}

TEST(Session, MessagesThatAreNotRequestsAreAnsweredAsTheProtocolSays) {
  struct Row {
    std::string message;
    int code;
    json id;
  };
  const Row rows[] = {
      {"{", kParseError, nullptr},
      {"\"\xFF\"", kParseError, nullptr},
      {"[]", kInvalidRequest, nullptr},
      {"3", kInvalidRequest, nullptr},
      {R"({"id":1})", kInvalidRequest, 1},
      {R"({"id":[1],"method":"shutdown"})", kInvalidRequest, nullptr},
      {R"({"id":1.5,"method":"shutdown"})", kInvalidRequest, nullptr},
      {R"({"id":7,"method":"no/such"})", kMethodNotFound, 7},
      {R"({"id":"a","method":"$/noSuch"})", kMethodNotFound, "a"},
      {R"({"id":8,"method":"textDocument/didOpen"})", kMethodNotFound, 8},
  };
  Client client;
  client.initialize();
  for (const Row& row : rows) {
    const std::vector<json> sent = client.send_text(row.message);
    ASSERT_EQ(sent.size(), 1U) << row.message;
    EXPECT_EQ(sent[0]["error"]["code"], row.code) << row.message;
    EXPECT_EQ(sent[0]["id"], row.id) << row.message;
  }
  for (const char* silent :
       {R"({"method":"no/such"})", R"({"method":"$/setTrace","params":{"value":"off"}})", R"({"id":1,"result":null})",
        R"({"method":"textDocument/didOpen"})", R"({"method":"textDocument/didChange","params":[]})",
        R"({"method":"textDocument/didClose","params":{"textDocument":{"uri":3}}})"}) {
    EXPECT_TRUE(client.send_text(silent).empty()) << silent;
  }
}

TEST(Session, AWaitingRequestIsCancelled) {
  Client client;
  client.initialize();
  Session& session = client.session();
  session.receive(R"({"id":1,"method":"textDocument/formatting","params":{}})");
  session.receive(R"({"id":"1","method":"textDocument/formatting","params":{}})");
  session.receive(R"({"method":"$/cancelRequest","params":{"id":1}})");
  session.receive(R"({"method":"$/cancelRequest","params":{"id":99}})");
  session.receive(R"({"method":"$/cancelRequest"})");
  const std::vector<json> sent = client.work();
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0]["id"], 1);
  EXPECT_EQ(sent[0]["error"]["code"], kRequestCancelled);
  EXPECT_EQ(sent[1]["id"], "1");
  EXPECT_TRUE(sent[1].contains("result"));
}

TEST(Session, DiagnosticsOfTheWholeFolder) {
  Client client(
      Files{{"/work/policies/pay.policy", kPay},
            {"/work/policies/other.policy", "policy others on before pay { deny when input.amuont > 1.0; }\n"},
            {"/work/elsewhere/x.policy", "nonsense"}});
  client.initialize();
  client.open("pay.policy", kPay);
  const auto all = client.diagnostics();
  EXPECT_EQ(all.at(uri_for("pay.policy")), json::array());
  ASSERT_EQ(codes_of(all.at(uri_for("other.policy"))), Codes{"unknown-field"});
  EXPECT_FALSE(all.contains("file:///work/elsewhere/x.policy"));
  const json& found = all.at(uri_for("other.policy"))[0];
  EXPECT_EQ(found["severity"], 1);
  EXPECT_EQ(found["source"], "ordain");
  EXPECT_EQ(found["range"], range(0, 46, 52));
  EXPECT_EQ(found["relatedInformation"][0]["message"], "help: did you mean `amount`?");
  EXPECT_EQ(found["relatedInformation"][0]["location"]["uri"], uri_for("other.policy"));
}

TEST(Session, NotesLeadToOtherFiles) {
  Client client(Files{{"/work/policies/a.policy", "let limit = 1;\n"}});
  client.initialize();
  client.open("b.policy", "let limit = 2;\n");
  const json found = client.diagnostics_of("b.policy");
  ASSERT_EQ(codes_of(found), Codes{"duplicate-let"});
  EXPECT_EQ(found[0]["relatedInformation"][0]["location"],
            (json{{"uri", uri_for("a.policy")}, {"range", range(0, 4, 9)}}));
  EXPECT_EQ(found[0]["relatedInformation"][0]["message"], "first defined here");
}

TEST(Session, HelpIsPartOfTheMessageWhereTheClientShowsNothingElse) {
  Client client;
  client.initialize({{"capabilities", json::object()}});
  client.open("a.policy", "polcy p on before x { allow; }");
  const json found = client.diagnostics_of("a.policy");
  EXPECT_EQ(found[0]["message"], "unknown word `polcy`\nhelp: did you mean `policy`?");
  EXPECT_FALSE(found[0].contains("relatedInformation"));
}

TEST(Session, SeveritiesAreErrorsWarningsAndHints) {
  Client client;
  client.initialize();
  client.open("a.policy", "let nothing = 1;\npolicy p on before pay { allow; }\n");
  std::map<std::string, int> severities;
  for (const json& each : client.diagnostics_of("a.policy")) severities[each["code"]] = each["severity"];
  EXPECT_EQ(severities["unused-let"], 4);
  EXPECT_EQ(severities["undeclared-capability"], 2);
}

TEST(Session, ChangesAreFollowedInUtf16Units) {
  Client client;
  client.initialize();
  client.open("a.policy", "// \xF0\x9F\x98\x80 x\nlet a = 1 ;\n");
  // Each change is to the text that the one before left.
  client.change("a.policy", json::array({{{"range", range(0, 6, 7)}, {"text", "\xC3\xA4\n"}},
                                         {{"range", range(2, 8, 9)}, {"text", "2"}},
                                         {{"range", {{"start", place(2, 9)}, {"end", place(99, 0)}}}, {"text", ";"}}}));
  const json edits = client.ask("textDocument/formatting", {{"textDocument", {{"uri", uri_for("a.policy")}}}});
  // "// :) ä\n\nlet a = 2;": the formatter ends the text with a line feed, and that is all.
  ASSERT_EQ(edits.size(), 1U) << edits;
  EXPECT_EQ(edits[0]["newText"], "let a = 2;\n");
  EXPECT_EQ(edits[0]["range"], range(2, 0, 10));
}

TEST(Session, Utf8ColumnsIfTheClientOffersThem) {
  Client client;
  const json result =
      client.initialize({{"capabilities", {{"general", {{"positionEncodings", json::array({"utf-16", "utf-8"})}}}}}});
  EXPECT_EQ(result["capabilities"]["positionEncoding"], "utf-8");
  client.open("a.policy", "let a = \"\xF0\x9F\x98\x80\"; let a = 1;\n");
  const json found = client.diagnostics_of("a.policy");
  ASSERT_EQ(codes_of(found), Codes{"duplicate-let"});
  EXPECT_EQ(found[0]["range"]["start"], place(0, 20));
}

TEST(Session, TheTextOfAnOpenDocumentStandsInForItsFile) {
  Client client(Files{{"/work/policies/a.policy", "nonsense"}});
  client.initialize();
  client.open("a.policy", kPay);
  EXPECT_EQ(client.diagnostics_of("a.policy"), json::array());
  client.change("a.policy", json::array({{{"text", "let a = ;"}}}));
  EXPECT_EQ(codes_of(client.diagnostics_of("a.policy")), Codes{"syntax"});
  client.notify("textDocument/didClose", {{"textDocument", {{"uri", uri_for("a.policy")}}}});
  EXPECT_EQ(codes_of(client.diagnostics_of("a.policy")), Codes{"syntax"}) << "of the file";
  client.files()["/work/policies/a.policy"] = kPay;
  client.notify("workspace/didChangeWatchedFiles", {{"changes", json::array()}});
  EXPECT_EQ(client.diagnostics_of("a.policy"), json::array());
}

TEST(Session, ADocumentOutsideOfTheFolderIsASetOfItsOwn) {
  Client client(Files{{"/work/policies/pay.policy", kPay}});
  client.initialize();
  const std::string uri = "file:///elsewhere/pay.policy";
  client.notify("textDocument/didOpen", {{"textDocument", {{"uri", uri}, {"version", 1}, {"text", kPay}}}});
  EXPECT_EQ(client.diagnostics().at(uri), json::array());
  client.notify("textDocument/didChange", {{"textDocument", {{"uri", uri}, {"version", 2}}},
                                           {"contentChanges", json::array({{{"text", "polcy"}}})}});
  EXPECT_FALSE(client.diagnostics().at(uri).empty());
  client.notify("textDocument/didClose", {{"textDocument", {{"uri", uri}}}});
  EXPECT_EQ(client.diagnostics().at(uri), json::array()) << "nothing is left of it";
}

TEST(Session, TheClientSaysWhichFoldersAreSets) {
  Client client(Files{{"/work/policies/a/pay.policy", kPay}, {"/work/policies/b/pay.policy", kPay}});
  client.initialize({{"initializationOptions", {{"policies", json::array({"a", "b"})}}}});
  client.open("a/pay.policy", kPay);
  client.open("b/pay.policy", kPay);
  for (const auto& [uri, found] : client.diagnostics()) EXPECT_EQ(found, json::array()) << uri;
}

TEST(Session, OneSyntaxErrorGivesOneDiagnostic) {
  Client client;
  client.initialize();
  client.open("a.policy", kPay + "policy q on before pay { deny when input.amount > ; allow more; }\n");
  EXPECT_EQ(codes_of(client.diagnostics_of("a.policy")), Codes{"syntax"});
}

TEST(Session, EachSyntaxErrorGivesOneDiagnosticAndTheRestIsServed) {
  Client client;
  client.initialize();
  const std::string text = kPay +
                           "policy q on before pay { deny when input.amount > ; allow more; }\n"
                           "let limit = ;\n"
                           "policy r on before pay { deny a wen true; }\n";
  client.open("a.policy", text);
  const json found = client.diagnostics_of("a.policy");
  ASSERT_EQ(codes_of(found), (Codes{"syntax", "syntax", "unknown-word"}));
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(found[i]["range"]["start"]["line"], 5 + static_cast<int>(i));
  // `input.amount` in the second line that is whole.
  const json hover = client.ask("textDocument/hover", at("a.policy", place(2, 30)));
  ASSERT_FALSE(hover.is_null());
  EXPECT_NE(hover["contents"]["value"].get<std::string>().find("amount: double"), std::string::npos);
  EXPECT_EQ(client.ask("textDocument/definition", at("a.policy", place(2, 30)))[0]["range"], range(0, 37, 43));
}

TEST(Session, ColumnsCountUtf16UnitsAfterAnAstralCharacter) {
  Client client;
  client.initialize();
  // The emoji is one code point, two units and four bytes, and the word after it is misspelt.
  client.open("a.policy", kPay + "policy q on before pay { deny when \"\xF0\x9F\x98\x80\" == input.too; }\n");
  const json found = client.diagnostics_of("a.policy");
  ASSERT_EQ(codes_of(found), Codes{"unknown-field"});
  EXPECT_EQ(found[0]["range"], range(5, 49, 52));
  const json actions = client.ask("textDocument/codeAction",
                                  {{"textDocument", {{"uri", uri_for("a.policy")}}}, {"range", range(5, 50, 50)}});
  ASSERT_EQ(actions.size(), 1U);
  EXPECT_EQ(actions[0]["edit"]["changes"][uri_for("a.policy")][0],
            (json{{"range", range(5, 49, 52)}, {"newText", "to"}}));
}

TEST(Session, DiagnosticsWaitForAPauseButNotForever) {
  Client client;
  client.initialize();
  client.open("a.policy", kPay);
  client.diagnostics();
  Session& session = client.session();
  const json typed = {{"jsonrpc", "2.0"},
                      {"method", "textDocument/didChange"},
                      {"params",
                       {{"textDocument", {{"uri", uri_for("a.policy")}, {"version", 2}}},
                        {"contentChanges", json::array({{{"range", range(0, 0, 0)}, {"text", " "}}})}}}};
  int64_t now = 1'000'000, published = 0;
  for (int key = 0; key < 100; ++key, now += 50) {
    session.receive(typed.dump());
    while (session.waiting() > 0) published += static_cast<int64_t>(session.work(now).size());
    published += static_cast<int64_t>(session.work(now).size());
  }
  EXPECT_GE(published, 1) << "in five seconds";
  EXPECT_LE(published, 4);
  ASSERT_TRUE(session.due());
  EXPECT_EQ(session.work(*session.due()).size(), 1U);
  EXPECT_FALSE(session.due());
}

TEST(Session, RequestsDoNotWaitForChecksThatRunAside) {
  Client client({}, true);
  client.initialize();
  client.open("a.policy", "let limit = ;\n" + kPay);
  Session& session = client.session();
  ASSERT_TRUE(session.due());
  const int64_t due = *session.due();
  EXPECT_TRUE(session.work(due).empty()) << "the owner runs it";
  EXPECT_FALSE(session.take_check(due - 1));
  const std::optional<Check> check = session.take_check(due);
  ASSERT_TRUE(check);
  EXPECT_FALSE(session.take_check(due)) << "it is under way";
  Findings findings;
  std::thread thread([&] { findings = check->run(); });
  // Meanwhile the author types on, and is answered.
  client.change("a.policy", json::array({{{"text", kPay}}}));
  EXPECT_FALSE(client.ask("textDocument/hover", at("a.policy", place(2, 30))).is_null());
  thread.join();
  const std::vector<std::string> old = session.finish_check(*check, std::move(findings), 5);
  ASSERT_EQ(old.size(), 1U);
  EXPECT_EQ(codes_of(json::parse(old[0])["params"]["diagnostics"]), Codes{"syntax"});
  EXPECT_EQ(json::parse(old[0])["params"]["version"], 1) << "of the text that was read";
  ASSERT_TRUE(session.due());
  const std::optional<Check> next = session.take_check(*session.due());
  ASSERT_TRUE(next);
  const std::vector<std::string> now = session.finish_check(*next, next->run(), 5);
  ASSERT_EQ(now.size(), 1U);
  EXPECT_EQ(json::parse(now[0])["params"]["diagnostics"], json::array());
  EXPECT_EQ(json::parse(now[0])["params"]["version"], 2);
}

TEST(Session, HelpBecomesAFix) {
  struct Row {
    std::string text, from, to;
  };
  const Row rows[] = {
      {kPay + "policy q on before pay { deny when input.amuont > 1.0; }\n", "amuont", "amount"},
      {"polcy p on before pay { allow; }\n", "polcy", "policy"},
      {kPay + "policy q on before pay { deny when input.amount > 1.0 and true; }\n", "and", "&&"},
      {"capability c { risk hihg; }\n", "hihg", "high"},
  };
  for (const Row& row : rows) {
    Client client;
    client.initialize();
    client.open("a.policy", row.text);
    const size_t begin = row.text.find(row.from);
    const std::string before = row.text.substr(0, begin);
    const int line = static_cast<int>(std::count(before.begin(), before.end(), '\n'));
    const int character = static_cast<int>(line == 0 ? begin : begin - before.rfind('\n') - 1);
    const json there = range(line, character, character + static_cast<int>(row.from.size()));
    const json actions = client.ask("textDocument/codeAction", {{"textDocument", {{"uri", uri_for("a.policy")}}},
                                                                {"range", there},
                                                                {"context", {{"diagnostics", json::array()}}}});
    ASSERT_EQ(actions.size(), 1U) << row.from << actions;
    EXPECT_EQ(actions[0]["kind"], "quickfix");
    const json& edit = actions[0]["edit"]["changes"][uri_for("a.policy")][0];
    EXPECT_EQ(edit["range"], there);
    EXPECT_EQ(edit["newText"], row.to);
  }
}

TEST(Session, AForgottenSemicolonIsInserted) {
  Client client;
  client.initialize();
  client.open("a.policy", "let a = 1\nlet b = 2;\n");
  const json actions = client.ask("textDocument/codeAction",
                                  {{"textDocument", {{"uri", uri_for("a.policy")}}}, {"range", range(0, 9, 9)}});
  ASSERT_EQ(actions.size(), 1U);
  EXPECT_EQ(actions[0]["edit"]["changes"][uri_for("a.policy")][0], (json{{"range", range(0, 9, 9)}, {"newText", ";"}}));
}

TEST(Session, FormattingChangesOnlyWhatDiffers) {
  Client client;
  client.initialize();
  client.open("a.policy", "let a = 1;\nlet b   =   2;\nlet c = 3;\n");
  const json params = {{"textDocument", {{"uri", uri_for("a.policy")}}}};
  const json edits = client.ask("textDocument/formatting", params);
  ASSERT_EQ(edits.size(), 1U);
  EXPECT_EQ(edits[0]["range"], (json{{"start", place(1, 0)}, {"end", place(2, 0)}}));
  EXPECT_EQ(edits[0]["newText"], "let b = 2;\n");
  client.change("a.policy", json::array({{{"text", "let a = 1;\n"}}}));
  EXPECT_EQ(client.ask("textDocument/formatting", params), json::array());
  client.change("a.policy", json::array({{{"text", "let a   = ;\n"}}}));
  EXPECT_EQ(client.ask("textDocument/formatting", params), nullptr) << "text with errors stays as it is";
  EXPECT_EQ(client.ask("textDocument/formatting", {{"textDocument", {{"uri", "file:///none"}}}}), nullptr);
}

}  // namespace
}  // namespace ordain::lsp
