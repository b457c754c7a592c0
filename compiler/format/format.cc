// format.cc is the entry to the formatter. It returns a layout only after comparing it with the
// original: a defect of the formatter must not change what a policy says.
#include "ordain/format.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "compiler/format/layouter.h"
#include "compiler/format/tokens.h"
#include "compiler/parse/parse.h"
#include "compiler/parse/token_scan.h"

namespace ordain {
namespace {

size_t count_errors(const Diagnostics& diagnostics) {
  return static_cast<size_t>(std::count_if(diagnostics.items.begin(), diagnostics.items.end(),
                                           [](const Diagnostic& item) { return item.severity == Severity::error; }));
}

// The comments of a text, each followed by a line feed, without the white space at their ends.
std::string all_comments(std::string_view text) {
  std::string out;
  size_t from = 0;
  for (ScanToken token = next_token(text, 0);; token = next_token(text, token.end)) {
    const std::string_view gap = text.substr(from, token.begin - from);
    for (size_t at = gap.find("//"); at != std::string_view::npos; at = gap.find("//", at)) {
      const size_t end = std::min(gap.find('\n', at), gap.size());
      out += gap.substr(at, end - at);
      out.erase(out.find_last_not_of(" \t\r\f") + 1);
      out += '\n';
      at = end;
    }
    if (token.kind == ScanKind::end) return out;
    from = token.end;
  }
}

bool says_the_same(std::string_view one, std::string_view other) {
  return canonical_text(one) == canonical_text(other) && all_comments(one) == all_comments(other);
}

}  // namespace

std::optional<std::string> format_source(Diagnostics& diagnostics, uint32_t file) {
  const std::shared_ptr<const Source> source = diagnostics.sources[file];
  const size_t errors = count_errors(diagnostics);
  Arena arena;
  std::vector<Lexeme> lexemes;
  parse_with_lexemes(arena, diagnostics, file, &lexemes);
  if (count_errors(diagnostics) > errors) return std::nullopt;
  const layout::Tokens tokens(source->text, lexemes);
  std::string out = layout::Layouter(tokens).format();
  const std::string_view text = std::string_view(source->text).substr(layout::byte_order_mark_size(source->text));
  if (says_the_same(text, out)) return out;
  diagnostics.error("internal", {file, 0, 0}, "the formatted text would say something else",
                    "this is a defect of the formatter, please report it");
  return std::nullopt;
}

Result<std::string> format_policy(std::string_view text) {
  Diagnostics diagnostics;
  diagnostics.sources.push_back(std::make_shared<Source>(Source{"policy", std::string(text)}));
  std::optional<std::string> out = format_source(diagnostics, 0);
  if (!out) return Error{"syntax", render(diagnostics)};
  return *std::move(out);
}

}  // namespace ordain
