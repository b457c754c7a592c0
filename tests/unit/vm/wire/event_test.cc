// These tests cover events: JSON becomes a call to decide, and facts become JSON that reads as the
// same call.
#include "ordain/event.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>

#include "ordain/decide.h"
#include "ordain/decision_json.h"
#include "ordain/json.h"
#include "tests/unit/vm/wire/wire_program.h"

namespace ordain {
namespace {

using test::wire_program;

/// What a host does with a line: read the event, decide, write the decision.
std::string decide_line(EventReader& reader, Scratch& scratch, std::string_view line) {
  if (auto read = reader.read(line); !read) return error_json(read.error());
  return decision_json(reader.call(), decide_all(reader.call(), reader.context(), scratch));
}

TEST(Event, AHostDecidesJsonInAFewLines) {
  EventReader reader(wire_program());
  Scratch scratch;
  EXPECT_EQ(decide_line(reader, scratch, R"({"capability": "pay", "agent": {"trusted": true}, "input": {}})"),
            R"({"event": 1, "stage": "before", "capability": "pay", "effect": "allow", "code": "rule", )"
            R"("rule": "p.allow#2", "policy": "p", "policy_version": "1.2", "reason": "p.allow#2", )"
            R"("matched": ["p.allow#2", "p.warn#3"], )"
            R"("obligations": [{"kind": "warn", "reason": "look", "rule": "p.warn#3"}], "fault": null})");
  EXPECT_EQ(decide_line(reader, scratch, R"({"capability": "pay")"),
            R"({"event": 1, "error": {"code": "bad_json", "message": "at offset 20: expected `,` or `}`"}})");
}

struct Refusal {
  const char* text;
  const char* code;
  const char* message;  ///< its beginning
};

TEST(Event, WhatIsNotOneEventIsAnErrorAndLeavesADeniedCall) {
  EventReader reader(wire_program());
  Scratch scratch;
  const char* good = R"({"capability": "pay", "agent": {"trusted": true}})";
  for (const Refusal& each : {
           Refusal{"", "bad_json", ""},
           {"{", "bad_json", ""},
           {R"({"capability": "pay"} x)", "bad_json", ""},
           {R"({"capability": "pay"}{"capability": "pay"})", "bad_json", ""},
           {"[]", "bad_event", "an event is a JSON object"},
           {"{}", "bad_event", "`capability` must be"},
           {R"({"capability": ""})", "bad_event", "`capability` must be"},
           {R"({"capability": 1})", "bad_event", "`capability` must be"},
           {R"({"capability": "pay", "stage": "during"})", "bad_event", "`stage` must be"},
           {R"({"capability": "pay", "now": 1})", "bad_event", "`now` must be"},
           {R"({"capability": "pay", "risk": "huge"})", "bad_event", "`risk` must be"},
           {R"({"kind": "intent", "time": "2026-01-01T00:00:00Z"})", "bad_event", "a line of an audit log"},
       }) {
    ASSERT_TRUE(reader.read(good).ok());
    EXPECT_EQ(decide(reader.call(), reader.context(), scratch).effect, Effect::allow);
    const Result<void> read = reader.read(each.text);
    ASSERT_FALSE(read.ok()) << each.text;
    EXPECT_EQ(read.error().code, each.code) << each.text;
    EXPECT_TRUE(read.error().message.starts_with(each.message)) << read.error().message;
    EXPECT_EQ(reader.event().capability, "");
    const Decision decision = decide(reader.call(), reader.context(), scratch);
    EXPECT_EQ(decision.effect, Effect::deny) << each.text;
    EXPECT_EQ(decision.code, DecisionCode::invalid_input) << each.text;
  }
}

TEST(Event, ACallIsDeniedBeforeAnyEventIsRead) {
  const EventReader reader(wire_program());
  Scratch scratch;
  EXPECT_EQ(decide(reader.call(), reader.context(), scratch).code, DecisionCode::invalid_input);
}

TEST(Event, FactsThatCannotBeDecidedAreNotAnError) {
  EventReader reader(wire_program());
  Scratch scratch;
  const auto refused = [&](std::string_view text) {
    EXPECT_TRUE(reader.read(text).ok()) << text;
    EXPECT_EQ(reader.event().capability, "pay");
    return decide(reader.call(), reader.context(), scratch).code == DecisionCode::invalid_input;
  };
  EXPECT_TRUE(refused(R"({"capability": "pay", "input": {"large": 1}})"));
  EXPECT_EQ(reader.flaw(), "");
  EXPECT_TRUE(refused(R"({"capability": "pay", "input": {"large": true, "large": false}})"));
  EXPECT_EQ(reader.flaw(), "duplicate key \"large\"");
  EXPECT_TRUE(refused("{\"capability\": \"pay\", \"metadata\": {\"x\": \"\xff\"}}"));
  EXPECT_EQ(reader.flaw(), "invalid UTF-8");
  EXPECT_FALSE(refused(R"({"capability": "pay", "input": {"large": true}})"));
  EXPECT_EQ(reader.flaw(), "");
}

TEST(Event, TheTimeIsTheEventsOrTheReadersOrTheClocks) {
  EventReader fixed(wire_program(), {.now = TimeParts{60, 5}});
  ASSERT_TRUE(fixed.read(R"({"capability": "pay", "now": "1970-01-01T00:00:07Z"})").ok());
  EXPECT_EQ(fixed.event().now->seconds, 7);
  ASSERT_TRUE(fixed.read(R"({"capability": "pay"})").ok());
  EXPECT_EQ(fixed.event().now->seconds, 60);
  EXPECT_EQ(fixed.event().now->nanos, 5);
  EventReader clock(wire_program());
  const int64_t before = timestamp_of_nanos(system_time_ns()).seconds;
  ASSERT_TRUE(clock.read(R"({"capability": "pay"})").ok());
  EXPECT_GE(clock.event().now->seconds, before);
  EXPECT_LE(clock.event().now->seconds, timestamp_of_nanos(system_time_ns()).seconds);
}

TEST(Event, ContextsAreKeptByWhoActs) {
  EventReader reader(wire_program());
  const auto context_of = [&](const char* agent) {
    EXPECT_TRUE(reader.read(fmt::format(R"({{"capability": "pay", "agent": {}}})", agent)).ok());
    return &reader.context();
  };
  const Context* first = context_of(R"({"trusted": true})");
  EXPECT_NE(context_of(R"({"trusted": false})"), first);
  EXPECT_EQ(context_of(R"({"trusted": true})"), first);
  EXPECT_EQ(reader.contexts(), 2u);
  EventReader moved = std::move(reader);
  EXPECT_EQ(&moved.context(), first);
}

TEST(Event, UnknownKeysAndAttributesWarnOnce) {
  std::vector<std::string> warnings;
  EventReader reader(wire_program(), {.warn = [&](const std::string& message) { warnings.push_back(message); }});
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(reader.read(R"({"capability": "pay", "agent": {"trusted": true, "shoe": 1}, "suite": 2})").ok());
  }
  EXPECT_EQ(warnings, (std::vector<std::string>{"warning: unknown key `suite` is ignored",
                                                "warning: undeclared attribute `agent.shoe` is ignored"}));
}

TEST(Event, ReadingTakesTimeInProportionToTheText) {
  // Quadratic reading of so many keys would take minutes.
  std::string keys, nested;
  for (int i = 0; i < 200'000; ++i) keys += fmt::format(", \"k{}\": {}", i, i);
  for (int i = 0; i < 200'000; ++i) nested += fmt::format("{}\"k{}\": [[{}]]", i == 0 ? "" : ", ", i, i);
  EventReader reader(wire_program());
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(reader.read("{\"capability\": \"pay\"" + keys + "}").ok());
  ASSERT_TRUE(reader.read("{\"capability\": \"pay\", \"agent\": {" + nested + "}}").ok());
  EXPECT_FALSE(reader.read("{\"capability\": \"pay\"" + keys + "} " + keys).ok());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(Event, FactsBecomeJsonThatReadsAsTheSame) {
  Arena arena;
  const auto parse = [&](const char* text) { return *parse_json(arena, text); };
  const Value agent = parse(R"({"id": "a\n\"1\"", "trusted": true})"), tenant = Value::string("t");
  const Value input = parse(R"({"large": true})"), output = parse(R"({"secret": [1, 2.0, null]})");
  const Value action = parse(R"({"id": "x", "elapsed": "9s"})");
  const Event event{.capability = "pay",
                    .stage = Stage::after,
                    .now = TimeParts{1'700'000'000, 500'000'000},
                    .agent = &agent,
                    .tenant = &tenant,
                    .action = &action,
                    .input = &input,
                    .output = &output,
                    .risk = 2.5,
                    .elapsed_ns = 1'500'000'000};
  const std::string json = to_json(event);
  EXPECT_EQ(json,
            R"({"action":{"elapsed":"1.5s","id":"x"},"agent":{"id":"a\n\"1\"","trusted":true},"capability":"pay",)"
            R"("input":{"large":true},"now":"2023-11-14T22:13:20.500Z","output":{"secret":[1,2.0,null]},"risk":2.5,)"
            R"("stage":"after","tenant":"t"})");
  EventReader reader(wire_program());
  ASSERT_TRUE(reader.read(json).ok());
  EXPECT_EQ(to_json(reader.event()), json);
  EXPECT_EQ(reader.call().stage(), Stage::after);
  EXPECT_FALSE(reader.call().error().failed) << reader.call().error().message;
}

TEST(Event, AnActionOfTextKeepsItsIdBesideItsTime) {
  const Value action = Value::string("x");
  EXPECT_EQ(to_json(Event{.capability = "pay", .action = &action}),
            R"({"action":"x","capability":"pay","stage":"before"})");
  EXPECT_EQ(to_json(Event{.capability = "pay", .stage = Stage::after, .action = &action, .elapsed_ns = -1}),
            R"({"action":{"elapsed":"-0.000000001s","id":"x"},"capability":"pay","stage":"after"})");
}

// The decision about an event in parts; "" in place of the code if the parts cannot be read.
std::string code_of(EventReader& reader, const EventParts& parts) {
  Scratch scratch;
  const bool read = reader.read(parts).ok();
  const Decision decision = decide(reader.call(), reader.context(), scratch);
  if (read) return std::string(to_string(decision.effect)) + " " + std::string(to_string(decision.code));
  EXPECT_EQ(decision.effect, Effect::deny);
  EXPECT_EQ(decision.code, DecisionCode::invalid_input);
  return "";
}

TEST(Event, TheAgentsTextsSetNoFactOfTheHost) {
  EventReader reader(wire_program());
  const char* const trusted = R"({"agent": {"trusted": true}})";
  const char* const distrusted = R"({"agent": {"trusted": false}})";
  EXPECT_EQ(code_of(reader, {.capability = "pay", .host = trusted, .input = "{}"}), "allow rule");
  EXPECT_EQ(code_of(reader, {.capability = "pay", .host = distrusted, .input = "{}"}), "deny default");
  EXPECT_EQ(code_of(reader, {.capability = "pay", .host = distrusted, .input = "{}", .metadata = trusted}),
            "deny default");
  // `pay` is closed, so that a claim in its input does not fit; an unknown capability takes any input.
  EXPECT_EQ(code_of(reader, {.capability = "pay", .host = distrusted, .input = trusted}), "deny invalid_input");
  EXPECT_EQ(code_of(reader, {.capability = "other", .host = distrusted, .input = trusted}), "deny default");
  EXPECT_EQ(code_of(reader, {.capability = "pay", .host = trusted, .input = R"({}, "agent": {})"}),
            "deny invalid_input");
  EXPECT_EQ(reader.flaw().substr(0, 6), "input:");
  for (const char* text : {"", "{", "[]", "{\"large\": 1, \"large\": 1}", "\"\xff\""}) {
    EXPECT_EQ(code_of(reader, {.capability = "pay", .host = trusted, .input = text}), "deny invalid_input") << text;
  }
}

TEST(Event, HostFactsHaveTheHostsKeysAlone) {
  EventReader reader(wire_program());
  for (const char* host : {"", "{", "[]", "null", R"({"input": {}})", R"({"output": {}})", R"({"metadata": {}})",
                           R"({"capability": "pay"})", R"({"stage": "before"})", R"({"unheard_of": 1})",
                           R"({"now": 1})", R"({"risk": "huge"})"}) {
    EXPECT_EQ(code_of(reader, {.capability = "pay", .host = host, .input = "{}"}), "") << host;
    EXPECT_EQ(reader.flaw(), "") << host;
  }
  EXPECT_EQ(code_of(reader, {.capability = "", .input = "{}"}), "");
  EXPECT_EQ(code_of(reader, {.capability = "p\xff", .input = "{}"}), "");
  EXPECT_EQ(code_of(reader, {.capability = "pay", .host = R"({"agent": 1, "agent": 1})", .input = "{}"}),
            "deny invalid_input");
}

TEST(Event, PartsReadAsTheEventThatTheyMakeUp) {
  EventReader whole(wire_program()), parts(wire_program());
  ASSERT_TRUE(whole
                  .read(R"({"capability": "pay", "stage": "after", "agent": {"trusted": true}, "risk": 2,)"
                        R"("now": "2024-05-01T12:00:00Z", "input": {"large": true}, "output": {"secret": 1}})")
                  .ok());
  ASSERT_TRUE(parts
                  .read(EventParts{.capability = "pay",
                                   .stage = Stage::after,
                                   .host = R"({"agent": {"trusted": true}, "risk": 2, "now": "2024-05-01T12:00:00Z"})",
                                   .input = R"({"large": true})",
                                   .output = R"({"secret": 1})"})
                  .ok());
  EXPECT_EQ(to_json(parts.event()), to_json(whole.event()));
}

}  // namespace
}  // namespace ordain
