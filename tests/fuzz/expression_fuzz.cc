// expression_fuzz checks that a well-typed expression has the same value, or the same fault at the
// same place, on the oracle, the interpreter and native code; with a large budget and with a small
// one; and before and after folding.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "compiler/check/expression/check_expression.h"
#include "compiler/emit/emit.h"
#include "compiler/fold/fold.h"
#include "compiler/parse/parse.h"
#include "ordain/decide.h"
#include "ordain/stdlib.h"
#include "tests/conformance/case.h"
#include "tests/fuzz/generate.h"
#include "tests/support/oracle.h"
#include "vm/program/linked_program.h"
#ifdef ORDAIN_HAS_JIT
#include "ordain/jit.h"
#endif

namespace {

using namespace ordain;

/// The result of an evaluator. Two results are equal if their texts are.
struct Answer {
  bool ok = false;
  Value value;
  std::string text;
};

[[noreturn]] void differ(const fuzz::Generated& input, const std::string& what) {
  fmt::print(stderr, "\n{}\nexpression:\n{}\n", what, input.text);
  for (const auto& [name, value] : input.bindings) fmt::print(stderr, "  {} = {}\n", name, conformance::show(value));
  fmt::print(stderr, "small budget: cost {}, memory {}\n", input.small.cost, input.small.memory);
  std::fflush(stderr);
  std::abort();
}

std::string fault_text(const Fault& fault, uint32_t line, uint32_t column) {
  return fmt::format("{}: {} at {}:{}", fault_name(fault.code), fault_message(fault), line, column);
}

Answer answer_of(Arena& arena, const Value& value) {
  return {.ok = true, .value = copy_value(arena, value), .text = conformance::show(value)};
}

Answer ask_oracle(Arena& arena, const CheckedExpression& checked, const Source& source, const Call& call,
                  const Context& context, const Budget& budget) {
  const oracle::Outcome out = oracle::evaluate(arena, checked.expression, checked.schema, call, context, budget);
  if (out.ok) return answer_of(arena, out.value);
  const LineColumn at = line_column(source, out.at.begin);
  return {.ok = false, .value = {}, .text = fault_text(out.fault, at.line, at.column)};
}

Answer ask_engine(Arena& arena, const Program& program, const Call& call, const Context& context, const Budget& budget,
                  bool interpret_only) {
  static Scratch scratch;
  DecideOptions options;
  options.budget = budget;
  options.interpret_only = interpret_only;
  Value value;
  Fault fault;
  if (evaluate(program, 0, call, context, scratch, options, &value, &fault)) return answer_of(arena, value);
  const Location at = fault.location == kNone ? Location{} : program.locations()[fault.location];
  return {.ok = false, .value = {}, .text = fault_text(fault, at.line, at.column)};
}

void demand_same(const fuzz::Generated& input, const char* names, const Answer& a, const Answer& b) {
  const bool same = a.ok == b.ok && a.text == b.text && (!a.ok || conformance::identical(a.value, b.value));
  if (!same) differ(input, fmt::format("{} differ: {} / {}", names, a.text, b.text));
}

/// @returns nothing if the checker refuses the expression
const CheckedExpression* checked_expression(Arena& arena, Diagnostics& diagnostics, const fuzz::Generated& input,
                                            CheckedExpression& out) {
  diagnostics.sources.push_back(std::make_shared<Source>(Source{"fuzz", input.text}));
  const syntax::Expr* syntax = parse_expression(arena, diagnostics, 0);
  if (syntax == nullptr || diagnostics.has_errors()) {
    // An expression may well exceed the parser's limits of size and depth.
    for (const Diagnostic& item : diagnostics.items) {
      if (item.code.find("too-") == std::string::npos) differ(input, "does not parse: " + render(diagnostics));
    }
    return nullptr;
  }
  out = check_expression(arena, diagnostics, *syntax, input.env, standard_library());
  return diagnostics.has_errors() ? nullptr : &out;
}

void bind(Call& call, const fuzz::Generated& input) {
  const std::vector<Slot>& slots = call.program().schema().slots;
  for (const auto& [name, value] : input.bindings) {
    for (SlotId slot = 0; slot < slots.size(); ++slot) {
      if (slots[slot].path == name) call.set(call.program().slot(slot), value);
    }
  }
}

void compare(Arena& arena, const fuzz::Generated& input, const Diagnostics& diagnostics,
             const CheckedExpression& folded, const CheckedExpression& unfolded) {
  auto linked = link_program(emit(folded.expression, folded.schema, diagnostics), standard_library());
  if (!linked) differ(input, "does not link: " + linked.error().message);
  const std::shared_ptr<const Program>& program = *linked;
  auto loaded = Program::load(program->serialise(), standard_library());
  if (!loaded) differ(input, "does not load: " + loaded.error().message);
  if ((*loaded)->digest() != program->digest()) differ(input, "loads as another program");
#ifdef ORDAIN_HAS_JIT
  NativeOptions options;
  options.optimisation = 0;
  auto native = compile_native(*program, options);
  if (!native) differ(input, "has no native code: " + native.error().message);
  if (!program->fully_native()) differ(input, "has a predicate without native code");
#endif
  Call call(program);
  const Context context(program);
  call.begin(program->resolve(""), Stage::before);
  bind(call, input);
  if (call.error().failed) differ(input, "does not take its variables: " + call.error().message);
  const Source& source = *diagnostics.sources[0];
  for (const Budget& budget : {Budget{}, input.small}) {
    const Answer expected = ask_oracle(arena, folded, source, call, context, budget);
    demand_same(input, "oracle and interpreter", expected, ask_engine(arena, *program, call, context, budget, true));
    demand_same(input, "oracle and native code", expected, ask_engine(arena, *program, call, context, budget, false));
  }
  const Answer before = ask_oracle(arena, unfolded, source, call, context, {});
  const Answer after = ask_oracle(arena, folded, source, call, context, {});
  const bool over = before.text.find("_budget") != std::string::npos || after.text.find("_budget") != std::string::npos;
  if (!over) demand_same(input, "before and after folding", before, after);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Arena arena(1 << 16);
  const fuzz::Generated input = fuzz::generate(arena, data, size);
  static const bool show = std::getenv("ORDAIN_FUZZ_SHOW") != nullptr;
  Diagnostics diagnostics;
  CheckedExpression folded;
  if (checked_expression(arena, diagnostics, input, folded) == nullptr) {
    if (show) fmt::print("{}\n", render(diagnostics));
    return 0;
  }
  if (show) fmt::print("{}\n", input.text);
  Diagnostics again;
  CheckedExpression unfolded;
  checked_expression(arena, again, input, unfolded);
  fold(arena, folded.expression);
  compare(arena, input, diagnostics, folded, unfolded);
  return 0;
}
