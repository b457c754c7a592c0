// case.cc reads conformance cases, and compares and prints values.
#include "tests/conformance/case.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace ordain::conformance {
namespace {

using nlohmann::json;

std::string from_hex(const std::string& hex) {
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return out;
}

Value read_value(Arena& arena, const json& value) {
  const std::string& key = value.begin().key();
  const json& body = value.begin().value();
  if (key == "null") return Value::null();
  if (key == "bool") return Value::boolean(body.get<bool>());
  if (key == "int") return Value::integer(std::stoll(body.get<std::string>()));
  if (key == "uint") return Value::unsigned_integer(std::stoull(body.get<std::string>()));
  if (key == "double") return Value::floating(std::strtod(body.get<std::string>().c_str(), nullptr));
  if (key == "string") return Value::string(arena.copy(body.get<std::string>()));
  if (key == "bytes_hex") return Value::bytes(arena.copy(from_hex(body.get<std::string>())));
  if (key == "type") return Value::type(arena.copy(body.get<std::string>()));
  if (key == "timestamp") return Value::timestamp(body[0].get<int64_t>(), body[1].get<int32_t>());
  if (key == "duration") return Value::duration(body[0].get<int64_t>(), body[1].get<int32_t>());
  if (key == "list") {
    std::vector<Value> items;
    for (const json& item : body) items.push_back(read_value(arena, item));
    return Value::list(arena.copy(items));
  }
  if (key == "map") {
    std::vector<MapEntry> entries;
    for (const json& pair : body) entries.push_back({read_value(arena, pair[0]), read_value(arena, pair[1])});
    return Value::map_of(make_map(arena, arena.copy(entries)));
  }
  throw std::runtime_error("unknown kind of value: " + key);
}

const Type* read_type(Arena& arena, const json& type) {
  if (type.is_string()) {
    const Type* out = parse_type(arena, arena.copy(type.get<std::string>()));
    if (out == nullptr) throw std::runtime_error("unknown type: " + type.get<std::string>());
    return out;
  }
  const std::string& key = type.begin().key();
  const json& body = type.begin().value();
  if (key == "list") return types::list_of(arena, read_type(arena, body));
  if (key == "map") return types::map_of(arena, read_type(arena, body[0]), read_type(arena, body[1]));
  if (key == "type") return types::type_of(arena, read_type(arena, body));
  if (key == "param") {
    return arena.make<Type>(Type{TypeKind::param, arena.copy(body.get<std::string>()), {}, nullptr});
  }
  if (key == "abstract") {
    std::vector<const Type*> params;
    for (const json& param : body[1]) params.push_back(read_type(arena, param));
    const std::string name = body[0].get<std::string>();
    if (name == "optional_type") return types::optional_of(arena, params.at(0));
    return arena.make<Type>(Type{TypeKind::abstract, arena.copy(name), arena.copy(params), nullptr});
  }
  throw std::runtime_error("unknown form of type: " + key);
}

void read_env(Arena& arena, const json& line, Case& out) {
  out.env.container = line.value("container", "");
  out.env.checked = !line.value("disable_check", false);
  for (const json& entry : line.value("type_env", json::array())) {
    if (entry.contains("ident")) {
      out.env.variables.push_back({entry["ident"].get<std::string>(), read_type(arena, entry["type"])});
      continue;
    }
    for (const json& overload : entry["overloads"]) {
      Overload row;
      row.name = entry["function"].get<std::string>();
      row.id = overload["id"].get<std::string>();
      row.member = overload["member"].get<bool>();
      for (const json& param : overload["params"]) row.params.push_back(read_type(arena, param));
      row.result = read_type(arena, overload["result"]);
      out.env.declared_functions.push_back(row);
    }
  }
  const json bindings = line.value("bindings", json::object());
  for (const auto& [name, value] : bindings.items()) {
    out.bindings.emplace_back(name, read_value(arena, value));
    bool declared = false;
    for (const VariableDecl& variable : out.env.variables) declared |= variable.name == name;
    if (!declared) out.env.variables.push_back({name, &types::kDyn});
  }
}

}  // namespace

Case read_case(Arena& arena, const json& line) {
  Case out;
  out.file = line["file"].get<std::string>();
  out.section = line["section"].get<std::string>();
  out.name = line["name"].get<std::string>();
  out.expression = line["expr"].get<std::string>();
  out.check_only = line.value("check_only", false);
  out.expects_error = line.contains("error");
  if (line.contains("value")) {
    out.expects_value = true;
    out.value = read_value(arena, line["value"]);
  }
  if (line.contains("deduced_type")) out.deduced_type = read_type(arena, line["deduced_type"]);
  read_env(arena, line, out);
  return out;
}

bool identical(const Value& a, const Value& b) {
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case Kind::floating:
      return (std::isnan(a.d) && std::isnan(b.d)) || (a.d == b.d && std::signbit(a.d) == std::signbit(b.d));
    case Kind::list:
      if (a.aux != b.aux) return false;
      for (uint32_t i = 0; i < a.aux; ++i) {
        if (!identical(a.items[i], b.items[i])) return false;
      }
      return true;
    case Kind::map:
      if (a.map->count != b.map->count) return false;
      for (const MapEntry& entry : a.map->all()) {
        bool found = false;
        for (const MapEntry& other : b.map->all()) {
          found |= identical(entry.key, other.key) && identical(entry.value, other.value);
        }
        if (!found) return false;
      }
      return true;
    case Kind::optional:
      if ((a.items == nullptr) != (b.items == nullptr)) return false;
      return a.items == nullptr || identical(*a.items, *b.items);
    default:
      return equal(a, b);
  }
}

namespace {

void append(std::string& out, const Value& value, size_t limit) {
  if (out.size() >= limit) return;
  switch (value.kind) {
    case Kind::absent:
      out += "<absent>";
      return;
    case Kind::null:
      out += "null";
      return;
    case Kind::boolean:
      out += value.as_bool() ? "true" : "false";
      return;
    case Kind::integer:
      out += fmt::format("{}", value.i);
      return;
    case Kind::unsigned_integer:
      out += fmt::format("{}u", value.u);
      return;
    case Kind::floating:
      out += fmt::format("double({})", value.d);
      return;
    case Kind::string:
      out += fmt::format("\"{}\"", value.as_text());
      return;
    case Kind::bytes:
      out += "b\"";
      for (char c : value.as_text()) out += fmt::format("\\x{:02x}", static_cast<uint8_t>(c));
      out += '"';
      return;
    case Kind::timestamp:
      out += fmt::format("timestamp({}, {})", value.i, value.nanos());
      return;
    case Kind::duration:
      out += fmt::format("duration({}, {})", value.i, value.nanos());
      return;
    case Kind::type:
      out += fmt::format("type({})", value.as_text());
      return;
    case Kind::list: {
      const char* between = "[";
      for (const Value& item : value.as_list()) {
        if (out.size() >= limit) return;
        out += std::exchange(between, ", ");
        append(out, item, limit);
      }
      out += value.as_list().empty() ? "[]" : "]";
      return;
    }
    case Kind::map: {
      const char* between = "{";
      for (const MapEntry& entry : value.map->all()) {
        if (out.size() >= limit) return;
        out += std::exchange(between, ", ");
        append(out, entry.key, limit);
        out += ": ";
        append(out, entry.value, limit);
      }
      out += value.map->count == 0 ? "{}" : "}";
      return;
    }
    case Kind::optional:
      if (value.items == nullptr) {
        out += "none";
        return;
      }
      out += "optional(";
      append(out, *value.items, limit);
      out += ')';
      return;
    case Kind::ip:
      out += "<ip>";
      return;
    case Kind::cidr:
      out += "<cidr>";
      return;
  }
}

}  // namespace

std::string show(const Value& value, size_t limit) {
  std::string out;
  append(out, value, limit);
  return out.size() > limit ? out.substr(0, limit) : out;
}

}  // namespace ordain::conformance
