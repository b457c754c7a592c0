// session_names.cc answers what is asked about a name at a place: what it is, where it is defined and
// used, what may stand there, and how to rename it.
#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

#include "lsp/completion.h"
#include "lsp/hover.h"
#include "lsp/json.h"
#include "lsp/members.h"
#include "lsp/place.h"
#include "lsp/session.h"

namespace ordain::lsp {
namespace {

constexpr std::string_view kHardWords[] = {"package",   "import",   "let",  "as",    "when",     "because", "from",
                                           "expires",   "with",     "true", "false", "null",     "in",      "break",
                                           "const",     "continue", "else", "for",   "function", "if",      "loop",
                                           "namespace", "return",   "var",  "void",  "while"};

bool is_name(std::string_view text) {
  const auto letter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  const auto part = [&](char c) { return letter(c) || std::isdigit(static_cast<unsigned char>(c)) != 0; };
  if (text.empty() || !letter(text[0]) || !std::all_of(text.begin(), text.end(), part)) return false;
  return std::find(std::begin(kHardWords), std::end(kHardWords), text) == std::end(kHardWords);
}

bool is_dotted_name(std::string_view text) {
  for (;;) {
    const size_t dot = text.find('.');
    if (!is_name(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

// A capability's name as policies write it: in quotes if it is not a dotted name.
std::string spelled_capability(std::string_view name) {
  if (is_dotted_name(name)) return std::string(name);
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

bool can_be_renamed(SymbolKind kind) { return kind != SymbolKind::label && kind != SymbolKind::policy; }

// Why a symbol cannot have the name; "" if it can.
std::string why_not(const SetModel& model, const Symbol& symbol, std::string_view name) {
  if (symbol.kind == SymbolKind::capability) {
    const bool printable =
        std::all_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x20; });
    if (name.empty() || name.find('*') != std::string_view::npos || !printable)
      return "a capability cannot have this name";
    return model.find_shape(name) != nullptr ? "there is a capability of this name" : "";
  }
  if (!is_name(name)) return "this is not a name of the language";
  const bool value =
      symbol.kind == SymbolKind::let || symbol.kind == SymbolKind::state || symbol.kind == SymbolKind::fixture;
  if (value && !describe_root(name).empty()) return "this is a name of the call's facts";
  const size_t bare = bare_name(symbol.name).size();
  const std::string renamed = symbol.name.substr(0, symbol.name.size() - bare) + std::string(name);
  for (const Symbol& each : model.symbols().symbols()) {
    const bool same_kind =
        each.kind == symbol.kind || (value && each.kind != SymbolKind::capability && each.kind != SymbolKind::rule &&
                                     each.kind != SymbolKind::policy && each.kind != SymbolKind::label);
    if (same_kind && each.name == renamed) return "this name is taken";
  }
  return "";
}

}  // namespace

// The model of the set that a document belongs to. Texts that have not changed are not parsed again.
SetModel& Session::model_of(const OpenDocument& document) {
  const std::string set = workspace_.set_of(document);
  std::vector<std::shared_ptr<const Source>> sources = workspace_.sources_of(set);
  ModelOfSet& cached = models_[set];
  if (cached.model == nullptr || cached.model->sources() != sources) {
    cached.model = std::make_unique<SetModel>(std::move(sources), cached.trees, *options_.functions);
  }
  return *cached.model;
}

std::optional<Session::Cursor> Session::cursor_of(const Value& params) {
  const OpenDocument* document = document_of(params);
  if (document == nullptr) return std::nullopt;
  SetModel& model = model_of(*document);
  const std::optional<uint32_t> file = model.find_file(*document->source);
  if (!file) return std::nullopt;
  const auto line = find_integer(params, {"position", "line"}),
             character = find_integer(params, {"position", "character"});
  size_t offset = 0;
  if (line && character && *line >= 0 && *character >= 0) {
    constexpr int64_t kMost = UINT32_MAX;
    offset = TextLines(document->source->text, encoding_)
                 .offset({static_cast<uint32_t>(std::min(*line, kMost)),
                          static_cast<uint32_t>(std::min(*character, kMost))});
  }
  return Cursor{&model, document, *file, offset};
}

std::string Session::location_json(const SetModel& model, const Span& span) const {
  const Source& source = *model.sources()[span.file];
  return JsonObject()
      .add_text("uri", workspace_.uri_of(source.path))
      .add_json("range", TextLines(source.text, encoding_).range_json(span.begin, span.end))
      .json();
}

Session::Answer Session::hover(const Value& params) {
  const auto cursor = cursor_of(params);
  if (!cursor) return {};
  std::string text = describe_place(*cursor->model, cursor->file, cursor->offset);
  std::set<std::string> codes;
  if (const Findings* findings = known_findings(*cursor->document)) {
    const Diagnostics& found = findings->diagnostics;
    for (const Diagnostic& item : found.items) {
      const bool here = item.span.file < found.sources.size() &&
                        found.sources[item.span.file] == cursor->document->source &&
                        item.span.begin <= cursor->offset && cursor->offset <= item.span.end;
      if (!here || !codes.insert(item.code).second) continue;
      const std::string about = describe_code(item.code);
      if (!about.empty()) text += (text.empty() ? "" : "\n\n---\n\n") + about;
    }
  }
  if (text.empty()) return {};
  const std::string contents = JsonObject().add_text("kind", "markdown").add_text("value", text).json();
  return {JsonObject().add_json("contents", contents).json()};
}

Session::Answer Session::completion(const Value& params) {
  const auto cursor = cursor_of(params);
  if (!cursor) return {"[]"};
  const Completions found = complete(*cursor->model, cursor->file, cursor->offset);
  const TextLines lines(cursor->document->source->text, encoding_);
  const std::string range = lines.range_json(found.begin, cursor->offset);
  std::vector<std::string> out;
  for (const Completion& each : found.items) {
    const bool snippet = snippets_ && !each.snippet.empty();
    JsonObject item;
    item.add_text("label", each.label).add_number("kind", static_cast<int64_t>(each.kind));
    if (!each.detail.empty()) item.add_text("detail", each.detail);
    if (!each.doc.empty()) {
      item.add_json("documentation", JsonObject().add_text("kind", "markdown").add_text("value", each.doc).json());
    }
    if (snippet) item.add_number("insertTextFormat", 2);
    const std::string& text = snippet ? each.snippet : each.label;
    item.add_json("textEdit", JsonObject().add_json("range", range).add_text("newText", text).json());
    out.push_back(item.json());
  }
  return {json_array(out)};
}

Session::Answer Session::definition(const Value& params) {
  const auto cursor = cursor_of(params);
  if (!cursor) return {"[]"};
  std::vector<std::string> out;
  const SymbolIndex& symbols = cursor->model->symbols();
  if (const Occurrence* at = symbols.find(cursor->file, cursor->offset)) {
    for (const Occurrence& each : symbols.of_symbol(at->symbol)) {
      if (each.defines) out.push_back(location_json(*cursor->model, each.span));
    }
    return {json_array(out)};
  }
  const std::string_view text = cursor->document->source->text;
  const DottedWord word = dotted_word_at(text, cursor->offset);
  for (const Member& member : find_members(*cursor->model, place_at(text, word.begin), word.segments)) {
    if (member.span.file < cursor->model->sources().size()) out.push_back(location_json(*cursor->model, member.span));
  }
  return {json_array(out)};
}

Session::Answer Session::references(const Value& params) {
  const auto cursor = cursor_of(params);
  const Occurrence* at = cursor ? cursor->model->symbols().find(cursor->file, cursor->offset) : nullptr;
  if (at == nullptr) return {"[]"};
  const bool definitions = find_flag(params, {"context", "includeDeclaration"});
  std::vector<std::string> out;
  for (const Occurrence& each : cursor->model->symbols().of_symbol(at->symbol)) {
    if (definitions || !each.defines) out.push_back(location_json(*cursor->model, each.span));
  }
  return {json_array(out)};
}

Session::Answer Session::prepare_rename(const Value& params) {
  const auto cursor = cursor_of(params);
  const Occurrence* at = cursor ? cursor->model->symbols().find(cursor->file, cursor->offset) : nullptr;
  if (at == nullptr || !can_be_renamed(cursor->model->symbols().symbols()[at->symbol].kind)) return {};
  return {TextLines(cursor->document->source->text, encoding_).range_json(at->span.begin, at->span.end)};
}

Session::Answer Session::rename(const Value& params) {
  const auto cursor = cursor_of(params);
  const Occurrence* at = cursor ? cursor->model->symbols().find(cursor->file, cursor->offset) : nullptr;
  if (at == nullptr) return failed(kInvalidParams, "there is no name here that can be changed");
  const Symbol& symbol = cursor->model->symbols().symbols()[at->symbol];
  const std::string_view name = find_text(params, {"newName"});
  if (!can_be_renamed(symbol.kind))
    return failed(kRequestFailed, "labels and policies are not renamed: hosts and records know them");
  if (cursor->model->has_broken_files()) {
    return failed(kRequestFailed, "a file has syntax errors, so uses of the name may be hidden; mend them first");
  }
  if (const std::string why = why_not(*cursor->model, symbol, name); !why.empty()) return failed(kRequestFailed, why);
  const std::string written = symbol.kind == SymbolKind::capability ? spelled_capability(name) : std::string(name);
  std::map<uint32_t, std::vector<std::string>> edits;
  for (const Occurrence& each : cursor->model->symbols().of_symbol(at->symbol)) {
    const TextLines lines(cursor->model->sources()[each.span.file]->text, encoding_);
    edits[each.span.file].push_back(JsonObject()
                                        .add_json("range", lines.range_json(each.span.begin, each.span.end))
                                        .add_text("newText", written)
                                        .json());
  }
  JsonObject changes;
  for (const auto& [file, list] : edits) {
    changes.add_json(workspace_.uri_of(cursor->model->sources()[file]->path), json_array(list));
  }
  return {JsonObject().add_json("changes", changes.json()).json()};
}

}  // namespace ordain::lsp
