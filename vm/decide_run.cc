// Frames and budgets of a decision; the names of effects and codes.
#include "vm/decide_run.h"

#include <algorithm>
#include <cstring>

namespace ordain {

std::string_view to_string(Effect effect) {
  switch (effect) {
    case Effect::allow:
      return "allow";
    case Effect::require_approval:
      return "require_approval";
    case Effect::deny:
      return "deny";
  }
  return "?";
}

std::string_view to_string(DecisionCode code) {
  switch (code) {
    case DecisionCode::rule:
      return "rule";
    case DecisionCode::default_effect:
      return "default";
    case DecisionCode::invalid_input:
      return "invalid_input";
    case DecisionCode::missing_context:
      return "missing_context";
    case DecisionCode::evaluation_error:
      return "evaluation_error";
    case DecisionCode::budget_exceeded:
      return "budget_exceeded";
  }
  return "?";
}

Scratch::Scratch(size_t bytes) : arena_(bytes, bytes) {}

Run::Run(const Call& call, const Context& context, Scratch& scratch, const DecideOptions& run_options)
    : program(call.program()),
      data(program.data()),
      options(run_options),
      capability(call.capability()),
      arena(scratch.arena()) {
  arena.reset();
  frame.facts = facts_of(call, context);
  frame.eval.arena = &arena;
  frame.data = &data;
  frame.link = &link_tables(program);
  frame.budget = options.budget;
}

bool Run::prepare() {
  frame.registers = arena.array<Value>(frame.link->max_registers);
  frame.saved = arena.array<Fault>(frame.link->max_saved_faults);
  return frame.registers != nullptr && frame.saved != nullptr;
}

Truth Run::run(uint32_t predicate) {
  frame.renew();
  const NativePredicate native = options.interpret_only ? nullptr : program.native(predicate);
  return static_cast<Truth>(native != nullptr ? native(&frame) : interpret(frame, predicate));
}

uint32_t Run::run_rules(uint32_t entry, uint32_t end, uint32_t* count) {
  *count = std::min(kRunRules, end - entry);
  NativeRun code = nullptr;
  if (!options.interpret_only) {
    if (frame.link->run_sizes[entry] == *count) code = program.native_run(entry);
    const uint32_t condition = data.rule_codes[data.plan[entry]].condition;
    if (code == nullptr && condition != kNone && program.native(condition) != nullptr) return kOneByOne;
  }
  frame.mark = arena.mark();
  frame.forget_fault();
  const uint32_t first = code != nullptr ? code(&frame) : interpret_run(frame, entry, *count);
  if (first % 4 != static_cast<uint32_t>(Truth::fault)) arena.rewind(frame.mark);
  return first;
}

Truth Run::test(const RuleCode& rule) {
  if (!applies_to(data, rule, capability.globs)) return Truth::no;
  if (rule.condition == kNone) return Truth::yes;
  const Arena::Mark mark = arena.mark();
  const Truth truth = run(rule.condition);
  if (truth != Truth::fault) arena.rewind(mark);
  return truth;
}

std::string_view Run::keep(std::string_view text) {
  char* copy = static_cast<char*>(arena.allocate(text.size() + 1, 1));
  if (copy == nullptr) return {};
  if (!text.empty()) std::memcpy(copy, text.data(), text.size());
  return {copy, text.size()};
}

bool evaluate(const Program& program, uint32_t predicate, const Call& call, const Context& context, Scratch& scratch,
              const DecideOptions& options, Value* result, Fault* fault) {
  Run run(call, context, scratch, options);
  *fault = Fault();
  const bool same = &call.program() == &program && &context.program() == &program;
  const BindError& error = call.error().failed ? call.error() : context.error();
  if (!same || error.failed) {
    fault->code = FaultCode::invalid_argument;
    fault->detail = Value::string(same ? std::string_view(error.message) : "the facts are of another program");
    return false;
  }
  if (!run.prepare()) {
    fault->code = FaultCode::memory_budget;
    return false;
  }
  if (run.run(predicate) == Truth::fault) {
    *fault = run.frame.eval.fault;
    return false;
  }
  *result = run.frame.result;
  return true;
}

}  // namespace ordain
