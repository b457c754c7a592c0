// Recalls and remembers shared lets.
#include "vm/interpret/shared_lets.h"

#include <cstring>

namespace ordain::vm {
namespace {

/// What is remembered may take this part of the scratch memory, because it is freed only with the
/// decision.
constexpr size_t kPartOfScratch = 4;

bool points_to_memory(const Value& value) {
  switch (value.kind) {
    case Kind::absent:
    case Kind::null:
    case Kind::boolean:
    case Kind::integer:
    case Kind::unsigned_integer:
    case Kind::floating:
    case Kind::timestamp:
    case Kind::duration:
      return false;
    default:
      return true;
  }
}

void remember_outcome(SharedLets& lets, const Eval& eval, uint32_t let, const Value& value, FaultCode code,
                      uint32_t location) {
  if (lets.states[let] != SharedLets::State::begun) return;
  lets.states[let] = SharedLets::State::unknown;
  // An exhausted budget belongs to this evaluation, even if what it made fault was absorbed.
  if (eval.cost_left == 0 || eval.memory_left == 0) return;
  if (points_to_memory(value)) {
    const Arena::Mark now = eval.arena->mark();
    if (now.used > lets.most_kept) return;
    if (now.used > lets.kept.used) lets.kept = now;
  }
  SharedLets::Outcome& outcome = lets.outcomes[let];
  outcome.cost -= eval.cost_left;
  outcome.memory -= eval.memory_left;
  outcome.value = value;
  outcome.code = code;
  outcome.location = location;
  lets.states[let] = SharedLets::State::known;
}

}  // namespace

bool SharedLets::prepare(Arena& arena, uint32_t count) {
  kept = {nullptr, 0};
  if (count == 0) return true;
  outcomes = arena.array<Outcome>(count);
  states = arena.array<State>(count);
  if (outcomes == nullptr || states == nullptr) return false;
  std::memset(states, 0, count * sizeof(State));
  most_kept = arena.mark().used + arena.limit() / kPartOfScratch;
  return true;
}

Recalled recall_let(SharedLets& lets, Eval& eval, uint32_t let, Value* value) {
  SharedLets::Outcome& outcome = lets.outcomes[let];
  // A budget that would just suffice is treated as too small, because some instructions fault as
  // soon as nothing is left.
  if (lets.states[let] != SharedLets::State::known || outcome.cost >= eval.cost_left ||
      outcome.memory >= eval.memory_left) {
    lets.states[let] = SharedLets::State::begun;
    outcome.cost = eval.cost_left;
    outcome.memory = eval.memory_left;
    return Recalled::nothing;
  }
  eval.cost_left -= outcome.cost;
  eval.memory_left -= outcome.memory;
  if (outcome.code == FaultCode::none) {
    *value = outcome.value;
    return Recalled::value;
  }
  eval.fault.code = outcome.code;
  eval.fault.location = outcome.location;
  eval.fault.detail = outcome.value;
  return Recalled::fault;
}

void remember_value(SharedLets& lets, const Eval& eval, uint32_t let, const Value& value) {
  remember_outcome(lets, eval, let, value, FaultCode::none, UINT32_MAX);
}

void remember_fault(SharedLets& lets, const Eval& eval, uint32_t let) {
  const Fault& fault = eval.fault;
  const bool of_budget = fault.code == FaultCode::cost_budget || fault.code == FaultCode::memory_budget;
  if (of_budget) {
    lets.states[let] = SharedLets::State::unknown;
    return;
  }
  remember_outcome(lets, eval, let, fault.detail, fault.code, fault.location);
}

}  // namespace ordain::vm
