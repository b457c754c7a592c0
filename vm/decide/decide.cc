// decide checks what must hold before any rule runs, and then asks native code for the answer of
// all rules at once. If there is none, it tries the rules.
#include "ordain/decide.h"

#include <algorithm>

#include "vm/decide/decide_run.h"
#include "vm/decide/packed_ruling.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

// Puts a denial into `out` if call, context and program do not belong together, or if the facts do
// not fit.
void refuse_unfit(const Call& call, const Context& context, Arena& arena, Decision* out) {
  if (&call.program() != &context.program()) {
    return refuse(DecisionCode::invalid_input, "call and context are of different programs", out);
  }
  const BindError& error = call.error().failed ? call.error() : context.error();
  if (!error.failed) return refuse(DecisionCode::invalid_input, "the call was not begun", out);
  arena.reset();
  const std::string_view message = error.message;
  char* copy = static_cast<char*>(arena.allocate(message.size(), 1));
  if (copy == nullptr || message.empty()) return refuse(DecisionCode::invalid_input, "invalid input", out);
  std::copy(message.begin(), message.end(), copy);
  refuse(DecisionCode::invalid_input, {copy, message.size()}, out);
}

bool is_fit(const Call& call, const Context& context) {
  return &call.program() == &context.program() && !call.error().failed && !context.error().failed &&
         call.capability().program == linked(call.program()).serial;
}

// Returns false, with `out` unchanged, if the rules must be tried. Needs neither memory nor a
// frame.
bool answer_at_once(const Call& call, const Context& context, const DecideOptions& options, Decision* out) {
  const CapabilityId id = call.capability().id;
  if (id == kNone || options.interpret_only || !is_ample(options.budget)) return false;
  const Program& program = call.program();
  const NativeAnswer code = native_code_of(program).answer(id, call.stage());
  if (code == nullptr) return false;
  const FactBanks facts = facts_of(call, context);
  const uint64_t packed = code(&facts);
  if (packed == kNotAnswered) return false;
  if (packed == kNoRuleMatches) {
    decide_by_default(call, options, out);
    return true;
  }
  const PackedRuling ruling = PackedRuling::unpack(packed);
  const ProgramData& data = data_of(program);
  out->effect = ruling.denies ? Effect::deny : Effect::allow;
  out->code = DecisionCode::rule;
  out->rule = ruling.rule;
  out->reason =
      ruling.text == kNone ? std::string_view(data.rules[ruling.rule].name) : data.constants[ruling.text].as_text();
  return true;
}

}  // namespace

// Decisions are filled in place, because they are large to copy.
Decision decide(const Call& call, const Context& context, Scratch& scratch, const DecideOptions& options) {
  Decision out;
  if (!is_fit(call, context)) [[unlikely]] {
    refuse_unfit(call, context, scratch.arena(), &out);
  } else if (!answer_at_once(call, context, options, &out)) {
    try_rules(call, context, scratch, options, false, &out);
  }
  return out;
}

Decision decide_all(const Call& call, const Context& context, Scratch& scratch, const DecideOptions& options) {
  Decision out;
  if (!is_fit(call, context)) [[unlikely]] {
    refuse_unfit(call, context, scratch.arena(), &out);
  } else {
    try_rules(call, context, scratch, options, true, &out);
  }
  return out;
}

}  // namespace ordain
