// session_sync.cc keeps the texts of documents as the client has them, and publishes diagnostics.
#include <algorithm>
#include <set>
#include <utility>

#include "lsp/json.h"
#include "lsp/session.h"
#include "lsp/uri.h"

namespace ordain::lsp {
namespace {

constexpr size_t kMostDocumentBytes = size_t{64} << 20;
constexpr int64_t kMostQuietMs = 2000;  // diagnostics come at least so often while the author types
enum MessageType : int { kErrorMessage = 1 };

std::optional<Position> position_in(const Value& range, std::string_view end) {
  const auto line = find_integer(range, {end, "line"}), character = find_integer(range, {end, "character"});
  if (!line || !character || *line < 0 || *character < 0) return std::nullopt;
  constexpr int64_t kMost = UINT32_MAX;
  return Position{static_cast<uint32_t>(std::min(*line, kMost)), static_cast<uint32_t>(std::min(*character, kMost))};
}

}  // namespace

void Session::open_document(const Value& params) {
  OpenDocument document;
  document.uri = std::string(find_text(params, {"textDocument", "uri"}));
  document.path = path_of_uri(document.uri);
  document.version = find_integer(params, {"textDocument", "version"}).value_or(0);
  const Value* text = find_value(params, {"textDocument", "text"});
  if (document.path.empty() || text == nullptr || !text->is(Kind::string)) return;
  document.source = std::make_shared<Source>(Source{document.path, std::string(text->as_text())});
  const std::string uri = document.uri;
  workspace_.open(std::move(document));
  touch(workspace_.set_of(*workspace_.find(uri)));
}

void Session::change_document(const Value& params) {
  OpenDocument* document = document_of(params);
  const Value* changes = find_value(params, {"contentChanges"});
  if (document == nullptr || changes == nullptr || !changes->is(Kind::list)) return;
  const int64_t version = find_integer(params, {"textDocument", "version"}).value_or(document->version + 1);
  const std::string set = workspace_.set_of(*document);
  for (const Value& change : changes->as_list()) {
    if (apply_change(*document, change, version)) continue;
    // From here on the client's text is not known.
    show_message(kErrorMessage, "a change of " + document->path + " cannot be followed; open the document again");
    workspace_.close(document->uri);
    break;
  }
  touch(set);
}

// Replaces a range, or the whole text where there is none. @returns false if the change is malformed or too large
bool Session::apply_change(OpenDocument& document, const Value& change, int64_t version) {
  const Value* text = find_value(change, {"text"});
  if (text == nullptr || !text->is(Kind::string)) return false;
  const std::string_view inserted = text->as_text();
  const Value* range = find_value(change, {"range"});
  if (range == nullptr) {
    if (inserted.size() > kMostDocumentBytes) return false;
    workspace_.change(document, version, std::string(inserted));
    return true;
  }
  const auto start = position_in(*range, "start"), end = position_in(*range, "end");
  const std::string& before = document.source->text;
  if (!start || !end || before.size() + inserted.size() > kMostDocumentBytes) return false;
  const TextLines lines(before, encoding_);
  const size_t from = lines.offset(*start);
  const size_t to = std::max(from, lines.offset(*end));
  std::string after;
  after.reserve(before.size() - (to - from) + inserted.size());
  after.append(before, 0, from).append(inserted).append(before, to);
  workspace_.change(document, version, std::move(after));
  return true;
}

// Other files may have changed, too: a save is often one of many.
void Session::save_document(const Value&) {
  workspace_.forget_files();
  touch_all();
}

void Session::close_document(const Value& params) {
  const OpenDocument* document = document_of(params);
  if (document == nullptr) return;
  const std::string set = workspace_.set_of(*document), uri = document->uri;
  workspace_.close(uri);
  touch(set);
}

void Session::change_files(const Value&) {
  workspace_.forget_files();
  touch_all();
}

void Session::change_folders(const Value& params) {
  if (const Value* removed = find_value(params, {"event", "removed"}); removed != nullptr && removed->is(Kind::list)) {
    for (const Value& folder : removed->as_list()) {
      const std::string path = path_of_uri(find_text(folder, {"uri"}));
      for (const std::string& set : workspace_.folders()) {
        if (set == path || (!subfolders_.empty() && set.starts_with(path + "/"))) workspace_.remove_folder(set);
      }
    }
  }
  std::vector<std::string> added;
  if (const Value* list = find_value(params, {"event", "added"}); list != nullptr && list->is(Kind::list)) {
    for (const Value& folder : list->as_list()) added.push_back(path_of_uri(find_text(folder, {"uri"})));
  }
  set_folders(added);
  touch_all();
}

OpenDocument* Session::document_of(const Value& params) {
  return workspace_.find(find_text(params, {"textDocument", "uri"}));
}

// Notes that the diagnostics of a set are to be computed, once the author pauses.
void Session::touch(const std::string& set) {
  const int64_t quiet =
      std::clamp<int64_t>(2 * last_check_ms_, options_.quiet_ms, std::max(options_.quiet_ms, kMostQuietMs));
  Waiting& waiting = waiting_.try_emplace(set, Waiting{now_ms_, now_ms_}).first->second;
  waiting.due = std::min(now_ms_ + quiet, waiting.since + std::max(quiet, kMostQuietMs));
}

void Session::touch_all() {
  std::set<std::string> sets;
  for (const auto& [set, checked] : checked_) sets.insert(set);
  for (const auto& [uri, document] : workspace_.documents()) sets.insert(workspace_.set_of(document));
  for (const std::string& set : sets) touch(set);
}

void Session::publish(const Check& check, Findings findings, int64_t took_ms) {
  Checked& checked = checked_[check.set];
  std::map<std::string, std::vector<std::string>> found;
  checked.findings = std::move(findings);
  if (check.lives) found = diagnostics_json(checked.findings, workspace_, finding_style_);
  last_check_ms_ = took_ms;
  std::map<std::string, std::string> now;  // by URI
  for (const auto& [uri, items] : checked.published) now[uri] = "[]";
  for (const auto& [path, items] : found) now[workspace_.uri_of(path)] = json_array(items);
  std::map<std::string, std::string> before = std::exchange(checked.published, {});
  for (const auto& [uri, items] : now) {
    const OpenDocument* document = workspace_.find(uri);
    const auto known = before.find(uri);
    if (items != "[]") checked.published[uri] = items;
    // Of a document that is open the client also learns which version was read.
    if (document == nullptr && items == (known != before.end() ? known->second : "[]")) continue;
    JsonObject params;
    params.add_text("uri", uri).add_json("diagnostics", items);
    const auto read = check.versions.find(uri);
    if (document != nullptr && read != check.versions.end()) params.add_number("version", read->second);
    send(JsonObject()
             .add_text("jsonrpc", "2.0")
             .add_text("method", "textDocument/publishDiagnostics")
             .add_json("params", params.json())
             .json());
  }
  if (check.lives) return;
  checked_.erase(check.set);
  models_.erase(check.set);
}

// The diagnostics of a document's present text; nullptr if they are not computed yet.
const Findings* Session::known_findings(const OpenDocument& document) const {
  const auto checked = checked_.find(workspace_.set_of(document));
  if (checked == checked_.end()) return nullptr;
  const auto& sources = checked->second.findings.diagnostics.sources;
  const bool current = std::find(sources.begin(), sources.end(), document.source) != sources.end();
  return current ? &checked->second.findings : nullptr;
}

// The same; they are computed now if need be.
const Findings& Session::findings_of(const OpenDocument& document) {
  if (const Findings* known = known_findings(document)) return *known;
  const std::string set = workspace_.set_of(document);
  Findings& findings = checked_[set].findings;
  findings = make_check(workspace_, set, *options_.functions).run();
  return findings;
}

}  // namespace ordain::lsp
