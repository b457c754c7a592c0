// These tests cover decisions as JSON: a written decision reads back unchanged; other texts are
// refused.
#include "ordain/decision_json.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "ordain/event.h"
#include "tests/unit/vm/wire/wire_program.h"

namespace ordain {
namespace {

using test::wire_program;

struct Decided {
  EventReader reader{wire_program()};
  Scratch scratch;
  Decision decision;

  explicit Decided(std::string_view event, const DecideOptions& options = {}) {
    EXPECT_TRUE(reader.read(event).ok()) << event;
    decision = decide_all(reader.call(), reader.context(), scratch, options);
  }
  std::string json(uint64_t number = 1) const { return decision_json(reader.call(), decision, number); }
};

constexpr const char* kLarge = R"({"capability": "pay", "agent": {"trusted": true}, "input": {"large": true}})";
constexpr const char* kBroken = R"({"capability": "pay", "agent": {"trusted": true}, "input": {"broken": true}})";
constexpr const char* kAllowed = R"({"capability": "pay", "agent": {"trusted": true}})";

std::string name_of(const Program& program, RuleId rule) { return rule == kNone ? "" : program.rules()[rule].name; }

void expect_same(const Decided& decided, const ParsedDecision& read) {
  const Program& program = decided.reader.call().program();
  const Decision& made = decided.decision;
  EXPECT_EQ(read.stage, decided.reader.call().stage());
  EXPECT_EQ(read.capability, decided.reader.event().capability);
  EXPECT_EQ(read.effect, made.effect);
  EXPECT_EQ(read.code, made.code);
  EXPECT_EQ(read.rule, name_of(program, made.rule));
  EXPECT_EQ(read.policy, made.rule == kNone ? "" : "p");
  EXPECT_EQ(read.policy_version, made.rule == kNone ? "" : "1.2");
  EXPECT_EQ(read.reason, made.reason);
  std::vector<std::string> matched;
  for (const RuleId rule : made.matched) matched.push_back(name_of(program, rule));
  EXPECT_EQ(read.matched, matched);
  ASSERT_EQ(read.obligations.size(), made.obligations.size());
  for (size_t i = 0; i < made.obligations.size(); ++i) {
    EXPECT_EQ(read.obligations[i].kind, made.obligations[i].kind);
    EXPECT_EQ(read.obligations[i].rule, name_of(program, made.obligations[i].rule));
    EXPECT_EQ(read.obligations[i].path, made.obligations[i].path);
    EXPECT_EQ(read.obligations[i].reason, made.obligations[i].reason);
    EXPECT_EQ(read.obligations[i].with.json(), to_json(made.obligations[i].with));
  }
  EXPECT_EQ(read.from, std::vector<std::string>(made.from.begin(), made.from.end()));
  EXPECT_EQ(read.expires_seconds.value_or(0), made.expires_seconds);
  ASSERT_EQ(read.approvals.size(), made.approvals.size());
  for (size_t i = 0; i < made.approvals.size(); ++i) {
    const ApprovalNeed& need = made.approvals[i];
    EXPECT_EQ(read.approvals[i], (AskingRule{name_of(program, need.rule),
                                             {need.from.begin(), need.from.end()},
                                             need.need,
                                             need.distinct,
                                             need.expires_seconds}));
  }
  ASSERT_EQ(read.fault.has_value(), static_cast<bool>(made.fault));
  if (!read.fault) return;
  EXPECT_EQ(read.fault->rule, name_of(program, made.fault_rule));
  EXPECT_EQ(read.fault->code, fault_name(made.fault.code));
  EXPECT_EQ(read.fault->message, fault_message(made.fault));
  EXPECT_EQ(read.fault->file, "test.policy");
  EXPECT_EQ(read.fault->line, 7u);
  EXPECT_EQ(read.fault->column, 1u);
}

TEST(DecisionJson, WhatIsWrittenIsReadAsItWas) {
  const DecideOptions ask{.default_before = Effect::require_approval};
  for (const char* event :
       {kLarge, kBroken, kAllowed, R"({"capability": "pay", "agent": {"trusted": false}})", R"({"capability": "pay"})",
        R"({"capability": "other \"\u0001é\""})", R"({"capability": "pay", "input": {"large": 1}})",
        R"({"capability": "pay", "stage": "after", "output": {"secret": "s"}})"}) {
    SCOPED_TRACE(event);
    for (const DecideOptions& options : {DecideOptions(), ask}) {
      const Decided decided(event, options);
      const auto read = parse_decision(decided.json(77));
      ASSERT_TRUE(read.ok()) << read.error().message << ": " << decided.json();
      EXPECT_EQ(read->event, 77u);
      expect_same(decided, *read);
    }
  }
}

TEST(DecisionJson, WhenItExpiresStandsBesideWhoIsAsked) {
  EXPECT_NE(Decided(kLarge).json().find(R"("from": ["finance", "ops"], "expires_seconds": 90, )"
                                        R"("approvals": [{"rule": "p.require_approval#1", "from": ["finance", )"
                                        R"("ops"], "need": 2, "expires_seconds": 90}], "fault")"),
            std::string::npos)
      << Decided(kLarge).json();
  const Decided without(R"({"capability": "other"})", {.default_before = Effect::require_approval});
  EXPECT_NE(without.json().find(R"("from": [], "expires_seconds": null, "approvals": [], "fault")"), std::string::npos)
      << without.json();
  EXPECT_EQ(parse_decision(without.json())->expires_seconds, std::nullopt);
  for (const char* event : {kBroken, kAllowed}) {
    EXPECT_EQ(Decided(event).json().find("expires_seconds"), std::string::npos) << event;
  }
}

TEST(DecisionJson, OnlyTheEffectIsNeededAndNewKeysAreIgnored) {
  const auto read = parse_decision(R"({"effect": "allow", "states": ["x"], "later": {"effect": "deny"}})");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->effect, Effect::allow);
  EXPECT_EQ(read->rule + read->reason + read->capability, "");
  EXPECT_FALSE(read->fault || read->expires_seconds);
  const auto nulls =
      parse_decision(R"({"effect": "deny", "rule": null, "policy": null, "policy_version": null, "fault": null})");
  ASSERT_TRUE(nulls.ok()) << nulls.error().message;
  EXPECT_EQ(nulls->rule, "");
}

TEST(DecisionJson, ARefusalIsAnErrorThatSaysWhy) {
  const auto read = parse_decision(error_json({"bad_event", "`stage` must be \"before\" or \"after\""}, 3));
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, "refused");
  EXPECT_EQ(read.error().message, "the event was refused: bad_event: `stage` must be \"before\" or \"after\"");
}

struct Refusal {
  const char* text;
  const char* message;
};

TEST(DecisionJson, WhatIsNotADecisionIsRefusedWithItsPlace) {
  for (const Refusal& each : {
           Refusal{"[]", "a decision is a JSON object"},
           {"null", "a decision is a JSON object"},
           {"{}", "`effect` is missing"},
           {R"({"effect": "permit"})", R"(`effect` must be one of "allow", "require_approval", "deny")"},
           {R"({"effect": 1})", R"(`effect` must be one of "allow", "require_approval", "deny")"},
           {R"({"effect": null})", R"(`effect` must be one of "allow", "require_approval", "deny")"},
           {R"({"effect": "deny", "event": -1})", "`event` must be an integer from 0 to 9223372036854775807"},
           {R"({"effect": "deny", "stage": "during"})", R"(`stage` must be one of "before", "after")"},
           {R"({"effect": "deny", "rule": 1})", "`rule` must be a string"},
           {R"({"effect": "deny", "reason": null})", "`reason` must be a string"},
           {R"({"effect": "deny", "matched": "a"})", "`matched` must be a list of strings"},
           {R"({"effect": "deny", "matched": [null]})", "`matched` must be a list of strings"},
           {R"({"effect": "allow", "obligations": {}})", "`obligations` must be a list"},
           {R"({"effect": "allow", "obligations": null})", "`obligations` must be a list"},
           {R"({"effect": "allow", "obligations": [1]})", "obligations[0] must be an object"},
           {R"({"effect": "allow", "obligations": [{}]})", "`obligations[0].kind` is missing"},
           {R"({"effect": "allow", "obligations": [{"kind": "warn"}, {"kind": "encrypt", "path": "a", "with": 1}]})",
            R"(`obligations[1].kind` must be one of "redact", "warn")"},
           {R"({"effect": "allow", "obligations": [{"kind": "deny"}]})",
            R"(`obligations[0].kind` must be one of "redact", "warn")"},
           {R"({"effect": "allow", "obligations": [{"kind": "redact", "with": 1}]})",
            "`obligations[0].path` is missing"},
           {R"({"effect": "allow", "obligations": [{"kind": "redact", "path": "a"}]})",
            "`obligations[0].with` is missing"},
           {R"({"effect": "require_approval", "from": "ops"})", "`from` must be a list of strings"},
           {R"({"effect": "require_approval", "expires_seconds": 0})",
            "`expires_seconds` must be an integer from 1 to 9223372036854775807"},
           {R"({"effect": "require_approval", "expires_seconds": -5})",
            "`expires_seconds` must be an integer from 1 to 9223372036854775807"},
           {R"({"effect": "require_approval", "expires_seconds": 1e3})",
            "`expires_seconds` must be an integer from 1 to 9223372036854775807"},
           {R"({"effect": "require_approval", "expires_seconds": 9223372036854775808})",
            "`expires_seconds` must be an integer from 1 to 9223372036854775807"},
           {R"({"effect": "require_approval", "approvals": {}})", "`approvals` must be a list"},
           {R"({"effect": "require_approval", "approvals": [1]})", "approvals[0] must be an object"},
           {R"({"effect": "require_approval", "approvals": [{"need": 1}]})", "`approvals[0].from` is missing"},
           {R"({"effect": "require_approval", "approvals": [{"from": []}]})", "`approvals[0].need` is missing"},
           {R"({"effect": "require_approval", "approvals": [{"from": "a", "need": 1}]})",
            "`approvals[0].from` must be a list of strings"},
           {R"({"effect": "require_approval", "approvals": [{"from": ["a"], "need": 0}]})",
            "`approvals[0].need` must be an integer from 1 to 4294967295"},
           {R"({"effect": "require_approval", "approvals": [{"from": ["a", "a"], "need": 2}]})",
            "`approvals[0].need` is more than the groups in `from`"},
           {R"({"effect": "require_approval", "approvals": [{"from": [], "need": 2}]})",
            "`approvals[0].need` is more than the groups in `from`"},
           {R"({"effect": "require_approval", "approvals": [{"from": ["a"], "need": 1, "distinct": 0}]})",
            "`approvals[0].distinct` must be true or false"},
           {R"({"effect": "require_approval", "approvals": [{"from": ["a"], "need": 1, "expires_seconds": 0}]})",
            "`approvals[0].expires_seconds` must be an integer from 1 to 9223372036854775807"},
           {R"({"effect": "require_approval", "from": ["a", "b"], "approvals": [{"from": ["a"], "need": 1}]})",
            "`approvals` names other groups than `from`"},
           {R"({"effect": "deny", "fault": []})", "fault must be an object"},
           {R"({"effect": "deny", "fault": {"line": 4294967296}})",
            "`fault.line` must be an integer from 0 to 4294967295"},
           {R"({"error": "x"})", "`effect` is missing"},
       }) {
    const auto read = parse_decision(each.text);
    ASSERT_FALSE(read.ok()) << each.text;
    EXPECT_EQ(read.error().code, "bad_decision") << each.text;
    EXPECT_EQ(read.error().message, each.message) << each.text;
  }
}

TEST(DecisionJson, HostileBytesAreRefused) {
  const std::string whole = Decided(kLarge).json();
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto cut = parse_decision(std::string_view(whole).substr(0, size));
    ASSERT_FALSE(cut.ok()) << size;
    EXPECT_EQ(cut.error().code, "bad_json") << size;
  }
  const std::string deep = std::string(100'000, '[');
  for (const std::string& text :
       {whole + "x", whole + whole, whole + std::string(1, '\0'), deep, "{\"effect\": \"deny\", \"x\": " + deep + "}",
        std::string("{\"effect\": \"allow\", \"effect\": \"deny\"}"), std::string("{\"effect\": \"allow\xff\"}")}) {
    const auto read = parse_decision(text);
    ASSERT_FALSE(read.ok()) << text.substr(0, 100);
    EXPECT_EQ(read.error().code, "bad_json") << text.substr(0, 100);
  }
  std::string many = "{\"effect\": \"allow\", \"matched\": [\"\"";
  for (int i = 0; i < 300'000; ++i) many += ", \"r\"";
  EXPECT_EQ(parse_decision(many + "]}")->matched.size(), 300'001u);
}

}  // namespace
}  // namespace ordain
