// types.cc resolves the types in declarations: `list(string)`, `optional(int)`, records.
#include <algorithm>
#include <unordered_set>
#include <utility>

#include "compiler/check/schema/limits.h"
#include "compiler/check/schema/state.h"

namespace ordain::policy {
namespace {

struct NamedType {
  const char* name;
  const Type* type;
};
const NamedType kNamedTypes[] = {
    {"bool", &types::kBool},           {"int", &types::kInt},           {"uint", &types::kUint},
    {"double", &types::kDouble},       {"string", &types::kString},     {"bytes", &types::kBytes},
    {"timestamp", &types::kTimestamp}, {"duration", &types::kDuration}, {"dyn", &types::kDyn},
    {"null_type", &types::kNull},
};

// A type name from another language, and what the author probably meant.
struct Slip {
  const char* word;
  const char* help;
};
const Slip kSlips[] = {
    {"number", "write `double` or `int`"},
    {"float", "write `double`"},
    {"boolean", "write `bool`"},
    {"integer", "write `int`"},
    {"long", "write `int`"},
    {"str", "write `string`"},
    {"text", "write `string`"},
    {"array", "write `list(T)`"},
    {"object", "write a record, `{ field: type }`, or `map(string, dyn)`"},
    {"dict", "write `map(string, T)`"},
    {"any", "write `dyn`"},
    {"null", "write `null_type`"},
    {"datetime", "write `timestamp`"},
    {"date", "write `string` or `timestamp`"},
    {"secret", "write `secret string`"},
};

const Type* error_type(SchemaState& state, const syntax::TypeSyntax& syntax, std::string message,
                       std::string help = "") {
  state.diagnostics.error("unknown-type", syntax.span, std::move(message), std::move(help));
  return &types::kError;
}

const Type* unknown_type(SchemaState& state, const syntax::TypeSyntax& syntax) {
  for (const Slip& slip : kSlips) {
    if (syntax.name == slip.word)
      return error_type(state, syntax, "no type is called " + quoted(syntax.name), slip.help);
  }
  std::vector<std::string> names{"list", "map", "optional"};
  for (const NamedType& named : kNamedTypes) names.emplace_back(named.name);
  return error_type(state, syntax, "no type is called " + quoted(syntax.name), did_you_mean(syntax.name, names));
}

const Type* list_type(SchemaState& state, const syntax::TypeSyntax& syntax, const std::string& name) {
  if (syntax.params.size() != 1) {
    return error_type(state, syntax, "a list has one parameter, the type of its elements", "write `list(string)`");
  }
  return bounded_type(state, syntax,
                      types::list_of(state.arena, type_of_syntax(state, *syntax.params[0], name + "[*]")));
}

const Type* map_type(SchemaState& state, const syntax::TypeSyntax& syntax, const std::string& name) {
  if (syntax.params.size() != 2) {
    return error_type(state, syntax, "a map has two parameters, the types of its keys and values",
                      "write `map(string, int)`");
  }
  const Type* key = type_of_syntax(state, *syntax.params[0], name);
  switch (key->kind) {
    case TypeKind::string:
    case TypeKind::integer:
    case TypeKind::unsigned_integer:
    case TypeKind::boolean:
    case TypeKind::error:
      break;
    case TypeKind::dyn:
      if (key->params.empty()) break;
      [[fallthrough]];
    default:
      return error_type(state, *syntax.params[0], "a map's keys are string, int, uint or bool");
  }
  return bounded_type(state, syntax,
                      types::map_of(state.arena, key, type_of_syntax(state, *syntax.params[1], name + "[*]")));
}

// A named type with something in brackets after its name.
const Type* type_with_arguments(SchemaState& state, const syntax::TypeSyntax& syntax, const NamedType& named) {
  if (can_be_bounded(*named.type)) {
    const bool sized = named.type->kind == TypeKind::string || named.type->kind == TypeKind::bytes;
    if (!sized || syntax.params.empty()) return bounded_type(state, syntax, named.type);
    state.diagnostics.error("bad-limit", syntax.span, quoted(syntax.name) + " takes `min` and `max`",
                            "write `" + std::string(syntax.name) + "(max 64)`");
    return &types::kError;
  }
  return error_type(state, syntax, quoted(syntax.name) + " takes no parameters");
}

RecordField field_of(SchemaState& state, const syntax::FieldSyntax& field, const std::string& record) {
  RecordField out{field.name.text, &types::kError, false};
  if (field.type == nullptr) return out;
  const syntax::TypeSyntax* type = field.type;
  if (type->record == nullptr && type->name == "optional") {
    out.optional = true;
    if (type->params.size() != 1 || !type->bounds.empty()) {
      out.type = error_type(state, *type, "`optional` has one parameter", "write `optional(string)`");
      return out;
    }
    type = type->params[0];
  }
  out.type = type_of_syntax(state, *type, record + "." + std::string(field.name.text));
  return out;
}

void append_type_key(SchemaState& state, std::string& out, const Type& type) {
  if (type.kind == TypeKind::record && type.record != nullptr) {
    out += type_key(state, type);
    return;
  }
  out += std::to_string(static_cast<int>(type.kind));
  if (type.kind == TypeKind::floating) out += type.name;  // the risk type
  if (type.limits != nullptr) out += to_string(Type{type.kind, {}, {}, nullptr, type.limits});
  if (type.params.empty()) return;
  out += '(';
  for (const Type* param : type.params) {
    append_type_key(state, out, *param);
    out += ',';
  }
  out += ')';
}

}  // namespace

const Type* type_of_syntax(SchemaState& state, const syntax::TypeSyntax& syntax, const std::string& name) {
  if (!syntax.options.empty()) return type_of_options(state, syntax.options, name);
  if (syntax.is_value) {
    const syntax::TypeSyntax* const value[] = {&syntax};
    return type_of_options(state, value, name);
  }
  if (syntax.record != nullptr) return record_type(state, *syntax.record, name);
  if (syntax.name == "list") return list_type(state, syntax, name);
  if (syntax.name == "map") return map_type(state, syntax, name);
  if (syntax.name == "optional") {
    return error_type(state, syntax, "only a field can be optional", "declare the whole field `optional(...)`");
  }
  for (const NamedType& named : kNamedTypes) {
    if (syntax.name != named.name) continue;
    const bool plain = syntax.params.empty() && syntax.bounds.empty();
    return plain ? named.type : type_with_arguments(state, syntax, named);
  }
  return unknown_type(state, syntax);
}

const Type* record_type(SchemaState& state, const syntax::RecordSyntax& syntax, std::string name) {
  std::vector<RecordField> fields;
  std::unordered_set<std::string_view> seen;
  for (const syntax::FieldSyntax& field : syntax.fields) {
    if (!seen.insert(field.name.text).second) continue;  // the parser has reported the repetition
    // Paths are dotted texts (in slots, digests and redactions), so a dot within a name would make
    // two paths equal.
    if (field.name.text.find('.') != std::string_view::npos) {
      state.diagnostics.error("bad-field-name", field.name.span, "a field's name cannot hold a dot",
                              "leave it undeclared in an `open` record, or declare the outer field as `dyn`");
      continue;
    }
    fields.push_back(field_of(state, field, name));
  }
  RecordType* record = state.arena.make<RecordType>();
  record->name = state.arena.copy(name);
  record->open = syntax.open;
  record->fields = state.arena.copy(fields);
  Type* type = state.arena.make<Type>();
  type->kind = TypeKind::record;
  type->record = record;
  return type;
}

std::string type_key(SchemaState& state, const Type& type) {
  if (type.kind != TypeKind::record || type.record == nullptr) {
    std::string out;
    append_type_key(state, out, type);
    return out;
  }
  auto known = state.record_keys.find(type.record);
  if (known != state.record_keys.end()) return known->second;
  std::vector<RecordField> fields(type.record->fields.begin(), type.record->fields.end());
  std::sort(fields.begin(), fields.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  std::string out = type.record->open ? "open{" : "{";
  for (const RecordField& field : fields) {
    out += field.name;
    out += field.optional ? "?:" : ":";
    append_type_key(state, out, *field.type);
    out += ';';
  }
  out += '}';
  state.record_keys.emplace(type.record, out);
  return out;
}

}  // namespace ordain::policy
