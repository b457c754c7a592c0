// diagnostic.cc locates diagnostics and finds near names for suggestions.
#include "ordain/diagnostic.h"

#include <algorithm>
#include <cstring>

#include "vm/value/nearest_word.h"

namespace ordain {

Diagnostic& Diagnostics::add(Severity severity, std::string code, Span span, std::string message, std::string help) & {
  items.push_back({severity, std::move(code), std::move(message), span, std::move(help), {}});
  return items.back();
}

bool Diagnostics::has_errors() const {
  return std::any_of(items.begin(), items.end(),
                     [](const Diagnostic& item) { return item.severity == Severity::error; });
}

LineColumn line_column(const Source& source, uint32_t offset) {
  const std::string& text = source.text;
  size_t end = std::min<size_t>(offset, text.size());
  LineColumn out;
  size_t line_start = 0;
  while (const void* newline = std::memchr(text.data() + line_start, '\n', end - line_start)) {
    line_start = static_cast<size_t>(static_cast<const char*>(newline) - text.data()) + 1;
    ++out.line;
  }
  for (size_t i = line_start; i < end; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) ++out.column;
  }
  return out;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  NearestWord near(word);
  for (const std::string& candidate : candidates) near.offer(candidate);
  return std::string(near.found());
}

}  // namespace ordain
