// These tests cover decide: how rules combine, and that faults fail closed.
#include <gtest/gtest.h>

#include "tests/support/allocations.h"
#include "tests/support/assemble.h"
#include "vm/interpret/frame.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

using namespace ordain::test;
using enum RuleKind;

// Predicates that rules use: yes, no, broken (faults at line 9).
struct Rules : Assembler {
  uint32_t yes, no, broken, unsupplied, dear;
  uint32_t main;

  Rules() {
    host_slot("agent.clearance", &types::kBool);
    yes = returns(Value::boolean(true));
    no = returns(Value::boolean(false));
    broken = faults(FaultCode::division_by_zero, kBool, 9);
    unsupplied = reads(0, kBool, 11);
    dear = begin(kBool);
    const uint16_t r = load_constant(Value::boolean(true));
    emit(Op::charge, 0, 1'000'000'000, 0, 12);
    emit(Op::ret, r);
    capability("act");
    main = package("main");
  }
  RuleId on(RuleKind kind, uint32_t condition, Stage stage = Stage::before) {
    return rule(main, kind, {.condition = condition}, stage);
  }
  uint32_t text(std::string_view value) { return constant(Value::string(value)); }

  std::unique_ptr<Fixture> done(Stage stage = Stage::before, std::string_view capability = "act") {
    finish();
    auto program = link_program(std::move(data), FunctionTable());
    EXPECT_TRUE(program.ok()) << program.error().message;
    return program ? std::make_unique<Fixture>(*program, capability, stage) : nullptr;
  }
};

Decision decided(Fixture& f, const DecideOptions& options = {}) {
  return decide(f.call, f.context, f.scratch, options);
}
Decision decided_all(Fixture& f, const DecideOptions& options = {}) {
  return decide_all(f.call, f.context, f.scratch, options);
}
std::vector<RuleId> ids(std::span<const RuleId> rules) { return {rules.begin(), rules.end()}; }
std::vector<std::string> texts(std::span<const std::string_view> views) { return {views.begin(), views.end()}; }

TEST(Decide, DefaultsAreDenyBeforeAndReleaseAfter) {
  Rules before;
  before.on(allow, before.no);
  auto f = before.done();
  Decision d = decided(*f);
  EXPECT_EQ(d.effect, Effect::deny);
  EXPECT_EQ(d.code, DecisionCode::default_effect);
  EXPECT_EQ(d.rule, kNone);
  EXPECT_EQ(d.reason, "no rule matched");
  EXPECT_EQ(decided(*f, {.default_before = Effect::require_approval}).effect, Effect::require_approval);
  Rules after;
  auto g = after.done(Stage::after);
  EXPECT_EQ(decided(*g).effect, Effect::allow);
  EXPECT_EQ(decided(*g).code, DecisionCode::default_effect);
  EXPECT_EQ(decided(*g, {.default_after = Effect::deny}).effect, Effect::deny);
}

// A program of nothing but expressions has no lists of rules, not even empty ones.
TEST(Decide, AProgramWithoutListsOfRulesDecidesByDefault) {
  Rules r;
  auto program = link_program(std::move(r.data), FunctionTable());
  ASSERT_TRUE(program.ok()) << program.error().message;
  ASSERT_TRUE(data_of(**program).capability_rules.empty());
  for (const char* capability : {"act", "not_declared"}) {
    for (const Stage stage : {Stage::before, Stage::after}) {
      Fixture f(*program, capability, stage);
      EXPECT_EQ(decided(f).code, DecisionCode::default_effect) << capability;
      EXPECT_EQ(decided_all(f).code, DecisionCode::default_effect) << capability;
    }
  }
}

TEST(Decide, DenyOverridesWhateverTheOrder) {
  Rules r;
  r.on(allow, r.yes);
  r.on(require_approval, r.yes);
  r.on(deny, r.no);
  const RuleId winner = r.on(deny, r.yes);
  r.on(deny, r.yes);
  auto f = r.done();
  const Decision d = decided(*f);
  EXPECT_EQ(d.effect, Effect::deny);
  EXPECT_EQ(d.code, DecisionCode::rule);
  EXPECT_EQ(d.rule, winner);
  EXPECT_EQ(d.reason, "p.deny#3");
  EXPECT_TRUE(d.matched.empty());
  EXPECT_EQ(ids(decided_all(*f).matched), (std::vector<RuleId>{0, 1, 3, 4}));
}

TEST(Decide, AnUnconditionalAllowAllows) {
  Rules r;
  const RuleId rule = r.on(allow, kNone);
  auto f = r.done();
  EXPECT_EQ(decided(*f).effect, Effect::allow);
  EXPECT_EQ(decided(*f).rule, rule);
}

TEST(Decide, FaultsFailClosed) {
  struct Case {
    RuleKind kind;
    Stage stage;
    Effect effect;
    DecisionCode code;
  };
  const Case cases[] = {
      {deny, Stage::before, Effect::deny, DecisionCode::evaluation_error},
      {require_approval, Stage::before, Effect::deny, DecisionCode::evaluation_error},
      {allow, Stage::before, Effect::deny, DecisionCode::default_effect},
      {redact, Stage::after, Effect::deny, DecisionCode::evaluation_error},
      {warn, Stage::after, Effect::allow, DecisionCode::default_effect},
  };
  for (const Case& c : cases) {
    Rules r;
    const RuleId rule = r.on(c.kind, r.broken, c.stage);
    auto f = r.done(c.stage);
    for (const Decision& d : {decided(*f), decided_all(*f)}) {
      EXPECT_EQ(d.effect, c.effect) << to_string(c.kind);
      EXPECT_EQ(d.code, c.code) << to_string(c.kind);
      EXPECT_FALSE(d.reason.empty());
      EXPECT_TRUE(d.matched.empty());
      EXPECT_TRUE(d.obligations.empty());
      if (c.code != DecisionCode::evaluation_error) {
        EXPECT_FALSE(d.fault);
        continue;
      }
      EXPECT_EQ(d.rule, rule);
      EXPECT_EQ(d.fault_rule, rule);
      EXPECT_EQ(d.fault.code, FaultCode::division_by_zero);
      EXPECT_EQ(f->program->locations()[d.fault.location].line, 9u);
    }
  }
}

TEST(Decide, TheFaultsCodeIsTheDecisions) {
  Rules r;
  r.on(deny, r.unsupplied);
  auto f = r.done();
  Decision d = decided(*f);
  EXPECT_EQ(d.code, DecisionCode::missing_context);
  EXPECT_EQ(d.reason, "missing_context: agent.clearance");
  Rules s;
  s.on(deny, s.dear);
  auto g = s.done();
  EXPECT_EQ(decided(*g).code, DecisionCode::budget_exceeded);
  EXPECT_EQ(decided(*g).reason,
            "cost_budget: the evaluation takes more than 1000000 steps; let it do less, or raise its budget");
  EXPECT_EQ(decided(*g, {.budget = {.cost = 7}}).reason,
            "cost_budget: the evaluation takes more than 7 steps; let it do less, or raise its budget");
}

TEST(Decide, EachRuleHasABudgetOfItsOwn) {
  Rules r;
  r.on(allow, r.dear);
  const RuleId rule = r.on(allow, r.yes);
  auto f = r.done();
  EXPECT_EQ(decided(*f).rule, rule);
}

TEST(Decide, AFaultThatDeniesNamesTheReasonInSourceOrder) {
  Rules r;
  r.on(deny, r.no);
  const RuleId fault = r.on(require_approval, r.broken);
  const RuleId rule = r.on(deny, r.yes);
  auto f = r.done();
  EXPECT_EQ(decided(*f).rule, fault);
  Rules s;
  const RuleId first = s.on(deny, s.yes);
  s.on(require_approval, s.broken);
  auto g = s.done();
  EXPECT_EQ(decided(*g).rule, first);
  EXPECT_EQ(ids(decided_all(*f).matched), std::vector<RuleId>{rule});
}

TEST(Decide, AnAllowDoesNotHideALaterFault) {
  Rules r;
  r.on(allow, r.yes);
  const RuleId fault = r.on(deny, r.broken);
  auto f = r.done();
  EXPECT_EQ(decided(*f).rule, fault);
}

TEST(Decide, TheReasonIsBecauseOrTheRulesName) {
  struct Case {
    std::string_view expected;
    RuleCode code;
  };
  Rules r;
  const uint32_t said = r.text("said so"), empty = r.text("");
  const uint32_t computed = r.returns(Value::string("worked out"));
  const uint32_t faulty = r.faults(FaultCode::overflow, kString);
  const Case cases[] = {
      {"p.deny#0", {}},
      {"said so", {.because_text = said}},
      {"p.deny#0", {.because_text = empty}},
      {"worked out", {.because = computed}},
      {"p.deny#0 (its `because` faults: overflow)", {.because = faulty}},
  };
  for (const Case& c : cases) {
    Rules again;
    again.text("said so");
    again.text("");
    again.returns(Value::string("worked out"));
    again.faults(FaultCode::overflow, kString);
    again.rule(again.main, deny, c.code);
    auto f = again.done();
    ASSERT_NE(f, nullptr);
    const Decision d = decided(*f);
    EXPECT_EQ(d.reason, c.expected);
    EXPECT_FALSE(d.fault);
  }
}

TEST(Decide, PackagesCombineByStrengthAndOrder) {
  Rules r;
  const uint32_t second = r.package("second"), third = r.package("third");
  r.on(allow, r.yes);
  const RuleId ask = r.rule(second, require_approval, {.condition = r.yes});
  const RuleId ask_too = r.rule(third, require_approval, {.condition = r.yes});
  auto f = r.done();
  const Decision d = decided(*f);
  EXPECT_EQ(d.effect, Effect::require_approval);
  EXPECT_EQ(d.rule, ask);
  EXPECT_EQ(ids(d.matched), (std::vector<RuleId>{ask, ask_too}));
}

TEST(Decide, FirstMatchIsThePackagesAnswer) {
  Rules r;
  const uint32_t ordered = r.package("ordered", true);
  r.rule(ordered, deny, {.condition = r.no});
  r.rule(ordered, allow, {.condition = r.broken});
  const RuleId first = r.rule(ordered, allow, {.condition = r.yes});
  r.rule(ordered, deny, {.condition = r.yes});
  auto f = r.done();
  EXPECT_EQ(decided(*f).effect, Effect::allow);
  EXPECT_EQ(decided(*f).rule, first);
  EXPECT_EQ(ids(decided_all(*f).matched), (std::vector<RuleId>{2, 3}));

  Rules s;
  const uint32_t blocked = s.package("ordered", true);
  const RuleId fault = s.rule(blocked, require_approval, {.condition = s.broken});
  s.rule(blocked, allow, {.condition = s.yes});
  auto g = s.done();
  EXPECT_EQ(decided(*g).effect, Effect::deny);
  EXPECT_EQ(decided(*g).rule, fault);
}

TEST(Decide, OnlyTheFirstMatchOfAFirstMatchPackageAsks) {
  Rules r;
  const uint32_t ordered = r.package("ordered", true);
  const RuleId main = r.on(require_approval, r.yes);
  const RuleId first = r.rule(ordered, require_approval, {.condition = r.yes});
  r.rule(ordered, require_approval, {.condition = r.yes});
  auto f = r.done();
  EXPECT_EQ(ids(decided(*f).matched), (std::vector<RuleId>{main, first}));
}

TEST(Decide, ApproversAreUnitedAndTheShortestExpiryCounts) {
  Rules r;
  const Value groups[] = {Value::string("ops"), Value::string("finance"), Value::string("ops")};
  const uint32_t list = r.returns(Value::list(groups)), one = r.returns(Value::string("legal"));
  const uint32_t hour = r.returns(Value::duration(3600, 0)), minute = r.returns(Value::duration(60, 999));
  r.rule(r.main, require_approval, {.condition = r.yes, .from = list, .expires = hour});
  r.rule(r.main, require_approval, {.condition = r.yes, .from = one, .expires = minute});
  r.rule(r.main, require_approval, {.condition = r.yes});
  auto f = r.done();
  const Decision d = decided(*f);
  EXPECT_EQ(d.effect, Effect::require_approval);
  EXPECT_EQ(texts(d.from), (std::vector<std::string>{"finance", "legal", "ops"}));
  EXPECT_EQ(d.expires_seconds, 60);
  ASSERT_EQ(d.approvals.size(), 3u);
  EXPECT_EQ(texts(d.approvals[0].from), (std::vector<std::string>{"finance", "ops"}));
  EXPECT_EQ(d.approvals[0].need, 2u);
  EXPECT_EQ(d.approvals[0].expires_seconds, 3600);
  EXPECT_EQ(texts(d.approvals[1].from), (std::vector<std::string>{"legal"}));
  EXPECT_EQ(d.approvals[1].need, 1u);
  EXPECT_TRUE(d.approvals[2].from.empty());
  EXPECT_EQ(d.approvals[2].need, 1u);
  EXPECT_EQ(d.approvals[2].expires_seconds, 0);
}

TEST(Decide, ARuleMayNeedFewerGroupsThanItNamesButNotMore) {
  for (const uint32_t need : {1U, 2U, 3U}) {
    Rules r;
    const Value groups[] = {Value::string("ops"), Value::string("finance"), Value::string("ops")};
    const uint32_t list = r.returns(Value::list(groups));
    const RuleId rule = r.rule(r.main, require_approval, {.from = list, .need = need, .distinct = false});
    auto f = r.done();
    const Decision d = decided(*f);
    if (need > 2) {
      EXPECT_EQ(d.effect, Effect::deny);
      EXPECT_EQ(d.fault.code, FaultCode::invalid_argument);
      EXPECT_EQ(d.fault_rule, rule);
      EXPECT_TRUE(d.approvals.empty());
      continue;
    }
    ASSERT_EQ(d.approvals.size(), 1u);
    EXPECT_EQ(d.approvals[0].rule, rule);
    EXPECT_EQ(d.approvals[0].need, need);
    EXPECT_FALSE(d.approvals[0].distinct);
  }
}

TEST(Decide, AListWithoutGroupsDoesNotMeanThatAnyoneMayApprove) {
  Rules r;
  const RuleId rule = r.rule(r.main, require_approval, {.from = r.returns(Value::list({}))});
  auto f = r.done();
  const Decision d = decided(*f);
  EXPECT_EQ(d.effect, Effect::deny);
  EXPECT_EQ(d.fault.code, FaultCode::invalid_argument);
  EXPECT_EQ(d.fault_rule, rule);
  EXPECT_TRUE(d.approvals.empty());
}

TEST(Decide, AnExpiryThatIsOverAtOnceIsNotNoExpiry) {
  Rules r;
  const uint32_t never = r.returns(Value::duration(0, 0));
  r.rule(r.main, require_approval, {.expires = never});
  auto f = r.done();
  EXPECT_EQ(decided(*f).expires_seconds, 1);
}

TEST(Decide, AFaultInFromOrExpiresDenies) {
  for (const bool from : {true, false}) {
    Rules r;
    const uint32_t bad = r.faults(FaultCode::overflow, from ? kString : static_cast<uint8_t>(Kind::duration), 30);
    const RuleId rule = r.rule(r.main, require_approval, from ? RuleCode{.from = bad} : RuleCode{.expires = bad});
    auto f = r.done();
    const Decision d = decided(*f);
    EXPECT_EQ(d.effect, Effect::deny);
    EXPECT_EQ(d.code, DecisionCode::evaluation_error);
    EXPECT_EQ(d.fault_rule, rule);
    EXPECT_TRUE(d.from.empty());
    EXPECT_EQ(d.expires_seconds, 0);
    EXPECT_TRUE(d.matched.empty());
  }
}

TEST(Decide, FromMustBeStrings) {
  Rules r;
  const Value mixed[] = {Value::string("ops"), Value::integer(1)};
  const uint32_t bad = r.returns(Value::list(mixed));
  r.rule(r.main, require_approval, {.from = bad});
  auto f = r.done();
  EXPECT_EQ(decided(*f).effect, Effect::deny);
  EXPECT_EQ(decided(*f).fault.code, FaultCode::no_such_overload);
}

TEST(Decide, ObligationsOfAllPackagesInOrder) {
  Rules r;
  const uint32_t other = r.package("other");
  const uint32_t stars = r.returns(Value::string("***"));
  const uint32_t slow = r.text("slow");
  const RuleId hide = r.rule(r.main, redact, {.condition = r.yes}, Stage::after);
  r.rule(r.main, redact, {.condition = r.no}, Stage::after);
  const RuleId caution = r.rule(r.main, warn, {.condition = r.yes, .because_text = slow}, Stage::after);
  const RuleId cover = r.rule(other, redact, {.condition = r.yes, .with = stars}, Stage::after);
  auto f = r.done(Stage::after);
  const Decision d = decided_all(*f);
  EXPECT_EQ(d.effect, Effect::allow);
  ASSERT_EQ(d.obligations.size(), 3u);
  EXPECT_EQ(d.obligations[0].rule, hide);
  EXPECT_EQ(d.obligations[0].path, "output.secret");
  EXPECT_EQ(d.obligations[0].with.as_text(), "[redacted]");
  EXPECT_EQ(d.obligations[1].rule, caution);
  EXPECT_EQ(d.obligations[1].reason, "slow");
  EXPECT_EQ(d.obligations[2].rule, cover);
  EXPECT_EQ(d.obligations[2].with.as_text(), "***");
  EXPECT_EQ(ids(d.matched), (std::vector<RuleId>{hide, caution, cover}));
}

TEST(Decide, AnApprovalCarriesObligationsADenialDoesNot) {
  Rules r;
  r.on(require_approval, r.yes);
  r.rule(r.main, warn, {.condition = r.yes});
  auto f = r.done();
  EXPECT_EQ(decided(*f).obligations.size(), 1u);
  Rules s;
  s.on(deny, s.yes);
  const RuleId caution = s.rule(s.main, warn, {.condition = s.yes});
  auto g = s.done();
  EXPECT_TRUE(decided_all(*g).obligations.empty());
  EXPECT_EQ(decided_all(*g).matched.back(), caution);
}

TEST(Decide, AFaultInWithDenies) {
  Rules r;
  const uint32_t bad = r.faults(FaultCode::overflow, kString);
  const RuleId rule = r.rule(r.main, redact, {.with = bad}, Stage::after);
  auto f = r.done(Stage::after);
  const Decision d = decided(*f);
  EXPECT_EQ(d.effect, Effect::deny);
  EXPECT_EQ(d.rule, rule);
  EXPECT_TRUE(d.obligations.empty());
}

TEST(Decide, InvalidInputDeniesBeforeAnyRule) {
  Rules r;
  r.on(allow, kNone);
  auto f = r.done();
  f->call.reject("input.amount: expected double, got string");
  const Decision d = decided_all(*f);
  EXPECT_EQ(d.effect, Effect::deny);
  EXPECT_EQ(d.code, DecisionCode::invalid_input);
  EXPECT_EQ(d.reason, "input.amount: expected double, got string");
  EXPECT_EQ(d.rule, kNone);
  EXPECT_TRUE(d.matched.empty());
}

TEST(Decide, FactsOfAnotherProgramDeny) {
  Rules r;
  r.on(allow, kNone);
  Rules s;
  s.on(allow, kNone);
  auto f = r.done();
  auto g = s.done();
  const Decision d = decide(f->call, g->context, f->scratch);
  EXPECT_EQ(d.effect, Effect::deny);
  EXPECT_EQ(d.code, DecisionCode::invalid_input);
}

TEST(Decide, UndeclaredCapabilitiesMeetTheRulesWhoseGlobsMatch) {
  const auto effect = [](std::string_view capability) {
    Rules r;
    r.data.schema.globs = {"pay.*", "*"};
    GlobSet pay, all;
    pay.set(0);
    all.set(1);
    r.data.target_sets = {pay, all};
    r.rule(r.main, deny, {.condition = r.yes, .target_set = 0});
    r.rule(r.main, allow, {.condition = r.yes, .target_set = 1});
    auto f = r.done(Stage::before, capability);
    return decided(*f).effect;
  };
  EXPECT_EQ(effect("pay.card"), Effect::deny);
  EXPECT_EQ(effect("payments"), Effect::allow);
  Rules declared;
  declared.data.schema.globs = {"*"};
  GlobSet all;
  all.set(0);
  declared.data.target_sets = {all};
  declared.rule(declared.main, allow, {.target_set = 0});
  auto f = declared.done(Stage::before, "act");
  EXPECT_EQ(decided(*f).code, DecisionCode::default_effect);
}

TEST(Decide, ScratchThatIsTooSmallDenies) {
  Rules r;
  r.on(allow, r.yes);
  auto f = r.done();
  Scratch tiny(8);
  const Decision d = decide(f->call, f->context, tiny);
  EXPECT_EQ(d.effect, Effect::deny);
  EXPECT_EQ(d.code, DecisionCode::budget_exceeded);
  for (const size_t bytes : {16, 32, 64, 128}) {
    Scratch small(bytes);
    const Decision other = decide_all(f->call, f->context, small);
    EXPECT_TRUE(other.effect == Effect::deny ? other.code == DecisionCode::budget_exceeded
                                             : other.effect == Effect::allow);
  }
}

uint32_t native_no(Frame* frame) {
  frame->result = Value::boolean(false);
  return 0;
}

TEST(Decide, NativeCodeIsUsedUnlessAskedNotTo) {
  Rules r;
  const uint32_t yes = r.yes;
  r.on(allow, yes);
  auto f = r.done();
  native_code_of(*f->program).install_predicate(yes, native_no);
  EXPECT_EQ(decided(*f).code, DecisionCode::default_effect);
  EXPECT_EQ(decided(*f, {.interpret_only = true}).effect, Effect::allow);
}

TEST(Decide, AllocatesNothing) {
  if (ORDAIN_COUNTS_ALLOCATIONS == 0) GTEST_SKIP() << "sanitizers have their own operator new";
  Rules r;
  const Value groups[] = {Value::string("ops"), Value::string("finance")};
  const uint32_t list = r.returns(Value::list(groups)), because = r.returns(Value::string("why"));
  r.on(deny, r.no);
  r.on(allow, r.broken);
  r.rule(r.main, require_approval, {.condition = r.yes, .because = because, .from = list});
  r.rule(r.main, warn, {.condition = r.yes, .because = because});
  auto f = r.done();
  decided(*f);
  const uint64_t before = allocations_made;
  bool right = true;
  for (int i = 0; i < 100; ++i) {
    right = right && decided(*f).effect == Effect::require_approval && decided_all(*f).matched.size() == 2;
  }
  const uint64_t after = allocations_made;
  EXPECT_TRUE(right);
  EXPECT_EQ(after, before);
}

}  // namespace
}  // namespace ordain
