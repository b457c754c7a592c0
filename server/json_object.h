// JsonObject writes one JSON object, and the functions beside it read members of parsed ones.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ordain/json.h"
#include "ordain/value.h"

namespace ordain::server {

/// Writes members in the order in which they are added.
class JsonObject {
 public:
  JsonObject& raw(std::string_view key, std::string_view json) {
    text_ += text_.size() > 1 ? ", " : "";
    append_json_string(text_, key);
    text_ += ": ";
    text_ += json;
    return *this;
  }
  JsonObject& text(std::string_view key, std::string_view value) {
    std::string quoted;
    append_json_string(quoted, value);
    return raw(key, quoted);
  }
  JsonObject& text_or_null(std::string_view key, std::string_view value) {
    return value.empty() ? raw(key, "null") : text(key, value);
  }
  JsonObject& boolean(std::string_view key, bool value) { return raw(key, value ? "true" : "false"); }
  std::string close() const { return text_ + "}"; }

 private:
  std::string text_ = "{";
};

/// Writes a JSON array; `append(std::string&, item)` appends one element.
template <typename Items, typename Append>
std::string json_array(const Items& items, const Append& append) {
  std::string out = "[";
  for (const auto& item : items) {
    if (out.size() > 1) out += ", ";
    append(out, item);
  }
  return out + "]";
}

/// @returns the member of a map; nullptr if `value` is not a map or does not have it
inline const Value* member_of(const Value& value, std::string_view name) {
  return value.is(Kind::map) ? map_find(*value.map, name) : nullptr;
}

/// @returns the member if it is a string
inline std::optional<std::string_view> text_member(const Value& value, std::string_view name) {
  const Value* member = member_of(value, name);
  if (member == nullptr || !member->is(Kind::string)) return std::nullopt;
  return member->as_text();
}

}  // namespace ordain::server
