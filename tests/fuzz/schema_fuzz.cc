// schema_fuzz reads any text as a JSON document of tools or schemas. The importer must either refuse it, or produce
// declarations that compile and are formatted.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "ordain/compile.h"
#include "ordain/format.h"
#include "ordain/import.h"
#include "ordain/stdlib.h"

namespace {

using namespace ordain;

void check_schema(const importer::Imported& imported) {
  for (const Diagnostic& item : imported.diagnostics.items) {
    if (item.code.empty() || item.message.empty() || item.span.file >= imported.diagnostics.sources.size())
      std::abort();
  }
  if (imported.policy.empty() != imported.diagnostics.has_errors()) std::abort();
  render(imported.diagnostics);
  if (imported.policy.empty()) return;
  const Compilation compilation =
      compile({std::make_shared<Source>(Source{"imported.policy", imported.policy})}, standard_library());
  if (compilation.program == nullptr || compilation.diagnostics.has_errors()) std::abort();
  const Result<std::string> formatted = format_policy(imported.policy);
  if (!formatted || *formatted != imported.policy) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto read = [&](const std::string&) -> Result<std::string> { return text; };
  for (const auto kind : {importer::SchemaKind::any, importer::SchemaKind::mcp, importer::SchemaKind::json_schema,
                          importer::SchemaKind::openapi}) {
    check_schema(importer::import_schema("fuzz.json", {.kind = kind, .server = size % 2 == 0 ? "s" : ""}, read));
  }
  return 0;
}
