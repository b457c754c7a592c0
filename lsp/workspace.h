// workspace.h holds the documents that are open, and the sets of policies that they belong to.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/diagnostic.h"

namespace ordain::lsp {

/// Reads policy files and directories; `ordain::read_sources` is one.
using ReadSources = std::function<Diagnostics(const std::vector<std::string>& paths)>;

/// The text of a document is what the client says, whatever the file holds.
struct OpenDocument {
  std::string uri;
  std::string path;
  int64_t version = 0;
  std::shared_ptr<const Source> source;
};

/// Policies that are compiled together: those of a directory, or a document by itself, with what they import.
struct FileSet {
  std::string path;  ///< the directory, or the document
  bool is_folder = false;
  bool is_read = false;  ///< whether `read` holds what the disk has
  Diagnostics read;
};

class Workspace {
 public:
  explicit Workspace(ReadSources read) : read_(std::move(read)) {}

  void add_folder(const std::string& path);
  void remove_folder(const std::string& path);
  std::vector<std::string> folders() const;

  void open(OpenDocument document);
  /// Replaces the text of a document.
  void change(OpenDocument& document, int64_t version, std::string text);
  void close(const std::string& uri);
  /// Files on the disk are read again when they are needed next.
  void forget_files();

  OpenDocument* find(std::string_view uri) &;
  /// The URI of a path, as the client spells it if the document is open.
  std::string uri_of(const std::string& path) const;
  const std::map<std::string, OpenDocument, std::less<>>& documents() const& { return documents_; }
  const std::map<std::string, OpenDocument, std::less<>>& documents() const&& = delete;

  /// The key of the set that a document belongs to: that of the innermost folder above it, or one of its own.
  std::string set_of(const OpenDocument& document) const;
  /// The texts of a set: policies first, data files last. Open documents stand in for their files.
  std::vector<std::shared_ptr<const Source>> sources_of(const std::string& set);
  /// What was wrong with reading the files of the set, by path.
  std::vector<std::pair<std::string, Diagnostic>> problems_of(const std::string& set);

 private:
  FileSet& read_set(const std::string& set);
  void drop_unused_sets();

  ReadSources read_;
  std::map<std::string, OpenDocument, std::less<>> documents_;  // by URI
  std::map<std::string, FileSet> sets_;                         // by path
};

}  // namespace ordain::lsp
