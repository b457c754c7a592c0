// workspace.cc decides which texts are compiled together: open documents, and the files beside them.
#include "lsp/workspace.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "compiler/parse/import_path.h"
#include "lsp/uri.h"

namespace ordain::lsp {
namespace {

bool is_below_folder(std::string_view path, std::string_view folder) {
  if (folder == "/") return path.starts_with('/');
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

std::string without_last_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

}  // namespace

void Workspace::add_folder(const std::string& path) {
  if (path.empty()) return;
  const std::string folder = without_last_slash(path);
  FileSet& set = sets_[folder];
  set.path = folder;
  set.is_folder = true;
  drop_unused_sets();
}

void Workspace::remove_folder(const std::string& path) { sets_.erase(without_last_slash(path)); }

std::vector<std::string> Workspace::folders() const {
  std::vector<std::string> out;
  for (const auto& [path, set] : sets_) {
    if (set.is_folder) out.push_back(path);
  }
  return out;
}

void Workspace::open(OpenDocument document) {
  const std::string uri = document.uri;
  documents_[uri] = std::move(document);
}

void Workspace::change(OpenDocument& document, int64_t version, std::string text) {
  document.version = version;
  document.source = std::make_shared<Source>(Source{document.path, std::move(text)});
}

void Workspace::close(const std::string& uri) {
  documents_.erase(uri);
  drop_unused_sets();
  forget_files();
}

void Workspace::forget_files() {
  for (auto& [path, set] : sets_) {
    set.is_read = false;
    set.read = {};
  }
}

OpenDocument* Workspace::find(std::string_view uri) & {
  const auto found = documents_.find(uri);
  return found == documents_.end() ? nullptr : &found->second;
}

std::string Workspace::uri_of(const std::string& path) const {
  for (const auto& [uri, document] : documents_) {
    if (document.path == path) return uri;
  }
  return uri_of_path(path);
}

std::string Workspace::set_of(const OpenDocument& document) const {
  const FileSet* best = nullptr;
  for (const auto& [path, set] : sets_) {
    const bool holds = set.is_folder && is_below_folder(document.path, path);
    if (holds && (best == nullptr || path.size() > best->path.size())) best = &set;
  }
  return best != nullptr ? best->path : document.path;
}

// Sets of single documents go when the document is closed, or belongs to a folder.
void Workspace::drop_unused_sets() {
  std::set<std::string> used;
  for (const auto& [uri, document] : documents_) used.insert(set_of(document));
  std::erase_if(sets_, [&](const auto& entry) { return !entry.second.is_folder && !used.contains(entry.first); });
}

FileSet& Workspace::read_set(const std::string& name) {
  FileSet& set = sets_[name];
  set.path = name;
  if (!set.is_read) {
    // The set of one document is that file and what it imports: a folder that a client opens like a file is not
    // searched.
    std::error_code unknown;
    const bool would_search = !set.is_folder && std::filesystem::is_directory(name, unknown);
    set.read = would_search ? Diagnostics() : read_({name});
    for (auto& source : set.read.sources) {
      if (source->path == name || source->path.empty()) continue;
      // Paths are compared with those of documents.
      const std::string path = normal_path(source->path);
      if (path == source->path) continue;
      auto renamed = std::make_shared<Source>(*source);
      renamed->path = path;
      source = std::move(renamed);
    }
    set.is_read = true;
  }
  return set;
}

std::vector<std::shared_ptr<const Source>> Workspace::sources_of(const std::string& name) {
  const FileSet& set = read_set(name);
  std::set<uint32_t> failed;  // empty sources, which only name a path
  for (const Diagnostic& item : set.read.items) {
    const bool names = item.span.file < set.read.sources.size() && set.read.sources[item.span.file]->text.empty();
    if (names) failed.insert(item.span.file);
  }
  std::map<std::string, std::shared_ptr<const Source>> open;
  for (const auto& [uri, document] : documents_) open.emplace(document.path, document.source);
  std::vector<std::shared_ptr<const Source>> policies, data;
  std::set<std::string> taken;
  for (uint32_t file = 0; file < set.read.sources.size(); ++file) {
    const auto& source = set.read.sources[file];
    const auto document = open.find(source->path);
    if (document == open.end() && failed.contains(file)) continue;
    if (!taken.insert(source->path).second) continue;
    if (source->is_data) {
      data.push_back(source);
    } else {
      policies.push_back(document != open.end() ? document->second : source);
    }
  }
  for (const auto& [uri, document] : documents_) {
    if (set_of(document) == name && taken.insert(document.path).second) policies.push_back(document.source);
  }
  policies.insert(policies.end(), data.begin(), data.end());
  return policies;
}

std::vector<std::pair<std::string, Diagnostic>> Workspace::problems_of(const std::string& name) {
  const FileSet& set = read_set(name);
  std::vector<std::pair<std::string, Diagnostic>> out;
  for (const Diagnostic& item : set.read.items) {
    // A folder without policies is as good as one that has not been filled yet.
    if (item.code == "no-policies" || item.span.file >= set.read.sources.size()) continue;
    const std::string& path = set.read.sources[item.span.file]->path;
    const bool is_open =
        std::any_of(documents_.begin(), documents_.end(), [&](const auto& entry) { return entry.second.path == path; });
    if (!is_open) out.emplace_back(path, item);
  }
  return out;
}

}  // namespace ordain::lsp
