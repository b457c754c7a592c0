// Tries the conditions of a decision, in batches or one by one.
#include "vm/decide/decide_run.h"

#include <algorithm>

#include "vm/program/linked_program.h"

namespace ordain::vm {

void decide_by_default(const Call& call, const DecideOptions& options, Decision* out) {
  out->effect = call.stage() == Stage::before ? options.default_before : options.default_after;
  out->code = DecisionCode::default_effect;
  out->reason = "no rule matched";
}

uint32_t Run::try_batch(uint32_t entry, uint32_t end, uint32_t* count) {
  *count = std::min(kBatchRules, end - entry);
  NativeBatch code = nullptr;
  if (!interpret_only) {
    if (frame.link->batch_sizes[entry] == *count) code = native_code_of(program).batch(entry);
    const uint32_t condition = data.rule_codes[data.rule_list[entry]].condition;
    if (code == nullptr && condition != kNone && native_code_of(program).predicate(condition) != nullptr)
      return kOneByOne;
  }
  frame.mark = arena.mark();
  frame.forget_fault();
  const uint32_t first = code != nullptr ? code(&frame) : interpret_batch(frame, entry, *count);
  if (first % 4 != static_cast<uint32_t>(Truth::fault)) frame.rewind(frame.mark);
  return first;
}

Truth Run::test(const RuleCode& rule) {
  if (!applies_to(data, rule, capability.globs)) return Truth::no;
  if (rule.condition == kNone) return Truth::yes;
  const Arena::Mark mark = arena.mark();
  const Truth truth = run(rule.condition);
  if (truth != Truth::fault) frame.rewind(mark);
  return truth;
}

}  // namespace ordain::vm
