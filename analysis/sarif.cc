// sarif.cc writes diagnostics in the Static Analysis Results Interchange Format, which code hosts and
// editors show. Columns count code points, as in all our messages.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diagnostic/line_map.h"
#include "ordain/json.h"
#include "ordain/lint.h"
#include "ordain/terminal_text.h"
#include "ordain/utf8.h"

namespace ordain {
namespace {

constexpr std::string_view kSchema = "https://json.schemastore.org/sarif-2.1.0.json";

const char* level_of(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::note:
      break;
  }
  return "note";
}

void append_text(std::string& out, std::string_view text) {
  append_json_string(out, valid_utf8(text) ? text : terminal_text(text));
}

// A path as a relative URI: what may not stand in one is written as %XX.
std::string uri_of(std::string_view path) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  static constexpr std::string_view kPlain = "-._~/!$&'()*+,;=@";
  std::string out;
  for (const char c : path) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || kPlain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kDigits[byte >> 4], kDigits[byte & 0xF]};
    }
  }
  return path.starts_with('/') ? "file://" + out : out;
}

class SarifWriter {
 public:
  explicit SarifWriter(const Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  void append_location(std::string& out, const Diagnostic& item) {
    out += "{\"physicalLocation\": {\"artifactLocation\": {\"uri\": ";
    append_json_string(out, uri_of(diagnostics_.sources[item.span.file]->path));
    const LineMap& map = lines_.try_emplace(item.span.file, *diagnostics_.sources[item.span.file]).first->second;
    const LineColumn begin = map.at(item.span.begin), end = map.at(std::max(item.span.begin, item.span.end));
    out += "}, \"region\": {\"startLine\": " + std::to_string(begin.line) +
           ", \"startColumn\": " + std::to_string(begin.column) + ", \"endLine\": " + std::to_string(end.line) +
           ", \"endColumn\": " + std::to_string(end.column) + "}}";
  }

  bool has_place(const Diagnostic& item) const { return item.span.file < diagnostics_.sources.size(); }

  void append_result(std::string& out, const Diagnostic& item) {
    out += "{\"ruleId\": ";
    append_text(out, item.code);
    out += std::string(", \"level\": \"") + level_of(item.severity) + "\", \"message\": {\"text\": ";
    append_text(out, item.help.empty() ? item.message : item.message + " (" + item.help + ")");
    out += "}, \"locations\": [";
    if (has_place(item)) {
      append_location(out, item);
      out += "}";
    }
    out += "], \"relatedLocations\": [";
    bool first = true;
    for (const Diagnostic& note : item.notes) {
      if (!has_place(note)) continue;
      if (!first) out += ", ";
      first = false;
      append_location(out, note);
      out += ", \"message\": {\"text\": ";
      append_text(out, note.message);
      out += "}}";
    }
    out += "]}";
  }

 private:
  const Diagnostics& diagnostics_;
  std::map<uint32_t, LineMap> lines_;
};

}  // namespace

std::string render_sarif(const Diagnostics& diagnostics, std::string_view version) {
  std::string out = "{\"$schema\": ";
  append_json_string(out, kSchema);
  out += ", \"version\": \"2.1.0\", \"runs\": [{\"tool\": {\"driver\": {\"name\": \"ordain\", \"version\": ";
  append_json_string(out, version);
  out += ", \"rules\": [";
  std::set<std::string_view> codes;
  for (const Diagnostic& item : diagnostics.items) codes.insert(item.code);
  for (const std::string_view code : codes) {
    out += code == *codes.begin() ? "{\"id\": " : ", {\"id\": ";
    append_text(out, code);
    out += "}";
  }
  out += "]}}, \"columnKind\": \"unicodeCodePoints\", \"results\": [";
  SarifWriter writer(diagnostics);
  std::vector<const Diagnostic*> items;
  for (const Diagnostic& item : diagnostics.items) items.push_back(&item);
  std::stable_sort(items.begin(), items.end(), [](const Diagnostic* a, const Diagnostic* b) {
    return a->span.file != b->span.file ? a->span.file < b->span.file : a->span.begin < b->span.begin;
  });
  for (const Diagnostic* item : items) {
    if (item != items.front()) out += ",";
    out += "\n";
    writer.append_result(out, *item);
  }
  return out + "\n]}]}\n";
}

}  // namespace ordain
