// findings.cc turns what the compiler says into diagnostics and fixes of the protocol.
#include "lsp/findings.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "compiler/lint/lint.h"
#include "lsp/json.h"
#include "ordain/lint.h"

namespace ordain::lsp {
namespace {

enum LspSeverity : int64_t { kLspError = 1, kLspWarning = 2, kLspInformation = 3, kLspHint = 4 };

LspSeverity severity_of(const Diagnostic& item) {
  if (item.severity == Severity::error) return kLspError;
  if (item.severity == Severity::note) return kLspInformation;
  return lint::is_style(item.code) ? kLspHint : kLspWarning;
}

// The lines of the texts of a set. Each is counted when it is needed first.
class LinesOfSet {
 public:
  LinesOfSet(const Diagnostics& diagnostics, Encoding encoding) : diagnostics_(diagnostics), encoding_(encoding) {}

  const TextLines& of(uint32_t file) {
    return lines_.try_emplace(file, diagnostics_.sources[file]->text, encoding_).first->second;
  }

 private:
  const Diagnostics& diagnostics_;
  Encoding encoding_;
  std::map<uint32_t, TextLines> lines_;
};

class FindingWriter {
 public:
  FindingWriter(const Findings& findings, const Workspace& workspace, const FindingStyle& style)
      : found_(findings.diagnostics), workspace_(workspace), style_(style), lines_(found_, style.encoding) {}

  std::string write(const Diagnostic& item) {
    std::vector<std::string> related;
    std::string message = item.message;
    const auto add = [&](const Span& span, const std::string& text) {
      if (style_.related && span.file < found_.sources.size()) {
        related.push_back(JsonObject().add_json("location", location(span)).add_text("message", text).json());
      } else {
        message += "\n" + text;
      }
    };
    if (!item.help.empty()) add(item.span, "help: " + item.help);
    for (const Diagnostic& note : item.notes) {
      add(note.span, note.message);
      if (!note.help.empty()) add(note.span, "help: " + note.help);
    }
    JsonObject out;
    out.add_json("range", lines_.of(item.span.file).range_json(item.span.begin, item.span.end));
    out.add_number("severity", severity_of(item)).add_text("code", item.code).add_text("source", "ordain");
    out.add_text("message", message);
    if (!related.empty()) out.add_json("relatedInformation", json_array(related));
    if (item.code.starts_with("unused-")) out.add_json("tags", "[1]");
    return out.json();
  }

 private:
  std::string location(const Span& span) {
    return JsonObject()
        .add_text("uri", workspace_.uri_of(found_.sources[span.file]->path))
        .add_json("range", lines_.of(span.file).range_json(span.begin, span.end))
        .json();
  }

  const Diagnostics& found_;
  const Workspace& workspace_;
  const FindingStyle& style_;
  LinesOfSet lines_;
};

}  // namespace

Findings Check::run() const {
  Findings out;
  if (!lives) return out;
  out.diagnostics = lint_policies(sources, *functions).diagnostics;
  out.problems = problems;
  return out;
}

Check make_check(Workspace& workspace, const std::string& set, const FunctionTable& functions) {
  Check out{.set = set, .functions = &functions};
  for (const auto& [uri, document] : workspace.documents()) {
    if (workspace.set_of(document) == set) out.versions[uri] = document.version;
  }
  const auto folders = workspace.folders();
  out.lives = !out.versions.empty() || std::find(folders.begin(), folders.end(), set) != folders.end();
  if (!out.lives) return out;
  out.sources = workspace.sources_of(set);
  out.problems = workspace.problems_of(set);
  return out;
}

std::map<std::string, std::vector<std::string>> diagnostics_json(const Findings& findings, const Workspace& workspace,
                                                                 const FindingStyle& style) {
  std::map<std::string, std::vector<std::string>> out;
  for (const auto& source : findings.diagnostics.sources) out[source->path];
  FindingWriter writer(findings, workspace, style);
  for (const Diagnostic& item : findings.diagnostics.items) {
    if (item.span.file >= findings.diagnostics.sources.size()) continue;
    out[findings.diagnostics.sources[item.span.file]->path].push_back(writer.write(item));
  }
  for (const auto& [path, item] : findings.problems) {
    out[path].push_back(JsonObject()
                            .add_json("range", TextLines("", style.encoding).range_json(0, 0))
                            .add_number("severity", severity_of(item))
                            .add_text("code", item.code)
                            .add_text("source", "ordain")
                            .add_text("message", item.message)
                            .json());
  }
  return out;
}

}  // namespace ordain::lsp
