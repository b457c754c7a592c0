// data_files.cc finds the file of each `let` that names one, and what is to be read from it.
#include "compiler/data_files.h"

#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include "compiler/data_values.h"
#include "compiler/diagnostic/words.h"
#include "compiler/parse/import_path.h"
#include "ordain/digest.h"

namespace ordain {
namespace {

namespace fs = std::filesystem;

std::optional<Kind> kind_of_data(std::string_view type) {
  static constexpr std::pair<std::string_view, Kind> kKinds[] = {{"string", Kind::string},
                                                                 {"int", Kind::integer},
                                                                 {"uint", Kind::unsigned_integer},
                                                                 {"double", Kind::floating},
                                                                 {"bool", Kind::boolean}};
  for (const auto& [name, kind] : kKinds) {
    if (name == type) return kind;
  }
  return std::nullopt;
}

std::optional<DataFormat> format_of(std::string_view path) {
  if (path.ends_with(".csv")) return DataFormat::csv;
  if (path.ends_with(".json")) return DataFormat::json;
  if (path.ends_with(".jsonl")) return DataFormat::json_lines;
  return std::nullopt;
}

class DataFileReader {
 public:
  DataFileReader(Arena& arena, Diagnostics& diagnostics) : arena_(arena), diagnostics_(diagnostics) {
    for (uint32_t file = 0; file < diagnostics.sources.size(); ++file) {
      const Source& source = *diagnostics.sources[file];
      if (source.is_data) sources_.emplace(normal_path(source.path), file);
    }
  }

  void read(syntax::LetDecl& let) {
    syntax::Expr* list = arena_.make<syntax::Expr>();
    list->span = list->at = let.data->span;
    list->value = Value::list({});
    let.value = list;
    DataRequest request;
    if (!find_type(*let.data, &request) || !find_file(*let.data, &request)) return;
    const Source& source = *diagnostics_.sources[request.file];
    let.data_digest = arena_.copy(std::string_view(to_hex(sha256(source.text))));
    list->value = read_data_values(arena_, diagnostics_, request);
  }

 private:
  bool refuse(Span span, std::string message, std::string help) {
    diagnostics_.error("data-file", span, std::move(message), std::move(help));
    return false;
  }

  bool find_type(const syntax::DataFile& data, DataRequest* out) {
    const syntax::TypeSyntax* type = data.type;
    out->is_set = !(type->name == "list" && type->params.size() == 1 && type->bounds.empty());
    if (!out->is_set) type = type->params[0];
    const bool plain = type->params.empty() && type->bounds.empty() && !type->secret;
    const std::optional<Kind> kind = plain ? kind_of_data(type->name) : std::nullopt;
    if (kind) out->kind = *kind;
    return kind || refuse(data.type->span, "the values of a data file are string, int, uint, double or bool",
                          "write `of string` for values that differ, `of list(string)` for others");
  }

  bool find_file(const syntax::DataFile& data, DataRequest* out) {
    const Span span = data.path.span;
    const std::optional<DataFormat> format = format_of(data.path.text);
    if (!format) return refuse(span, "a data file is called *.csv, *.json or *.jsonl", "");
    const std::string path = detail::data_path(diagnostics_.sources[span.file]->path, data.path.text);
    if (path.empty()) {
      return refuse(span, ordain::quoted(data.path.text) + " leads out of the directory of the policy",
                    "put the file beside the policy, or below its directory");
    }
    const auto found = sources_.find(path);
    if (found == sources_.end()) return refuse(span, "there is no data file " + ordain::quoted(path), "");
    const Source& source = *diagnostics_.sources[found->second];
    if (source.unreadable) return refuse(span, "cannot read " + ordain::quoted(path) + ": " + source.text, "");
    out->file = found->second;
    out->format = *format;
    out->column = data.column.text;
    return true;
  }

  Arena& arena_;
  Diagnostics& diagnostics_;
  std::map<std::string, uint32_t> sources_;  ///< data files by normal path
};

}  // namespace

std::string detail::data_path(std::string_view policy, std::string_view path) {
  const fs::path inside = fs::path(path).lexically_normal();
  if (path.empty() || inside.is_absolute() || inside.begin() == inside.end() || *inside.begin() == "..") return "";
  return normal_path((fs::path(policy).parent_path() / inside).generic_string());
}

void read_data_files(Arena& arena, Diagnostics& diagnostics, std::vector<syntax::File>& files) {
  DataFileReader reader(arena, diagnostics);
  for (syntax::File& file : files) {
    for (syntax::LetDecl& let : file.lets) {
      if (let.data != nullptr) reader.read(let);
    }
  }
}

}  // namespace ordain
