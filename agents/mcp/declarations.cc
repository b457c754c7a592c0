// declarations reads the part of JSON Schema that tools use: types, properties, required, items, and unions with null.
#include "agents/mcp/declarations.h"

#include <algorithm>
#include <optional>
#include <set>

#include "agents/mcp/message.h"
#include "ordain/compile.h"
#include "ordain/format.h"
#include "ordain/stdlib.h"
#include "ordain/terminal_text.h"

namespace ordain::mcp {
namespace {

constexpr int kDeepestSchema = 8;
constexpr size_t kLongestDescription = 200;

bool is_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_word(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  if (text == "true" || text == "false" || text == "null" || text == "in") return false;
  return std::all_of(text.begin(), text.end(), is_word_byte);
}

/// The name of a field as policies write it; "" if they cannot.
std::string field_name(std::string_view text) {
  if (is_word(text)) return std::string(text);
  const auto fits = [](char c) { return is_word_byte(c) || c == '.' || c == '/' || c == ' ' || c == '-'; };
  if (text.empty() || !std::all_of(text.begin(), text.end(), fits)) return "";
  return "`" + std::string(text) + "`";
}

bool is_dotted_name(std::string_view text) {
  while (true) {
    const size_t dot = text.find('.');
    if (!is_word(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

std::string literal(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

struct SchemaType {
  std::string text = "dyn";
  bool nullable = false;
};

SchemaType type_of_schema(const Value& schema, int depth);

/// The only schema of a union that is not that of null; nullptr if there are several.
const Value* only_other(const Value& list, bool* nullable) {
  const Value* out = nullptr;
  for (const Value& each : list.as_list()) {
    if (text_member(each, "type") == "null") {
      *nullable = true;
    } else if (out != nullptr) {
      return nullptr;
    } else {
      out = &each;
    }
  }
  return out;
}

bool is_required(const Value& schema, std::string_view field) {
  const Value* required = member(schema, "required");
  if (required == nullptr || !required->is(Kind::list)) return false;
  const auto names = required->as_list();
  return std::any_of(names.begin(), names.end(),
                     [&](const Value& name) { return name.is(Kind::string) && name.as_text() == field; });
}

/// A record of the schema's properties: `open { path: string, depth: optional(int) }`.
std::string record_of_schema(const Value& schema, int depth) {
  const Value* properties = member(schema, "properties");
  const Value* additional = member(schema, "additionalProperties");
  bool open = additional == nullptr || !additional->is(Kind::boolean) || additional->as_bool();
  std::string fields;
  if (properties != nullptr && properties->is(Kind::map)) {
    for (const MapEntry& entry : properties->map->all()) {
      const std::string name = field_name(entry.key.as_text());
      if (name.empty()) {
        open = true;
        continue;
      }
      const SchemaType type = type_of_schema(entry.value, depth + 1);
      const bool optional = type.nullable || !is_required(schema, entry.key.as_text());
      if (!fields.empty()) fields += ", ";
      fields += name + ": " + (optional ? "optional(" + type.text + ")" : type.text);
    }
  }
  return std::string(open ? "open " : "") + "{ " + fields + " }";
}

std::string type_of_object(const Value& schema, int depth) {
  const Value* properties = member(schema, "properties");
  if (properties != nullptr && properties->is(Kind::map)) return record_of_schema(schema, depth);
  const Value* additional = member(schema, "additionalProperties");
  if (additional == nullptr || !additional->is(Kind::map)) return "map(string, dyn)";
  const SchemaType type = type_of_schema(*additional, depth + 1);
  return "map(string, " + (type.nullable ? "dyn" : type.text) + ")";
}

std::string type_of_name(std::string_view name, const Value& schema, int depth) {
  if (name == "string") return "string";
  if (name == "integer") return "int";
  if (name == "number") return "double";
  if (name == "boolean") return "bool";
  if (name == "object") return type_of_object(schema, depth);
  if (name != "array") return "dyn";
  const Value* items = member(schema, "items");
  if (items == nullptr) return "list(dyn)";
  const SchemaType type = type_of_schema(*items, depth + 1);
  return "list(" + (type.nullable ? "dyn" : type.text) + ")";
}

SchemaType type_of_schema(const Value& schema, int depth) {
  SchemaType out;
  if (depth > kDeepestSchema || !schema.is(Kind::map)) return out;
  for (const std::string_view key : {"anyOf", "oneOf"}) {
    const Value* list = member(schema, key);
    if (list == nullptr || !list->is(Kind::list)) continue;
    const Value* other = only_other(*list, &out.nullable);
    if (other == nullptr) return out;
    const SchemaType inner = type_of_schema(*other, depth + 1);
    return {inner.text, out.nullable || inner.nullable};
  }
  const Value* type = member(schema, "type");
  if (type == nullptr) return out;
  if (type->is(Kind::string)) {
    out.text = type_of_name(type->as_text(), schema, depth);
    return out;
  }
  if (!type->is(Kind::list)) return out;
  std::set<std::string_view> names;
  for (const Value& each : type->as_list()) {
    if (each.is(Kind::string)) names.insert(each.as_text());
  }
  out.nullable = names.erase("null") != 0;
  if (names.size() == 1) out.text = type_of_name(*names.begin(), schema, depth);
  return out;
}

/// Names of capabilities that policies can write, also as targets.
bool is_tool_name(std::string_view name) {
  return !name.empty() && name.size() <= 256 && name != "resources.read" && name != "prompts.get" &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f && c != '*'; });
}

std::string short_description(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  if (text.size() > kLongestDescription) {
    size_t end = kLongestDescription;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text = text.substr(0, end);
  }
  return terminal_text(text);
}

std::string capability_head(std::string_view server, std::string_view name) {
  const std::string full = "mcp." + std::string(server) + "." + std::string(name);
  return "capability " + (is_dotted_name(full) ? full : literal(full)) + " {\n";
}

std::string declare_tool(std::string_view server, const Value& tool) {
  std::string out = capability_head(server, text_member(tool, "name")) + "type \"tool\";\n";
  const std::string description = short_description(text_member(tool, "description"));
  if (!description.empty()) out += "description " + literal(description) + ";\n";
  const Value* input = member(tool, "inputSchema");
  out += "input " + (input != nullptr ? record_of_schema(*input, 0) : std::string("open { }")) + "\n";
  const Value* output = member(tool, "outputSchema");
  const std::string structured = output != nullptr ? type_of_schema(*output, 0).text : "dyn";
  return out + "output open { content: optional(list(dyn)), structuredContent: optional(" + structured +
         "), isError: optional(bool) }\n}\n";
}

std::string declare_others(std::string_view server) {
  return capability_head(server, "resources.read") +
         "type \"resource\";\ninput open { uri: string }\noutput open { contents: optional(list(dyn)) }\n}\n" +
         capability_head(server, "prompts.get") +
         "type \"prompt\";\ninput open { name: string, arguments: optional(map(string, dyn)) }\n"
         "output open { messages: optional(list(dyn)) }\n}\n";
}

}  // namespace

Result<Declarations> declare_tools(std::string_view server, const std::vector<Value>& tools) {
  Declarations out;
  std::string text = "// What the MCP server " + std::string(server) + " offers, as `ordain mcp init` found it.\n";
  std::set<std::string_view> seen;
  for (const Value& tool : tools) {
    const std::string_view name = text_member(tool, "name");
    if (!is_tool_name(name) || !seen.insert(name).second) {
      out.skipped.emplace_back(name);
    } else {
      text += declare_tool(server, tool);
    }
  }
  text += declare_others(server);
  Result<std::string> formatted = format_policy(text);
  if (!formatted) return Error{"bad_declarations", formatted.error().message};
  out.policy = std::move(*formatted);
  const Compilation compilation =
      compile({std::make_shared<Source>(Source{"declarations.policy", out.policy})}, standard_library());
  if (compilation.program == nullptr) return Error{"bad_declarations", render(compilation.diagnostics)};
  return out;
}

}  // namespace ordain::mcp
