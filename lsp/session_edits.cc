// session_edits.cc offers changes of documents: mended mistakes and the canonical layout.
#include <algorithm>
#include <utility>

#include "lsp/fixes.h"
#include "lsp/json.h"
#include "lsp/session.h"
#include "ordain/format.h"

namespace ordain::lsp {
namespace {

std::optional<size_t> offset_in(const Value& params, const TextLines& lines, std::string_view end) {
  const auto line = find_integer(params, {"range", end, "line"});
  const auto character = find_integer(params, {"range", end, "character"});
  if (!line || !character || *line < 0 || *character < 0) return std::nullopt;
  constexpr int64_t kMost = UINT32_MAX;
  return lines.offset(
      {static_cast<uint32_t>(std::min(*line, kMost)), static_cast<uint32_t>(std::min(*character, kMost))});
}

// Replaces the lines that differ: [begin, end) of `before`.
std::string edit_json(const TextLines& lines, std::string_view before, std::string_view after) {
  size_t same = 0;
  while (same < before.size() && same < after.size() && before[same] == after[same]) ++same;
  const size_t line = same == 0 ? std::string_view::npos : before.rfind('\n', same - 1);
  const size_t begin = line == std::string_view::npos ? 0 : line + 1;
  size_t tail = 0;
  while (tail < before.size() - begin && tail < after.size() - begin &&
         before[before.size() - 1 - tail] == after[after.size() - 1 - tail]) {
    ++tail;
  }
  const size_t first_whole = before.find('\n', before.size() - tail);  // the tail begins on a line of its own
  tail = first_whole == std::string_view::npos ? 0 : before.size() - first_whole - 1;
  const size_t end = before.size() - tail;
  return JsonObject()
      .add_json("range", lines.range_json(begin, end))
      .add_text("newText", after.substr(begin, after.size() - tail - begin))
      .json();
}

std::string action_json(const Fix& fix, const std::string& uri, const TextLines& lines, bool preferred) {
  const std::string edit =
      JsonObject().add_json("range", lines.range_json(fix.begin, fix.end)).add_text("newText", fix.text).json();
  const std::string changes = JsonObject().add_json(uri, json_array({edit})).json();
  return JsonObject()
      .add_text("title", fix.title)
      .add_text("kind", "quickfix")
      .add_flag("isPreferred", preferred)
      .add_json("edit", JsonObject().add_json("changes", changes).json())
      .json();
}

}  // namespace

Session::Answer Session::code_actions(const Value& params) {
  const OpenDocument* document = document_of(params);
  if (document == nullptr) return {"[]"};
  const TextLines lines(document->source->text, encoding_);
  const auto begin = offset_in(params, lines, "start"), end = offset_in(params, lines, "end");
  if (!begin || !end) return failed(kInvalidParams, "code actions need a range");
  std::vector<std::string> out;
  const Findings& findings = findings_of(*document);
  for (const Diagnostic& item : findings.diagnostics.items) {
    const bool here = item.span.file < findings.diagnostics.sources.size() &&
                      findings.diagnostics.sources[item.span.file] == document->source && item.span.begin <= *end &&
                      item.span.end >= *begin;
    if (!here) continue;
    if (const auto fix = fix_of(item, *document->source)) out.push_back(action_json(*fix, document->uri, lines, true));
    const auto accepted = acceptance_of(item, *document->source);
    if (accepted) out.push_back(action_json(*accepted, document->uri, lines, false));
  }
  return {json_array(out)};
}

Session::Answer Session::format(const Value& params) {
  const OpenDocument* document = document_of(params);
  if (document == nullptr) return {};
  Diagnostics diagnostics;
  diagnostics.sources.push_back(document->source);
  const std::optional<std::string> formatted = format_source(diagnostics, 0);
  if (!formatted) return {};  // its diagnostics say why
  const std::string& text = document->source->text;
  if (*formatted == text) return {"[]"};
  return {json_array({edit_json(TextLines(text, encoding_), text, *formatted)})};
}

}  // namespace ordain::lsp
