// format_fuzz formats any text. What parses must be formatted to text with an equal syntax tree, of
// which formatting again changes nothing; anything else must have diagnostics.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "ordain/format.h"
#include "tests/unit/compiler/parse/parse_dump.h"

namespace {

std::optional<std::string> format(const std::string& text) {
  ordain::Diagnostics diagnostics;
  diagnostics.sources.push_back(std::make_shared<ordain::Source>(ordain::Source{"fuzz.policy", text}));
  std::optional<std::string> out = ordain::format_source(diagnostics, 0);
  if (out.has_value() == diagnostics.has_errors()) std::abort();
  for (const ordain::Diagnostic& item : diagnostics.items) {
    if (item.code == "internal") std::abort();
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto before = ordain::testing::parse_file(text);
  const std::optional<std::string> formatted = format(text);
  if (formatted.has_value() == before->diagnostics.has_errors()) std::abort();
  if (!formatted) return 0;
  const auto after = ordain::testing::parse_file(*formatted);
  if (after->diagnostics.has_errors() || ordain::testing::dump(before->file) != ordain::testing::dump(after->file)) {
    std::abort();
  }
  if (format(*formatted) != formatted) std::abort();
  return 0;
}
