// Turns a test's call into the JSON text of an event. Tests are thus decided in the same way as
// all other events, and a failing test can be decided again by itself.
#include "compiler/evaluate_tests.h"

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "compiler/emit/emit.h"
#include "compiler/fold/fold.h"
#include "ordain/call.h"
#include "ordain/evaluate.h"
#include "ordain/json.h"
#include "vm/json/json_tree.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

bool has_text_keys(const Value& value) {
  if (!value.is(Kind::map)) return false;
  for (const MapEntry& entry : value.map->all()) {
    if (!entry.key.is(Kind::string)) return false;
  }
  return true;
}

// Objects at the same place are merged: `agent = {...}, agent.team = "x"`.
void put(detail::JsonTree& node, std::span<const std::string_view> path, const Value& value) {
  if (!path.empty()) {
    node.text.clear();
    return put(node.fields[std::string(path[0])], path.subspan(1), value);
  }
  if (!has_text_keys(value)) {
    node.fields.clear();
    node.text = to_json(value);
    return;
  }
  node.text.clear();
  for (const MapEntry& entry : value.map->all()) put(node.fields[std::string(entry.key.as_text())], {}, entry.value);
}

// Values may share parts, so a value of little memory may be extremely long as text.
bool can_be_written(const Value& value, uint64_t* left, int depth = 0) {
  if (*left == 0 || depth >= kMaxValueDepth) return false;
  --*left;
  if (value.is(Kind::optional) && value.items != nullptr) return can_be_written(*value.items, left, depth + 1);
  if (value.is(Kind::list)) {
    const std::span<const Value> list = value.as_list();
    return std::all_of(list.begin(), list.end(), [&](const Value& v) { return can_be_written(v, left, depth + 1); });
  }
  if (!value.is(Kind::map)) return true;
  const std::span<const MapEntry> entries = value.map->all();
  return std::all_of(entries.begin(), entries.end(),
                     [&](const MapEntry& entry) { return can_be_written(entry.value, left, depth + 1); });
}

// The time that passes between two calls of a test.
struct Pause {
  int64_t seconds = 0;
  int32_t nanos = 0;

  void add(const Value& duration) {
    constexpr int64_t kMost = int64_t{1000} * 365 * 86400;
    seconds = std::min(kMost, seconds + std::min(kMost, duration.i));
    nanos += static_cast<int32_t>(duration.nanos());
    seconds += nanos / 1'000'000'000;
    nanos %= 1'000'000'000;
  }
};

// Removes what is known only once a call has run.
void leave_out_outcome(detail::JsonTree& facts) {
  facts.fields.erase("output");
  auto action = facts.fields.find("action");
  if (action == facts.fields.end() || action->second.fields.erase("elapsed") == 0) return;
  if (action->second.fields.empty()) facts.fields.erase(action);
}

// What is remembered is kept by who acts, so whoever a test does not name is called "test".
void add_identities(detail::JsonTree& facts) {
  for (const char* name : {"agent", "principal", "tenant", "environment", "session"}) {
    detail::JsonTree& who = facts.fields[name];
    if (who.text.empty()) who.fields.try_emplace("id", detail::JsonTree{{}, "\"test\""});
  }
}

class TestEvaluator {
 public:
  TestEvaluator(Arena& arena, const typed::PolicySet& set, Diagnostics& diagnostics, const FunctionTable& functions)
      : arena_(arena), set_(set), diagnostics_(diagnostics), functions_(functions) {}

  PolicyTest evaluate(const typed::Test& test) {
    PolicyTest out{.name = std::string(test.name), .span = test.span};
    Pause pause;
    for (const typed::TestStep& step : test.steps) {
      switch (step.kind) {
        case typed::TestStep::call:
          out.calls.push_back({.span = step.span, .row = step.row, .returns = step.stage == Stage::after});
          add_events(step, out.calls.back());
          out.calls.back().wait_seconds = pause.seconds;
          out.calls.back().wait_nanos = pause.nanos;
          pause = {};
          break;
        case typed::TestStep::expectation: {
          const std::string rule = step.rule == kNone ? "" : set_.rules[step.rule].name;
          out.calls.back().expectations.push_back({step.span, std::string(step.effect), rule});
          break;
        }
        case typed::TestStep::wait:
          pause.add(step.duration);
          break;
        case typed::TestStep::fails:
          out.calls.back().fails = true;
          break;
        case typed::TestStep::approve:
        case typed::TestStep::reject:
          out.calls.back().answers.push_back(
              {step.span, step.kind == typed::TestStep::approve, std::string(step.group), std::string(step.approver)});
          break;
      }
    }
    return out;
  }

 private:
  // Writes the events of a call, each value evaluated once.
  void add_events(const typed::TestStep& step, TestCall& call) {
    detail::JsonTree facts;
    for (const typed::TestFact& fact : step.facts) add(facts, fact);
    const bool remembers = set_.histories.any();
    if (remembers) add_identities(facts);
    call.event = event_text(step.capability, step.stage, facts);
    if (!remembers) return;
    if (call.returns) leave_out_outcome(facts);
    call.other_event = event_text(step.capability, call.returns ? Stage::before : Stage::after, facts);
  }

  static std::string event_text(std::string_view capability, Stage stage, const detail::JsonTree& facts) {
    std::string out = "{\"capability\": ";
    append_json_string(out, capability);
    if (stage == Stage::after) out += ", \"stage\": \"after\"";
    for (const auto& [name, node] : facts.fields) {
      out += ", ";
      append_json_string(out, name);
      out += ": ";
      detail::append_json_tree(out, node);
    }
    return out + "}";
  }

  void add(detail::JsonTree& facts, const typed::TestFact& fact) {
    typed::Expression expression = fact.value;
    fold(arena_, expression);
    if (expression.root->kind == typed::NodeKind::constant) return write(facts, fact, expression.root->value);
    auto program = link_program(emit(expression, Schema(), diagnostics_), functions_);
    if (!program) {
      diagnostics_.error("internal", expression.root->span, "this value does not compile: " + program.error().message,
                         "this is a defect of the compiler, please report it");
      return;
    }
    const Call call(*program);
    const Context context(*program);
    if (!scratch_) scratch_.emplace();
    Value value;
    Fault fault;
    if (ordain::evaluate(**program, 0, call, context, *scratch_, {}, &value, &fault)) {
      write(facts, fact, value);
    } else {
      diagnostics_.error("test-no-value", expression.root->span, "this has no value: " + fault_message(fault));
    }
  }

  void write(detail::JsonTree& facts, const typed::TestFact& fact, const Value& value) {
    uint64_t parts = 1'000'000;
    if (can_be_written(value, &parts)) return put(facts, fact.path, value);
    diagnostics_.error("test-no-value", fact.value.root->span, "this value is too large for an event");
  }

  Arena& arena_;
  const typed::PolicySet& set_;
  Diagnostics& diagnostics_;
  const FunctionTable& functions_;
  std::optional<Scratch> scratch_;
};

}  // namespace

std::vector<PolicyTest> evaluate_tests(Arena& arena, const typed::PolicySet& set, Diagnostics& diagnostics,
                                       const FunctionTable& functions) {
  TestEvaluator evaluator(arena, set, diagnostics, functions);
  std::vector<PolicyTest> out;
  for (const typed::Test& test : set.tests) out.push_back(evaluator.evaluate(test));
  return out;
}

}  // namespace ordain
