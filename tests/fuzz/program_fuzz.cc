// program_fuzz checks that any bytes are safe to load, and that every program that loads is safe to
// run.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "ordain/decide.h"
#include "ordain/disasm.h"
#include "ordain/stdlib.h"
#include "vm/program/linked_program.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ordain;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto loaded = Program::load(bytes, standard_library());
  if (!loaded) return 0;
  const std::shared_ptr<const Program>& program = *loaded;
  if (program->serialise() != bytes) std::abort();  // one program has one serialised form
  disassemble(*program);

  static Scratch scratch(1 << 20);
  DecideOptions options;
  options.budget = {.cost = 10'000, .memory = 64 << 10};
  const Context context(program);
  Call call(program);
  for (const Stage stage : {Stage::before, Stage::after}) {
    call.begin(program->resolve("some.capability"), stage);
    const Effect first = decide(call, context, scratch, options).effect;
    const Decision all = decide_all(call, context, scratch, options);
    if (all.effect != first && all.code != DecisionCode::budget_exceeded) std::abort();
    for (const Capability& capability : program->schema().capabilities) {
      call.begin(program->resolve(capability.name), stage);
      decide(call, context, scratch, options);
    }
    for (uint32_t i = 0; i < data_of(*program).predicates.size(); ++i) {
      Value result;
      Fault fault;
      evaluate(*program, i, call, context, scratch, options, &result, &fault);
    }
  }
  return 0;
}
