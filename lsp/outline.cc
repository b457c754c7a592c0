// outline.cc lists a file's declarations, foldable parts and tests.
#include "lsp/outline.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "compiler/parse/token_scan.h"
#include "lsp/json.h"
#include "lsp/place.h"

namespace ordain::lsp {
namespace {

enum OutlineKind : int64_t {
  kOutlinePackage = 4,
  kOutlineClass = 5,
  kOutlineMethod = 6,
  kOutlineField = 8,
  kOutlineInterface = 11,
  kOutlineFunction = 12,
  kOutlineVariable = 13,
  kOutlineConstant = 14,
  kOutlineKey = 20,
};

class Outliner {
 public:
  Outliner(std::string_view text, const TextLines& lines) : lines_(lines), extents_(statements_of(text)) {}

  std::string write(const syntax::File& file) {
    for (const auto& each : file.contexts) {
      std::vector<std::string> children;
      for (const auto& entry : each.entries) {
        children.push_back(
            item(entry.name.text, "", kOutlineKey, entry.name.span, entry.name.span, fields(entry.record)));
      }
      const Span word{each.span.file, each.span.begin, each.span.begin + 7};
      push(each.span.begin, item("context", "", kOutlineInterface, each.span, word, children));
    }
    for (const auto& each : file.capabilities) {
      std::vector<std::string> children;
      const auto add_record = [&](std::string_view name, const syntax::RecordSyntax* record) {
        if (record != nullptr)
          children.push_back(item(name, "", kOutlineKey, record->span, record->span, fields(record)));
      };
      add_record("input", each.input);
      add_record("output", each.output);
      push(each.name.span.begin,
           item(each.name.text, "capability", kOutlineInterface, around(each.name.span), each.name.span, children));
    }
    for (const auto& each : file.lets) add(each.name, "let", kOutlineConstant);
    for (const auto& each : file.states) add(each.name, to_string(each.kind), kOutlineVariable);
    for (const auto& each : file.labels) add(each, "label", kOutlineVariable);
    for (const auto& each : file.policies) {
      std::vector<std::string> children;
      for (const auto& rule : each.rules) {
        const bool named = !rule.name.text.empty();
        children.push_back(item(named ? rule.name.text : to_string(rule.kind), named ? to_string(rule.kind) : "",
                                kOutlineMethod, rule.span, named ? rule.name.span : rule.word, {}));
      }
      push(each.name.span.begin, item(each.name.text, each.stage == Stage::before ? "policy, before" : "policy, after",
                                      kOutlineClass, around(each.name.span), each.name.span, children));
    }
    for (const auto& each : file.tests) add(each.name, "test", kOutlineFunction);
    std::sort(items_.begin(), items_.end());
    std::vector<std::string> out;
    for (auto& [begin, json] : items_) out.push_back(std::move(json));
    return json_array(out);
  }

 private:
  void push(uint32_t begin, std::string json) { items_.emplace_back(begin, std::move(json)); }

  void add(const syntax::Name& name, std::string_view detail, OutlineKind kind) {
    push(name.span.begin, item(name.text, detail, kind, around(name.span), name.span, {}));
  }

  std::vector<std::string> fields(const syntax::RecordSyntax* record) const {
    std::vector<std::string> out;
    if (record == nullptr) return out;
    for (const syntax::FieldSyntax& field : record->fields) {
      const Span whole{
          field.name.span.file, field.name.span.begin,
          field.type != nullptr ? std::max(field.type->span.end, field.name.span.end) : field.name.span.end};
      out.push_back(item(field.name.text, "", kOutlineField, whole, field.name.span, {}));
    }
    return out;
  }

  // The statement that the name stands in.
  Span around(const Span& name) const {
    const auto after = std::upper_bound(extents_.begin(), extents_.end(), name.begin,
                                        [](size_t at, const Extent& extent) { return at < extent.begin; });
    if (after != extents_.begin() && name.end <= (after - 1)->end) {
      return {name.file, static_cast<uint32_t>((after - 1)->begin), static_cast<uint32_t>((after - 1)->end)};
    }
    return name;
  }

  std::string item(std::string_view name, std::string_view detail, OutlineKind kind, const Span& whole,
                   const Span& selected, const std::vector<std::string>& children) const {
    JsonObject out;
    out.add_text("name", name.empty() ? " " : name).add_text("detail", detail).add_number("kind", kind);
    out.add_json("range", lines_.range_json(whole.begin, whole.end));
    out.add_json("selectionRange", lines_.range_json(selected.begin, selected.end));
    if (!children.empty()) out.add_json("children", json_array(children));
    return out.json();
  }

  const TextLines& lines_;
  std::vector<Extent> extents_;
  std::vector<std::pair<uint32_t, std::string>> items_;
};

std::string fold_json(uint32_t from, uint32_t to, std::string_view kind) {
  JsonObject out;
  out.add_number("startLine", from).add_number("endLine", to);
  if (!kind.empty()) out.add_text("kind", kind);
  return out.json();
}

// Runs of lines that hold nothing but a comment.
void fold_comments(std::string_view text, const TextLines& lines, std::vector<std::string>* out) {
  uint32_t first = 0, count = 0;
  for (uint32_t line = 0; line <= lines.count(); ++line) {
    std::string_view rest = line < lines.count() ? text.substr(lines.offset({line, 0})) : std::string_view();
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    if (rest.starts_with("//")) {
      if (count++ == 0) first = line;
      continue;
    }
    if (count > 1) out->push_back(fold_json(first, line - 1, "comment"));
    count = 0;
  }
}

}  // namespace

std::string document_symbols_json(const syntax::File& file, std::string_view text, const TextLines& lines) {
  return Outliner(text, lines).write(file);
}

std::string folding_ranges_json(std::string_view text, const TextLines& lines) {
  std::vector<std::string> out;
  std::vector<size_t> open;
  for (ScanToken token = next_token(text, 0); token.kind != ScanKind::end; token = next_token(text, token.end)) {
    if (token.kind != ScanKind::punctuation) continue;
    const char c = text[token.begin];
    if (c == '{' || c == '[') open.push_back(token.begin);
    if ((c != '}' && c != ']') || open.empty()) continue;
    const uint32_t from = lines.position(open.back()).line, to = lines.position(token.begin).line;
    open.pop_back();
    if (to > from + 1) out.push_back(fold_json(from, to - 1, ""));  // the closing bracket stays visible
  }
  fold_comments(text, lines, &out);
  return json_array(out);
}

std::string code_lenses_json(const syntax::File& file, std::string_view uri, const TextLines& lines) {
  std::vector<std::string> out;
  for (const syntax::TestDecl& test : file.tests) {
    const std::string arguments = json_array({json_string(uri), json_string(test.name.text)});
    for (const auto& [title, name] : {std::pair("run test", kRunTest), std::pair("explain last", kExplainLast)}) {
      const std::string command =
          JsonObject().add_text("title", title).add_text("command", name).add_json("arguments", arguments).json();
      out.push_back(JsonObject()
                        .add_json("range", lines.range_json(test.name.span.begin, test.name.span.end))
                        .add_json("command", command)
                        .json());
    }
  }
  return json_array(out);
}

}  // namespace ordain::lsp
