// These tests cover the checker of policy sets: the mistakes that it reports and their places, and
// its results for correct policies.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "compiler/check/policy/check.h"
#include "compiler/fold/fold.h"
#include "compiler/lint/lint.h"
#include "compiler/parse/parse.h"
#include "ordain/compile.h"
#include "ordain/stdlib.h"

namespace ordain {
namespace {

struct Checked {
  Arena arena{1 << 16};
  Diagnostics diagnostics;
  std::vector<syntax::File> files;
  typed::PolicySet set;
};

using Texts = std::vector<std::pair<std::string, std::string>>;  // path, text

std::unique_ptr<Checked> check_files(const Texts& texts) {
  auto out = std::make_unique<Checked>();
  for (const auto& [path, text] : texts)
    out->diagnostics.sources.push_back(std::make_shared<Source>(Source{path, text}));
  for (uint32_t file = 0; file < texts.size(); ++file) out->files.push_back(parse(out->arena, out->diagnostics, file));
  EXPECT_FALSE(out->diagnostics.has_errors()) << render(out->diagnostics);
  out->set = check(out->arena, out->diagnostics, out->files, standard_library());
  if (!out->diagnostics.has_errors()) {
    fold(out->arena, out->set);
    check_folded(out->diagnostics, out->set);
    warn_mistakes(out->diagnostics, out->files, out->set);
  }
  return out;
}

std::unique_ptr<Checked> check_text(const std::string& text) { return check_files({{"p.policy", text}}); }

// @returns "error unknown-field 3:12" for each diagnostic, sorted by place; without notes unless
// requested
std::vector<std::string> found(const Checked& checked, bool notes = false) {
  std::vector<std::pair<uint64_t, std::string>> items;
  for (const Diagnostic& item : checked.diagnostics.items) {
    if (item.severity == Severity::note && !notes) continue;
    LineColumn at = line_column(*checked.diagnostics.sources[item.span.file], item.span.begin);
    std::string severity = item.severity == Severity::error     ? "error "
                           : item.severity == Severity::warning ? "warning "
                                                                : "note ";
    items.emplace_back((uint64_t{item.span.file} << 32) + item.span.begin,
                       severity + item.code + " " + std::to_string(at.line) + ":" + std::to_string(at.column));
  }
  std::sort(items.begin(), items.end());
  std::vector<std::string> out;
  for (auto& item : items) out.push_back(std::move(item.second));
  return out;
}

using Expected = std::vector<std::string>;

const char* const kPayments = R"(capability send_money {
  type "tool"; risk high; effect irreversible, external;
  input { recipient: string, amount: double, note: optional(string), address: { street: string } }
  output open { message: string, lines: list({ iban: string }) }
}
capability list_payments { risk low; input { n: int } output { text: string } }
)";

std::unique_ptr<Checked> check_payments(const std::string& more) { return check_text(std::string(kPayments) + more); }

TEST(CheckPolicy, AcceptsTheExampleOfTheDesign) {
  auto checked = check_text(R"(package acme.banking;
context { agent { team: string, clearance: int } }
capability send_money {
  type "tool"; risk high; effect irreversible, external;
  input { recipient: string, amount: double, subject: string, date: string, note: optional(string) }
  output open { message: string }
}
capability list_transactions { type "tool"; risk low; input { n: int } output open { text: string, iban: string } }
let payees = ["UK12345678901234567890", "GB29NWBK60161331926819"];
policy payments on before send_money {
  deny negative when input.amount <= 0.0;
  deny unknown_payee when !(input.recipient in payees) because "recipient " + input.recipient + " is not a payee";
  require_approval large when input.amount > 500.0 from "finance" expires 30m because "a payment above 500";
  allow bankers when agent.roles.exists(r, r == "banker");
}
policy reads on before list_transactions { allow; }
policy leaks on after * {
  redact output.iban when !("pii" in session.labels) with "***";
  warn slow when action.elapsed > duration("5s");
}
test "a stranger is refused" {
  call send_money { recipient: "US133000000121212121212", amount: 10.0, subject: "x", date: "2022-01-01" }
    with agent.roles = ["banker"];
  expect deny by payments.unknown_payee;
}
)");
  EXPECT_EQ(found(*checked), Expected{}) << render(checked->diagnostics);
  ASSERT_EQ(checked->set.rules.size(), 7u);
  EXPECT_EQ(checked->set.rules[1].name, "payments.unknown_payee");
  EXPECT_EQ(checked->set.rules[1].package, "acme.banking");
  EXPECT_EQ(checked->set.rules[4].name, "reads.allow#1");
  EXPECT_EQ(checked->set.rules[5].redact_path, "output.iban");
  EXPECT_EQ(checked->set.rules[5].stage, Stage::after);
}

struct Mistake {
  const char* name;
  const char* text;  // after the payments' declarations, which are 6 lines
  Expected expected;
};

class CheckPolicyMistakes : public ::testing::TestWithParam<Mistake> {};

TEST_P(CheckPolicyMistakes, AreReportedWhereTheyAre) {
  auto checked = check_payments(GetParam().text);
  EXPECT_EQ(found(*checked), GetParam().expected) << render(checked->diagnostics);
}

const Mistake kMistakes[] = {
    {"none", "policy p on before send_money { allow; }", {}},
    {"misspelt_field",
     "policy p on before send_money {\n  deny when input.amuont > 1.0;\n}",
     {"error unknown-field 8:19"}},
    {"all_not_the_first",
     "policy p on before send_money {\n  deny a when input.amuont > 1.0;\n  deny b when agent.rolse == [];\n  deny c "
     "when input.amount;\n}",
     {"error unknown-field 8:21", "error unknown-field 9:21", "error type-mismatch 10:15"}},
    {"because_is_text", "policy p on before send_money { deny when true because 1; }", {"error type-mismatch 7:56"}},
    {"from_is_text",
     "policy p on before send_money { require_approval from 7; require_approval from [\"a\"]; require_approval from "
     "\"b\"; }",
     {"error type-mismatch 7:55"}},
    {"expires_is_positive",
     "policy p on before send_money {\n  require_approval expires 0s;\n  require_approval expires duration(\"-1s\");\n"
     "  require_approval expires 1ns;\n}",
     {"error bad-expires 8:28", "error bad-expires 9:28"}},
    {"expires_is_duration",
     "policy p on before send_money { require_approval expires 30; }",
     {"error type-mismatch 7:58"}},
    {"clauses_of_words",
     "policy p on before send_money {\n  allow from any of [\"x\"];\n  require_approval from any of 7;\n}",
     {"error clause-not-allowed 8:21", "error type-mismatch 9:32"}},
    {"groups_to_choose_from",
     "let two = [\"a\", \"b\"];\npolicy p on before send_money {\n  require_approval from 3 of two;\n"
     "  require_approval from 2 of two;\n  require_approval from 2 of [\"a\", \"a\"];\n"
     "  require_approval from 2 of \"a\";\n  require_approval from any of [];\n"
     "  require_approval from 2 of [agent.id];\n  require_approval from 2 of agent.roles;\n"
     "  require_approval from [];\n  require_approval from agent.roles;\n}",
     {"error bad-from 9:25", "error bad-from 11:25", "error bad-from 12:25", "error bad-from 13:25",
      "error bad-from 14:25", "error bad-from 16:25"}},
    {"clauses",
     "policy p on before send_money {\n  allow from \"x\";\n  deny expires 1m;\n  warn with 1;\n  redact input.note "
     "from \"x\";\n}",
     {"error clause-not-allowed 8:14", "error clause-not-allowed 9:16", "error clause-not-allowed 10:13",
      "error clause-not-allowed 11:26"}},
    {"approval_after", "policy p on after send_money { require_approval; }", {"error approval-after 7:32"}},
    {"output_before",
     "policy p on before send_money { deny when output.message == \"x\"; }",
     {"error unavailable-in-stage 7:43"}},
    {"elapsed_before",
     "policy p on before send_money { deny when action.elapsed > duration(\"1s\"); }",
     {"error unavailable-in-stage 7:43"}},
    {"redact_root",
     "policy p on before send_money { redact output.message; redact input; }",
     {"error redact-path 7:40", "error redact-path 7:63"}},
    {"redact_unknown",
     "policy p on before send_money { redact input.nota; redact input.address.street; }",
     {"error unknown-field 7:46"}},
    {"redact_open",
     "policy p on after send_money { redact output.anything.at.all; redact output; }",
     {"warning redact-undeclared 7:46"}},
    {"redact_misspelt_under_glob", "policy p on after * { redact output.mesage; }", {"warning redact-undeclared 7:37"}},
    {"redact_declared_somewhere", "policy p on after * { redact output.text; }", {}},
    {"agent_chosen",
     "let who = [input.recipient];\npolicy p on before send_money {\n  require_approval from who;\n  require_approval "
     "from \"a\" expires duration(input.recipient);\n  require_approval from agent.roles expires 5m;\n}",
     {"warning agent-chosen 9:25", "warning agent-chosen 10:37"}},
    {"overridden_allow",
     "policy p on before send_money { allow few when input.amount < 1.0; deny all; }\npolicy q on before "
     "list_payments { deny; }",
     {"warning shadowed 7:33"}},
    {"not_overridden",
     "policy p on before send_money { allow few when input.amount < 1.0; deny some when input.amount > 5.0; }\n"
     "policy stop on before * { deny; }",
     {}},
    {"never_by_known_range",
     "policy p on before send_money { deny when now.getMonth() == 12; deny when input.recipient.size() < 0; deny when "
     "now.getHours() == 23; }",
     {"warning never-matches 7:43", "warning never-matches 7:75"}},
    {"undeclared_output",
     "capability c { input { n: int } }\npolicy p on after c { deny when output.id == 1; deny when texts(output) == "
     "[]; }",
     {"warning undeclared-output 8:23"}},
    {"placeholder",
     "policy p on before send_money { deny because \"to \" + \"${input.recipient}\"; }",
     {"warning placeholder 7:54"}},
    {"secret_types",
     "capability c { input { a: secret int, b: secret { x: string }, d: map(secret string, string), e: list(secret "
     "dyn) } }",
     {"error bad-secret 7:27", "error bad-secret 7:42", "error bad-secret 7:71", "error bad-secret 7:103"}},
    {"secret_is_a_name_too", "capability c { input { secret: secret string, b: optional(secret bytes) } }", {}},
    {"secret_alone", "capability c { input { a: secret } }", {"error unknown-type 7:27"}},
    {"secret_in_context",
     "context { agent { key: secret string, inner: { deep: list(secret string) } } }",
     {"error bad-secret 7:24", "error bad-secret 7:59"}},
    {"secret_shown",
     "capability c { input { t: secret string, k: list({ v: secret bytes }), n: int, secret: string } output { t: "
     "secret string } }\nlet whole = texts(input)[0];\npolicy p on before c { deny because input.t; deny when input.t "
     "== \"x\" because input.secret; deny because whole; redact input.secret with input.t; require_approval from "
     "texts(input.k); }\npolicy q on after c { warn because output.t; deny when output.t == \"x\" because "
     "string(input.n); }",
     {"error secret-shown 9:37", "error secret-shown 9:106", "error secret-shown 9:138", "error secret-shown 9:169",
      "warning agent-chosen 9:169", "error secret-shown 10:36"}},
    {"redact_lists",
     "policy p on after send_money { redact output.lines[*].iban; redact output.lines.iban; redact output.message.x; }",
     {"error redact-path 7:81", "error redact-path 7:109"}},
    {"duplicate_rule", "policy p on before send_money { deny a; allow a; deny; deny; }", {"error duplicate-rule 7:47"}},
    {"duplicate_policy",
     "policy p on before send_money { deny a; }\npolicy p on before send_money { deny a; }",
     {"error duplicate-policy 8:8"}},
    {"empty_policy", "policy p on before send_money { }", {"warning empty-policy 7:8"}},
    {"undeclared_target",
     "policy p on before send_mony { deny when input.anything == 1; }",
     {"warning undeclared-capability 7:20"}},
    {"glob_matches_nothing",
     "policy p on before payments.* { deny when input.anything == 1; }",
     {"warning target-matches-nothing 7:20"}},
    {"star_is_never_wrong", "policy p on before * { deny when capability.risk >= \"high\"; }", {}},
    {"fits_nowhere", "policy p on before * { deny when input.nowhere == 1; }", {"error rule-fits-nowhere 7:24"}},
    {"misspelt_context_under_glob",
     "policy p on before * { deny when input.amount > 1.0 && agent.di == \"\"; }",
     {"error unknown-field 7:62"}},
    {"one_report_for_many",
     "policy p on before * { deny when 1 + agent.roles == 2; }",
     {"error no-matching-overload 7:36"}},
    {"duplicate_target", "policy p on before send_money, send_money { allow; }", {"warning duplicate-target 7:32"}},
    {"never_matches",
     "policy p on before send_money { deny when 1 > 2; allow when input.amount >= 18.0 && input.amount < 8.0; }",
     {"warning never-matches 7:43", "warning never-matches 7:61"}},
    {"may_match",
     "policy p on before send_money { deny when input.amount >= 8.0 && input.amount <= 8.0; allow when 7.0 < "
     "input.amount && 8.0 > input.amount; }",
     {}},
    {"two_names_at_once",
     "policy p on before send_money { deny when agent.id == \"a\" && agent.id == \"b\"; }",
     {"warning never-matches 7:43"}},
    {"duplicate_capability", "capability send_money { input {} }", {"error duplicate-capability 7:12"}},
    {"capability_words",
     "capability c { risk hihg; effect irreversable, external, internal, external; }",
     {"error unknown-risk 7:21", "error unknown-effect 7:34", "error conflicting-effects 7:58",
      "error duplicate-effect 7:68"}},
    {"fields",
     "capability c { input { a: strin, f: int, b: list(int, int), c: map(double, int), d: list(optional(int)), e: "
     "number } }",
     {"error unknown-type 7:27", "error unknown-type 7:45", "error unknown-type 7:68", "error unknown-type 7:90",
      "error unknown-type 7:109"}},
    {"context",
     "context { agent { team: string, id: string, roles: string } agnet { x: int } }\ncontext { agent { team: int } }",
     {"error conflicting-context 7:45", "error unknown-context 7:61", "error conflicting-context 8:19"}},
    {"options",
     "option order = frist_match; option ordre = first_match; option order = first_match; option order = "
     "deny_overrides;",
     {"error bad-option 7:16", "error unknown-option 7:36", "error conflicting-option 7:100"}},
    {"budgets",
     "option budget = 0; option budget = 1000000001; option budget = lots; "
     "option order = 5; option budget = 5; option budget = 0x5; option budget = 6;",
     {"error bad-option 7:17", "error bad-option 7:36", "error bad-option 7:64", "error bad-option 7:85",
      "error conflicting-option 7:144"}},
    {"let_cycle", "let a = b + 1; let b = c + 1; let c = a + 1; let d = a;", {"error let-cycle 7:5"}},
    {"let_names",
     "let a = 1; let a = 2; let input = 3; let agent = 4;",
     {"error duplicate-let 7:16", "error reserved-name 7:27", "error reserved-name 7:42"}},
    {"let_errors",
     "let a = 1 + \"x\";\npolicy p on before send_money { deny when a == 2; deny when a > 3; }",
     {"error no-matching-overload 7:11"}},
    {"let_reading_fields",
     "let big = input.amuont > 1.0;\npolicy p on before send_money { deny when big; allow when big; }",
     {"error unknown-field 7:17"}},
    {"unused_let", "let a = agent.nothing;", {"error unknown-field 7:15"}},
    {"test_mistakes",
     "policy p on before send_money { deny a; allow b; }\n"
     "test \"t\" {\n"
     "  call send_mony { };\n"
     "  call send_money { recipient: 1, amuont: 2.0, address: { \"street\": \"s\" } };\n"
     "  call send_money { recipient: \"r\", amount: 2, note: null, address: { \"street\": 1 } } with agent.roels = [], "
     "agnet.id = \"\", agent.id = 7;\n"
     "  expect deny by p.c;\n"
     "  expect allow by p.a;\n"
     "}\n"
     "test \"t\" { call list_payments { n: 1.5 }; }\n"
     "test \"u\" { expect deny; }\n",
     {"error test-unknown-capability 9:8", "error test-missing-field 10:8", "error type-mismatch 10:32",
      "error unknown-field 10:35", "error type-mismatch 11:81", "error unknown-field 11:92",
      "error test-unknown-context 11:110", "error type-mismatch 11:136", "error test-unknown-rule 12:18",
      "error test-wrong-effect 13:19", "error duplicate-test 15:6", "warning test-without-expect 15:6",
      "error type-mismatch 15:36", "error test-without-call 16:12"}},
    {"tests_of_the_other_stage",
     "policy p on before send_money { deny a; }\n"
     "policy q on after send_money { deny b; }\n"
     "test \"t\" {\n"
     "  call list_payments { n: 1 };\n"
     "  expect deny by p.a; expect deny by q.b;\n"
     "  call list_payments { n: 1 } returns { text: \"t\" } with agent.id = \"a\", agent.id = \"b\";\n"
     "  expect deny by p.a; expect deny by q.b; expect default by q.b; expect default;\n"
     "}\n",
     {"error test-wrong-stage 11:38", "error duplicate-field 12:74", "error test-wrong-stage 13:18",
      "error test-wrong-effect 13:61"}},
    {"fixtures_and_tables",
     "let known = 1;\n"
     "policy p on before send_money { deny a; }\n"
     "test \"fixtures\" {\n"
     "  let known = 2;\n"
     "  let order = { n: true };\n"
     "  let order = 3;\n"
     "  call list_payments like order;\n"
     "  call list_payments like 4;\n"
     "  call list_payments { n: later };\n"
     "  let later = 5;\n"
     "  expect deny;\n"
     "}\n"
     "test \"tables\" { rows n, m { 1; 2, 3; } call list_payments { n: n }; expect deny; }\n"
     "test \"empty\" { rows n { } call list_payments { n: n }; expect deny; }\n"
     "test \"late\" { call list_payments { n: 1 }; rows n { 1 expect deny; } }\n"
     "test \"two\" { rows n { 1; } rows m { 1; } call list_payments { n: n }; expect deny; }\n"
     "test \"cells\" {\n"
     "  rows n { 1; \"a\"; true expect deny by p.b; }\n"
     "  call list_payments { n: n, x: 1 };\n"
     "}\n"
     "test \"other test\" { call list_payments { n: order }; expect deny; }\n",
     {"error duplicate-let 10:7", "error type-mismatch 11:20", "error duplicate-let 12:7", "error type-mismatch 14:27",
      "error undeclared-reference 15:27", "error bad-rows 19:29", "error bad-rows 20:16", "error bad-rows 21:44",
      "error bad-rows 22:28", "error type-mismatch 24:15", "error type-mismatch 24:20", "error test-unknown-rule 24:40",
      "error unknown-field 25:30", "error undeclared-reference 27:45"}},
};

INSTANTIATE_TEST_SUITE_P(All, CheckPolicyMistakes, ::testing::ValuesIn(kMistakes),
                         [](const auto& info) { return std::string(info.param.name); });

const Diagnostic* find(const Checked& checked, const std::string& code) {
  for (const Diagnostic& item : checked.diagnostics.items) {
    if (item.code == code) return &item;
  }
  return nullptr;
}

TEST(CheckPolicy, TestsCannotGrowWithoutBound) {
  std::string steps = "let a0 = [1, 2, 3, 4, 5, 6, 7, 8];\n";
  for (int i = 1; i < 40; ++i) {
    const std::string before = "a" + std::to_string(i - 1);
    steps += "let a" + std::to_string(i) + " = [" + before + ", " + before + "];\n";
  }
  auto doubled = check_payments("test \"t\" {\n" + steps + "call list_payments { n: 1 }; expect default;\n}");
  EXPECT_EQ(found(*doubled), Expected{"error limit-tests 7:6"}) << render(doubled->diagnostics);

  std::string rows, calls;
  for (int i = 0; i < 4000; ++i) {
    rows += "1;\n";
    calls += "call list_payments { n: n };\n";
  }
  auto table = check_payments("test \"t\" { rows n {\n" + rows + "}\n" + calls + "expect default; }");
  EXPECT_EQ(found(*table), Expected{"error limit-tests 7:6"}) << render(table->diagnostics);
}

TEST(CheckPolicy, SuggestsWhatWasMeant) {
  const std::pair<const char*, const char*> kCases[] = {
      {"policy p on before send_mony { allow; }", "undeclared-capability|did you mean `send_money`?"},
      {"policy p on before send_money { redact input.nota; }", "unknown-field|did you mean `note`?"},
      {"capability c { risk hihg; }", "unknown-risk|did you mean `high`?"},
      {"capability c { input { a: strng } }", "unknown-type|did you mean `string`?"},
      {"capability c { input { a: number } }", "unknown-type|write `double` or `int`"},
      {"option ordre = first_match;", "unknown-option|did you mean `order`?"},
      {"option budgte = 5;", "unknown-option|did you mean `budget`?"},
      {"policy p on before send_money { deny when amount > 5.0; }",
       "undeclared-reference|did you mean `input.amount`?"},
      {"policy p on before send_money { deny when input.amount > amount; }",
       "undeclared-reference|did you mean `input.amount`?"},
      {"context { principal { clearance: int } } policy p on before send_money { deny when clearance > 5; }",
       "undeclared-reference|did you mean `principal.clearance`?"},
      {"context { agent { clearance: int } principal { clearance: int } }\n"
       "policy p on before send_money { deny when clearance > 5; }",
       "undeclared-reference|"},
      {"policy p on before send_money { deny abc; } test \"t\" { call list_payments { n: 1 }; expect deny by p.abd; }",
       "test-unknown-rule|did you mean `p.abc`?"},
      {"policy p on before send_money { deny abc; } test \"t\" { call list_payments { n: 1 }; expect deny by abc; }",
       "test-unknown-rule|did you mean `p.abc`?"},
  };
  for (const auto& [text, expected] : kCases) {
    auto checked = check_payments(text);
    std::string wanted = expected;
    size_t bar = wanted.find('|');
    const Diagnostic* item = find(*checked, wanted.substr(0, bar));
    ASSERT_NE(item, nullptr) << text << "\n" << render(checked->diagnostics);
    EXPECT_EQ(item->help, wanted.substr(bar + 1)) << text;
  }
}

TEST(CheckPolicy, NotesPointToTheFirstDefinition) {
  auto checked = check_payments("policy p on before send_money { deny a; allow a; }");
  const Diagnostic* item = find(*checked, "duplicate-rule");
  ASSERT_NE(item, nullptr);
  ASSERT_EQ(item->notes.size(), 1u);
  EXPECT_EQ(line_column(*checked->diagnostics.sources[0], item->notes[0].span.begin).column, 33u);
}

TEST(CheckPolicy, UnderAGlobARuleAppliesWhereItsFieldsExist) {
  auto checked =
      check_payments("policy p on before * { deny big when input.amount > 9.0; deny all when agent.id == \"\"; }");
  EXPECT_EQ(found(*checked, true), Expected{"warning rule-not-applied 7:24"}) << render(checked->diagnostics);
  const auto& lists = checked->set.lists[0];
  ASSERT_EQ(lists.size(), 3u);
  EXPECT_EQ(lists[0].rules.size(), 2u);  // send_money
  ASSERT_EQ(lists[1].rules.size(), 1u);  // list_payments
  EXPECT_EQ(lists[1].rules[0]->rule, 1u);
  EXPECT_EQ(lists[2].rules.size(), 2u);  // undeclared capabilities: their input is unknown
  ASSERT_EQ(lists[2].targets.size(), 2u);
  EXPECT_EQ(lists[2].targets[0], GlobSet{1});
}

TEST(CheckPolicy, RulesShareABodyWhereTheyMeanTheSame) {
  auto checked = check_text(R"(
capability a { input { amount: double, x: int } }
capability b { input { amount: double, y: string } }
capability c { input { amount: int } }
policy p on before * { deny same when agent.id == "x"; deny amount when input.amount > 1; }
)");
  EXPECT_EQ(found(*checked), Expected{}) << render(checked->diagnostics);
  const auto& lists = checked->set.lists[0];
  ASSERT_EQ(lists.size(), 4u);
  for (const auto& list : lists) {
    ASSERT_EQ(list.rules.size(), 2u);
    EXPECT_EQ(list.rules[0], lists[0].rules[0]);
  }
  EXPECT_EQ(lists[0].rules[1], lists[1].rules[1]);
  EXPECT_NE(lists[0].rules[1], lists[2].rules[1]);
  EXPECT_NE(lists[0].rules[1], lists[3].rules[1]);
}

// A function that takes any value asks nothing of the declaration, so the rule has one meaning.
TEST(CheckPolicy, RulesThatReadTheInputOnlyAsAWholeHaveOneBody) {
  const std::string declarations = R"(
package acme;
capability a { input { amount: double, x: int } output { text: string } }
capability b { input open { y: string } }
capability c { }
let said = texts(input);
)";
  for (const char* condition : {
           "texts(input).exists(t, t == \"x\")",
           "has(dyn(input).x) && dyn(input).x == 1",
           "json.encode(input).contains(\"x\")",
           "said.size() > 3 && agent.id == \"x\"",
           "dyn(input) == {} || texts(input).size() > 3 || \"y\" in said",
       }) {
    auto checked = check_text(declarations + "policy p on before *, d { deny r when " + condition + "; }");
    EXPECT_FALSE(checked->diagnostics.has_errors()) << condition << render(checked->diagnostics);
    const auto& lists = checked->set.lists[0];
    ASSERT_EQ(lists.size(), 5u);
    for (const auto& list : lists) {
      ASSERT_EQ(list.rules.size(), 1u) << condition;
      EXPECT_EQ(list.rules[0], lists[0].rules[0]) << condition;
    }
    const Schema& schema = checked->set.schema;
    for (const Capability& capability : schema.capabilities) {
      EXPECT_EQ(schema.records[capability.input].whole, schema.records[schema.undeclared_input].whole) << condition;
    }
    EXPECT_NE(schema.records[schema.undeclared_input].whole, kNone) << condition;
  }
}

// What else is read of the input may still tell capabilities apart.
TEST(CheckPolicy, AFieldBesideTheWholeInputKeepsBodiesApart) {
  for (const char* condition : {
           "texts(input).size() > 3 && input.n > 1",
           "cel.bind(v, input, texts(v).size() > 3)",
           "size(input) > 3",
       }) {
    auto checked = check_text(std::string("capability a { input { n: int } } capability b { input { n: double } }\n") +
                              "policy p on before a, b { deny r when " + condition + "; }");
    ASSERT_FALSE(checked->diagnostics.has_errors()) << condition << render(checked->diagnostics);
    const auto& lists = checked->set.lists[0];
    EXPECT_NE(lists[0].rules[0], lists[1].rules[0]) << condition;
  }
}

// A let of the whole input can be read by field, whichever capability was checked first.
TEST(CheckPolicy, ALetOfTheWholeInputKeepsItsType) {
  auto checked = check_text(R"(
capability a { input { n: int } }
capability b { input { n: int, note: optional(string) } }
let everything = input;
policy w on before * { deny whole when texts(input).size() > 3; }
policy p on before a { deny r when everything.n == 1; }
policy q on before b { deny unguarded when everything.note == "x"; deny missing when everything.m == 1; }
)");
  EXPECT_EQ(found(*checked).size(), 2u) << render(checked->diagnostics);
  EXPECT_NE(find(*checked, "unguarded-optional"), nullptr) << render(checked->diagnostics);
  EXPECT_NE(find(*checked, "unknown-field"), nullptr) << render(checked->diagnostics);
}

SlotId slot_of(const Schema& schema, uint32_t record, std::string_view field) {
  const FieldBinding* binding = schema.records[record].find(field);
  return binding != nullptr ? binding->slot : kNone;
}

TEST(CheckPolicy, FieldsThatRulesReadHaveSlotsSharedByPathAndType) {
  auto checked = check_text(R"(
context { agent { team: string } metadata { ticket: string } }
capability a { input { amount: double, unread: int, address: { street: string, zip: string } } }
capability b { input { amount: double } }
capability c { input { amount: int } }
policy p on before a, b, c { deny when input.amount > 1; }
policy q on before a { deny when input.address.street == agent.team || metadata.ticket == ""; }
policy r on before d { deny when input.amount == 3 || input.deep.er == 4; }
)");
  EXPECT_EQ(found(*checked), Expected{"warning undeclared-capability 8:20"}) << render(checked->diagnostics);
  const Schema& schema = checked->set.schema;
  ASSERT_EQ(schema.capabilities.size(), 4u);
  uint32_t a = schema.capabilities[0].input;
  SlotId amount = slot_of(schema, a, "amount");
  ASSERT_NE(amount, kNone);
  EXPECT_EQ(schema.slots[amount].path, "input.amount");
  EXPECT_EQ(schema.slots[amount].bank, Bank::call);
  EXPECT_EQ(slot_of(schema, schema.capabilities[1].input, "amount"), amount);
  SlotId integer = slot_of(schema, schema.capabilities[2].input, "amount");
  EXPECT_NE(integer, amount);
  EXPECT_EQ(slot_of(schema, a, "unread"), kNone);
  const FieldBinding* address = schema.records[a].find("address");
  ASSERT_NE(address, nullptr);
  ASSERT_NE(address->record, kNone);
  EXPECT_NE(slot_of(schema, address->record, "street"), kNone);
  EXPECT_EQ(slot_of(schema, address->record, "zip"), kNone);

  uint32_t undeclared = schema.capabilities[3].input;
  EXPECT_TRUE(schema.records[undeclared].dynamic);
  SlotId dynamic = slot_of(schema, undeclared, "amount");
  ASSERT_NE(dynamic, kNone);
  EXPECT_EQ(schema.slots[dynamic].type->kind, TypeKind::dyn);
  const FieldBinding* deep = schema.records[undeclared].find("deep");
  ASSERT_NE(deep, nullptr);
  ASSERT_TRUE(deep->record != kNone || deep->slot != kNone);

  SlotId team = slot_of(schema, schema.roots.at("agent"), "team");
  ASSERT_NE(team, kNone);
  EXPECT_EQ(schema.slots[team].bank, Bank::context);
  EXPECT_TRUE(schema.slots[team].host);
  EXPECT_FALSE(schema.slots[team].builtin);
  const RecordBinding& metadata = schema.records[schema.roots.at("metadata")];
  EXPECT_FALSE(metadata.open);
  EXPECT_EQ(metadata.fields.size(), 1u);
}

TEST(CheckPolicy, SlotsAreNumberedWithinTheirBank) {
  auto checked =
      check_payments("policy p on before send_money { deny when input.amount > 1.0 && agent.id == input.recipient; }");
  const Schema& schema = checked->set.schema;
  std::vector<uint32_t> indexes[2];
  for (const Slot& slot : schema.slots) indexes[static_cast<int>(slot.bank)].push_back(slot.index);
  for (int bank = 0; bank < 2; ++bank) {
    std::sort(indexes[bank].begin(), indexes[bank].end());
    ASSERT_EQ(indexes[bank].size(), schema.slot_count[bank]);
    for (uint32_t i = 0; i < indexes[bank].size(); ++i) EXPECT_EQ(indexes[bank][i], i);
  }
  EXPECT_EQ(schema.slot_count[0], 1u);
  EXPECT_EQ(schema.slot_count[1], 2u);
}

TEST(CheckPolicy, RecordsReadWholeHaveASlot) {
  auto checked =
      check_payments("policy p on before send_money { deny when size(input.address) > 3; deny when size(input) > 3; }");
  ASSERT_FALSE(checked->diagnostics.has_errors()) << render(checked->diagnostics);
  const Schema& schema = checked->set.schema;
  const RecordBinding& input = schema.records[schema.capabilities[0].input];
  EXPECT_NE(input.whole, kNone);
  EXPECT_NE(schema.records[input.find("address")->record].whole, kNone);
}

TEST(CheckPolicy, FirstMatchIsAPackagesOwn) {
  auto checked = check_files(
      {{"a.policy",
        "package a; option order = first_match; capability c { } policy p on before c { allow; deny late; }"},
       {"b.policy", "package b; policy q on before c { allow; deny; }"}});
  EXPECT_EQ(found(*checked), Expected{"warning shadowed 1:87"}) << render(checked->diagnostics);
  ASSERT_EQ(checked->set.packages.size(), 2u);
  EXPECT_TRUE(checked->set.packages[0].first_match);
  EXPECT_FALSE(checked->set.packages[1].first_match);
  EXPECT_EQ(checked->set.rule_packages, (std::vector<uint32_t>{0, 0, 1, 1}));
}

TEST(CheckPolicy, ABudgetIsAPackagesOwn) {
  auto checked = check_files({{"a.policy", "package a; option budget = 1000000000; capability c { }"},
                              {"more.policy", "package a; policy p on before c { allow; }"},
                              {"b.policy", "package b; policy q on before c { allow; }"}});
  EXPECT_EQ(found(*checked), Expected{}) << render(checked->diagnostics);
  ASSERT_EQ(checked->set.packages.size(), 2u);
  EXPECT_EQ(checked->set.packages[0].budget, 1'000'000'000u);
  EXPECT_EQ(checked->set.packages[1].budget, 0u);
}

TEST(CheckPolicy, ARuleForMoreTargetsIsNotShadowed) {
  auto checked = check_text(R"(option order = first_match;
capability a {} capability b {}
policy p on before a { allow; }
policy q on before a, b { deny; }
policy r on before b { warn; allow; }
)");
  EXPECT_EQ(found(*checked), Expected{"warning shadowed 5:30"}) << render(checked->diagnostics);
}

TEST(CheckPolicy, LetsAreSeenThroughImports) {
  const char* const kShared = "package acme.common; let limit = base * 2.0; let base = 250.0;";
  const char* const kUser =
      "package acme.pay; import acme.common; capability c { input { x: double } } let own = common.limit;\n"
      "policy p on before c { deny when input.x > acme.common.limit || input.x > own || input.x > common.base; }";
  auto checked = check_files({{"pay.policy", kUser}, {"common.policy", kShared}});
  EXPECT_EQ(found(*checked), Expected{}) << render(checked->diagnostics);

  checked = check_files({{"pay.policy",
                          "package acme.pay; capability c { input { x: double } }\n"
                          "policy p on before c { deny when input.x > acme.common.limit; }"},
                         {"common.policy", kShared}});
  EXPECT_EQ(found(*checked), Expected{"error undeclared-reference 2:44"}) << render(checked->diagnostics);
}

TEST(CheckPolicy, LetsWithVariablesMayBeUsedInsideMacros) {
  auto checked = check_payments(
      "let small = [1, 2].filter(x, x < 2);\n"
      "policy p on before list_payments { deny when [1].exists(x, small.exists(y, x == y)); }");
  EXPECT_EQ(found(*checked), Expected{}) << render(checked->diagnostics);
}

TEST(CheckPolicy, LetsReadingTheCallAreCheckedForEachCapability) {
  auto checked = check_payments("let big = input.amount > 500.0;\npolicy p on before * { deny when big; }");
  EXPECT_EQ(found(*checked, true), Expected{"warning rule-not-applied 8:24"}) << render(checked->diagnostics);
  EXPECT_EQ(checked->set.lists[0][0].rules.size(), 1u);
  EXPECT_EQ(checked->set.lists[0][1].rules.size(), 0u);
}

TEST(CheckPolicy, LetsThatGrowWithoutBoundAreRefused) {
  std::string text = "let a0 = input.amount;\n";
  for (int i = 1; i < 40; ++i) {
    std::string before = "a" + std::to_string(i - 1);
    text += "let a" + std::to_string(i) + " = " + before + " + " + before + ";\n";
  }
  auto checked = check_payments(text + "policy p on before send_money { deny when a39 > 1.0; }");
  ASSERT_NE(find(*checked, "limit-let"), nullptr);
  EXPECT_EQ(found(*checked), Expected{"error limit-let 23:5"});
}

TEST(CheckPolicy, ImportsByPathAndPackage) {
  const char* const kTarget = "package x.y; let a = 1;";
  EXPECT_EQ(found(*check_files({{"d/m.policy", "import \"../e/t.policy\";"}, {"e/t.policy", kTarget}})), Expected{});
  EXPECT_EQ(found(*check_files({{"d/m.policy", "import x.y;"}, {"e/t.policy", kTarget}})), Expected{});
  EXPECT_EQ(found(*check_files({{"m.policy", "import \"t.policy\";"}, {"e/t.policy", kTarget}})),
            Expected{"error import-not-found 1:8"});
  EXPECT_EQ(found(*check_files({{"m.policy", "import x.z;"}, {"t.policy", kTarget}})),
            Expected{"error import-not-found 1:8"});
  EXPECT_EQ(found(*check_files({{"m.policy", "import a.b;"}, {"a/b.policy", kTarget}})),
            Expected{"error import-package 1:8"});
}

TEST(CheckPolicy, ImportCyclesAreRefusedAndListed) {
  auto checked = check_files({{"a.policy", "import \"b.policy\";"},
                              {"b.policy", "import \"c.policy\";"},
                              {"c.policy", "import \"a.policy\";"}});
  EXPECT_EQ(found(*checked), Expected{"error import-cycle 1:8"});
  ASSERT_NE(find(*checked, "import-cycle"), nullptr);
  EXPECT_NE(find(*checked, "import-cycle")->message.find("a.policy -> b.policy -> c.policy -> a.policy"),
            std::string::npos);
}

TEST(CheckPolicy, TooManyGlobsAreRefusedOnce) {
  std::string text;
  for (int i = 0; i < 260; ++i)
    text += "policy p" + std::to_string(i) + " on before g" + std::to_string(i) + ".* { allow; }\n";
  auto checked = check_text(text);
  EXPECT_NE(find(*checked, "limit-targets"), nullptr);
}

// --- digests

Digest digest_of(const std::string& text, const std::string& rule) {
  auto checked = check_text(text);
  EXPECT_FALSE(checked->diagnostics.has_errors()) << render(checked->diagnostics);
  for (const RuleInfo& info : checked->set.rules) {
    if (info.name == rule) return info.digest;
  }
  ADD_FAILURE() << "no rule " << rule;
  return {};
}

const char* const kDigested = R"(
context { agent { team: string, level: int } }
capability pay { risk high; input { amount: double, to: string } }
capability other { risk low; input { x: int } }
let limit = base * 2.0;
let base = 250.0;
let unrelated = 7;
policy p on before pay {
  deny large when input.amount > limit && agent.team == "a b";
  deny risky when capability.risk >= "high";
  allow;
}
policy q on before other { allow; }
)";

std::string edited(std::string text, const std::string& from, const std::string& to) {
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(RuleDigest, AnUnrelatedEditLeavesIt) {
  Digest before = digest_of(kDigested, "p.large");
  const std::pair<const char*, const char*> kEdits[] = {
      {"let unrelated = 7", "let unrelated = 8"},
      {"level: int", "level: string"},
      {"to: string", "to: string, more: int"},
      {"capability other", "capability third { }\ncapability other"},
      {"input.amount > limit &&", "input.amount  >limit  // a comment\n &&"},
      {"  allow;\n}", "  allow;\n  deny new when false;\n}"},
      {"policy p on before pay", "policy z on before * { warn; }\npolicy p on before pay"},
      {"risk high", "risk low"},
  };
  for (const auto& [from, to] : kEdits) {
    EXPECT_EQ(to_hex(digest_of(edited(kDigested, from, to), "p.large")), to_hex(before)) << to;
  }
}

TEST(RuleDigest, ARelevantEditChangesIt) {
  Digest before = digest_of(kDigested, "p.large");
  const std::pair<const char*, const char*> kEdits[] = {
      {"let base = 250.0", "let base = 250.5"},
      {"base * 2.0", "base * 3.0"},
      {"team: string", "team: optional(string)"},
      {"amount: double", "amount: dyn"},
      {"\"a b\"", "\"a  b\""},
      {"deny large", "require_approval large"},
      {"on before pay", "on before pay, other2"},
  };
  for (const auto& [from, to] : kEdits) {
    std::string text = edited(kDigested, from, to);
    if (std::string(to).find("optional") != std::string::npos)
      text = edited(text, "agent.team ==", "has(agent.team) && agent.team ==");
    EXPECT_NE(to_hex(digest_of(text, "p.large")), to_hex(before)) << to;
  }
  EXPECT_NE(to_hex(digest_of(edited(kDigested, "risk high", "risk low"), "p.risky")),
            to_hex(digest_of(kDigested, "p.risky")));
}

TEST(PackageDigest, FollowsItsRulesAndDeclarationsOnly) {
  auto digests = [](const std::string& a, const std::string& b) {
    auto checked = check_files({{"a.policy", a}, {"b.policy", b}});
    EXPECT_FALSE(checked->diagnostics.has_errors()) << render(checked->diagnostics);
    return std::pair(to_hex(checked->set.packages[0].digest), to_hex(checked->set.packages[1].digest));
  };
  const std::string a = "package a; capability c { input { x: int } } policy p on before c { allow; }";
  const std::string b = "package b; policy q on before * { warn; }";
  auto before = digests(a, b);
  EXPECT_EQ(digests("package  a ;\n// comment\n" + a.substr(10), b), before);
  auto after = digests(edited(a, "x: int", "x: string"), b);
  EXPECT_NE(after.first, before.first);
  EXPECT_EQ(after.second, before.second);
  EXPECT_NE(digests(edited(a, "allow;", "allow ok;"), b).first, before.first);
  EXPECT_NE(digests("package a; option order = first_match;" + a.substr(10), b).first, before.first);
  EXPECT_NE(digests("package a; option budget = 7;" + a.substr(10), b).first, before.first);
}

}  // namespace
}  // namespace ordain
