// read_sources reads policy files from disk, together with the files that they import.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <new>
#include <set>
#include <system_error>
#include <utility>

#include "compiler/parse/import_path.h"
#include "compiler/parse/parse.h"
#include "compiler/parse/token_scan.h"
#include "compiler/policy_files.h"
#include "ordain/compile.h"

namespace ordain {
namespace {

namespace fs = std::filesystem;

struct FoundImport {
  std::string text;
  bool quoted = false;
  Span span;
};

// Finds imports without parsing: the word `import` where a statement may begin. The parser reports
// errors in them.
std::vector<FoundImport> scan_imports(std::string_view text, uint32_t file) {
  std::vector<FoundImport> out;
  int depth = 0;
  bool start = true;
  for (ScanToken token = next_token(text, 0); token.kind != ScanKind::end; token = next_token(text, token.end)) {
    std::string_view word = text.substr(token.begin, token.end - token.begin);
    if (token.kind == ScanKind::punctuation) {
      if (word == "{" || word == "(" || word == "[") ++depth;
      if (word == "}" || word == ")" || word == "]") depth = std::max(0, depth - 1);
      start = depth == 0 && (word == ";" || word == "}");
      continue;
    }
    if (!start || depth != 0 || word != "import") {
      start = false;
      continue;
    }
    start = false;
    FoundImport import;
    size_t end = token.end;
    for (ScanToken part = next_token(text, end); part.kind != ScanKind::end; part = next_token(text, end)) {
      std::string_view piece = text.substr(part.begin, part.end - part.begin);
      if (part.kind == ScanKind::punctuation && piece != ".") break;
      if (import.text.empty()) import.span.begin = static_cast<uint32_t>(part.begin);
      import.quoted = import.quoted || part.kind == ScanKind::quoted;
      import.text += piece;
      end = part.end;
    }
    import.span.file = file;
    import.span.end = static_cast<uint32_t>(end);
    if (import.quoted) {
      if (import.text.size() < 2) continue;
      import.text = import.text.substr(1, import.text.size() - 2);
    }
    if (!import.text.empty()) out.push_back(std::move(import));
    token.end = end;
  }
  return out;
}

struct Reader {
  Diagnostics out = {};
  std::set<std::string> seen = {};      // canonical paths
  std::vector<std::string> roots = {};  // the given directories

  // Makes a place for an error about a path that no policy text names: an empty source with that
  // name.
  Span span_of_path(const std::string& path) {
    out.sources.push_back(std::make_shared<Source>(Source{path, ""}));
    return {static_cast<uint32_t>(out.sources.size() - 1), 0, 0};
  }

  void unreadable(const std::string& path, const std::string& why, const Span* asked) {
    Span span = asked != nullptr ? *asked : span_of_path(path);
    out.error("unreadable", span, "cannot read " + path + ": " + why);
  }

  static std::string identity(const std::string& path) {
    std::error_code error;
    fs::path canonical = fs::weakly_canonical(path, error);
    return error ? normal_path(path) : canonical.generic_string();
  }

  void read_file(const std::string& path, const Span* asked) {
    if (!seen.insert(identity(path)).second) return;
    std::error_code error;
    fs::file_status status = fs::status(path, error);
    if (error) return unreadable(path, error.message(), asked);
    // Reading a pipe or a device could block or never end.
    if (!fs::is_regular_file(status)) return unreadable(path, "not a regular file", asked);
    uintmax_t size = fs::file_size(path, error);
    if (error) return unreadable(path, error.message(), asked);
    const uint32_t limit = ParseLimits{}.source_bytes;
    if (size > limit) {
      Span span = asked != nullptr ? *asked : span_of_path(path);
      out.error("limit-source", span,
                path + " has " + std::to_string(size) + " bytes; a file may have " + std::to_string(limit));
      return;
    }
    std::ifstream stream(path, std::ios::binary);
    // Reading one byte more than the size shows if the file has grown meanwhile. The parser refuses
    // text past the limit.
    std::string text(static_cast<size_t>(size) + 1, '\0');
    if (stream) stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (stream.bad() || !stream.eof()) {
      return unreadable(path, stream.is_open() ? "it changes while it is read" : std::strerror(errno), asked);
    }
    text.resize(static_cast<size_t>(stream.gcount()));
    out.sources.push_back(std::make_shared<Source>(Source{path, std::move(text)}));
  }

  void read_directory(const std::string& path) {
    roots.push_back(path);
    const detail::PolicyFiles found = detail::find_policy_files(path);
    for (const auto& problem : found.problems) unreadable(problem.path, problem.why, nullptr);
    if (found.files.empty() && found.problems.empty()) {
      out.warning("no-policies", span_of_path(path), "no file in " + path + " is called *.policy");
    }
    for (const std::string& file : found.files) read_file(file, nullptr);
  }

  // Files that are only imported come after the given files, in the order in which they are found.
  void follow_imports() {
    for (uint32_t file = 0; file < out.sources.size(); ++file) {
      std::shared_ptr<const Source> source = out.sources[file];
      for (const FoundImport& import : scan_imports(source->text, file)) {
        for (const std::string& candidate : import_candidates(source->path, import.text, import.quoted, roots)) {
          std::error_code ignored;
          if (!fs::exists(candidate, ignored)) continue;
          read_file(candidate, &import.span);
          break;
        }
      }
    }
  }
};

}  // namespace

Diagnostics read_sources(const std::vector<std::string>& paths) {
  Reader reader;
  try {
    for (const std::string& path : paths) {
      std::error_code error;
      if (fs::is_directory(path, error)) {
        reader.read_directory(path);
      } else {
        reader.read_file(path, nullptr);
      }
    }
    reader.follow_imports();
  } catch (const std::bad_alloc&) {
    throw;                                   // not a mistake of the policies
  } catch (const std::exception& failure) {  // from the file system library
    reader.unreadable(paths.empty() ? "" : paths.front(), failure.what(), nullptr);
  }
  return std::move(reader.out);
}

}  // namespace ordain
