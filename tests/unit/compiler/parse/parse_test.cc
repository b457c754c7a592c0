// These tests cover parsing files: text to tree, and broken text to one report per mistake.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "parse_dump.h"

namespace ordain {
namespace {

using testing::dump;
using testing::parse_file;

struct Case {
  const char* text;
  const char* want;
};

void expect_trees(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    auto parsed = parse_file(c.text);
    EXPECT_EQ(parsed->report(), "") << c.text;
    EXPECT_EQ(dump(parsed->file), c.want) << c.text;
  }
}

void expect_reports(const std::vector<Case>& cases) {
  for (const Case& c : cases) EXPECT_EQ(parse_file(c.text)->report(), c.want) << c.text;
}

std::string rule(const std::string& text) { return "policy p on before x {\n" + text + "\n}\n"; }

std::string rule_dump(const std::string& text) {
  auto parsed = parse_file(rule(text));
  EXPECT_EQ(parsed->report(), "") << text;
  if (parsed->file.policies.size() != 1 || parsed->file.policies[0].rules.size() != 1) return "not one rule";
  return dump(parsed->file.policies[0].rules[0]);
}

TEST(Parse, Files) {
  expect_trees({
      {"", ""},
      {"// nothing\n", ""},
      {"package acme;", "package acme\n"},
      {"package acme . banking ;", "package acme.banking\n"},
      {"import acme.common; import \"lib/x.policy\";", "import acme.common\nimport lib/x.policy\n"},
      {"option order = first_match;", "option order=first_match\n"},
      {"option budget = 5000; option budget = 0x10;", "option budget=5000\noption budget=0x10\n"},
      {"let a = 1; let b = a + 1;", "let a=1\nlet b=(_+_ a 1)\n"},
      {"context { agent { team: string, clearance: int } session open { } };",
       "context agent={team:string clearance:int} session=open{}\n"},
  });
}

TEST(Parse, Histories) {
  expect_trees({
      {"history sends = begun send_email by principal within 1h;",
       "history sends begun send_email by=principal window=3600s\n"},
      {"history a = done x.*, y sum input.n signed when output.ok by session, input.id within 30m up to 5;",
       "history a done x.* y amount=(.n input) signed when=(.ok output) by=session by=input.id window=1800s up_to=5\n"},
      {"rate r = 20 in 1m burst 5 on http.* by agent;", "rate r http.* limit=20 burst=5 by=agent window=60s\n"},
      {"budget b = 500.00 by tenant each day in \"UTC\" { take input.cost on llm.*; settle output.cost; }",
       "budget b llm.* total=500.0 amount=(.cost input) by=tenant period=day zone=UTC settle=(.cost output)\n"},
      {"budget b = 2 at once by tenant { take 1 on shell; }",
       "budget b shell total=2 amount=1 by=tenant period=at once\n"},
      {"label pii, secret;", "label pii\nlabel secret\n"},
      {"option history = 30d;", "option history=30d\n"},
      {"capability a { labels pii, secret; }", "capability a labels=pii,secret\n"},
      {"policy p on after x { label pii; label big pii when output.n > 1; clear pii from \"sec\"; }",
       "policy p after x\n  label pii\n  label pii as big when=(_>_ (.n output) 1)\n  clear pii from=\"sec\"\n"},
      {"test \"t\" { call x; fails; wait 59m; approve from \"lead\" as ann; reject; approve; expect allow; }",
       "test t\n  call x\n  fails\n  wait 3540s\n  approve from lead as ann\n  reject\n  approve\n  expect allow\n"},
  });
}

TEST(Parse, WordsOfHistoriesStayNames) {
  for (const char* word :
       {"history", "rate", "budget", "label", "labels", "clear",  "sum",  "signed", "within",  "up",    "to",
        "burst",   "each", "at",     "once",  "take",   "settle", "wait", "fails",  "approve", "reject"}) {
    const std::string name(word);
    const std::string text = "capability " + name + " { input { " + name + ": int } }\nlet " + name + " = 1;\npolicy " +
                             name + " on before " + name + " { deny " + name + " when input." + name + " > " + name +
                             "; }\n";
    EXPECT_EQ(parse_file(text)->report(), "") << text;
  }
}

TEST(Parse, MistakesInHistories) {
  expect_reports({
      {"history a = begun x by session by agent;", "1:32 duplicate-clause: `by` is given twice in one history\n"},
      {"rate r = 0 in 1m on x by agent;", "1:10 bad-number: this must be a number from 1 to 1000000\n"},
      {"history a = begun x by session within 0s;", "1:39 bad-duration: this duration must be longer than nothing\n"},
      {"budget b = 2 at once each day by tenant { take 1 on x; }",
       "1:22 duplicate-clause: a budget has one period: `at once`, or `each` with a name\n"},
  });
}

TEST(Parse, Capabilities) {
  expect_trees({
      {"capability a {}", "capability a\n"},
      {"capability a.b.when {}", "capability a.b.when\n"},
      {"capability \"github/create-issue\" {}", "capability github/create-issue\n"},
      {R"(capability send { type "tool"; risk high; effect irreversible, external; owner "team"; description "sends";
          scopes "a", "b"; tags "x"; input { to: string, note: optional(string), } output open { id: int } })",
       "capability send type=tool risk=high owner=team description=sends effect=irreversible,external scopes=a,b "
       "tags=x "
       "input={to:string note:optional(string)} output=open{id:int}\n"},
      {"capability a { input { m: map(string, list(int)), r: { x: int, y: open { z: bool } }, from: string, `a-b`: dyn "
       "}; }",
       "capability a input={m:map(string list(int)) r:{x:int y:open{z:bool}} from:string a-b:dyn}\n"},
      {"capability a { input { e: \"x\" | 'y' | -1 | true, n: int(-1, 2.5), s: string(min 1, max 0x10), u: secret "
       "string | "
       "max | list(max(max 2), max 3u) } }",
       "capability a input={e:\"x\"|\"y\"|-1|true n:int(-1 2.5) s:string(min=1 max=16) u:secret "
       "string|max|list(max(max=2) "
       "max=3u)}\n"},
      {"capability a { input { t: google.protobuf.Timestamp, open: open } }",
       "capability a input={t:google.protobuf.Timestamp open:open}\n"},
      {"capability a { input { t: secret string, s: secret list(secret string), o: optional(secret bytes), secret: "
       "secret, r: secret open { x: int } } }",
       "capability a input={t:secret string s:secret list(secret string) o:optional(secret bytes) secret:secret "
       "r:secret open{x:int}}\n"},
  });
}

TEST(Parse, PolicyHeads) {
  expect_trees({
      {"policy p on before x { }", "policy p before x\n"},
      {"policy p on after * { allow; }", "policy p after *\n  (allow)\n"},
      {"policy p on before pay.*, a.b, \"send_*\", *.get { }", "policy p before pay.* a.b \"send_*\" *.get\n"},
      {"policy on on before on { }", "policy on before on\n"},
      {"policy p on before x { version \"1.2\"; description \"why\"; allow; }",
       "policy p before x version=1.2 description=why\n  (allow)\n"},
  });
}

TEST(Parse, Rules) {
  EXPECT_EQ(rule_dump("deny;"), "(deny)");
  EXPECT_EQ(rule_dump("deny a;"), "(deny a)");
  EXPECT_EQ(rule_dump("deny a when x;"), "(deny a when=x)");
  EXPECT_EQ(rule_dump("deny when x;"), "(deny when=x)");
  EXPECT_EQ(rule_dump("deny a because \"b\" when x > 1;"), "(deny a when=(_>_ x 1) because=\"b\")");
  EXPECT_EQ(rule_dump("require_approval big when x from \"finance\" expires 30m because \"y\";"),
            "(require_approval big when=x because=\"y\" from=\"finance\" expires=1800s)");
  EXPECT_EQ(rule_dump("allow test when policy;"), "(allow test when=policy)");
  EXPECT_EQ(rule_dump("warn slow when action.elapsed > duration(\"5s\");"),
            "(warn slow when=(_>_ (.elapsed action) (duration \"5s\")))");
}

TEST(Parse, HowManyGroupsMustApprove) {
  EXPECT_EQ(rule_dump("require_approval from [\"a\", \"b\"];"), "(require_approval from=[\"a\" \"b\"])");
  EXPECT_EQ(rule_dump("require_approval from any of [\"a\", \"b\"];"), "(require_approval from=[\"a\" \"b\"] need=1)");
  EXPECT_EQ(rule_dump("require_approval r when x from 2 of groups expires 30m;"),
            "(require_approval r when=x from=groups need=2 expires=1800s)");
  EXPECT_EQ(rule_dump("require_approval from [\"a\", \"b\"] distinct = false because \"c\";"),
            "(require_approval because=\"c\" from=[\"a\" \"b\"] distinct=false)");
  EXPECT_EQ(rule_dump("require_approval from any of g distinct = true;"), "(require_approval from=g need=1)");
  EXPECT_EQ(rule_dump("require_approval from false;"), "(require_approval from=false)");
}

TEST(Parse, WordsOfTheFromClauseRemainNames) {
  EXPECT_EQ(rule_dump("require_approval any from of;"), "(require_approval any from=of)");
  EXPECT_EQ(rule_dump("require_approval of from any;"), "(require_approval of from=any)");
  EXPECT_EQ(rule_dump("require_approval distinct from any of of distinct = false;"),
            "(require_approval distinct from=of need=1 distinct=false)");
  EXPECT_EQ(rule_dump("deny distinct when input.any.of == distinct;"),
            "(deny distinct when=(_==_ (.of (.any input)) distinct))");
  EXPECT_EQ(rule_dump("require_approval from any(x);"), "(require_approval from=(any x))");
}

TEST(Parse, ACountOfNoGroupIsAMistake) {
  expect_reports(
      {{rule("require_approval from 0 of [\"a\"];").c_str(),
        "2:23 bad-from: `from 0 of` asks nobody, so nobody could approve | write how many of the groups must "
        "approve\n"}});
}

TEST(Parse, Redactions) {
  EXPECT_EQ(rule_dump("redact output;"), "(redact @output)");
  EXPECT_EQ(rule_dump("redact output.iban with \"***\";"), "(redact @output.iban with=\"***\")");
  EXPECT_EQ(rule_dump("redact hide input.a.b when c;"), "(redact hide @input.a.b when=c)");
  EXPECT_EQ(rule_dump("redact output output.rows[*].from;"), "(redact output @output.rows[*].from)");
  EXPECT_EQ(rule_dump("redact output[*].`a-b`;"), "(redact @output[*].a-b)");
}

TEST(Parse, Durations) {
  EXPECT_EQ(rule_dump("require_approval expires 90s;"), "(require_approval expires=90s)");
  EXPECT_EQ(rule_dump("require_approval expires 1h30m;"), "(require_approval expires=5400s)");
  EXPECT_EQ(rule_dump("require_approval expires 2d;"), "(require_approval expires=172800s)");
  EXPECT_EQ(rule_dump("require_approval expires 1500ms;"), "(require_approval expires=1s500000000ns)");
  EXPECT_EQ(rule_dump("require_approval expires 1us2ns;"), "(require_approval expires=0s1002ns)");
  EXPECT_EQ(rule_dump("require_approval expires 999ms999us1000ns;"), "(require_approval expires=1s)");
  EXPECT_EQ(rule_dump("require_approval expires duration(\"1h\");"), "(require_approval expires=(duration \"1h\"))");
  constexpr const char* kTooLong =
      "2:26 number-range: this number does not fit a duration: at most about 10000 years\n";
  EXPECT_EQ(parse_file(rule("require_approval expires 99999999999999999999h;"))->report(), kTooLong);
  EXPECT_EQ(parse_file(rule("require_approval expires 3652501d;"))->report(), kTooLong);
}

TEST(Parse, Tests) {
  expect_trees({
      {"test \"x\" { }", "test x\n"},
      {"test \"x\" { call pay { to: \"a\", from: 1.5 }; expect deny; }",
       "test x\n  call pay to:\"a\" from:1.5\n  expect deny\n"},
      {"test \"x\" { call \"a/b\" with agent.roles = [\"r\"], now = t; expect allow by p.r; }",
       "test x\n  call a/b with agent.roles=[\"r\"] with now=t\n  expect allow by p.r\n"},
      {"test \"x\" { call pay {} returns { when: 1, user: { name: \"n\" }, rows: [{ id: 1 }], \"k\": x }; expect "
       "redact; }",
       "test x\n  call pay returns {\"when\" 1 \"user\" {\"name\" \"n\"} \"rows\" [{\"id\" 1}] \"k\" x}\n  expect "
       "redact\n"},
      {"test \"x\" { call pay { a: { b: 1 } } returns \"text\" with now = 1; expect warn by \"p.warn#1\"; }",
       "test x\n  call pay a:{\"b\" 1} returns \"text\" with now=1\n  expect warn by p.warn#1\n"},
      {"test \"x\" { call call returns -1; expect require_approval; }",
       "test x\n  call call returns -1\n  expect require_approval\n"},
      {"test \"x\" {\n  let order = { to: \"a\", when: [1] };\n  let rows = 1;\n  call like like order;\n"
       "  call pay { to: rows } like order returns like with agent = order;\n}\nlet after = 1;",
       "let after=1\ntest x\n  let order={\"to\" \"a\" \"when\" [1]}\n  let rows=1\n  call like like order\n"
       "  call pay to:rows like order returns like with agent=order\n"},
      {"test \"x\" { rows a, rows { 1 ? 2 : 3, { b: 1 } expect deny by p.a expect warn; expect; } call pay { a: a }; }",
       "test x\n  rows a rows\n    row (_?_:_ 1 2 3) {\"b\" 1} expect deny by p.a expect warn\n    row expect\n"
       "  call pay a:a\n"},
  });
}

TEST(Parse, SpansOfRules) {
  auto parsed = parse_file("policy p on before \"a b\" { deny  r when x == 1; redact output.a[*]; }");
  ASSERT_EQ(parsed->report(), "");
  const syntax::PolicyDecl& policy = parsed->file.policies.at(0);
  ASSERT_EQ(policy.rules.size(), 2U);
  EXPECT_EQ(parsed->text(policy.name.span), "p");
  EXPECT_EQ(parsed->text(policy.stage_span), "before");
  EXPECT_EQ(parsed->text(policy.targets[0].span), "\"a b\"");
  EXPECT_EQ(parsed->text(policy.rules[0].span), "deny  r when x == 1;");
  EXPECT_EQ(parsed->text(policy.rules[0].word), "deny");
  EXPECT_EQ(parsed->text(policy.rules[0].name.span), "r");
  EXPECT_EQ(parsed->text(policy.rules[1].path_span), "output.a[*]");
  ASSERT_EQ(policy.rules[1].path.size(), 3U);
  EXPECT_EQ(parsed->text(policy.rules[1].path[1].span), "a");
  EXPECT_EQ(parsed->text(policy.rules[1].path[2].span), "[*]");
}

TEST(Parse, MistakesAtTheTop) {
  expect_reports({
      {"package acme\nlet a = 1;", "1:13 missing-semicolon: expected `;` after `acme`\n"},
      {"let a = 1; package b;", "1:12 syntax: `package` must be the first statement of a file\n"},
      {"package a; package b;", "1:12 syntax: a file has one package\n"},
      {"optoin order = first_match;", "1:1 unknown-word: unknown word `optoin` | did you mean `option`?\n"},
      {"option order first_match;", "1:14 syntax: expected `=` after `order`, found `first_match`\n"},
      {"option budget = -5;",
       "1:17 syntax: expected a name, a number or a duration such as `30m` after `=`, found `-`\n"},
      {"let a = ;", "1:9 syntax: expected an expression after `=`, found `;`\n"},
      {"let for = 1;", "1:5 syntax: expected a name after `let`, found `for`\n"},
      {"}", "1:1 syntax: no block is open that this `}` could close\n"},
      {"deny a;",
       "1:1 syntax: expected `capability`, `policy`, `let`, `test`, `context`, `import`, `option`, `history`, `rate`, "
       "`budget` or `label` here, found `deny`"
       " | rules stand in a policy: policy NAME on before CAPABILITY { ... }\n"},
      {"context { agent { team string } }", "1:24 syntax: expected `:` after `team`, found `string`\n"},
      {"context { agent { a: int, a: int } }", "1:27 duplicate-field: field `a` is declared twice\n"},
      {"test x { }", "1:6 syntax: expected a text in quotes after `test`, found `x`\n"},
  });
}

TEST(Parse, MistakesInCapabilities) {
  expect_reports({
      {"capability a { typ \"tool\"; }", "1:16 unknown-word: unknown word `typ` | did you mean `type`?\n"},
      {"capability a { risk 5; risk low; }", "1:21 syntax: expected a name after `risk`, found `5`\n"},
      {"capability a { risk low; risk high; }", "1:26 duplicate-property: `risk` is given twice\n"},
      {"capability a { type tool; }", "1:21 syntax: expected a text in quotes after `type`, found `tool`\n"},
      {"capability a { input { a: int; b: int } output opn { } }",
       "1:30 syntax: expected `,` or `}` after `int`, found `;`\n1:48 unknown-word: unknown word `opn` | did you mean "
       "`open`?\n"},
      {"capability a { colour \"red\"; risk low; }",
       "1:16 syntax: expected `type`, `risk`, `effect`, `owner`, `description`, `scopes`, `tags`, `labels`, `input` or "
       "`output` "
       "in a "
       "capability, found `colour`\n"},
      {"capability \"\" { }", "1:12 syntax: a capability's name cannot be empty\n"},
  });
}

TEST(Parse, MistakesInPolicyHeads) {
  expect_reports({
      {"policy p on befor x { allow; }", "1:13 unknown-word: unknown word `befor` | did you mean `before`?\n"},
      {"policy p before x { allow; }",
       "1:10 syntax: expected `on` after `p`, found `before` | write `policy NAME on before CAPABILITY { ... }`\n"},
      {"policy p on after { allow; }",
       "1:19 syntax: expected a name, a text in quotes or `*` after `after`, found `{`\n"},
      {"policy p on after x y { allow; }", "1:21 syntax: expected `,` or `{` after `x`, found `y`\n"},
      {"policy p on after x\n", "2:1 syntax: expected `,` or `{` after `x`, found the end of the text\n"},
      {"policy p on after x { allow;", "1:21 unclosed-block: the `{` of `policy p` is not closed\n"},
      {"policy p on after x { allow;\npolicy q on after x { deny }",
       "1:21 unclosed-block: the `{` of `policy p` is not closed\n"
       "2:27 missing-semicolon: expected `;` after `deny`\n"},
  });
}

TEST(Parse, MistakesInRules) {
  const std::vector<Case> cases = {
      {"denny a when true;", "2:1 unknown-word: unknown word `denny` | did you mean `deny`?\n"},
      {"deny whenn true;", "2:6 unknown-word: unknown word `whenn` | did you mean `when`?\n"},
      {"deny a whn true;", "2:8 unknown-word: unknown word `whn` | did you mean `when`?\n"},
      {"deny a when true becuase \"b\";", "2:18 unknown-word: unknown word `becuase` | did you mean `because`?\n"},
      {"deny a when ;", "2:13 syntax: expected an expression after `when`, found `;`\n"},
      {"deny a when\ndeny b;", "3:1 syntax: expected an expression after `when`, found `deny`\n"},
      {"deny a when x\ndeny b;", "2:14 missing-semicolon: expected `;` after `x`\n"},
      {"deny a when x", "2:14 missing-semicolon: expected `;` after `x`\n"},
      {"allow\ndeny;", "2:6 missing-semicolon: expected `;` after `allow`\n"},
      {"deny a true;", "2:8 syntax: expected a clause such as `when` or `;` after `a`, found `true`\n"},
      {"deny a when x 5;", "2:15 syntax: expected an operator, a clause such as `when` or `;` after `x`, found `5`\n"},
      {"deny a when x when y;",
       "2:15 duplicate-clause: `when` is given twice in one rule | join the conditions with `&&`\n"},
      {"deny a when (x;", "2:15 syntax: expected an operator or `)` after `x`, found `;`\n"},
      {"deny when when x;", "2:11 syntax: expected an expression after `when`, found `when`\n"},
      {"redact recipient;",
       "2:17 syntax: expected `input` or `output` after `recipient`, found `;` | name what is redacted: `redact NAME "
       "output.FIELD when CONDITION;`\n"},
      {"redact output.x[1];",
       "2:17 syntax: expected `*` after `[`, found `1` | for every element of a list, write `[*]`\n"},
      {"foo bar;",
       "2:1 syntax: expected a rule (`deny`, `require_approval`, `allow`, `redact`, `warn`, `label`, `clear`) in a "
       "policy, found "
       "`foo`\n"},
      {"allow; version \"1\";", "2:8 misplaced-property: `version` must come before the policy's rules\n"},
      {"version \"1\"; version \"2\";", "2:14 duplicate-property: `version` is given twice\n"},
      {"deny a because \"open;",
       "2:16 unclosed-string: this string is not closed | close it with \" on the same line\n"},
      {"deny a when x == \u201Cy\u201D;",
       "2:18 unexpected-character: unexpected character `\u201C` | use straight quotes: \"\n"
       "2:20 unexpected-character: unexpected character `\u201D` | use straight quotes: \"\n"},
  };
  for (const Case& c : cases) EXPECT_EQ(parse_file(rule(c.text))->report(), c.want) << c.text;
}

TEST(Parse, MistakesInTests) {
  expect_reports({
      {"test \"t\" { expect denny; }", "1:19 unknown-effect: no effect is called `denny` | did you mean `deny`?\n"},
      {"test \"t\" { expct deny; }", "1:12 unknown-word: unknown word `expct` | did you mean `expect`?\n"},
      {"test \"t\" { call a { b 1 }; }", "1:23 syntax: expected `:` after `b`, found `1`\n"},
      {"test \"t\" { call a retruns 1; }", "1:19 unknown-word: unknown word `retruns` | did you mean `returns`?\n"},
      {"test \"t\" { rows a { 1 expect denny; } expect allow; }",
       "1:30 unknown-effect: no effect is called `denny` | did you mean `deny`?\n"},
      {"test \"t\" { rows a b { 1; } expect allow; }", "1:19 syntax: expected `,` or `{` after `a`, found `b`\n"},
      {"test \"t\" { rows a { 1, ; 2 expect allow; } }", "1:24 syntax: expected an expression after `,`, found `;`\n"},
      {"test \"t\" { rows a { 1 expect allow }\n  expect deny;\n}",
       "1:35 missing-semicolon: expected `;` after `allow`\n"},
      {"test \"t\" { lett a = 1; }", "1:12 unknown-word: unknown word `lett` | did you mean `let`?\n"},
      {"test \"t\" { call a with b = ; }", "1:28 syntax: expected an expression after `=`, found `;`\n"},
      {"test \"t\" { call a { ?b: 1 }; }",
       "1:21 syntax: a field of a test's record cannot be optional | leave the `?` out\n"},
  });
}

TEST(Parse, EveryMistakeOfAFileIsReportedAndTheRestIsRead) {
  auto parsed = parse_file(R"(package acme
capability pay { typ "tool"; input { a: int } }
policy p on before pay {
  deny a when ;
  deny good when input.a > 1;
  denny b when input.a > 2;
  deny c when input.a >;
  deny d when f(1 2) because "x";
  deny e when [1, 2;
  deny ok when true;
}
let x = 1 +;
policy q on befor pay { allow; }
test "t" { expect dny; call pay { a: 1 }; }
)");
  EXPECT_EQ(parsed->report(),
            "1:13 missing-semicolon: expected `;` after `acme`\n"
            "2:18 unknown-word: unknown word `typ` | did you mean `type`?\n"
            "4:15 syntax: expected an expression after `when`, found `;`\n"
            "6:3 unknown-word: unknown word `denny` | did you mean `deny`?\n"
            "7:24 syntax: expected an expression after `>`, found `;`\n"
            "8:19 syntax: expected an operator, `,` or `)` after `1`, found `2`\n"
            "9:20 syntax: expected an operator, `,` or `]` after `2`, found `;`\n"
            "12:12 syntax: expected an expression after `+`, found `;`\n"
            "13:13 unknown-word: unknown word `befor` | did you mean `before`?\n"
            "14:19 unknown-effect: no effect is called `dny` | did you mean `deny`?\n");
  EXPECT_EQ(dump(parsed->file),
            "package acme\n"
            "capability pay type=tool input={a:int}\n"
            "policy p before pay\n"
            "  (deny good when=(_>_ (.a input) 1))\n"
            "  (deny b when=(_>_ (.a input) 2))\n"
            "  (deny ok when=true)\n"
            "policy q before pay\n"
            "  (allow)\n"
            "test t\n"
            "  call pay a:1\n");
}

TEST(Parse, Limits) {
  ParseLimits limits;
  limits.rules = 2;
  EXPECT_EQ(parse_file(rule("allow; allow;"), limits)->report(), "");
  EXPECT_EQ(parse_file(rule("allow; allow; allow; allow;"), limits)->report(),
            "2:15 limit-rules: this file has more than 2 rules\n");
  limits = {};
  limits.errors = 3;
  auto parsed = parse_file(rule("a; b; c; d; e; f;"), limits);
  ASSERT_EQ(parsed->diagnostics.items.size(), 4U);
  EXPECT_EQ(parsed->diagnostics.items[3].code, "limit-errors");
  limits = {};
  limits.source_bytes = 10;
  EXPECT_EQ(parse_file("let a = 12;", limits)->report(),
            "1:1 limit-source: this file has 11 bytes; at most 10 are read\n");
}

TEST(Parse, DeepNestingCostsOneReportAndOneStatement) {
  auto repeat = [](const std::string& text, size_t count) {
    std::string out;
    for (size_t i = 0; i < count; ++i) out += text;
    return out;
  };
  constexpr size_t kDeep = 10'000;
  for (const auto& [open, close] : std::vector<std::pair<std::string, std::string>>{
           {"(", ")"}, {"(", ""}, {"[", "]"}, {"!", ""}, {"-", ""}, {"a ? b : ", ""}, {"f(", ")"}, {"{1: ", "}"}}) {
    auto parsed = parse_file(
        rule("deny a when " + repeat(open, kDeep) + "x" + repeat(close, kDeep) + ";\ndeny b when 1 +;\nallow;"));
    ASSERT_EQ(parsed->diagnostics.items.size(), 2U) << open << parsed->report().substr(0, 500);
    EXPECT_EQ(parsed->diagnostics.items[0].code, "limit-nesting");
    EXPECT_EQ(parsed->diagnostics.items[1].message, "expected an expression after `+`, found `;`");
    ASSERT_EQ(parsed->file.policies.size(), 1U);
    EXPECT_EQ(parsed->file.policies[0].rules.size(), 1U)
        << "the rule that is too deep is dropped, not made unconditional";
  }
  for (const std::string& text :
       {"capability x { input " + repeat("{a: ", kDeep) + "int" + repeat("}", kDeep) + " }",
        "capability x { input { a: " + repeat("list(", kDeep) + "int" + repeat(")", kDeep) + " } }",
        "test \"t\" { call x returns " + repeat("{a: ", kDeep) + "1" + repeat("}", kDeep) + "; }"}) {
    auto parsed = parse_file(text);
    ASSERT_EQ(parsed->diagnostics.items.size(), 1U) << parsed->report().substr(0, 500);
    EXPECT_EQ(parsed->diagnostics.items[0].code, "limit-nesting");
  }
}

TEST(Parse, MissingBracketsDoNotAddUp) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "deny a when f((((x;\n";
  auto parsed = parse_file(rule(text));
  ASSERT_EQ(parsed->diagnostics.items.size(), 60U);
  for (const Diagnostic& item : parsed->diagnostics.items) EXPECT_EQ(item.code, "syntax");
}

TEST(Parse, AnyBytesEndInATreeOrAnError) {
  std::mt19937 random(7);
  const std::string valid =
      R"(package a; capability c { input { x: int } } policy p on before c, "d*" { deny r when input.x > 1 &&
    "a" in agent.roles because 'b\n'; redact n output.a[*] with b"x"; require_approval from "f" expires 1h30m; } test "t" { call c { x: 1 }
    returns { y: [1, {2: 3u}] } with now = 1.5e3; expect deny by p.r; } let l = a ? b : c.?d[?0];)";
  for (int round = 0; round < 3000; ++round) {
    std::string text = valid;
    for (uint32_t i = 0; i < 1 + random() % 5; ++i) {
      size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text.erase(at, 1 + random() % 4);
          break;
        case 1:
          text.insert(at, 1, "{}()[];:,.\"'`\\=<&!x1 \n"[random() % 23]);
          break;
        default:
          text[at] = static_cast<char>(random() % 128);
          break;
      }
    }
    auto parsed = parse_file(text);
    for (const Diagnostic& item : parsed->diagnostics.items) {
      ASSERT_LE(item.span.begin, item.span.end) << text;
      ASSERT_LE(item.span.end, text.size()) << text;
      ASSERT_FALSE(item.message.empty());
      ASSERT_NE(item.code, "internal") << text;
    }
    ASSERT_FALSE(render(parsed->diagnostics).empty() && parsed->diagnostics.has_errors());
  }
  for (int round = 0; round < 200; ++round) {
    std::string text;
    for (int i = 0; i < 500; ++i) text.push_back(static_cast<char>(random() % (round % 2 == 0 ? 256 : 128)));
    EXPECT_TRUE(parse_file(text)->diagnostics.has_errors());
  }
}

}  // namespace
}  // namespace ordain
