// json.cc implements the small part of JSON that messages need besides the engine's own reader.
#include "lsp/json.h"

#include "ordain/json.h"
#include "ordain/terminal_text.h"
#include "ordain/utf8.h"

namespace ordain::lsp {

const Value* find_value(const Value& from, std::initializer_list<std::string_view> path) {
  const Value* at = &from;
  for (const std::string_view key : path) {
    at = at->is(Kind::map) ? map_find(*at->map, key) : nullptr;
    if (at == nullptr) return nullptr;
  }
  return at->is(Kind::null) || at->is(Kind::absent) ? nullptr : at;
}

std::string_view find_text(const Value& from, std::initializer_list<std::string_view> path) {
  const Value* found = find_value(from, path);
  return found != nullptr && found->is(Kind::string) ? found->as_text() : std::string_view();
}

std::optional<int64_t> find_integer(const Value& from, std::initializer_list<std::string_view> path) {
  const Value* found = find_value(from, path);
  if (found == nullptr || !found->is(Kind::integer)) return std::nullopt;
  return found->i;
}

bool find_flag(const Value& from, std::initializer_list<std::string_view> path) {
  const Value* found = find_value(from, path);
  return found != nullptr && found->is(Kind::boolean) && found->as_bool();
}

void JsonObject::begin(std::string_view key) {
  if (out_.size() > 1) out_ += ',';
  append_json_string(out_, key);
  out_ += ':';
}

JsonObject& JsonObject::add_text(std::string_view key, std::string_view text) {
  begin(key);
  out_ += json_string(text);
  return *this;
}

JsonObject& JsonObject::add_number(std::string_view key, int64_t number) {
  begin(key);
  out_ += std::to_string(number);
  return *this;
}

JsonObject& JsonObject::add_flag(std::string_view key, bool flag) {
  begin(key);
  out_ += flag ? "true" : "false";
  return *this;
}

JsonObject& JsonObject::add_json(std::string_view key, std::string_view json) {
  begin(key);
  out_ += json;
  return *this;
}

std::string json_array(const std::vector<std::string>& elements) {
  std::string out = "[";
  for (const std::string& element : elements) {
    if (out.size() > 1) out += ',';
    out += element;
  }
  return out + "]";
}

std::string json_string(std::string_view text) {
  std::string out;
  if (valid_utf8(text)) {
    append_json_string(out, text);
  } else {
    append_json_string(out, terminal_text(text));
  }
  return out;
}

}  // namespace ordain::lsp
