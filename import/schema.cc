// schema.cc turns a JSON document of tools or schemas into `capability` declarations.
#include <fmt/format.h>

#include <memory>
#include <unordered_set>

#include "import/finish.h"
#include "import/policy_text.h"
#include "import/tools.h"
#include "ordain/arena.h"
#include "ordain/compile.h"
#include "ordain/format.h"
#include "ordain/json.h"
#include "ordain/utf8.h"

namespace ordain::importer {
namespace {

constexpr size_t kMaxSchemaBytes = size_t{16} << 20;
constexpr size_t kLongestDescription = 4000;  // bytes

// Cuts a long text between two characters.
std::string_view cut(std::string_view text) {
  if (text.size() <= kLongestDescription) return text;
  size_t size = kLongestDescription;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

std::string declaration(const ToolText& tool, const std::string& server) {
  const std::string name = server.empty() ? tool.name : fmt::format("mcp.{}.{}", server, tool.name);
  std::string out = fmt::format("capability {} {{\n", target(name));
  if (!tool.description.empty()) out += fmt::format("  description {};\n", quote(cut(tool.description)));
  out += fmt::format("  input {}\n", tool.input);
  if (!tool.output.empty()) out += fmt::format("  output {}\n", tool.output);
  return out + "}\n";
}

void refuse_repeated_names(Diagnostics& diagnostics, const std::vector<ToolText>& tools) {
  std::unordered_set<std::string_view> names;
  for (const ToolText& tool : tools) {
    if (names.insert(tool.name).second) continue;
    diagnostics.error("not-importable", Span{}, fmt::format("two tools are called {}", quote(cut(tool.name))));
  }
}

}  // namespace

Result<std::string> read_schema_file(const std::string& path) { return read_file_up_to(path, kMaxSchemaBytes); }

Imported import_schema(const std::string& path, const SchemaOptions& options, const ReadFile& read) {
  Imported imported;
  Diagnostics& diagnostics = imported.diagnostics;
  const std::optional<uint32_t> file = load(diagnostics, path, read, Span{});
  if (!file) return imported;
  // The parser of JSON keeps no places, so diagnostics name parts of the document instead of quoting its text.
  const std::shared_ptr<const Source> source = diagnostics.sources[*file];
  diagnostics.sources[*file] = std::make_shared<Source>(Source{path, ""});
  std::string_view text = source->text;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  Arena arena;
  const Result<Value> document = text.size() > kMaxSchemaBytes
                                     ? Result<Value>(Error{"bad_json", "the file is larger than 16 MiB"})
                                     : parse_json(arena, text);
  if (!document) {
    diagnostics.error("not-importable", Span{}, "this is not a JSON document: " + document.error().message);
    return imported;
  }
  if (options.server.find('*') != std::string::npos || !valid_utf8(options.server)) {
    diagnostics.error("not-importable", Span{}, "a server's name must be UTF-8 without `*`");
    return imported;
  }
  SchemaNotes notes;
  SchemaReader schemas(*document, text.size(), notes);
  const std::vector<ToolText> tools = ToolReader(*document, schemas, notes, diagnostics).read(options.kind, stem(path));
  notes.report(diagnostics);
  if (schemas.exhausted()) {
    diagnostics.error("not-importable", Span{}, "the schemas refer to each other so often that they are too large");
  }
  refuse_repeated_names(diagnostics, tools);
  if (tools.empty() && !diagnostics.has_errors()) {
    diagnostics.error("not-importable", Span{}, "the document holds no tools");
  }
  if (diagnostics.has_errors()) return imported;
  std::string out;
  for (const ToolText& tool : tools) (out += out.empty() ? "" : "\n") += declaration(tool, options.server);
  const Result<std::string> formatted = format_policy(out);
  finish(imported, formatted ? *formatted : out);
  return imported;
}

}  // namespace ordain::importer
