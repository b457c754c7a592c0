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

#include "compiler/compiled_file.h"
#include "compiler/data_files.h"
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

struct FoundData {
  std::string path;
  uint32_t file = 0;
};

// Finds data files without parsing: `let NAME = data "PATH"` where a statement may begin.
void scan_data_files(std::string_view text, uint32_t file, std::vector<FoundData>* out) {
  constexpr std::string_view kHead[] = {"let", "", "=", "data"};  // "": any name
  size_t matched = 0;
  int depth = 0;
  for (ScanToken token = next_token(text, 0); token.kind != ScanKind::end; token = next_token(text, token.end)) {
    const std::string_view word = text.substr(token.begin, token.end - token.begin);
    if (matched == std::size(kHead)) {
      const bool plain = token.kind == ScanKind::quoted && word.size() > 2 && (word[0] == '"' || word[0] == '\'');
      if (plain && depth == 0) out->push_back({std::string(word.substr(1, word.size() - 2)), file});
      matched = 0;
    } else if (kHead[matched].empty() || word == kHead[matched]) {
      ++matched;
    } else {
      matched = word == kHead[0] ? 1 : 0;
    }
    if (token.kind != ScanKind::punctuation) continue;
    if (word == "{" || word == "(" || word == "[") ++depth;
    if (word == "}" || word == ")" || word == "]") depth = std::max(0, depth - 1);
  }
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
    if (detail::looks_compiled(text)) {
      return detail::report_compiled(out, asked != nullptr ? *asked : span_of_path(path), path);
    }
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

  // Data files come last. Whether a policy may name them is checked where the policies are parsed; what lies outside
  // of the policy's directory is not read at all.
  void follow_data() {
    std::vector<FoundData> found;
    for (uint32_t file = 0; file < out.sources.size(); ++file) scan_data_files(out.sources[file]->text, file, &found);
    std::set<std::string> read;
    for (const FoundData& data : found) {
      const fs::path directory = fs::path(out.sources[data.file]->path).parent_path();
      const std::string path = detail::data_path(out.sources[data.file]->path, data.path);
      if (path.empty() || !read.insert(path).second) continue;
      Source source{path, "", true, true};
      if (!is_below(directory.empty() ? fs::path(".") : directory, path)) {
        source.text = "it leads out of the directory of the policy";
      } else {
        read_data(source);
      }
      out.sources.push_back(std::make_shared<Source>(std::move(source)));
    }
  }

  // Whether the file is below the directory once all symbolic links are followed. A file that does not exist may be;
  // of a relative path, of which nothing exists, `weakly_canonical` would make no absolute one.
  static bool is_below(const fs::path& directory, const fs::path& path) {
    std::error_code error, other, place;
    const fs::path here = fs::current_path(place);
    if (place) return false;
    const fs::path top = fs::weakly_canonical(here / directory, error);
    const fs::path real = fs::weakly_canonical(here / path, other);
    if (error || other) return false;
    return std::mismatch(top.begin(), top.end(), real.begin(), real.end()).first == top.end();
  }

  static void read_data(Source& source) {
    std::error_code error;
    const fs::file_status status = fs::status(source.path, error);
    if (error || !fs::is_regular_file(status)) {
      source.text = error ? error.message() : "not a regular file";
      return;
    }
    const uintmax_t size = fs::file_size(source.path, error);
    if (error || size > detail::kMaxDataBytes) {
      source.text = error ? error.message() : "it is larger than 128 MiB";
      return;
    }
    std::ifstream stream(source.path, std::ios::binary);
    std::string text(static_cast<size_t>(size) + 1, '\0');
    if (stream) stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (stream.bad() || !stream.eof()) {
      source.text = stream.is_open() ? "it changes while it is read" : std::strerror(errno);
      return;
    }
    text.resize(static_cast<size_t>(stream.gcount()));
    source.text = std::move(text);
    source.unreadable = false;
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
    reader.follow_data();
  } catch (const std::bad_alloc&) {
    throw;                                   // not a mistake of the policies
  } catch (const std::exception& failure) {  // from the file system library
    reader.unreadable(paths.empty() ? "" : paths.front(), failure.what(), nullptr);
  }
  return std::move(reader.out);
}

}  // namespace ordain
