// Writes values as canonical JSON: equal trees give one text, which can therefore be signed and
// digested.
#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "ordain/json.h"
#include "ordain/time_text.h"
#include "vm/value/encodings.h"

namespace ordain {
namespace {

void append_value(std::string& out, const Value& value, int depth);

void append_number(std::string& out, auto number) {
  char text[32];
  out.append(text, std::to_chars(text, text + sizeof(text), number).ptr);
}

// JSON has neither NaN nor infinity; they become the strings that protobuf's JSON uses.
void append_double(std::string& out, double number) {
  if (std::isnan(number)) {
    out += "\"NaN\"";
    return;
  }
  if (std::isinf(number)) {
    out += number > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    return;
  }
  size_t start = out.size();
  append_number(out, number);
  if (out.find_first_of(".e", start) == std::string::npos) out += ".0";
}

void append_address(std::string& out, const Value& value) {
  char text[INET6_ADDRSTRLEN];
  bool v4 = (value.aux & 0xff) == 4;
  if (inet_ntop(v4 ? AF_INET : AF_INET6, value.text, text, sizeof(text)) != nullptr) out += text;
  if (value.kind == Kind::cidr) {
    out += '/';
    append_number(out, value.aux >> 8);
  }
}

// The text of a value without quotes: for a key, or for a kind that JSON can only write as a
// string.
std::string text_of(const Value& value, int depth) {
  std::string out;
  switch (value.kind) {
    case Kind::string:
    case Kind::type:
      return std::string(value.as_text());
    case Kind::bytes:
      return base64_of(value.as_text());
    case Kind::timestamp:
      return format_timestamp(value.i, value.nanos());
    case Kind::duration:
      return format_duration(value.i, value.nanos());
    case Kind::ip:
    case Kind::cidr:
      append_address(out, value);
      return out;
    default:
      append_value(out, value, depth);
      return out;
  }
}

void append_list(std::string& out, std::span<const Value> list, int depth) {
  out += '[';
  for (size_t n = 0; n < list.size(); ++n) {
    if (n > 0) out += ',';
    append_value(out, list[n], depth);
  }
  out += ']';
}

void append_map(std::string& out, const MapRep& map, int depth) {
  std::vector<std::pair<std::string, const Value*>> fields;
  fields.reserve(map.count);
  for (const MapEntry& entry : map.all()) fields.emplace_back(text_of(entry.key, depth), &entry.value);
  std::stable_sort(fields.begin(), fields.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  out += '{';
  for (size_t n = 0; n < fields.size(); ++n) {
    if (n > 0) out += ',';
    append_json_string(out, fields[n].first);
    out += ':';
    append_value(out, *fields[n].second, depth);
  }
  out += '}';
}

void append_value(std::string& out, const Value& value, int depth) {
  if (depth >= kMaxValueDepth) {
    out += "null";
    return;
  }
  switch (value.kind) {
    case Kind::absent:
    case Kind::null:
      out += "null";
      break;
    case Kind::boolean:
      out += value.as_bool() ? "true" : "false";
      break;
    case Kind::integer:
      append_number(out, value.i);
      break;
    case Kind::unsigned_integer:
      append_number(out, value.u);
      break;
    case Kind::floating:
      append_double(out, value.d);
      break;
    case Kind::string:
      append_json_string(out, value.as_text());
      break;
    case Kind::list:
      append_list(out, value.as_list(), depth + 1);
      break;
    case Kind::map:
      append_map(out, *value.map, depth + 1);
      break;
    case Kind::optional:
      if (value.items == nullptr) {
        out += "null";
      } else {
        append_value(out, *value.items, depth + 1);
      }
      break;
    case Kind::bytes:
    case Kind::timestamp:
    case Kind::duration:
    case Kind::type:
    case Kind::ip:
    case Kind::cidr:
      append_json_string(out, text_of(value, depth));
      break;
  }
}

}  // namespace

std::string to_json(const Value& value) {
  std::string out;
  append_value(out, value, 0);
  return out;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "\\u00";
          out += kHexDigits[c >> 4];
          out += kHexDigits[c & 15];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

}  // namespace ordain
