// finish.cc renders the imported policy and compiles it before it is returned.
#include "import/finish.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "import/yaml.h"
#include "ordain/compile.h"
#include "ordain/stdlib.h"

namespace ordain::importer {

Result<std::string> read_yaml_file(const std::string& path) { return read_file_up_to(path, kMaxYamlBytes); }

Result<std::string> read_file_up_to(const std::string& path, size_t most) {
  std::error_code wrong;
  if (std::filesystem::is_directory(path, wrong)) return Error{"unreadable", path + " is a directory"};
  std::ifstream in(path, std::ios::binary);
  if (!in) return Error{"unreadable", "cannot read " + path};
  std::string text(most + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return Error{"unreadable", "cannot read " + path};
  text.resize(static_cast<size_t>(in.gcount()));
  return text;
}

std::optional<uint32_t> load(Diagnostics& diagnostics, const std::string& path, const ReadFile& read, Span from) {
  Result<std::string> text = read(path);
  if (!text && diagnostics.sources.empty()) {
    // There is no text to point into yet, so an empty source carries the path.
    diagnostics.sources.push_back(std::make_shared<Source>(Source{path, ""}));
  }
  if (!text) {
    diagnostics.error("unreadable", from, text.error().message);
    return std::nullopt;
  }
  diagnostics.sources.push_back(std::make_shared<Source>(Source{path, std::move(*text)}));
  return static_cast<uint32_t>(diagnostics.sources.size() - 1);
}

std::string stem(std::string_view path) { return std::filesystem::path(path).stem().string(); }

std::string place(const Diagnostics& diagnostics, Span span) {
  const Source& source = *diagnostics.sources[span.file];
  return fmt::format("{}:{}", std::filesystem::path(source.path).filename().string(),
                     line_column(source, span.begin).line);
}

void finish(Imported& imported, const FileText& file) {
  if (!imported.diagnostics.has_errors()) finish(imported, render(file));
}

void finish(Imported& imported, std::string text) {
  const Compilation compilation =
      compile({std::make_shared<Source>(Source{"imported.policy", text})}, standard_library());
  if (compilation.program == nullptr) {
    for (const Diagnostic& wrong : compilation.diagnostics.items) {
      if (wrong.severity != Severity::error) continue;
      imported.diagnostics.error(
          "not-importable", Span{},
          fmt::format("what this file becomes does not compile: {} [{}]", wrong.message, wrong.code));
      return;
    }
  }
  imported.policy = std::move(text);
}

}  // namespace ordain::importer
