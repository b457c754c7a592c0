// What the server says of names: hover, completion, definitions, references and renaming.
#include <set>
#include <tuple>

#include "tests/unit/lsp/support.h"

namespace ordain::lsp {
namespace {

using namespace testing;

const std::string kSet = R"(// Moves money to an account.
capability pay {
  // Whom to pay.
  input { to: string, amount: double, note: optional(string) }
  output open { receipt: string }
}
context { agent { desk: string } }
// The most that nobody has to approve.
let limit = 500.0;
policy payments on before pay {
  deny negative when input.amount <= 0.0;
  require_approval large when input.amount > limit from "finance";
  allow rest when ["a", "b"].exists(limit, limit == input.to);
}
test "small" {
  let order = { to: "bob", amount: 5.0 };
  call pay {} like order;
  expect allow by payments.rest;
}
)";

// Opens a document with a mark, beside `kSet` if it is another one, and asks about the mark.
json ask_at(Client& client, const std::string& method, const std::string& marked, const json& extra = json::object()) {
  const Marked document(marked);
  client.open("a.policy", document.text);
  json params = at("a.policy", document.position);
  params.update(extra);
  return client.ask(method, params);
}

std::string with_mark(std::string text, const std::string& before, const std::string& after = "") {
  const size_t found = text.find(before + after);
  EXPECT_NE(found, std::string::npos) << before << after;
  return text.insert(found + before.size(), "@@");
}

std::string hover_text(const std::string& marked, const std::string& other = "") {
  Client client(Files{{"/work/policies/other.policy", other}});
  client.initialize();
  const Marked document(marked);
  client.open("a.policy", document.text);
  client.diagnostics();  // a hover over one says what its code means
  const json result = client.ask("textDocument/hover", at("a.policy", document.position));
  return result.is_null() ? "" : result["contents"]["value"].get<std::string>();
}

std::set<std::string> labels(const std::string& marked, const std::string& other = "") {
  Client client(Files{{"/work/policies/other.policy", other}});
  client.initialize();
  std::set<std::string> out;
  for (const json& item : ask_at(client, "textDocument/completion", marked))
    out.insert(item["label"].get<std::string>());
  return out;
}

bool holds_all(const std::set<std::string>& all, const std::set<std::string>& some) {
  return std::includes(all.begin(), all.end(), some.begin(), some.end());
}

TEST(LspHover, NamesTypesAndComments) {
  struct Row {
    std::string before, after;
    std::vector<std::string> said;
  };
  const Row rows[] = {
      {"> lim", "it from", {"let", "`limit`", "double", "let limit = 500.0;", "The most that nobody has to approve."}},
      {"on before pa", "y {", {"capability", "`pay`", "Moves money to an account.", "amount: double"}},
      {"input.am", "ount <=", {"pay.input.amount: double", "Whom to pay."}},
      {"by payments.re", "st;", {"rule", "`payments.rest`", "allow rest when", "Allows calls of `pay` that its"}},
      {"deny nega", "tive when", {"Denies calls of `pay` that its condition holds for, before they run."}},
      {"\"b\"].exi", "sts(", {}},
      {"like ord", "er;", {"let", "`order`"}},
  };
  for (const Row& row : rows) {
    const std::string said = hover_text(with_mark(kSet, row.before, row.after));
    for (const std::string& part : row.said) EXPECT_NE(said.find(part), std::string::npos) << part << "\n" << said;
  }
}

TEST(LspHover, FunctionsFactsAndCodes) {
  EXPECT_NE(hover_text("let a = \"x\".starts@@With(\"y\");\n").find("string.(string) -> bool"), std::string::npos);
  EXPECT_NE(hover_text("let a = \"x\".starts@@With(\"y\");\n").find("budget"), std::string::npos) << "what it costs";
  EXPECT_NE(hover_text("policy p on before * { deny when agent.@@id == \"x\"; }\n").find("agent.id: string"),
            std::string::npos);
  EXPECT_NE(hover_text("policy p on before * { deny when age@@nt.id == \"x\"; }\n").find("Who makes the call"),
            std::string::npos);
  EXPECT_NE(hover_text("// ordain: allow(never-@@matches) for a while\nlet a = 1;\n").find("never-matches"),
            std::string::npos);
  EXPECT_NE(hover_text("let @@a = 1;\nlet a = 2;\n").find("let a = 1;"), std::string::npos);
  EXPECT_NE(hover_text("let a = 1;\nlet @@a = 2;\n").find("duplicate-let"), std::string::npos) << "what the code says";
  EXPECT_EQ(hover_text("let a = 1; @@ \n"), "");
}

const std::string kStates = R"(capability pay { input { currency: "EUR" | "USD", amount: double } }
// What each may spend.
budget spend = 100.0 by principal each day { take input.amount on pay; }
rate calls = 10 in 1m on pay by principal;
history paid = begun pay by input.currency within 1h;
label customer;
// Who is paid.
let payees = data "payees.csv" of string;
)";

TEST(LspHover, WhatIsReadOfStates) {
  const auto said = [](const std::string& condition) {
    return hover_text("policy p on before pay { deny a when " + condition + "; }\n", kStates);
  };
  EXPECT_NE(said("spend.le@@ft < 0.0").find("budget.left: double"), std::string::npos) << said("spend.le@@ft < 0.0");
  EXPECT_NE(said("spend.le@@ft < 0.0").find("What is left in the period"), std::string::npos);
  EXPECT_NE(said("!calls.o@@k").find("rate.ok: bool"), std::string::npos);
  EXPECT_NE(said("paid.cou@@nt > 3").find("history.count: int"), std::string::npos);
  EXPECT_NE(said("paid[\"EUR\"].se@@en").find("history.seen: bool"), std::string::npos);
  const std::string budget = said("spe@@nd.left < 0.0");
  EXPECT_NE(budget.find("**budget** `spend`"), std::string::npos) << budget;
  EXPECT_NE(budget.find("What each may spend."), std::string::npos) << budget;
}

TEST(LspHover, LabelsDataAndEnumerations) {
  const std::string label =
      hover_text("policy p on after pay { label cus@@tomer when input.amount > 1.0; }\n", kStates);
  EXPECT_NE(label.find("**label** `customer`"), std::string::npos) << label;
  EXPECT_NE(hover_text("policy p on before pay { deny a when input.curr@@ency == \"EUR\"; }\n", kStates)
                .find(R"(pay.input.currency: "EUR" | "USD")"),
            std::string::npos);
  Client client(Files{{"/work/policies/other.policy", kStates}, {"/work/policies/payees.csv", "a\nb\nc\n"}});
  client.initialize();
  const json result =
      ask_at(client, "textDocument/hover", "policy p on before pay { deny a when !(input.currency in pay@@ees); }\n");
  ASSERT_FALSE(result.is_null());
  const std::string data = result["contents"]["value"].get<std::string>();
  for (const char* part : {"list(string)", "payees.csv", "3 values", "Who is paid."}) {
    EXPECT_NE(data.find(part), std::string::npos) << part << "\n" << data;
  }
}

TEST(LspCompletion, ValuesOfEnumerations) {
  const std::set<std::string> quoted = {"\"EUR\"", "\"USD\""}, bare = {"EUR", "USD"};
  const std::string before = "policy p on before pay { deny a when input.currency ";
  EXPECT_TRUE(holds_all(labels(before + "== @@", kStates), quoted));
  EXPECT_TRUE(holds_all(labels(before + "!= @@", kStates), quoted));
  EXPECT_TRUE(holds_all(labels(before + "in [\"EUR\", @@", kStates), quoted));
  EXPECT_EQ(labels(before + "== \"@@", kStates), bare);
  EXPECT_EQ(labels(before + "in [\"E@@\"]", kStates), bare);
  EXPECT_EQ(labels("test \"t\" { call pay { currency: \"@@", kStates), bare);
  EXPECT_TRUE(holds_all(labels("test \"t\" { call pay { currency: @@", kStates), quoted));
  EXPECT_EQ(labels("policy p on before pay { deny a because \"@@", kStates), std::set<std::string>());
}

TEST(LspCompletion, MembersOfStates) {
  const auto members = [](const std::string& name) {
    return labels("policy p on before pay { deny a when " + name + ".@@", kStates);
  };
  EXPECT_EQ(members("spend"), (std::set<std::string>{"left", "used"}));
  EXPECT_EQ(members("calls"), (std::set<std::string>{"ok", "wait"}));
  const std::set<std::string> history = {"after", "count", "first", "last", "running", "seen", "sum"};
  EXPECT_EQ(members("paid"), history);
  EXPECT_EQ(members("paid[input.currency]"), history);
}

TEST(LspCompletion, FieldsByTheirDeclarations) {
  EXPECT_EQ(labels("policy p on before pay { deny when input.@@", kSet),
            (std::set<std::string>{"amount", "note", "to"}));
  EXPECT_EQ(labels("policy p on before pay { deny when input.am@@ == 1.0; }", kSet),
            (std::set<std::string>{"amount", "note", "to"}));
  EXPECT_EQ(labels("policy p on after pay { deny when output.@@", kSet), (std::set<std::string>{"receipt"}));
  EXPECT_EQ(labels("policy p on after other { deny when input.@@", kSet), std::set<std::string>());
  EXPECT_EQ(labels("policy p on after * { deny when agent.@@", kSet),
            (std::set<std::string>{"chain_depth", "desk", "id", "parent_id", "roles", "scopes"}));
  EXPECT_EQ(labels("test \"x\" { call pay { @@", kSet), (std::set<std::string>{"amount", "note", "to"}));
  EXPECT_EQ(labels("test \"x\" { call pay {} returns { @@", kSet), (std::set<std::string>{"receipt"}));
  EXPECT_TRUE(labels("policy p on before pay { deny when input.to.starts@@", kSet).contains("startsWith"));
}

TEST(LspCompletion, WordsByTheirPlace) {
  EXPECT_TRUE(holds_all(labels("@@"), {"capability", "policy", "let", "test", "history"}));
  EXPECT_TRUE(holds_all(labels(kSet + "\npol@@"), {"policy"}));
  EXPECT_EQ(labels("policy p on @@"), (std::set<std::string>{"after", "before"}));
  EXPECT_EQ(labels("policy p on before @@", kSet), (std::set<std::string>{"*", "pay"}));
  EXPECT_TRUE(
      holds_all(labels("policy p on before pay { @@ }"), {"deny", "allow", "require_approval", "redact", "warn"}));
  EXPECT_EQ(labels("policy p on before pay { deny x @@"), (std::set<std::string>{"because", "when"}));
  EXPECT_TRUE(holds_all(labels("policy p on before pay { require_approval x when true @@"), {"from", "expires"}));
  EXPECT_TRUE(
      holds_all(labels("policy p on before pay { deny x when @@", kSet), {"input", "agent", "limit", "has", "size"}));
  EXPECT_EQ(labels("capability c { risk @@"), (std::set<std::string>{"critical", "high", "low", "medium", "none"}));
  EXPECT_TRUE(holds_all(labels("capability c { @@"), {"risk", "input", "output"}));
  EXPECT_TRUE(holds_all(labels("capability c { input { a: @@"), {"string", "int", "list"}));
  EXPECT_TRUE(holds_all(labels("test \"x\" { @@"), {"call", "expect", "rows"}));
  EXPECT_EQ(labels("test \"x\" { call @@", kSet), (std::set<std::string>{"pay"}));
  EXPECT_TRUE(holds_all(labels("test \"x\" { call pay {}; expect @@", kSet), {"deny", "allow", "default"}));
  EXPECT_TRUE(holds_all(labels("test \"x\" { call pay {}; expect deny by @@", kSet), {"payments.negative"}));
  EXPECT_TRUE(labels("test \"x\" { call pay {}; expect deny by payments.@@", kSet).contains("negative"));
  EXPECT_EQ(labels("// @@"), std::set<std::string>());
  EXPECT_EQ(labels("let a = \"@@"), std::set<std::string>());
}

TEST(LspCompletion, TextThatIsBrokenBeforeDoesNotHideThePlace) {
  EXPECT_EQ(labels("policy broken on before x { deny when (\npolicy p on before pay { deny when input.@@", kSet),
            (std::set<std::string>{"amount", "note", "to"}));
}

TEST(LspCompletion, SnippetsWhereTheClientTakesThem) {
  Client client;
  client.initialize(
      {{"capabilities", {{"textDocument", {{"completion", {{"completionItem", {{"snippetSupport", true}}}}}}}}}});
  const json items = ask_at(client, "textDocument/completion", "pol@@");
  const auto policy =
      std::find_if(items.begin(), items.end(), [](const json& item) { return item["label"] == "policy"; });
  ASSERT_NE(policy, items.end());
  EXPECT_EQ((*policy)["insertTextFormat"], 2);
  EXPECT_EQ((*policy)["textEdit"]["range"], range(0, 0, 3));
}

TEST(LspDefinition, LeadsToDeclarationsInAllFiles) {
  Client client(Files{{"/work/policies/other.policy", kSet}});
  client.initialize();
  const auto place_of = [&](const std::string& marked) {
    const json found = ask_at(client, "textDocument/definition", marked);
    EXPECT_EQ(found.size(), 1U) << marked << found;
    return found.empty() ? json() : found[0];
  };
  const json limit = place_of("policy p on before pay { deny when input.amount > lim@@it; }\n");
  EXPECT_EQ(limit, (json{{"uri", uri_for("other.policy")}, {"range", range(8, 4, 9)}}));
  EXPECT_EQ(place_of("policy p on before p@@ay { deny; }\n")["range"], range(1, 11, 14));
  EXPECT_EQ(place_of("policy p on before pay { deny when input.@@amount > 1.0; }\n")["range"], range(3, 22, 28));
  EXPECT_EQ(place_of("policy p on before pay { deny when agent.@@desk == \"x\"; }\n")["range"], range(6, 18, 22));
  EXPECT_EQ(place_of("test \"x\" { call pay {}; expect deny by payments.@@large; }\n")["range"], range(11, 19, 24));
  EXPECT_EQ(ask_at(client, "textDocument/definition", "policy p on before pay { deny when agent.@@id == \"x\"; }\n"),
            json::array());
}

TEST(LspReferences, FollowScopes) {
  Client client(
      Files{{"/work/policies/other.policy", "policy more on before pay { deny when input.amount > limit * 2.0; }\n"}});
  client.initialize();
  const json context = {{"context", {{"includeDeclaration", true}}}};
  const json found = ask_at(client, "textDocument/references", with_mark(kSet, "let lim", "it"), context);
  EXPECT_EQ(found.size(), 3U) << "its definition, a rule, another file; not the variable of `exists`: " << found;
  const json uses = ask_at(client, "textDocument/references", with_mark(kSet, "let lim", "it"));
  EXPECT_EQ(uses.size(), 2U);
  EXPECT_EQ(ask_at(client, "textDocument/references", with_mark(kSet, "let ord", "er"), context).size(), 2U);
}

// Applies the edits of a response to the documents, last first.
std::string edited(std::string text, const json& edits) {
  std::vector<std::pair<size_t, json>> sorted;
  const TextLines lines(text, Encoding::utf16);
  const auto offset = [&](const json& position) {
    return lines.offset({position["line"].get<uint32_t>(), position["character"].get<uint32_t>()});
  };
  for (const json& edit : edits) sorted.emplace_back(offset(edit["range"]["start"]), edit);
  std::vector<std::tuple<size_t, size_t, std::string>> spans;
  for (const auto& [begin, edit] : sorted)
    spans.emplace_back(begin, offset(edit["range"]["end"]), edit["newText"].get<std::string>());
  std::sort(spans.rbegin(), spans.rend());
  for (const auto& [begin, end, inserted] : spans) text.replace(begin, end - begin, inserted);
  return text;
}

TEST(LspRename, ChangesEveryUseAndNothingElse) {
  struct Row {
    std::string before, after, name;
    std::vector<std::pair<std::string, std::string>> expected;
  };
  const Row rows[] = {
      {"let lim", "it", "most", {{"let limit", "let most"}, {"> limit from", "> most from"}}},
      {"deny neg", "ative", "below_zero", {{"deny negative", "deny below_zero"}}},
      {"allow re", "st", "others", {{"allow rest", "allow others"}, {"payments.rest", "payments.others"}}},
      {"capability pa",
       "y",
       "send-it",
       {{"capability pay", "capability \"send-it\""},
        {"on before pay", "on before \"send-it\""},
        {"call pay", "call \"send-it\""}}},
      {"let ord", "er", "bill", {{"let order", "let bill"}, {"like order", "like bill"}}},
  };
  for (const Row& row : rows) {
    Client client;
    client.initialize();
    const json result =
        ask_at(client, "textDocument/rename", with_mark(kSet, row.before, row.after), {{"newName", row.name}});
    std::string expected = kSet;
    for (const auto& [from, to] : row.expected) expected.replace(expected.find(from), from.size(), to);
    EXPECT_EQ(edited(kSet, result["changes"][uri_for("a.policy")]), expected);
  }
}

TEST(LspRename, RefusesWhatWouldChangeTheMeaning) {
  struct Row {
    std::string marked, name;
  };
  const Row rows[] = {
      {"let a@@ = 1; let b = 2;", "b"},
      {"let a@@ = 1;", "input"},
      {"let a@@ = 1;", "when"},
      {"let a@@ = 1;", "x y"},
      {"let a@@ = 1;", ""},
      {"let a@@ = 1; let b = ;", "c"},
      {"capability a@@ {} capability b {}", "b"},
      {"capability a@@ {}", "x*"},
      {"label a@@;", "b"},
      {"let a = 1; @@ ", "b"},
  };
  for (const Row& row : rows) {
    Client client;
    client.initialize();
    const Marked document(row.marked);
    client.open("a.policy", document.text);
    json params = at("a.policy", document.position);
    params["newName"] = row.name;
    EXPECT_TRUE(client.respond("textDocument/rename", params).contains("error")) << row.marked << row.name;
  }
}

TEST(LspRename, IsPreparedWhereThereIsAName) {
  Client client;
  client.initialize();
  EXPECT_EQ(ask_at(client, "textDocument/prepareRename", "let li@@mit = 1;"), range(0, 4, 9));
  EXPECT_EQ(ask_at(client, "textDocument/prepareRename", "le@@t limit = 1;"), nullptr);
}

}  // namespace
}  // namespace ordain::lsp
