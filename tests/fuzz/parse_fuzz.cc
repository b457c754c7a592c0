// parse_fuzz reads any bytes as a policy file and as an expression. The parser must end in a tree
// or in diagnostics whose places lie within the text.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "compiler/parse/parse.h"

namespace {

void check(const ordain::Diagnostics& diagnostics) {
  for (const ordain::Diagnostic& item : diagnostics.items) {
    bool inside = item.span.begin <= item.span.end && item.span.end <= diagnostics.sources[0]->text.size();
    if (!inside || item.message.empty() || item.code == "internal") std::abort();
  }
  ordain::render(diagnostics);
  ordain::render_json(diagnostics);
}

ordain::Diagnostics source_of(const uint8_t* data, size_t size) {
  ordain::Diagnostics out;
  out.sources.push_back(
      std::make_shared<ordain::Source>(ordain::Source{"fuzz", std::string(reinterpret_cast<const char*>(data), size)}));
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ordain::Arena arena;
  ordain::Diagnostics file = source_of(data, size);
  ordain::parse(arena, file, 0);
  check(file);
  ordain::Diagnostics expression = source_of(data, size);
  const bool parsed = ordain::parse_expression(arena, expression, 0) != nullptr;
  if (parsed == expression.has_errors()) std::abort();
  check(expression);
  return 0;
}
