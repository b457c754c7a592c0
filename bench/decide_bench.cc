// decide_bench times ten typed rules in the interpreter and in native code, beside the same rules
// written in C++ by hand, over the same filled Call. It also times hundreds of role rules, which
// show the effect of the index.
//   build/release/bin/decide_bench
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <iostream>

#include "bench/program.h"
#include "bench/rule_sets.h"
#include "ordain/decide.h"
#include "ordain/json.h"

namespace ordain {
namespace {

using bench::make_program;

// Calls of `pay` that together reach every rule; two thirds are allowed, as in practice.
const char* const kPayments[] = {
    R"({"amount": 20.0, "count": 1, "recipient": "bob", "currency": "EUR", "urgent": false, "recurring": false, "day": 1})",
    R"({"amount": 800.5, "count": 3, "recipient": "landlord", "currency": "EUR", "urgent": true, "recurring": true, "day": 2})",
    R"({"amount": 99.0, "count": 2, "recipient": "carol", "currency": "USD", "urgent": false, "recurring": false, "day": 3, "limit": 5})",
    R"({"amount": 4999.0, "count": 9, "recipient": "dave", "currency": "EUR", "urgent": false, "recurring": false, "day": 4})",
    R"({"amount": 7000.0, "count": 9, "recipient": "landlord", "currency": "EUR", "urgent": false, "recurring": false, "day": 5})",
    R"({"amount": 10.0, "count": 1, "recipient": "erin", "currency": "GBP", "urgent": false, "recurring": true, "day": 1, "limit": 2})",
    R"({"amount": 10.0, "count": 1, "recipient": "eve", "currency": "EUR", "urgent": false, "recurring": false, "day": 1})",
    R"({"amount": 10.0, "count": 1, "recipient": "bob", "currency": "USD", "urgent": true, "recurring": false, "day": 1})",
    R"({"amount": 10.0, "count": 6, "recipient": "bob", "currency": "EUR", "urgent": false, "recurring": false, "day": 1, "limit": 5})",
};
constexpr size_t kPaymentCount = sizeof(kPayments) / sizeof(kPayments[0]);

// Filled calls, and the memory that their values view.
struct Filled {
  std::shared_ptr<const Program> program;
  std::unique_ptr<Context> context;
  std::vector<std::unique_ptr<Call>> calls;
};

Filled fill_payments(bool native) {
  Filled out;
  out.program = make_program(bench::kTenRules, native);
  out.context = std::make_unique<Context>(out.program);
  const Value roles[] = {Value::string("clerk"), Value::string("banker")};
  out.context->set("agent.roles", Value::list(roles));
  for (const char* payment : kPayments) {
    auto call = std::make_unique<Call>(out.program);
    call->begin(out.program->resolve("pay"), Stage::before);
    call->bind_input(*parse_json(call->arena(), payment));
    if (call->error().failed) std::exit(1);
    out.calls.push_back(std::move(call));
  }
  return out;
}

// The same rules by hand: the slots are resolved when it is constructed, and strings are symbols.
// It reads the same filled Call, so it also checks what the engine must not assume: that call and
// context belong to this program and fit, that the rules apply to this call, that a field is
// present, that arithmetic does not overflow. It returns the same Decision.
class HandWritten {
 public:
  explicit HandWritten(const Program& program) : program_(program), pay_id_(program.resolve("pay").id) {
    const Capability* pay = program.schema().find_capability("pay");
    const auto index = [&](const char* path) { return program.schema().slots[program.slot(pay, path).id].index; };
    amount_ = index("input.amount"), count_ = index("input.count"), recipient_ = index("input.recipient");
    currency_ = index("input.currency"), urgent_ = index("input.urgent"), recurring_ = index("input.recurring");
    day_ = index("input.day"), limit_ = index("input.limit");
    mallory_ = program.symbol("mallory"), trudy_ = program.symbol("trudy"), eve_ = program.symbol("eve");
    oscar_ = program.symbol("oscar"), eur_ = program.symbol("EUR"), landlord_ = program.symbol("landlord");
    const Slot& roles = program.schema().slots[program.slot(nullptr, "agent.roles").id];
    suspended_ = roles.first_bit + bit(roles, program.symbol("suspended"));
    banker_ = roles.first_bit + bit(roles, program.symbol("banker"));
  }

  Decision decide(const Call& call, const Context& context) const {
    if (&call.program() != &program_ || &context.program() != &program_) {
      return refused(DecisionCode::invalid_input, "call and context are of different programs");
    }
    if (call.error().failed) return refused(DecisionCode::invalid_input, call.error().message);
    if (context.error().failed) return refused(DecisionCode::invalid_input, context.error().message);
    if (call.capability().id != pay_id_ || call.stage() != Stage::before) return no_rule();
    const Value* v = call.slots().values.data();
    const SymbolId* s = call.slots().symbols.data();
    const uint64_t* bits = context.slots().bits.data();
    const auto has_bit = [&](uint32_t at) { return (bits[at / 64] >> (at % 64) & 1) != 0; };
    const auto absent = [&](uint32_t slot) { return !v[slot].present(); };

    if (absent(amount_)) return faulted(0, FaultCode::no_such_field);
    if (v[amount_].d <= 0.0) return denied(0);
    int64_t product, sum;
    if (absent(count_)) return faulted(1, FaultCode::no_such_field);
    if (__builtin_mul_overflow(v[count_].i, 3, &product) || __builtin_add_overflow(product, 1, &sum)) {
      return faulted(1, FaultCode::overflow);
    }
    if (sum > 1000) return denied(1);
    if (absent(recipient_)) return faulted(2, FaultCode::no_such_field);
    const SymbolId recipient = s[recipient_];
    if (recipient == mallory_ || recipient == trudy_ || recipient == eve_ || recipient == oscar_) return denied(2);
    if (absent(currency_) || absent(urgent_)) return faulted(3, FaultCode::no_such_field);
    if (s[currency_] != eur_ && v[urgent_].as_bool()) return denied(3);
    if (absent(day_)) return faulted(4, FaultCode::no_such_field);
    if (v[day_].i == 6 || v[day_].i == 7) return denied(4);
    if (absent(recurring_)) return faulted(5, FaultCode::no_such_field);
    if (v[recurring_].as_bool() && v[amount_].d > 900.0) return denied(5);
    if (v[limit_].present() && v[count_].i > v[limit_].i) return denied(6);
    if (has_bit(suspended_)) return denied(7);
    if (v[amount_].d > 5000.0 && recipient != landlord_) return denied(8);
    if (has_bit(banker_) && v[amount_].d < 10000.0 && v[count_].i > 0) return answer(Effect::allow, 9);
    return no_rule();
  }

 private:
  static uint32_t bit(const Slot& slot, SymbolId symbol) {
    uint32_t at = 0;
    while (slot.member_symbols[at] != symbol) ++at;
    return at;
  }
  static Decision refused(DecisionCode code, std::string_view reason) {
    return {.effect = Effect::deny, .code = code, .reason = reason};
  }
  static Decision no_rule() { return refused(DecisionCode::default_effect, "no rule matched"); }
  // Only the location of the fault in the text is missing.
  static Decision faulted(RuleId rule, FaultCode code) {
    Decision out = refused(DecisionCode::evaluation_error, fault_name(code));
    out.rule = out.fault_rule = rule;
    out.fault.code = code;
    return out;
  }
  Decision denied(RuleId rule) const { return answer(Effect::deny, rule); }
  Decision answer(Effect effect, RuleId rule) const {
    return {.effect = effect, .code = DecisionCode::rule, .rule = rule, .reason = program_.rules()[rule].name};
  }

  const Program& program_;
  CapabilityId pay_id_;
  uint32_t amount_, count_, recipient_, currency_, urgent_, recurring_, day_, limit_, suspended_, banker_;
  SymbolId mallory_, trudy_, eve_, oscar_, eur_, landlord_;
};

// Checks that all ways agree before any is timed.
void check_agreement() {
  Filled filled = fill_payments(true);
  const HandWritten by_hand(*filled.program);
  Scratch scratch;
  // Besides the timed calls: one that overflows, and one that does not fit.
  for (const char* odd : {R"({"amount": 1.0, "count": 4611686018427387904, "recipient": "bob", "currency": "EUR",
                             "urgent": false, "recurring": false, "day": 1})",
                          R"({"amount": "much"})"}) {
    filled.calls.push_back(std::make_unique<Call>(filled.program));
    filled.calls.back()->begin(filled.program->resolve("pay"), Stage::before);
    filled.calls.back()->bind_input(*parse_json(filled.calls.back()->arena(), odd));
  }
  for (const auto& call : filled.calls) {
    const Decision expected = by_hand.decide(*call, *filled.context);
    for (const bool interpret : {true, false}) {
      const Decision got = decide(*call, *filled.context, scratch, {.interpret_only = interpret});
      if (got.effect != expected.effect || got.code != expected.code || got.rule != expected.rule ||
          got.reason != expected.reason || got.fault.code != expected.fault.code) {
        std::cerr << "the evaluators disagree\n";
        std::exit(1);
      }
    }
  }
}

void ten_rules_by_hand(benchmark::State& state) {
  Filled filled = fill_payments(false);
  const HandWritten by_hand(*filled.program);
  for (auto _ : state) {
    for (const auto& call : filled.calls) benchmark::DoNotOptimize(by_hand.decide(*call, *filled.context));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kPaymentCount));
}
BENCHMARK(ten_rules_by_hand);

void ten_rules(benchmark::State& state, bool interpret) {
  Filled filled = fill_payments(!interpret);
  Scratch scratch;
  const DecideOptions options{.interpret_only = interpret};
  for (auto _ : state) {
    for (const auto& call : filled.calls) benchmark::DoNotOptimize(decide(*call, *filled.context, scratch, options));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kPaymentCount));
}
BENCHMARK_CAPTURE(ten_rules, interpreter, true);
BENCHMARK_CAPTURE(ten_rules, native, false);

// Times a call of `access` that is bound within the timing and reuses the agent's context.
void role_rules(benchmark::State& state, bool interpret) {
  auto program = make_program(bench::role_rules(static_cast<int>(state.range(0))), !interpret);
  Context context(program);
  const Value roles[] = {Value::string("role3"), Value::string("role7")};
  context.set("agent.roles", Value::list(roles));
  context.set("agent.department", Value::string("department5"));
  Call call(program);
  Scratch scratch;
  const CapabilityRef access = program->resolve("access");
  const SlotRef action = program->slot(program->schema().find_capability("access"), "input.action");
  const SlotRef type = program->slot(nullptr, "resource.type");
  const DecideOptions options{.interpret_only = interpret};
  const Value types[] = {Value::string("type1"), Value::string("type7"), Value::string("none")};
  size_t next = 0;
  for (auto _ : state) {
    call.begin(access, Stage::before);
    call.set(action, Value::string("read"));
    call.set(type, types[next++ % 3]);
    benchmark::DoNotOptimize(decide(call, context, scratch, options));
  }
}
BENCHMARK_CAPTURE(role_rules, interpreter, true)->Arg(10)->Arg(170)->Arg(1000);
BENCHMARK_CAPTURE(role_rules, native, false)->Arg(10)->Arg(170)->Arg(1000);

void json_to_decision(benchmark::State& state) {
  Filled filled = fill_payments(true);
  Call call(filled.program);
  Scratch scratch;
  const CapabilityRef pay = filled.program->resolve("pay");
  size_t next = 0;
  for (auto _ : state) {
    call.begin(pay, Stage::before);
    call.bind_input(*parse_json(call.arena(), kPayments[next++ % kPaymentCount]));
    benchmark::DoNotOptimize(decide(call, *filled.context, scratch));
  }
}
BENCHMARK(json_to_decision);

}  // namespace
}  // namespace ordain

int main(int argc, char** argv) {
  ordain::check_agreement();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
