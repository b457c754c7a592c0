// Sets up frames and budgets of predicates, and chooses their engine.
#include "vm/interpret/execution.h"

#include <cstring>

namespace ordain::vm {

Execution::Execution(const Call& call, const Context& context, Scratch& scratch, const Budget& budget,
                     bool without_native)
    : program(call.program()), data(data_of(program)), arena(scratch.arena()), interpret_only(without_native) {
  arena.reset();
  frame.facts = facts_of(call, context);
  frame.eval.arena = &arena;
  frame.data = &data;
  frame.link = &link_tables(program);
  frame.budget = budget;
}

bool Execution::prepare() {
  frame.registers = arena.array<Value>(frame.link->max_registers);
  frame.saved = arena.array<Fault>(frame.link->max_saved_faults);
  return frame.registers != nullptr && frame.saved != nullptr &&
         frame.lets.prepare(arena, static_cast<uint32_t>(data.shared_lets.size()));
}

std::string_view Execution::keep(std::string_view text) {
  char* copy = static_cast<char*>(arena.allocate(text.size() + 1, 1));
  if (copy == nullptr) return {};
  if (!text.empty()) std::memcpy(copy, text.data(), text.size());
  return {copy, text.size()};
}

}  // namespace ordain::vm

namespace ordain {

Scratch::Scratch(size_t bytes, bool map_now) : arena_(bytes, bytes, map_now) {}

bool evaluate(const Program& program, uint32_t predicate, const Call& call, const Context& context, Scratch& scratch,
              const EvaluateOptions& options, Value* result, Fault* fault) {
  Execution execution(call, context, scratch, options.budget, options.interpret_only);
  *fault = Fault();
  const bool same = &call.program() == &program && &context.program() == &program;
  if (predicate >= data_of(program).predicates.size()) {
    fault->code = FaultCode::invalid_argument;
    fault->detail = Value::string("the program has no such predicate");
    return false;
  }
  const BindError& error = call.error().failed ? call.error() : context.error();
  if (!same || error.failed) {
    fault->code = FaultCode::invalid_argument;
    fault->detail = Value::string(same ? std::string_view(error.message) : "the facts are of another program");
    return false;
  }
  if (!execution.prepare()) {
    fault->code = FaultCode::memory_budget;
    return false;
  }
  if (execution.run(predicate) == Truth::fault) {
    *fault = execution.frame.eval.fault;
    return false;
  }
  *result = execution.frame.result;
  return true;
}

}  // namespace ordain
