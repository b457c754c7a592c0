// lint_fuzz reads any text as a policy file and lints it. Findings must lie within the text, and must not
// keep a set from compiling.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "ordain/lint.h"
#include "ordain/stdlib.h"

namespace {

using namespace ordain;

bool is_inside(const Diagnostics& diagnostics, const Diagnostic& item) {
  return item.span.begin <= item.span.end && item.span.file < diagnostics.sources.size() &&
         item.span.end <= diagnostics.sources[item.span.file]->text.size();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto source =
      std::make_shared<Source>(Source{"fuzz.policy", std::string(reinterpret_cast<const char*>(data), size)});
  const Compilation linted = lint_policies({source}, standard_library());
  for (const Diagnostic& item : linted.diagnostics.items) {
    if (!is_inside(linted.diagnostics, item) || item.message.empty() || item.code == "internal") std::abort();
    for (const Diagnostic& note : item.notes) {
      if (!is_inside(linted.diagnostics, note)) std::abort();
    }
  }
  const Compilation compiled = compile({source}, standard_library());
  if ((compiled.program == nullptr) != (linted.program == nullptr)) std::abort();
  if (render_sarif(linted.diagnostics, "0").empty()) std::abort();
  return 0;
}
