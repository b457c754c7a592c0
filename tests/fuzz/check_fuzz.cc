// check_fuzz reads any text as a policy file. It must compile or have diagnostics; a program that
// compiles must decide, load again in the form in which it was written, and run its tests.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "ordain/compile.h"
#include "ordain/decide.h"
#include "ordain/disasm.h"
#include "ordain/run_tests.h"
#include "ordain/stdlib.h"

namespace {

using namespace ordain;

void check_diagnostics(const Compilation& compilation) {
  const Diagnostics& diagnostics = compilation.diagnostics;
  for (const Diagnostic& item : diagnostics.items) {
    const bool inside = item.span.begin <= item.span.end && item.span.file < diagnostics.sources.size() &&
                        item.span.end <= diagnostics.sources[item.span.file]->text.size();
    if (!inside || item.message.empty() || item.code == "internal") std::abort();
  }
  if ((compilation.program == nullptr) != diagnostics.has_errors()) std::abort();
  render(diagnostics);
  render_json(diagnostics);
}

void decide_empty_calls(const std::shared_ptr<const Program>& program) {
  static Scratch scratch;
  const Context context(program);
  Call call(program);
  for (const Stage stage : {Stage::before, Stage::after}) {
    for (size_t i = 0; i <= program->schema().capabilities.size(); ++i) {
      const bool declared = i < program->schema().capabilities.size();
      const std::string_view name =
          declared ? std::string_view(program->schema().capabilities[i].name) : "not.declared";
      call.begin(program->resolve(name), stage);
      const Decision first = decide(call, context, scratch);
      const Effect effect = first.effect;
      if (first.reason.empty()) std::abort();
      if (decide_all(call, context, scratch).effect != effect) std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  const Compilation compilation =
      compile({std::make_shared<Source>(Source{"fuzz.policy", std::move(text)})}, standard_library(), {.parts = true});
  check_diagnostics(compilation);
  if (compilation.program == nullptr) return 0;
  const std::string bytes = compilation.program->serialise();
  auto loaded = Program::load(bytes, standard_library());
  if (!loaded || (*loaded)->digest() != compilation.program->digest() || (*loaded)->serialise() != bytes) std::abort();
  disassemble(**loaded);
  decide_empty_calls(*loaded);
  if (run_tests(compilation).size() != compilation.tests.size()) std::abort();
  return 0;
}
