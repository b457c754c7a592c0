// import_fuzz reads any text as YAML of another engine. The importer must either refuse it with a
// diagnostic that has a place, or produce a policy that compiles.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "ordain/compile.h"
#include "ordain/import.h"
#include "ordain/stdlib.h"

namespace {

using namespace ordain;

void check(const importer::Imported& imported) {
  const Diagnostics& diagnostics = imported.diagnostics;
  for (const Diagnostic& item : diagnostics.items) {
    const bool inside = item.span.begin <= item.span.end && item.span.file < diagnostics.sources.size() &&
                        item.span.end <= diagnostics.sources[item.span.file]->text.size();
    if (!inside || item.code.empty() || item.message.empty()) std::abort();
  }
  if (imported.policy.empty() != diagnostics.has_errors()) std::abort();
  render(diagnostics);
  if (imported.policy.empty()) return;
  const Compilation compilation =
      compile({std::make_shared<Source>(Source{"imported.policy", imported.policy})}, standard_library());
  if (compilation.program == nullptr || compilation.diagnostics.has_errors()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  // This is the only file: it may extend itself, and nothing else.
  const auto read = [&](const std::string& path) -> Result<std::string> {
    if (path == "fuzz.yaml") return text;
    return Error{"unreadable", "cannot read " + path};
  };
  check(importer::import_capfence("fuzz.yaml", {}, read));
  check(importer::import_aegis("fuzz.yaml", {}, read));
  return 0;
}
