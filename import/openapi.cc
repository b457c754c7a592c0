// openapi.cc reads the operations of an OpenAPI or Swagger document. A call's input has a field for each parameter, and
// `body` for what is sent; its output is what a successful response holds.
#include <fmt/format.h>

#include <array>
#include <utility>

#include "import/tools.h"

namespace ordain::importer {
namespace {

constexpr std::array<std::string_view, 8> kMethods = {"get",   "put",     "post", "delete",
                                                      "patch", "options", "head", "trace"};

std::string_view text_of(const Value& object, std::string_view key) {
  const Value* found = member(object, key);
  return found != nullptr && found->is(Kind::string) ? found->as_text() : std::string_view();
}

bool is_flag(const Value& object, std::string_view key) {
  const Value* found = member(object, key);
  return found != nullptr && found->is(Kind::boolean) && found->as_bool();
}

// "get /users/{id}" as a name: get_users_id
std::string name_of_operation(std::string_view method, std::string_view path) {
  std::string out(method);
  for (const char c : path) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (word) {
      out += c;
    } else if (out.back() != '_') {
      out += '_';
    }
  }
  while (out.back() == '_') out.pop_back();
  return out;
}

}  // namespace

void ToolReader::read_operations() {
  const SchemaPlace root;
  const SchemaPlace paths_place = root.key("paths");
  const Value* paths = member(document_, "paths");
  if (paths == nullptr || !paths->is(Kind::map)) return mistake(root, "an OpenAPI document needs `paths`");
  for (const MapEntry& entry : paths->map->all()) {
    if (!entry.key.is(Kind::string)) continue;
    const std::string_view path = entry.key.as_text();
    const SchemaPlace place = paths_place.key(path);
    const Value* item = schemas_.follow(entry.value, place);
    if (item == nullptr) continue;
    for (const std::string_view method : kMethods) {
      const Value* operation = member(*item, method);
      if (operation == nullptr || !operation->is(Kind::map)) continue;
      read_operation(path, method, *item, *operation, place.key(method));
    }
  }
}

void ToolReader::read_operation(std::string_view path, std::string_view method, const Value& item,
                                const Value& operation, const SchemaPlace& place) {
  schemas_.set_open(false);
  std::set<std::string> names;
  std::string fields;
  // What the operation says of a parameter comes before what its path says of all operations.
  add_parameters(member(operation, "parameters"), place.key("parameters"), &names, &fields);
  add_parameters(member(item, "parameters"), place.key("parameters"), &names, &fields);
  add_body(operation, place, &names, &fields);
  std::string input = record_of(std::move(fields), false);
  const Value* description = member(operation, "summary");
  if (description == nullptr) description = member(operation, "description");
  const std::string_view id = text_of(operation, "operationId");
  const std::string name = id.empty() ? name_of_operation(method, path) : std::string(id);
  add(name, description, std::move(input), response(operation, place), place);
}

void ToolReader::add_parameters(const Value* parameters, const SchemaPlace& place, std::set<std::string>* names,
                                std::string* fields) {
  if (parameters == nullptr || !parameters->is(Kind::list)) return;
  for (size_t i = 0; i < parameters->aux; ++i) {
    const SchemaPlace at = place.element(i);
    const Value* parameter = schemas_.follow(parameters->items[i], at);
    if (parameter == nullptr) continue;
    const bool body = text_of(*parameter, "in") == "body";  // of Swagger
    const std::string_view name = body ? "body" : text_of(*parameter, "name");
    if (name.empty() || !names->emplace(name).second) continue;
    const Value* schema = member(*parameter, "schema");
    const bool required = is_flag(*parameter, "required");
    // Swagger writes the type of a parameter beside its name.
    std::string type = "dyn";
    if (schema != nullptr) {
      type = schemas_.field_type(*schema, at.key("schema"), required);
    } else if (member(*parameter, "type") != nullptr) {
      type = schemas_.field_type(*parameter, at, required);
    } else if (!required) {
      type = "optional(dyn)";
    }
    if (!schemas_.append_field(*fields, name, text_of(*parameter, "description"), type)) {
      mistake(at, "no field can have the name of this parameter");
    }
  }
}

const Value* ToolReader::json_content(const Value& holder) {
  const Value* content = member(holder, "content");
  if (content == nullptr || !content->is(Kind::map)) return member(holder, "schema");
  const Value* media = map_find(*content->map, "application/json");
  if (media == nullptr && content->map->count > 0) media = &content->map->entries[0].value;
  return media == nullptr ? nullptr : member(*media, "schema");
}

void ToolReader::add_body(const Value& operation, const SchemaPlace& place, std::set<std::string>* names,
                          std::string* fields) {
  const Value* written = member(operation, "requestBody");
  const SchemaPlace at = place.key("requestBody");
  const Value* body = written == nullptr ? nullptr : schemas_.follow(*written, at);
  if (body == nullptr) return;
  if (!names->emplace("body").second) return mistake(at, "a parameter is called `body`, as the body itself");
  const Value* schema = json_content(*body);
  const bool required = is_flag(*body, "required");
  const std::string type = schema != nullptr ? schemas_.field_type(*schema, at, required)
                           : required        ? "dyn"
                                             : "optional(dyn)";
  schemas_.append_field(*fields, "body", text_of(*body, "description"), type);
}

// The record of the first successful response that has a schema; "" if there is none.
std::string ToolReader::response(const Value& operation, const SchemaPlace& place) {
  const Value* responses = member(operation, "responses");
  if (responses == nullptr) return "";
  const SchemaPlace all = place.key("responses");
  for (const std::string_view status : {"200", "201", "202", "2XX", "default"}) {
    const Value* written = member(*responses, status);
    const Value* answer = written == nullptr ? nullptr : schemas_.follow(*written, all.key(status));
    const Value* schema = answer == nullptr ? nullptr : json_content(*answer);
    if (schema == nullptr) continue;
    const Value* target = schemas_.follow(*schema, all.key(status));
    const std::string_view type = target == nullptr ? std::string_view() : text_of(*target, "type");
    const bool object = target != nullptr && (type == "object" || member(*target, "properties") != nullptr ||
                                              member(*target, "allOf") != nullptr);
    return object ? schemas_.record(*schema, all.key(status), true) : "";
  }
  return "";
}

}  // namespace ordain::importer
