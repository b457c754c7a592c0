// diagnostic.cc locates diagnostics and finds near names for suggestions.
#include "ordain/diagnostic.h"

#include <algorithm>
#include <cctype>
#include <cstring>

namespace ordain {

Diagnostic& Diagnostics::add(Severity severity, std::string code, Span span, std::string message, std::string help) {
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

namespace {

// Computes the optimal string alignment distance: insertions, deletions, replacements, and swaps of
// neighbours; ignores case.
size_t edit_distance(std::string_view a, std::string_view b) {
  auto same = [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  };
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1)});
      bool swapped = i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr size_t kLongest = 80;  // a longer word is pasted, not mistyped
  if (word.size() > kLongest) return "";
  std::string best;
  size_t best_distance = 0;
  for (const std::string& candidate : candidates) {
    size_t longer = std::max(word.size(), candidate.size());
    size_t shorter = std::min(word.size(), candidate.size());
    size_t near = longer < 3 ? 0 : std::max<size_t>(1, longer / 3);
    if (longer > kLongest || longer - shorter > near) continue;
    size_t distance = edit_distance(word, candidate);
    if (distance > near || (!best.empty() && distance >= best_distance)) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

}  // namespace ordain
