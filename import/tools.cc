// tools.cc reads lists of tools: of MCP, OpenAI and Anthropic, and functions with their parameters' Python types.
#include "import/tools.h"

#include <fmt/format.h>

#include <utility>

#include "ordain/terminal_text.h"

namespace ordain::importer {
namespace {

bool has(const Value& object, std::string_view key) { return member(object, key) != nullptr; }

bool is_type(const Value& object, std::string_view type) {
  const Value* named = member(object, "type");
  return named != nullptr && named->is(Kind::string) && named->as_text() == type;
}

std::string_view text_in(const Value& object, std::string_view key) {
  const Value* found = member(object, key);
  return found != nullptr && found->is(Kind::string) ? found->as_text() : std::string_view();
}

SchemaKind kind_of_tool(const Value& tool) {
  if (has(tool, "inputSchema")) return SchemaKind::mcp;
  if (has(tool, "input_schema")) return SchemaKind::anthropic;
  if (is_type(tool, "function") || has(tool, "parameters")) return SchemaKind::openai;
  return SchemaKind::any;
}

std::string_view name_of_kind(SchemaKind kind) {
  switch (kind) {
    case SchemaKind::mcp:
      return "an MCP tool, with `name` and `inputSchema`";
    case SchemaKind::openai:
      return "an OpenAI tool, with `name` and `parameters`";
    case SchemaKind::anthropic:
      return "an Anthropic tool, with `name` and `input_schema`";
    default:
      return "a tool, with `name` and the schema of its input";
  }
}

// The type that a Python annotation means. What is not known may be anything.
std::string python_type(std::string_view text, int depth) {
  static constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"str", "string"}, {"int", "int"},        {"float", "double"},
      {"bool", "bool"},  {"list", "list(dyn)"}, {"dict", "map(string, dyn)"}};
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  for (const auto& [name, type] : kNames) {
    if (text == name) return std::string(type);
  }
  if (depth > 8) return "dyn";
  const bool list = text.starts_with("list["), dict = text.starts_with("dict[str,");
  if ((list || dict) && text.ends_with("]")) {
    const size_t begin = list ? 5 : 9;
    const std::string inner = python_type(text.substr(begin, text.size() - begin - 1), depth + 1);
    return fmt::format("{}{})", list ? "list(" : "map(string, ", inner);
  }
  return "dyn";
}

}  // namespace

void ToolReader::mistake(const SchemaPlace& place, const std::string& what) {
  diagnostics_.error("not-importable", Span{}, fmt::format("{}: {}", place.text(), what));
}

std::vector<ToolText> ToolReader::read(SchemaKind kind, const std::string& fallback) {
  const SchemaPlace place;
  const Value* root = &document_;
  if (const Value* result = member(*root, "result"); result != nullptr && has(*result, "tools")) root = result;
  const Value* tools = root->is(Kind::list) ? root : member(*root, "tools");
  const bool listed = tools != nullptr && tools->is(Kind::list);
  const bool operations = has(document_, "openapi") || has(document_, "swagger");
  if (kind == SchemaKind::openapi || (kind == SchemaKind::any && operations)) {
    read_operations();
  } else if (kind == SchemaKind::json_schema) {
    read_schema(fallback);
  } else if (listed) {
    read_tools(*tools, kind, root->is(Kind::list) ? place : place.key("tools"));
  } else if (kind != SchemaKind::any || kind_of_tool(document_) != SchemaKind::any) {
    read_tool(document_, kind, place);
  } else {
    read_schema(fallback);
  }
  return std::move(tools_);
}

void ToolReader::read_tools(const Value& tools, SchemaKind kind, const SchemaPlace& place) {
  for (size_t i = 0; i < tools.aux; ++i) read_tool(tools.items[i], kind, place.element(i));
}

void ToolReader::read_tool(const Value& tool, SchemaKind kind, const SchemaPlace& place) {
  const SchemaKind found = kind_of_tool(tool);
  if (!tool.is(Kind::map) || (kind != SchemaKind::any && found != SchemaKind::any && found != kind)) {
    return mistake(place, fmt::format("expected {}", name_of_kind(kind)));
  }
  const Value* function = member(tool, "function");
  const Value& holder = function != nullptr && function->is(Kind::map) ? *function : tool;
  const char* key = found == SchemaKind::mcp         ? "inputSchema"
                    : found == SchemaKind::anthropic ? "input_schema"
                                                     : "parameters";
  const SchemaPlace input_place = place.key(key);
  const Value* input = member(holder, key);
  std::string record = "open {}";
  if (input == nullptr) {
    notes_.add("a tool without a schema of its input: its input is open", place);
  } else if (input->is(Kind::list)) {
    record = signature(*input, input_place);
  } else {
    record = schemas_.record(*input, input_place, false);
  }
  const Value* output = member(holder, "outputSchema");
  std::string result = output != nullptr ? schemas_.record(*output, place.key("outputSchema"), true) : "";
  const Value* description = member(holder, "description");
  if (description == nullptr) description = member(holder, "doc");
  if (description == nullptr) description = member(holder, "title");
  add(text_in(holder, "name"), description, std::move(record), std::move(result), place);
}

// `[{"name": "amount", "type": "float | None", "default": "None"}]`
std::string ToolReader::signature(const Value& parameters, const SchemaPlace& place) {
  std::string fields;
  std::set<std::string_view> names;
  for (size_t i = 0; i < parameters.aux; ++i) {
    const Value& parameter = parameters.items[i];
    const std::string_view name = text_in(parameter, "name");
    std::string_view annotation = text_in(parameter, "type");
    bool optional = has(parameter, "default");
    for (const std::string_view none : {" | None", "| None"}) {
      if (!annotation.ends_with(none)) continue;
      annotation.remove_suffix(none.size());
      optional = true;
    }
    const std::string type = python_type(annotation, 0);
    const std::string_view description = text_in(parameter, "description");
    const bool added =
        names.insert(name).second &&
        schemas_.append_field(fields, name, description, optional ? fmt::format("optional({})", type) : type);
    if (!added) mistake(place.element(i), "a parameter needs a name of its own");
  }
  return record_of(std::move(fields), false);
}

void ToolReader::read_schema(const std::string& fallback) {
  const SchemaPlace place;
  if (!document_.is(Kind::map)) return mistake(place, "expected tools, an OpenAPI document, or a JSON Schema");
  const std::string_view title = text_in(document_, "title");
  add(title.empty() ? std::string_view(fallback) : title, member(document_, "description"),
      schemas_.record(document_, place, false), "", place);
}

void ToolReader::add(std::string_view name, const Value* description, std::string input, std::string output,
                     const SchemaPlace& place) {
  if (name.empty()) return mistake(place, "a tool needs a `name`");
  if (name.find('*') != std::string_view::npos) {
    return mistake(place, "a capability cannot be named `" + terminal_text(name.substr(0, 64)) + "`, which holds `*`");
  }
  const bool described = description != nullptr && description->is(Kind::string);
  tools_.push_back(
      {std::string(name), described ? std::string(description->as_text()) : "", std::move(input), std::move(output)});
}

}  // namespace ordain::importer
