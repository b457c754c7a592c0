// These tests cover what is remembered between calls: what the checker refuses and warns of, and the tables that a
// Program gets, also after it was written and read again.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "ordain/compile.h"
#include "ordain/disasm.h"
#include "ordain/history.h"
#include "ordain/stdlib.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

// What most texts are about. Its rules allow every call.
const std::string kCapabilities = R"(
capability pay { input { to: string, amount: double, count: int } output { id: string, cost: double } }
capability look { input { id: string } output open { text: string } }
capability other { }
policy all on before * { allow rest; }
)";

Compilation compile_text(const std::string& text) {
  return compile({std::make_shared<Source>(Source{"p.policy", kCapabilities + text})}, standard_library());
}

// @returns "error unknown-field" for each error and warning, in the order of their places
std::vector<std::string> reports(const std::string& text) {
  const Compilation compiled = compile_text(text);
  std::vector<std::pair<uint32_t, std::string>> found;
  for (const Diagnostic& item : compiled.diagnostics.items) {
    if (item.severity == Severity::note) continue;
    found.emplace_back(item.span.begin, (item.severity == Severity::error ? "error " : "warning ") + item.code);
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> out;
  for (auto& [at, report] : found) out.push_back(std::move(report));
  return out;
}

using Reports = std::vector<std::string>;

std::string denied_when(const std::string& condition) {
  return "policy p on before pay { deny d when " + condition + "; }\n";
}

TEST(Histories, RefusesDeclarationsThatCannotBeKept) {
  const struct {
    const char* text;
    const char* condition;
    Reports want;
  } kCases[] = {
      {"history a = begun pay by principal within 1h;", "a.seen", {}},
      {"history a = begun pay by session;", "a.seen", {}},
      {"history a = begun pay by principal;", "a.seen", {"error endless-history"}},
      {"history a = begun pay by global;", "a.seen", {"error endless-history"}},
      {"history a = begun pay within 1h;", "a.seen", {"error state-key"}},
      {"history a = begun pay by global within 1h;", "a.seen", {}},
      {"history a = begun pay by global, agent within 1h;", "a.seen", {"error state-key"}},
      {"history a = begun pay by princpal within 1h;", "a.seen", {"error state-key"}},
      {"history a = begun pay by principal, principal within 1h;", "a.seen", {"error state-key"}},
      {"history a = begun pay by principal within 31d;", "a.seen", {"error history-too-long"}},
      {"option history = 60d; history a = begun pay by principal within 31d;", "a.seen", {}},
      {"history a = began pay by principal within 1h;", "a.seen", {"error unknown-verb"}},
      {"history a = begun pay by principal within 1h; history a = done pay by principal within 1h;",
       "a.seen",
       {"error duplicate-state"}},
      {"let a = 1; history a = begun pay by principal within 1h;", "a == 1", {"error reserved-name"}},
      {"history a = begun pay sum input.amount by principal within 1h;", "a.sum > 5.0", {}},
      {"history a = begun pay sum input.to by principal within 1h;", "a.seen", {"error state-amount"}},
      {"history a = begun pay, look sum input.amount by principal within 1h;", "a.seen", {"error unknown-field"}},
      {"history a = begun pay when output.cost > 1.0 by principal within 1h;",
       "a.seen",
       {"error unavailable-in-stage"}},
      {"history a = done pay when output.cost > 1.0 by principal within 1h;", "!a.seen", {}},
      {"history b = begun pay by session; history a = begun pay when b.seen by session;",
       "a.seen && b.seen",
       {"error state-reads-state"}},
      {"budget a = 5.0 by tenant { take input.amount on pay; }", "a.left < 0.0", {"error budget-period"}},
      {"budget a = 5.0 by tenant each year { take input.amount on pay; }", "a.left < 0.0", {"error budget-period"}},
      {"budget a = 5.0 by tenant each day { take input.amount on pay; }", "a.left < 0.0", {}},
      {"budget a = 5 by tenant each day { take input.amount on pay; }", "a.left < 0", {"error type-mismatch"}},
      {"budget a = 5.0 by tenant each day { take input.amount on pay; settle output.cost; }", "a.left < 0.0", {}},
      {"budget a = 2 at once by tenant { take 1 on pay; }", "a.left < 0", {}},
      {"budget a = 2 at once by tenant { take 1 on pay; settle 1; }", "a.left < 0", {"error budget-period"}},
      {"rate a = 5 in 1m on pay by agent;", "!a.ok", {}},
      {"rate a = 5 in 1m on pay by session;", "!a.ok", {"warning session-key"}},
      {"history a = begun pay by input.to within 1h;", "a.seen", {"warning agent-chosen-key"}},
  };
  for (const auto& c : kCases)
    EXPECT_EQ(reports(std::string(c.text) + "\n" + denied_when(c.condition)), c.want) << c.text;
}

TEST(Histories, RefusesAnOutputFieldThatNothingPromises) {
  const std::string budget = "budget a = 5.0 by tenant each day { take 1.0 on look; settle double(output.cost); }\n";
  const std::string rule = "policy p on before look { deny d when a.left < 0.0; }\n";
  EXPECT_EQ(reports(budget + rule), (Reports{"error settle-undeclared", "error unguarded-optional"}));
}

TEST(Histories, ChecksWhatRulesRead) {
  const std::string state = R"(
history sends = begun pay sum input.amount by principal within 1h;
history plain = begun look by principal within 1h;
history by_id = done pay by tenant, output.id within 1h;
rate fast = 5 in 1m on pay by agent;
policy use on before pay { deny x when sends.seen || plain.seen || !by_id["x"].seen || !fast.ok; }
)";
  const struct {
    const char* condition;
    Reports want;
  } kCases[] = {
      {"sends.count > 5", {}},
      {"sends.running > 5", {}},
      {"sends.counts > 5", {"error unknown-member"}},
      {"plain.sum > 5.0", {"error unknown-member"}},
      {"sends.ok", {"error unknown-member"}},
      {"fast.seen", {"error unknown-member"}},
      {"fast.wait > duration(\"5s\")", {}},
      {"sends == 1", {"error state-as-value"}},
      {"sends.last < now", {"error unguarded-optional"}},
      {"sends.seen && sends.last < now", {}},
      {"sends.?last.hasValue()", {}},
      {"sends.after(plain)", {}},
      {"sends.after(by_id)", {"error state-after"}},
      {"sends.after(fast)", {"error state-after"}},
      {"by_id.seen", {"error state-needs-index"}},
      {"!by_id[input.to].seen", {}},
      {"!by_id[input.to + \"x\"].seen", {"error state-index"}},
      {"sends[input.to].seen", {"error state-index"}},
      {"sends.count > input.count", {"error unbounded-count"}},
      {"by_id[input.to].count > 5", {"warning history-polarity"}},
      {"sends.cuont > 1 && sned.seen", {"error unknown-member", "error undeclared-reference"}},
      {"said(input.to)", {}},
      {"said(1)", {"error type-mismatch"}},
      {"[input.to].exists(t, said(t))", {"error state-text"}},
      {"carries(input.to, \"pii\")", {"error unknown-label"}},
  };
  for (const auto& c : kCases) EXPECT_EQ(reports(state + denied_when(c.condition)), c.want) << c.condition;
}

TEST(Histories, ReportsWhatNothingReads) {
  EXPECT_EQ(reports("history a = begun pay by principal within 1h;"), (Reports{"warning unread-history"}));
  EXPECT_EQ(reports("rate a = 5 in 1m on pay by agent;"), (Reports{"error unread-limit"}));
  EXPECT_EQ(reports("budget a = 5 by tenant each day { take 1 on pay; }"), (Reports{"error unread-limit"}));
}

TEST(Histories, ReportsAHistoryOfCallsThatNobodyAllows) {
  const std::string text = R"(
capability a { } capability b { }
history tried = begun a by principal within 1h;
policy p on before b { deny d when tried.seen; allow; }
)";
  const Compilation compiled = compile({std::make_shared<Source>(Source{"p.policy", text})}, standard_library());
  ASSERT_EQ(compiled.diagnostics.items.size(), 1u) << render(compiled.diagnostics);
  EXPECT_EQ(compiled.diagnostics.items[0].code, "impossible-history");
}

TEST(Histories, ChecksLabels) {
  const struct {
    const char* text;
    Reports want;
  } kCases[] = {
      {"label pii; policy p on after look { label pii when output.text == \"x\"; }", {}},
      {"label pii; policy p on after look { label seen pii; clear done pii from \"security\"; }", {}},
      {"label pii, pii; policy p on after look { label pii; }", {"error duplicate-label"}},
      {"label pii; policy p on after look { label pie; }", {"error unknown-label"}},
      {"label pii; policy p on before look { label pii; }", {"error label-before"}},
      {"label pii; policy p on after look { clear pii; }", {"error clear-without-from"}},
      {"label pii; policy p on after look { label pii from \"a\"; }", {"error clause-not-allowed"}},
      {"label pii; policy p on after look { clear pii from output.text; }", {"error bad-from"}},
      {"label pii; policy p on before pay { deny d when \"pie\" in session.labels; }", {"error unknown-label"}},
      {"label pii; policy p on before pay { deny d when \"pii\" in session.labels; }", {}},
      {"label pii; policy p on before pay { deny d when carries(input.to, \"pii\"); }", {}},
      {"capability c { labels pii; }", {"error unknown-label"}},
      {"label a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q;", {"error limit-labels"}},
  };
  for (const auto& c : kCases) EXPECT_EQ(reports(c.text), c.want) << c.text;
}

TEST(Histories, StoriesNeedState) {
  const std::string call = "call pay { to: \"a\", amount: 1.0, count: 1 }";
  EXPECT_EQ(reports("test \"t\" { " + call + "; wait 5m; expect allow; }"), (Reports{"error story-without-state"}));
  const std::string state = "history a = begun pay by principal within 1h;\n" + denied_when("a.count > 5");
  EXPECT_EQ(reports(state + "test \"t\" { fails; " + call + "; expect allow; }"), (Reports{"error test-without-call"}));
  EXPECT_EQ(reports(state + "test \"t\" { " + call + " returns { id: \"a\", cost: 1.0 }; fails; expect allow; }"),
            (Reports{"error test-fails-and-returns"}));
  const Compilation compiled = compile_text(state + "test \"t\" { " + call + "; wait 59m; wait 2m; " + call +
                                            "; fails; approve from \"lead\" as ann; expect allow; }");
  ASSERT_EQ(compiled.tests.size(), 1u) << render(compiled.diagnostics);
  const std::vector<TestCall>& calls = compiled.tests[0].calls;
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0].wait_seconds, 0);
  EXPECT_EQ(calls[1].wait_seconds, 61 * 60);
  EXPECT_TRUE(calls[1].fails);
  ASSERT_EQ(calls[1].answers.size(), 1u);
  EXPECT_EQ(calls[1].answers[0].group, "lead");
  EXPECT_EQ(calls[1].answers[0].approver, "ann");
}

const char* const kStateful = R"(
label pii;
history sends = begun pay sum input.amount when input.count > 0 by principal, input.to within 1h;
history approved = done pay by session, output.id within 2h;
rate fast = 5 in 1m burst 2 on * by agent;
budget spend = 500.0 by tenant each day in "Europe/Berlin" { take input.amount on pay; settle output.cost; }
policy p on before pay {
  deny many     when sends.count > 50;
  deny unseen   when !approved["x"].seen;
  deny quick    when !fast.ok;
  deny over     when spend.left < 0.0;
  deny labelled when "pii" in session.labels || carries(input.to, "pii") || said(input.to);
}
policy q on after look { label pii when output.text == "secret"; clear pii from "security"; }
)";

const StateDecl* find_state(const HistoryTables& tables, std::string_view name) {
  for (const StateDecl& state : tables.states) {
    if (state.name == name) return &state;
  }
  return nullptr;
}

TEST(Histories, DeclareWhatTheRuntimeKeeps) {
  const Compilation compiled = compile_text(kStateful);
  ASSERT_NE(compiled.program, nullptr) << render(compiled.diagnostics);
  const HistoryTables& tables = history_tables(*compiled.program);
  ASSERT_EQ(tables.states.size(), 4u);
  EXPECT_EQ(tables.labels, std::vector<std::string>{"pii"});

  const StateDecl& sends = *find_state(tables, "sends");
  EXPECT_EQ(sends.verb, StateVerb::begun);
  EXPECT_EQ(sends.keys, (std::vector<KeySource>{KeySource::principal, KeySource::path}));
  EXPECT_EQ(sends.key_kinds, (std::vector<Kind>{Kind::string, Kind::string}));
  EXPECT_EQ(sends.window_seconds, 3600u);
  EXPECT_EQ(sends.bound, 50u);
  EXPECT_EQ(sends.amount, Kind::floating);
  EXPECT_EQ(sends.members, 1u << static_cast<uint32_t>(StateMember::count));
  const StateDecl& fast = *find_state(tables, "fast");
  EXPECT_EQ(fast.limit, 5u);
  EXPECT_EQ(fast.burst, 2u);
  EXPECT_EQ(fast.window_seconds, 60u);
  const StateDecl& spend = *find_state(tables, "spend");
  EXPECT_EQ(spend.period, BudgetPeriod::day);
  EXPECT_EQ(spend.zone, "Europe/Berlin");
  ASSERT_LT(spend.limit_constant, data_of(*compiled.program).constants.size());
  EXPECT_EQ(data_of(*compiled.program).constants[spend.limit_constant].d, 500.0);

  const CapabilityId pay = compiled.program->resolve("pay").id;
  const CapabilityState* state = find_capability_state(tables, pay);
  ASSERT_NE(state, nullptr);
  EXPECT_EQ(state->effects.count, 4u);
  EXPECT_EQ(state->reads[0].count, 4u);
  EXPECT_EQ(state->texts[0].count, 2u);
  EXPECT_EQ(state->reads[1].count, 0u);
  const CapabilityState* look = find_capability_state(tables, compiled.program->resolve("look").id);
  ASSERT_NE(look, nullptr);
  EXPECT_EQ(look->effects.count, 1u);  // the rate meters every call
  EXPECT_EQ(look->label_rules.count, 2u);
  const CapabilityState* undeclared = find_capability_state(tables, kNone);
  ASSERT_NE(undeclared, nullptr);
  ASSERT_EQ(undeclared->effects.count, 1u);
  EXPECT_NE(tables.effects[undeclared->effects.first].target_set, kNone);
  EXPECT_NE(tables.session_labels, kNone);
  EXPECT_NE(tables.prompts, kNone);
}

TEST(Histories, ReadsNameTheirKeys) {
  const Compilation compiled = compile_text(kStateful);
  ASSERT_NE(compiled.program, nullptr) << render(compiled.diagnostics);
  const ProgramData& data = data_of(*compiled.program);
  bool literal = false, own = false;
  for (const StateRead& read : data.history.reads) {
    for (uint32_t i = 0; i < read.keys.count; ++i) {
      const KeyPart& part = data.history.key_parts[read.keys.first + i];
      literal = literal || (part.source == KeySource::literal && data.constants[part.constant].as_text() == "x");
      own = own || (part.source == KeySource::path && data.schema.slots[part.slot].path == "input.to");
    }
  }
  EXPECT_TRUE(literal);
  EXPECT_TRUE(own);
}

TEST(Histories, SurviveSerialisation) {
  const Compilation compiled = compile_text(kStateful);
  ASSERT_NE(compiled.program, nullptr) << render(compiled.diagnostics);
  const std::string bytes = compiled.program->serialise();
  const auto loaded = Program::load(bytes, standard_library());
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ((*loaded)->serialise(), bytes);
  EXPECT_EQ(disassemble(**loaded), disassemble(*compiled.program));
  const std::string text = disassemble(*compiled.program);
  for (const char* line : {"state history sends begun", "state rate fast 5, burst 2", "label 0 pii", "remember pay",
                           "adds to spend by tenant.id", "clears pii by q.clear#1"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  }
}

TEST(Histories, LoadingRefusesDamage) {
  const Compilation compiled = compile_text(kStateful);
  ASSERT_NE(compiled.program, nullptr) << render(compiled.diagnostics);
  const std::string bytes = compiled.program->serialise();
  // The tables of state end the file. A byte that is changed there is refused, or gives another program that is valid.
  for (size_t at = bytes.size() - std::min<size_t>(bytes.size(), 400); at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    const auto loaded = Program::load(damaged, standard_library());
    if (loaded) {
      EXPECT_EQ((*loaded)->serialise(), damaged) << at;
    }
  }
}

TEST(Histories, AreInertWhereNothingIsDeclared) {
  const Compilation compiled = compile_text(denied_when("\"pii\" in session.labels"));
  ASSERT_NE(compiled.program, nullptr) << render(compiled.diagnostics);
  EXPECT_FALSE(history_tables(*compiled.program).any());
  EXPECT_EQ(find_capability_state(history_tables(*compiled.program), kNone), nullptr);
  for (const Slot& slot : compiled.program->schema().slots) EXPECT_FALSE(slot.path.starts_with("state.")) << slot.path;
}

TEST(Histories, AStateIsItsNameAndItsDefinition) {
  const std::string rule = denied_when("a.count > 50");
  const auto digest_of = [&](const std::string& state, const std::string& use) {
    const Compilation compiled = compile_text(state + "\n" + use);
    EXPECT_NE(compiled.program, nullptr) << render(compiled.diagnostics);
    return compiled.program == nullptr ? Digest{} : history_tables(*compiled.program).states.at(0).digest;
  };
  const std::string state = "history a = begun pay by principal within 1h;";
  EXPECT_EQ(digest_of(state, rule), digest_of("history  a = begun pay by principal\n within 1h ;", rule));
  EXPECT_EQ(digest_of(state, rule), digest_of(state, denied_when("a.count > 60")));
  EXPECT_NE(digest_of(state, rule), digest_of("history a = begun pay by principal within 2h;", rule));
  const std::string limited = "history a = begun pay when input.amount > limit by principal within 1h;";
  EXPECT_NE(digest_of("let limit = 1.0; " + limited, rule), digest_of("let limit = 2.0; " + limited, rule));
}

TEST(Histories, ARuleDependsOnTheStateThatItReads) {
  const auto digest_of = [&](const std::string& window) {
    const Compilation compiled =
        compile_text("history a = begun pay by principal within " + window + ";\n" + denied_when("a.count > 50"));
    for (const RuleInfo& rule : compiled.program->rules()) {
      if (rule.name == "p.d") return rule.digest;
    }
    return Digest{};
  };
  EXPECT_EQ(digest_of("1h"), digest_of("1h"));
  EXPECT_NE(digest_of("1h"), digest_of("2h"));
}

}  // namespace
}  // namespace ordain
